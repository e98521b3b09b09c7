/** A document that is hostile by its size is refused before any of it is checked. */
import { expect, test } from "vitest";
import { limit } from "../limits.ts";
import { checkDefinitionSize } from "./definition-size.ts";

const flow = (input: unknown) => ({ format: 1, name: "f", nodes: { a: { type: "script", data: { code: "1", input } } } });
const list = (count: number, text: string) => Array.from({ length: count }, () => text);

test("expressions and their text are counted, wherever they stand; other texts are not", () => {
  const max = limit("flowExpressionsMax");
  checkDefinitionSize(flow(list(max, "=1")));
  checkDefinitionSize(flow([...list(max, "=1"), ...list(max, "==1"), ...list(max, "x")]));
  expect(() => checkDefinitionSize(flow(list(max + 1, "=1")))).toThrow(/The definition has 10001 expressions and may have 10000/);
  expect(() => checkDefinitionSize(flow(list(max + 1, "").map(() => ({ when: "true" }))))).toThrow(/10001 expressions/);
  const chars = limit("flowExpressionCharsMax");
  expect(() => checkDefinitionSize(flow([`=${"1".repeat(chars)}`]))).toThrow(/characters in its expressions and may have 524288/);
  checkDefinitionSize(flow(["1".repeat(chars + 1)]));
});

test("any depth is measured without a stack", () => {
  const deep = (depth: number): unknown => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);
  const above = 4;
  checkDefinitionSize(flow(deep(limit("flowDefinitionDepthMax") - above)));
  expect(() => checkDefinitionSize(flow(deep(limit("flowDefinitionDepthMax") - above + 1)))).toThrow(/nested deeper than 64 levels/);
  expect(() => checkDefinitionSize(deep(500_000))).toThrow(/nested deeper/);
  for (const odd of [null, 1, "=1", [], undefined]) checkDefinitionSize(odd);
});
