/** `execute_code`: inline code, in the runner of its language. What it prints is streamed to those who watch the execution. */
import { limit } from "@plinth/core/limits.ts";
import { isList, isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import { INLINE_LANGUAGES, inlinePath } from "../../engine/inline-code.ts";
import { mayNameKeyrings } from "./ai-inputs.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";

const operation = describeNative({
  slug: "execute_code",
  displayName: "Execute code",
  description:
    "Run a piece of code that sees `inputs`. Python, under its policy: the value is `result`, or that of the last expression. JavaScript: the body of an async function, which returns the value.",
  effect: "outside",
  inputs: [
    nativeField("language", "enum", "", { allowedValues: INLINE_LANGUAGES, defaultValue: INLINE_LANGUAGES[0] ?? "" }),
    nativeField("code", "text", "The code.", { isRequired: true, ui: { is_multi_line: true } }),
    nativeField("inputs", "json_value", "What the code sees as `inputs`."),
    nativeField("timeout_ms", "int", "How long it may take.", {
      defaultValue: limit("inlineWallMs"),
      schema: { type: "integer", minimum: 1, maximum: limit("inlineWallMsMax") },
    }),
    nativeField("keyrings", "array", "Names of keyrings that the code sees as `keyrings`. Agents and service accounts cannot name any.", {
      baseType: "text",
      schema: { type: "array", items: { type: "string" }, maxItems: limit("inlineKeyringsMax") },
    }),
  ],
  outputs: [
    nativeField("result", "json_value", "The value of the code.", { isRequired: true }),
    nativeField("stdout", "text", "What it printed.", { isRequired: true }),
    nativeField("stderr", "text", "What it printed as errors.", { isRequired: true }),
    nativeField("truncated", "bool", "Whether output or result were cut.", { isRequired: true }),
  ],
});

export const executeCode: MakeNativeOperation = () => ({
  operation,
  kind: "action",
  run: async (context, { input }) => {
    const { call, log, emit } = context;
    const printed = { stdout: "", stderr: "" };
    const { language, code, inputs = {}, timeout_ms: timeoutMs, keyrings = [] } = input;
    // The code would read them, whosever they are.
    if (!isList(keyrings) || keyrings.length > 0) mayNameKeyrings(context, "leave `keyrings` out");
    const outcome = await call(
      {
        path: inlinePath(typeof language === "string" ? language : ""),
        argsText: JSON.stringify({ code, inputs, timeoutMs, keyrings, streams: true }),
      },
      {
        onEvent: (event) => {
          if (event.type === "log") {
            const { level, text } = event.line;
            log(level, text);
            printed[level === "error" || level === "warn" ? "stderr" : "stdout"] += `${text}\n`;
          }
          if (event.type === "partial") emit(event.valueText);
        },
      },
    );
    if (outcome.status === "failed") throw outcome.error;
    const result = inlineResult(outcome.valueText);
    // The runner of Python keeps what it prints; that of JavaScript has console lines alone.
    return outputOf([language === "javascript" ? { ...result, ...printed } : result]);
  },
});

/** The engine has checked that it is JSON within the limits of results. */
function inlineResult(valueText: string): JsonObject {
  const json = JSON.parse(valueText) as Json;
  const { result = null, stdout = "", stderr = "", truncated = false } = isObject(json) ? json : {};
  return { result, stdout, stderr, truncated };
}
