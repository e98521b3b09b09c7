/** The context that the tests of expressions evaluate in, and its types. */
import type { Json, JsonObject } from "../../operations/operation.ts";
import { compileExpression, type Evaluation } from "./expression.ts";
import type { ExpressionTypes } from "./part.ts";

export const TYPES: ExpressionTypes = {
  trigger: {
    record: {
      amount: "number",
      name: "string",
      isPaid: "boolean",
      at: "timestamp",
      note: "string",
      tags: { list: "string" },
      days: { list: "timestamp" },
      items: { list: { record: { sku: "string", price: "number", count: "number", tags: { list: "string" } } } },
      customer: { record: { email: "string", country: "string", "first-name": "string" } },
    },
  },
  vars: { record: { total: "number", list: { list: "number" } } },
  steps: { record: { price: { record: { output: { record: { total: "number" } }, error: "any" } } } },
  data: "any",
  nothing: "null",
  now: "timestamp",
};

export const CONTEXT: JsonObject = {
  trigger: {
    amount: 12.5,
    name: "Ada",
    isPaid: true,
    at: "2026-01-31T09:30:00+01:00",
    note: null,
    tags: ["new", "eu"],
    days: ["2026-03-01", "2026-02-01T00:00:00+02:00"],
    items: [
      { sku: "b", price: 4, count: 2, tags: ["x"] },
      { sku: "a", price: 2.5, count: 4, tags: [] },
    ],
    customer: { email: "ada@example.com", country: "GB", "first-name": "Ada" },
  },
  vars: { total: 18, list: [3, 1, 2] },
  steps: { price: { output: { total: 9 }, error: null } },
  data: { a: { b: [1, { c: "deep" }] }, n: 5, s: "text", l: [1, "a", null, true], at: "2026-01-01T00:00:00Z", constructor: "own" },
  nothing: null,
  now: "2026-02-02T12:00:00.000Z",
};

/** The value, or `code: message` of an error, or the findings, each with its place. */
export function outcome(text: string, context: JsonObject = CONTEXT, costMax?: number): Json {
  const compiled = compileExpression(text, TYPES);
  if (!compiled.ok) return compiled.findings.map(({ position: { line, column }, message }) => `${line}:${column} ${message}`);
  const result: Evaluation = compiled.expression.evaluate(context, costMax === undefined ? {} : { costMax });
  return result.ok
    ? result.value
    : `${result.error.code} ${result.error.position.line}:${result.error.position.column} ${result.error.message}`;
}
