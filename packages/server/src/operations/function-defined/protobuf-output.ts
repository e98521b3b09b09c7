/**
 * Results of operations as `devrev.operation.OperationOutput`, both ways. The bytes that are read come from user code: how deep
 * they are and how many messages they hold is bounded before a message is made of them.
 */
import { create, fromBinary, toBinary, type JsonObject as ProtobufJsonObject } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { DEFAULT_PORT, type JsonObject, type OperationError, type OperationResult } from "@plinth/core/operations/operation.ts";
import {
  Error_Type,
  ErrorSchema,
  OperationOutputSchema,
  OutputValueSchema,
  PortOutputSchema,
  type OperationOutput,
} from "../../protobuf/_generated/devrev/operation_pb.js";

const TYPE_NAMES: Readonly<Record<number, OperationError["type"]>> = {
  [Error_Type.Unknown]: "unknown",
  [Error_Type.InvalidRequest]: "invalidRequest",
  [Error_Type.RetryExecution]: "retryExecution",
};
const TYPE_NUMBERS: Readonly<Record<OperationError["type"], Error_Type>> = {
  unknown: Error_Type.Unknown,
  invalidRequest: Error_Type.InvalidRequest,
  retryExecution: Error_Type.RetryExecution,
};

/** The kind of refusal that a number of the wire means; those that are not known are `unknown`. */
export function errorTypeOf(number: number): OperationError["type"] {
  return TYPE_NAMES[number] ?? "unknown";
}

/** Throws ReturnsValidation. */
export function decodeOutput(bytes: Uint8Array): OperationResult {
  try {
    countMessages(bytes);
    return resultOf(fromBinary(OperationOutputSchema, bytes, { readUnknownFields: false, recursionLimit: limit("protobufDepthMax") }));
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, limit("failureMessageCharsMax")) : "it cannot be read";
    throw plinthError("ReturnsValidation", { detail: `The result is not an OperationOutput in protobuf: ${detail}` });
  }
}

export function encodeOutput(result: OperationResult): Uint8Array {
  return toBinary(OperationOutputSchema, outputMessage(result));
}

/** The message of a result. Values of the default port alone go into `output`, as the contract has it. */
export function outputMessage(result: OperationResult): OperationOutput {
  if (result.kind === "error") {
    const { message, type } = result.error;
    return create(OperationOutputSchema, { error: create(ErrorSchema, { message, type: TYPE_NUMBERS[type] }) });
  }
  const only = result.ports.length === 1 ? result.ports[0] : undefined;
  if (only?.port === DEFAULT_PORT) return create(OperationOutputSchema, { output: outputValue(only.values) });
  return create(OperationOutputSchema, {
    portOutputs: result.ports.map(({ port, values }) => create(PortOutputSchema, { portName: port, output: outputValue(values) })),
  });
}

function outputValue(values: readonly JsonObject[]) {
  return create(OutputValueSchema, { values: values.map(asProtobufJson) });
}

function resultOf({ error, output, portOutputs }: OperationOutput): OperationResult {
  if (error !== undefined) return { kind: "error", error: { type: errorTypeOf(error.type), message: error.message } };
  const ports = portOutputs.map((each) => ({ port: each.portName || DEFAULT_PORT, values: each.output?.values ?? [] }));
  if (output !== undefined) ports.unshift({ port: DEFAULT_PORT, values: output.values });
  return { kind: "output", ports };
}

/** The library's type of the same JSON has arrays that may be changed; it changes none. */
function asProtobufJson(value: JsonObject): ProtobufJsonObject {
  return value as ProtobufJsonObject;
}

/**
 * Which fields hold messages, by the message that holds them. `fields` of a Struct are a map, whose entries are messages with the
 * value in field 2.
 */
const CHILDREN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  output: { 1: "leaf", 2: "outputValue", 3: "portOutput" },
  portOutput: { 2: "outputValue" },
  outputValue: { 1: "struct" },
  struct: { 1: "entry" },
  entry: { 2: "value" },
  value: { 5: "struct", 6: "list" },
  list: { 1: "value" },
};

/** Two bytes can be a message of many times that size in memory, so they are counted before they are made. */
function countMessages(bytes: Uint8Array): void {
  const max = limit("protobufMessagesMax");
  const open: { readonly kind: string; readonly bytes: Uint8Array }[] = [{ kind: "output", bytes }];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const children = CHILDREN[next.kind] ?? {};
    const reader = new BinaryReader(next.bytes);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const kind = wireType === WireType.LengthDelimited ? children[number] : undefined;
      count += 1;
      if (count > max) throw new Error(`it has more than ${max} fields`);
      if (kind === undefined) reader.skip(wireType, number, 0);
      else open.push({ kind, bytes: reader.bytes() });
    }
  }
}
