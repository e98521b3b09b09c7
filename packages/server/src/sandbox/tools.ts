/**
 * Port: work on hostile text that is no function of anybody: reading YAML, emails and scripts, evaluating jq and policies. It is done by a program of Plinth's own
 * in a runner of the tenant, because the parsers are large and the text is hostile. What comes back is hostile too.
 */
export interface JailTools {
  /**
   * Runs one tool for a tenant: JSON in, JSON text out (bounded, scanned, not yet checked for shape). Rejects with
   * ToolFailed, whose message is for the author of the text, with FunctionTimeout or FunctionOutOfMemory.
   */
  run(tenant: string, tool: ToolName, input: unknown): Promise<unknown>;
}

/**
 * - yaml: `{text}` → `{json, lines: {path: line}, findings: [{path, line, message}]}`; no aliases, merge keys or custom tags.
 * - jq: `{program, input, valuesMax?}` → `{values: []}`.
 * - rego: `{policy}` → `{findings: [{line, message}]}`; `{policy, request, parameters, nowMs}` → `{output}`, the value of the rule of
 *   that name.
 * - mime: `{base64}` → `{message}`, the parts of an email.
 * - script: `{code, names}` → `{findings: [{line, column, message}]}`: what a script of a flow must not use.
 * - python: `{check: [{code, modules}]}` → `{findings: [[{line, column, message}]]}`: what inline Python must not use, for each code;
 *   `modules` are those of its packages, or null where nobody knows. Rejects with NotAvailable where the machine has no Python.
 */
export type ToolName = "yaml" | "jq" | "rego" | "mime" | "script" | "python";
