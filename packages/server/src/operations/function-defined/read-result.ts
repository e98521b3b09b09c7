/**
 * What the function of a package returned for an operation, in any of the forms of the contract: protobuf in base64, JSON in base64,
 * and the plain object.
 *
 * R1 Whatever cannot be read is the function's fault: ReturnsValidation, which says what was wrong.
 */
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isList, isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject, OperationResult, Port } from "@plinth/core/operations/operation.ts";
import { outputOf, readPlainResult } from "@plinth/core/operations/result.ts";
import { decodeOutput } from "./protobuf-output.ts";

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const FORM_PROTOBUF: readonly (Json | undefined)[] = [1, "Proto"];
const FORM_JSON: readonly (Json | undefined)[] = [2, "JSON"];

/** The result of an execution. `valueText` is the JSON text that the function returned. Throws ReturnsValidation. */
export function readResult(valueText: string, outputs: readonly Port[]): OperationResult {
  const value = parseText(valueText);
  if (!isWrapped(value)) return readOutput(value, outputs);
  const { serialization_format: form, data } = value;
  if (FORM_PROTOBUF.includes(form)) return decodeOutput(bytesOf(data));
  // What is wrapped is an OperationOutput and nothing else, whatever fields the operation has.
  if (FORM_JSON.includes(form)) return readOutput(parseText(textOf(data)), []);
  throw wrong("`serialization_format` is neither 1 (protobuf) nor 2 (JSON).");
}

/** The JSON that a method returned, whether it is wrapped as `{serialization_format: 2, data}` or not; undefined for protobuf. */
export function readJson(valueText: string): Json | undefined {
  const value = parseText(valueText);
  if (!isWrapped(value)) return value;
  return FORM_JSON.includes(value["serialization_format"]) ? parseText(textOf(value["data"])) : undefined;
}

function isWrapped(value: Json): value is JsonObject {
  return isObject(value) && Object.hasOwn(value, "serialization_format") && Object.hasOwn(value, "data");
}

const OUTPUT_KEYS: readonly string[] = ["error", "output", "port_outputs", "portOutputs"];

/** JSON of a message has keys for what it does not hold, `{"error": null, "output": {…}, "portOutputs": []}`: they mean nothing. */
function readOutput(value: Json, outputs: readonly Port[]): OperationResult {
  if (!isObject(value) || !Object.keys(value).every((key) => OUTPUT_KEYS.includes(key))) return readPlainResult(value, outputs);
  const held = Object.entries(value).filter(([, part]) => part !== null && !(isList(part) && part.length === 0));
  if (held.length === 0) return outputOf([]);
  const error = held.find(([key]) => key === "error");
  return readPlainResult(Object.fromEntries(error === undefined ? held : [error]), outputs);
}

function bytesOf(data: Json | undefined): Buffer {
  if (typeof data !== "string" || !BASE64.test(data)) throw wrong("`data` is not base64.");
  return Buffer.from(data, "base64");
}

function textOf(data: Json | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(data));
  } catch (error) {
    throw error instanceof PlinthError ? error : wrong("`data` is not base64 of UTF-8.");
  }
}

function parseText(text: string): Json {
  try {
    scanJsonText(text, { depthMax: limit("valueDepthMax") + 1, what: "result" });
    return JSON.parse(text) as Json;
  } catch (error) {
    throw error instanceof PlinthError ? wrong(error.message) : wrong("The result is not JSON.");
  }
}

function wrong(detail: string): PlinthError {
  return plinthError("ReturnsValidation", { detail });
}
