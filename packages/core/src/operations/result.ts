/**
 * The plain form of what an operation returns, read from hostile JSON:
 *
 * - `{…}`: the values of the default port; null: no values. A list of objects: several values.
 * - `{"output": {"values": [{…}]}}`: the same, in the JSON of the protobuf form.
 * - `{"port_outputs": [{"port_name": "…", "output": {"values": […]}}]}`, or `{"ports": [{"port": "…", "values": […]}]}`: several ports.
 * - `{"error": {"message": "…", "type": …}}`: the operation says no. The type is a name or the number of the protobuf form.
 *
 * The last three are meant only where they are the only key and no field of the default port has that name.
 */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { checkBudget } from "./check-schema.ts";
import { checkFields, problemText } from "./check-ports.ts";
import { isList, isObject } from "./json-schema.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type OperationError, type OperationResult, type Port } from "./operation.ts";

type PortValues = { readonly port: string; readonly values: readonly JsonObject[] };

/** Throws ReturnsValidation for what is none of the forms. The ports are checked by `checkResult`. */
export function readPlainResult(json: unknown, outputs: readonly Port[]): OperationResult {
  if (json === null || json === undefined) return outputOf([]);
  if (isList(json)) return outputOf(valuesOf(json, "result"));
  if (!isObject(json)) throw wrong("An operation returns an object, a list of objects or null.");
  const keys = Object.keys(json);
  const [key] = keys;
  const declared = outputs.find(({ name }) => name === DEFAULT_PORT)?.fields ?? [];
  if (keys.length === 1 && key !== undefined && !declared.some(({ name }) => name === key)) {
    const value = json[key];
    if (key === "error") return { kind: "error", error: readError(value) };
    if (key === "output" && isObject(value) && isList(value["values"])) return outputOf(valuesOf(value["values"], "output"));
    if ((key === "port_outputs" || key === "portOutputs" || key === "ports") && isList(value)) return readPorts(value);
  }
  return outputOf([json]);
}

const ERROR_TYPES: readonly OperationError["type"][] = ["unknown", "invalidRequest", "retryExecution"];
const ERROR_NAMES: ReadonlyMap<Json, OperationError["type"]> = new Map<Json, OperationError["type"]>([
  ...ERROR_TYPES.flatMap((type, i): [Json, OperationError["type"]][] => [
    [i, type],
    [type, type],
    [type.slice(0, 1).toUpperCase() + type.slice(1), type],
  ]),
  ["invalid_request", "invalidRequest"],
  ["retry_execution", "retryExecution"],
]);

/** An error as an operation tells it; whatever it is, it is an error. */
export function readError(json: Json | undefined): OperationError {
  if (typeof json === "string") return { type: "unknown", message: cut(json) };
  const { message, type } = isObject(json) ? json : {};
  return {
    type: ERROR_NAMES.get(type ?? "unknown") ?? "unknown",
    message: typeof message === "string" && message !== "" ? cut(message) : "The operation failed and did not say why.",
  };
}

function readPorts(list: readonly Json[]): OperationResult {
  const max = limit("operationPortsMax");
  if (list.length > max) throw wrong(`The result has ${list.length} ports and may have ${max}.`);
  const ports = list.map((item): PortValues => {
    if (!isObject(item)) throw wrong("Each port of the result is an object.");
    const port = item["port_name"] ?? item["portName"] ?? item["port"];
    if (typeof port !== "string") throw wrong("Each port of the result has a name.");
    const { output } = item;
    const values = isObject(output) ? output["values"] : item["values"];
    return { port, values: valuesOf(isList(values) ? values : [], `port ${port.slice(0, 64)}`) };
  });
  return { kind: "output", ports };
}

/**
 * The result with its values as the output ports have them: defaults filled in, other fields dropped. Throws ReturnsValidation. A port
 * without fields takes anything.
 */
export function checkResult(result: OperationResult, outputs: readonly Port[]): OperationResult {
  if (result.kind === "error") return result;
  const budget = checkBudget();
  const ports = result.ports.map(({ port, values }): PortValues => {
    const declared = outputs.find(({ name }) => name === port);
    if (declared === undefined) {
      const names = outputs.map(({ name }) => name).join(", ");
      throw wrong(`The operation has no output port \`${port.slice(0, 64)}\`; it has ${names === "" ? "none" : names}.`);
    }
    if (declared.fields.length === 0) return { port, values };
    return {
      port,
      values: values.map((value) => {
        const checked = checkFields(declared.fields, value, { others: declared.isOpen === true ? "keep" : "drop", budget });
        if (checked.kind === "ok") return checked.value;
        throw wrong(problemText(port === DEFAULT_PORT ? "output" : `output of the port ${port}`, checked.problem));
      }),
    };
  });
  return { kind: "output", ports };
}

export function outputOf(values: readonly JsonObject[], port: string = DEFAULT_PORT): OperationResult {
  return { kind: "output", ports: [{ port, values }] };
}

function valuesOf(list: readonly Json[], where: string): readonly JsonObject[] {
  const max = limit("operationValuesMax");
  if (list.length > max) throw wrong(`The ${where} has ${list.length} values and may have ${max}.`);
  return list.map((value) => {
    if (!isObject(value)) throw wrong(`Each value of the ${where} is an object.`);
    return value;
  });
}

function cut(message: string): string {
  const max = limit("operationErrorCharsMax");
  return message.length > max ? `${message.slice(0, max)}…` : message;
}

function wrong(detail: string) {
  return plinthError("ReturnsValidation", { detail });
}
