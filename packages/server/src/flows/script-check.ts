/**
 * Checks the scripts of flows, when a flow is saved and again when a script runs: parsed in the jail, each text once in the life of a
 * host.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { escapeText } from "@plinth/core/policy/escape-text.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { shownPlace } from "./script-place.ts";

export interface ScriptFinding {
  readonly line: number;
  readonly column: number;
  /** With the place and the line itself. */
  readonly message: string;
}

/** What a script sees by name; it cannot declare these again. */
export const SCRIPT_NAMES: readonly string[] = ["inputs", "keyrings", "workflow", "libs"];

export class ScriptChecks {
  readonly #tools: Pick<JailTools, "run">;
  /** Digests of texts in which nothing was found, the latest last. */
  readonly #passed = new Set<string>();

  constructor(tools: Pick<JailTools, "run">) {
    this.#tools = tools;
  }

  async findings(tenant: string, code: string): Promise<readonly ScriptFinding[]> {
    const digest = createHash("sha256").update(code).digest("base64");
    if (this.#passed.has(digest)) return [];
    const found = readFindings(await this.#tools.run(tenant, "script", { code, names: SCRIPT_NAMES }), code);
    if (found.length > 0) return found;
    for (const oldest of this.#passed) {
      if (this.#passed.size < limit("flowScriptsKnownMax")) break;
      this.#passed.delete(oldest);
    }
    this.#passed.add(digest);
    return [];
  }

  /** Rejects with InvalidCode. */
  async check(tenant: string, code: string): Promise<void> {
    const [first] = await this.findings(tenant, code);
    if (first !== undefined) throw plinthError("InvalidCode", { detail: first.message });
  }

  async flowFindings(tenant: string, { nodes }: FlowDefinition): Promise<readonly FlowFinding[]> {
    const found: FlowFinding[] = [];
    for (const [id, node] of Object.entries(nodes)) {
      found.push(...(await this.#nodeFindings(tenant, { id, path: `nodes.${id}`, node })));
      if (node.compensate !== null)
        found.push(...(await this.#nodeFindings(tenant, { id, path: `nodes.${id}.compensate`, node: node.compensate })));
    }
    return found;
  }

  async #nodeFindings(
    tenant: string,
    { id, path, node }: { readonly id: string; readonly path: string; readonly node: NodeOfCode },
  ): Promise<FlowFinding[]> {
    const code = node.data["code"];
    if (node.type !== "script" || typeof code !== "string") return [];
    const at = `${path}.data.code`;
    return (await this.findings(tenant, code)).map(({ line, column, message }) => ({
      ...{ path: at, node: id, severity: "error", position: { line, column } },
      message: `${at}, ${message}`,
    }));
  }
}

interface NodeOfCode {
  readonly type: string;
  readonly data: JsonObject;
}

/** What the jail says is hostile. */
function readFindings(answer: unknown, code: string): readonly ScriptFinding[] {
  if (typeof answer !== "object" || answer === null || !("findings" in answer) || !Array.isArray(answer.findings))
    throw plinthError("ToolFailed", { tool: "script", detail: "its answer cannot be read" });
  return answer.findings.slice(0, limit("flowFindingsMax")).map((found: unknown) => readFinding(found, code));
}

function readFinding(found: unknown, code: string): ScriptFinding {
  const fields = new Map<string, unknown>(typeof found === "object" && found !== null ? Object.entries(found) : []);
  const [line, column, message] = [fields.get("line"), fields.get("column"), fields.get("message")];
  if (typeof line !== "number" || typeof column !== "number" || typeof message !== "string")
    throw plinthError("ToolFailed", { tool: "script", detail: "its answer cannot be read" });
  const place = shownPlace(code, { line, column });
  if (place === null) throw plinthError("ToolFailed", { tool: "script", detail: "its answer names no place of the script" });
  return { line, column, message: `${place}: ${escapeText(message, limit("failureMessageCharsMax"))}` };
}
