/** Reads what the jailed reader of YAML gives back; it is as hostile as the text. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { ManifestFinding } from "@plinth/core/manifest/manifest.ts";

export interface YamlResult {
  readonly json: unknown;
  readonly lines: unknown;
  readonly findings: readonly ManifestFinding[];
}

export function parseYamlResult(result: unknown): YamlResult {
  if (!isObject(result) || !Array.isArray(result["findings"])) throw wrong();
  const findings = result["findings"].slice(0, limit("manifestFindingsMax") + 1).map(parseFinding);
  return { json: result["json"], lines: result["lines"], findings };
}

function parseFinding(json: unknown): ManifestFinding {
  if (!isObject(json)) throw wrong();
  const { severity, path, line, message } = json;
  if (typeof path !== "string" || typeof message !== "string" || !Number.isSafeInteger(line)) throw wrong();
  const charsMax = limit("manifestMessageCharsMax");
  return {
    severity: severity === "warning" ? "warning" : "error",
    path: path.slice(0, charsMax),
    line: Number(line),
    message: message.slice(0, charsMax),
  };
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function wrong() {
  return plinthError("InvalidPackage", { detail: "its manifest cannot be read." });
}
