/**
 * What a schema handler answered: ports whose fields depend on what was filled in so far. The answer is user code's, so it is read as
 * manifests are, and whatever is not usable in it falls back to the declared ports.
 *
 * Accepted: `{input_ports: [port], output_ports: [port]}`, a port being `{name, schema: {field_descriptors: [field]}}` or
 * `{name, fields: [field]}`, and the form of manifests, `{inputs: {fields}, outputs: {fields}}`. Fields are those of manifests.
 */
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { parseFields } from "@plinth/core/manifest/parse-fields.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import { DEFAULT_PORT, type Json, type Port } from "@plinth/core/operations/operation.ts";
import type { DynamicSchema } from "../operations.ts";
import { readJson } from "./read-result.ts";

export function readSchema(valueText: string, declared: DynamicSchema): DynamicSchema {
  let json: Json | undefined;
  try {
    json = readJson(valueText);
  } catch (error) {
    if (error instanceof PlinthError) return declared;
    throw error;
  }
  if (!isObject(json)) return declared;
  return {
    inputs: portsOf(json["input_ports"] ?? json["inputs"]) ?? declared.inputs,
    outputs: portsOf(json["output_ports"] ?? json["outputs"]) ?? declared.outputs,
  };
}

function portsOf(json: Json | undefined): readonly Port[] | undefined {
  if (isObject(json)) {
    const fields = parseFields(json["fields"]);
    return fields === undefined ? undefined : [{ name: DEFAULT_PORT, fields }];
  }
  if (!Array.isArray(json) || json.length === 0 || json.length > limit("operationPortsMax")) return undefined;
  const ports: Port[] = [];
  for (const each of json as readonly Json[]) {
    if (!isObject(each)) return undefined;
    const { name, schema } = each;
    const fields = parseFields(isObject(schema) ? schema["field_descriptors"] : each["fields"]);
    if (typeof name !== "string" || name === "" || name.length > limit("manifestNameCharsMax") || fields === undefined) return undefined;
    ports.push({ name, fields });
  }
  return ports;
}
