/**
 * How calls of native operations are written into the arguments of their invocation. The input is a text in there: it is plain JSON,
 * which values are not.
 */
import { isValueObject, type Value } from "@plinth/core/documents/values.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { checkFields, problemText } from "@plinth/core/operations/check-ports.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type Port } from "@plinth/core/operations/operation.ts";
import type { NativeCall } from "./native/native-operation.ts";

export function callText({ port, input, grants }: NativeCall): string {
  return JSON.stringify({ port, input: JSON.stringify(input), ...(grants === undefined ? {} : { grants }) });
}

/** Whoever calls the path itself, and not the operation, has its input checked here. */
export function readCall(
  inputs: readonly Port[],
  args: Value,
  schema?: (input: JsonObject) => { readonly inputs: readonly Port[] },
): NativeCall {
  const { port: name = DEFAULT_PORT, input: text = "{}", grants } = isValueObject(args) ? args : {};
  if (typeof text !== "string") throw plinthError("ArgumentValidation", { detail: "The argument `input` is JSON text." });
  const json = parseJson(text);
  const ports = schema === undefined || !isObject(json) ? inputs : schema(json).inputs;
  const port = ports.find((each) => each.name === name);
  if (port === undefined) throw plinthError("ArgumentValidation", { detail: "The argument `port` is no input port." });
  return { port: port.name, input: checkedInput(port, json), ...(grants === undefined ? {} : { grants: textsOf(grants) }) };
}

/** What is no list of texts grants nothing. */
function textsOf(value: Value): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The input with its defaults. Throws ArgumentValidation, which names the field. */
export function checkedInput({ fields, isOpen }: Port, input: unknown): JsonObject {
  const checked = checkFields(fields, input, { others: isOpen === true ? "keep" : "refuse" });
  if (checked.kind === "wrong") throw plinthError("ArgumentValidation", { detail: problemText("input", checked.problem) });
  return checked.value;
}

/** Text of a call or a result. */
export function parseJson(text: string): Json {
  scanJsonText(text, { depthMax: limit("valueDepthMax") + 8, what: "operation" });
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw plinthError("ArgumentValidation", { detail: "The input is not JSON." }, { cause: error });
  }
}
