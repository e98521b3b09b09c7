/**
 * What a script reports when it has ended: the body of the callback, and its signature. The body comes from the network, from a runner
 * or from the store, and is hostile.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { LogLine } from "../../engine/invocation.ts";

export interface ScriptReport {
  readonly success: boolean;
  /** The run. */
  readonly workflow_log_id: string;
  /** The node. */
  readonly script_api_name: string;
  /** Name of its context. */
  readonly s3_key: string;
  readonly result: Json;
  readonly error: string | null;
  readonly logs: readonly Pick<LogLine, "level" | "text" | "atMs">[];
  readonly execution_time_ms: number;
  /** Of failures: a stable code, and whether another attempt may succeed. */
  readonly code?: string;
  readonly retryable?: boolean;
}

/** Value of the header `x-plinth-signature`: whoever has the token says so of this body. */
export function signatureOf(token: string, body: string): string {
  return `sha256=${createHmac("sha256", token).update(body).digest("hex")}`;
}

export function isSigned(token: string, body: string, signature: string): boolean {
  const [given, wanted] = [Buffer.from(signature), Buffer.from(signatureOf(token, body))];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

const LEVELS: ReadonlySet<string> = new Set(["debug", "info", "log", "warn", "error"]);

export function readReport(body: string): ScriptReport {
  scanJsonText(body, { depthMax: limit("jsonDepthMax"), what: "report of a script" });
  const json: unknown = JSON.parse(body);
  const fields = new Map<string, unknown>(typeof json === "object" && json !== null ? Object.entries(json) : []);
  const success = fields.get("success");
  if (typeof success !== "boolean") throw wrong("success", "true or false");
  const code = fields.get("code");
  return {
    success,
    workflow_log_id: textIn(fields, "workflow_log_id"),
    script_api_name: textIn(fields, "script_api_name"),
    s3_key: textIn(fields, "s3_key"),
    result: (fields.get("result") ?? null) as Json,
    error: success ? null : textIn(fields, "error").slice(0, limit("operationErrorCharsMax")),
    logs: readLogs(fields.get("logs") ?? []),
    execution_time_ms: readTime(fields.get("execution_time_ms")),
    ...(typeof code === "string" && /^[\w.-]{1,64}$/.test(code) ? { code } : {}),
    retryable: fields.get("retryable") === true,
  };
}

/** Texts, or objects with `level`, `text` and `atMs`. */
function readLogs(logs: unknown): ScriptReport["logs"] {
  if (!Array.isArray(logs)) throw wrong("logs", "a list");
  return logs.slice(0, limit("flowLogLinesMax")).map((line: unknown) => {
    if (typeof line === "string") return { level: "log", text: line, atMs: 0 };
    const { level, text, atMs } = typeof line === "object" && line !== null ? (line as Record<string, unknown>) : {};
    if (typeof text !== "string") throw wrong("logs", "a list of texts, or of objects with `level` and `text`");
    return { level: typeof level === "string" && LEVELS.has(level) ? (level as LogLine["level"]) : "log", text, atMs: readTime(atMs) };
  });
}

function readTime(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}

function textIn(fields: ReadonlyMap<string, unknown>, name: string): string {
  const value = fields.get(name);
  if (typeof value !== "string") throw wrong(name, "a text");
  return value;
}

function wrong(name: string, what: string) {
  return plinthError("BadRequest", { detail: `\`${name}\` must be ${what}.` });
}
