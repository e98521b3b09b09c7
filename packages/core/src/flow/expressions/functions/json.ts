/** JSON as text and back, and what a value is. */
import { PlinthError } from "../../../errors.ts";
import { limit } from "../../../limits.ts";
import { scanJsonText } from "../../../documents/json-scan.ts";
import type { Json } from "../../../operations/operation.ts";
import { kindOf, type Work } from "../work.ts";
import { type FunctionSpec, one, textOf } from "./function-spec.ts";
import { jsonText } from "./json-text.ts";

/** The shortest value with its comma has two characters. */
const CHARS_PER_VALUE = 2;

function fromJson(text: string, work: Work): Json {
  work.growList(Math.ceil(text.length / CHARS_PER_VALUE));
  try {
    scanJsonText(text, { depthMax: limit("valueDepthMax"), what: "the text" });
    const value: Json = JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof PlinthError) return work.fail("value", error.message);
    if (error instanceof SyntaxError) return work.fail("value", "This text is no JSON.");
    throw error;
  }
}

export const JSON_FUNCTIONS: readonly FunctionSpec[] = [
  {
    name: "toJson",
    parameters: [one("value", "any")],
    result: "string",
    description: "A value as JSON text.",
    examples: [['toJson({"a": [1, true, null]})', '{"a":[1,true,null]}']],
    run: (args, work) => jsonText(args[0] ?? null, work),
  },
  {
    name: "fromJson",
    parameters: [one("text", "text")],
    result: "any",
    description: "The value that a JSON text stands for.",
    examples: [['fromJson("{\\"a\\": [1]}").a[0]', 1]],
    run: (args, work) => fromJson(textOf(args, 0), work),
  },
  {
    name: "type",
    parameters: [one("value", "any")],
    result: "string",
    description: "What a value is: `null`, `boolean`, `number`, `string`, `list` or `record`. Timestamps are texts.",
    examples: [["type([1])", "list"]],
    run: (args) => kindOf(args[0] ?? null),
  },
];
