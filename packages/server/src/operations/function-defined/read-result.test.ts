import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { OperationField, OperationResult, Port } from "@plinth/core/operations/operation.ts";
import { describe, expect, it } from "vitest";
import { decodeOutput, encodeOutput } from "./protobuf-output.ts";
import { readResult } from "./read-result.ts";

const FIELD: OperationField = {
  name: "error",
  description: "",
  fieldType: "text",
  baseType: null,
  idType: [],
  allowedValues: [],
  isRequired: false,
  ui: {},
};
const PORTS: readonly Port[] = [{ name: "default", fields: [] }];
const RICH: OperationResult = {
  kind: "output",
  ports: [
    { port: "default", values: [{ n: 90, text: "é", list: [1, null, { deep: true }] }, {}] },
    { port: "other", values: [] },
  ],
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof PlinthError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

/** A length-delimited field of protobuf. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Uint8Array.of((number << 3) | 2, ...length, rest, ...bytes);
}

describe("results in protobuf", () => {
  it("are read from bytes that another library writes", () => {
    // {output: {values: [{temperature: 90}]}}
    const number = Uint8Array.of(0x11, 0, 0, 0, 0, 0, 0x80, 0x56, 0x40);
    const entry = field(1, new Uint8Array([...field(1, new TextEncoder().encode("temperature")), ...field(2, number)]));
    const bytes = field(2, field(1, entry));
    expect(decodeOutput(bytes)).toEqual({ kind: "output", ports: [{ port: "default", values: [{ temperature: 90 }] }] });
    const refused = field(1, new Uint8Array([...field(1, new TextEncoder().encode("No such city.")), 0x10, 1]));
    expect(decodeOutput(refused)).toEqual({ kind: "error", error: { type: "invalidRequest", message: "No such city." } });
  });

  it("come back as they were", () => {
    const failed: OperationResult = { kind: "error", error: { type: "retryExecution", message: "later" } };
    for (const result of [RICH, failed]) expect(decodeOutput(encodeOutput(result))).toEqual(result);
  });

  it("are refused when they nest too deep, hold too much or are none", () => {
    let value = field(6, new Uint8Array());
    for (let i = 0; i < limit("protobufDepthMax"); i += 1) value = field(6, field(1, value));
    const entry = field(1, new Uint8Array([...field(1, new TextEncoder().encode("deep")), ...field(2, value)]));
    expect(codeOf(() => decodeOutput(field(2, field(1, entry))))).toBe("ReturnsValidation");
    const many = new Uint8Array(2 * limit("protobufMessagesMax") + 2);
    for (let i = 0; i < many.length; i += 2) many[i] = 0x1a;
    expect(codeOf(() => decodeOutput(many))).toBe("ReturnsValidation");
    for (const bytes of [[0x12, 0x7f], [0xff], [0x13], [0x0a, 0x02, 0x0a, 0xff]])
      expect(codeOf(() => decodeOutput(Uint8Array.from(bytes)))).toBe("ReturnsValidation");
  });
});

describe("results of functions", () => {
  const wrapped = (form: unknown, data: Uint8Array | string) =>
    JSON.stringify({ serialization_format: form, data: Buffer.from(data).toString("base64") });

  it("are read in all three forms", () => {
    const json = { output: { values: [{ n: 1 }] }, error: null, portOutputs: [] };
    const expected = { kind: "output", ports: [{ port: "default", values: [{ n: 1 }] }] };
    expect(readResult(JSON.stringify(json), PORTS)).toEqual(expected);
    expect(readResult(wrapped(2, JSON.stringify(json)), PORTS)).toEqual(expected);
    expect(readResult(wrapped(1, encodeOutput(RICH)), PORTS)).toEqual(RICH);
    expect(readResult('{"n":1}', PORTS)).toEqual(expected);
    expect(readResult('{"port_outputs":[{"port_name":"other","output":{"values":[{"n":1}]}}]}', PORTS)).toEqual({
      kind: "output",
      ports: [{ port: "other", values: [{ n: 1 }] }],
    });
  });

  it("say no, unless the operation has a field of that name", () => {
    const text = '{"error":{"message":"no","type":1},"output":null}';
    const refused = { kind: "error", error: { type: "invalidRequest", message: "no" } };
    expect(readResult(text, PORTS)).toEqual(refused);
    const plain = '{"error":"a value"}';
    const declared = [{ name: "default", fields: [FIELD] }];
    expect(readResult(plain, declared)).toEqual({ kind: "output", ports: [{ port: "default", values: [{ error: "a value" }] }] });
    expect(readResult(wrapped(2, text), declared)).toEqual(refused);
  });

  it("are the function's fault when they cannot be read", () => {
    const deep = "[".repeat(200) + "]".repeat(200);
    const bad = ["1", '"text"', "[1]", deep, wrapped(3, "{}"), wrapped(2, "{"), wrapped(2, Uint8Array.of(0xff)), wrapped(2, deep)];
    for (const text of [...bad, '{"serialization_format":1,"data":"*"}', '{"serialization_format":1,"data":{}}'])
      expect(
        codeOf(() => readResult(text, PORTS)),
        text,
      ).toBe("ReturnsValidation");
  });
});
