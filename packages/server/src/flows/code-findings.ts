/** What tools in the jail find in the code of nodes, and which code is known to be right. */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import { limit } from "@plinth/core/limits.ts";
import { escapeText } from "@plinth/core/policy/escape-text.ts";
import type { ToolName } from "../sandbox/tools.ts";
import { shownPlace } from "./script-place.ts";

export interface CodeFinding {
  readonly line: number;
  readonly column: number;
  /** With the place and the line itself. */
  readonly message: string;
}

/** Texts in which nothing was found, so many in the life of a host; each is parsed once. */
export class PassedCode {
  /** Digests, the latest last. */
  readonly #digests = new Set<string>();

  has(text: string): boolean {
    return this.#digests.has(digestOf(text));
  }

  add(text: string): void {
    for (const oldest of this.#digests) {
      if (this.#digests.size < limit("flowScriptsKnownMax")) break;
      this.#digests.delete(oldest);
    }
    this.#digests.add(digestOf(text));
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** A finding of a flow, in the code at `path`. */
export function inFlow(node: string, path: string, { line, column, message }: CodeFinding): FlowFinding {
  return { path, node, severity: "error", position: { line, column }, message: `${path}, ${message}` };
}

/** What the jail says is hostile. */
export function readFindings(tool: ToolName, findings: unknown, code: string): readonly CodeFinding[] {
  if (!Array.isArray(findings)) throw unreadable(tool);
  return findings.slice(0, limit("flowFindingsMax")).map((found: unknown) => readFinding(tool, found, code));
}

function readFinding(tool: ToolName, found: unknown, code: string): CodeFinding {
  const fields = new Map<string, unknown>(typeof found === "object" && found !== null ? Object.entries(found) : []);
  const [line, column, message] = [fields.get("line"), fields.get("column"), fields.get("message")];
  if (typeof line !== "number" || typeof column !== "number" || typeof message !== "string") throw unreadable(tool);
  const place = shownPlace(code, { line, column });
  if (place === null) throw plinthError("ToolFailed", { tool, detail: "its answer names no place of the code" });
  return { line, column, message: `${place}: ${escapeText(message, limit("failureMessageCharsMax"))}` };
}

export function findingsIn(tool: ToolName, answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("findings" in answer)) throw unreadable(tool);
  return answer.findings;
}

export function unreadable(tool: ToolName) {
  return plinthError("ToolFailed", { tool, detail: "its answer cannot be read" });
}
