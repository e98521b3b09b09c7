import { describe, expect, it } from "vitest";
import { checkFields, problemText } from "./check-ports.ts";
import type { OperationField } from "./operation.ts";
import { checkResult, readError, readPlainResult } from "./result.ts";

const field = (name: string, fieldType: string, rest: Partial<OperationField> = {}): OperationField => ({
  name,
  description: "",
  fieldType,
  baseType: null,
  idType: [],
  allowedValues: [],
  isRequired: false,
  ui: {},
  ...rest,
});

const FIELDS = [
  field("name", "text", { isRequired: true }),
  field("stage", "enum", { allowedValues: ["lead", "won"], defaultValue: "lead" }),
  field("count", "int"),
  field("when", "timestamp"),
  field("day", "date"),
  field("tags", "array", { baseType: "text" }),
  field("items", "array", { baseType: "composite", fields: [field("sku", "text", { isRequired: true })] }),
  field("closeDate", "date"),
];

const problem = (value: unknown): string => {
  const checked = checkFields(FIELDS, value);
  return checked.kind === "ok" ? "ok" : problemText("input", checked.problem);
};

describe("inputs", () => {
  it.each([
    [[], "The input has to be an object, not a list."],
    [{}, "The input .name is missing."],
    [{ name: null }, "The input .name is required and cannot be null."],
    [{ name: "a", stage: "lost" }, 'The input .stage has to be one of "lead", "won".'],
    [{ name: "a", count: 1.5 }, "The input .count has to be a whole number, not a number."],
    [{ name: "a", when: "yesterday" }, "The input .when has to be a time, as 2026-01-31T12:00:00Z."],
    [{ name: "a", day: "2026-13-01" }, "The input .day has to be a date, as 2026-01-31."],
    [{ name: "a", tags: ["x", 2] }, "The input .tags[1] has to be a text, not a number."],
    [{ name: "a", items: [{ sku: "1" }, {}] }, "The input .items[1].sku is missing."],
    [{ name: "a", close_date: "2026-01-01" }, "The input .close_date is not a field; `closeDate` is meant, perhaps."],
  ])("C1 C2 of %j: %s", (value, message) => {
    expect(problem(value)).toBe(message);
  });

  it("C3 null is absence, and defaults are filled in", () => {
    expect(checkFields(FIELDS, { name: "a", count: null, stage: null })).toEqual({ kind: "ok", value: { name: "a", stage: "lead" } });
  });

  it("are objects whatever their keys are", () => {
    const hostile: unknown = JSON.parse('{"name":"a","__proto__":{"stage":"won"}}');
    expect(problem(hostile)).toContain("is not a field");
    expect(problem({ name: "a", constructor: 1 })).toContain(".constructor is not a field");
  });

  it("C4 end when checking them takes too long", () => {
    const choices = Array.from({ length: 20_000 }, (_, i) => String(i));
    const many = [field("tags", "array", { baseType: "enum", allowedValues: choices })];
    const value = { tags: Array.from({ length: 20_000 }, () => "x".repeat(1)).map((_, i) => String(19_999 - (i % 2))) };
    expect(() => checkFields(many, value)).toThrow(/over the limit/);
  });
});

describe("results", () => {
  const outputs = [{ name: "default", fields: [field("n", "int", { isRequired: true })] }];

  it("are read in each of the plain forms", () => {
    const one = { kind: "output", ports: [{ port: "default", values: [{ n: 1 }] }] };
    for (const json of [{ n: 1 }, [{ n: 1 }], { output: { values: [{ n: 1 }] } }, { ports: [{ port: "default", values: [{ n: 1 }] }] }])
      expect(readPlainResult(json, outputs)).toEqual(one);
    expect(readPlainResult({ port_outputs: [{ port_name: "other", output: { values: [{ n: 1 }] } }] }, outputs)).toEqual({
      kind: "output",
      ports: [{ port: "other", values: [{ n: 1 }] }],
    });
    expect(readPlainResult(null, outputs)).toEqual({ kind: "output", ports: [{ port: "default", values: [] }] });
    expect(readPlainResult({ error: { message: "no", type: 1 } }, outputs)).toEqual({
      kind: "error",
      error: { message: "no", type: "invalidRequest" },
    });
    expect(() => readPlainResult(3, outputs)).toThrow(/ReturnsValidation/);
    expect(() => readPlainResult([3], outputs)).toThrow(/ReturnsValidation/);
  });

  it("do not take a field of the port for a form", () => {
    const withError = [{ name: "default", fields: [field("error", "text")] }];
    expect(readPlainResult({ error: "x" }, withError)).toMatchObject({ kind: "output" });
    expect(readError("x")).toEqual({ type: "unknown", message: "x" });
  });

  it("C2 lose fields that are not declared, and are refused where they do not fit", () => {
    const read = (json: unknown) => checkResult(readPlainResult(json, outputs), outputs);
    expect(read({ n: 1, more: true })).toEqual({ kind: "output", ports: [{ port: "default", values: [{ n: 1 }] }] });
    expect(() => read({ n: "1" })).toThrow("The output .n has to be a whole number, not a text.");
    expect(() => read({ ports: [{ port: "other", values: [] }] })).toThrow("no output port `other`; it has default");
  });
});
