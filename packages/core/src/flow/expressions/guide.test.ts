/** What the guide says of expressions is what they do. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { must } from "../../assert.ts";
import { limit } from "../../limits.ts";
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { compileExpression } from "./expression.ts";
import type { ExpressionTypes } from "./part.ts";
import { referenceGroups } from "./reference.ts";
import { unite } from "./value-types.ts";
import { isList, isRecord } from "./work.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../../docs/guide/expressions.md"), "utf8");
const context: JsonObject = JSON.parse(must(/```json\n([\s\S]*?)```/.exec(guide)?.[1], "the guide has a context"));
const types: ExpressionTypes = { ...fieldsOf(context), now: "timestamp" };

function typeOf(value: Json): ValueType {
  if (isList(value)) return { list: value.map(typeOf).reduce(unite, "null") };
  if (isRecord(value)) return { record: fieldsOf(value) };
  return value === null ? "string" : typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "string";
}

function fieldsOf(record: JsonObject): Readonly<Record<string, ValueType>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, typeOf(value)]));
}

function rows(heading: string): readonly (readonly [string, string])[] {
  const table = must(guide.split(`| expression | ${heading} |\n|---|---|\n`)[1], "the guide has the table").split("\n\n")[0] ?? "";
  return table.split("\n").map((row) => {
    const [, expression = "", told = ""] = /^\| `(.*?)` \| (.*) \|$/.exec(row) ?? [];
    return [expression, told] as const;
  });
}

describe("the guide", () => {
  test.each(rows("value"))("%s gives %s", (text, value) => {
    const compiled = compileExpression(text, { ...types, steps: "any" });
    const result = compiled.ok ? compiled.expression.evaluate(context) : compiled;
    expect(result).toMatchObject({ ok: true, value: JSON.parse(value.slice(1, -1)) });
  });

  test.each(rows("finding"))("%s is told %s", (text, finding) => {
    const compiled = compileExpression(text, types);
    const [first] = compiled.ok ? [] : compiled.findings;
    expect(`${first?.position.line}:${first?.position.column} ${first?.message}`).toContain(finding);
  });

  test("has the limits right", () => {
    for (const name of ["expressionCostMax", "expressionSizeMax", "expressionCharsMax", "expressionNodesMax"] as const)
      expect(guide).toContain(limit(name).toLocaleString("en-US"));
  });
});

test.each(
  referenceGroups()
    .flatMap(({ rows: [...all] }) => all)
    .flatMap(([, , examples]) => examples.split("<br>")),
)("the reference: %s", (example) => {
  const [, text = "", value = ""] = /^`(.*)` = `(.*)`$/.exec(example) ?? [];
  const compiled = compileExpression(text, {});
  expect(compiled.ok && compiled.expression.evaluate({})).toMatchObject({ ok: true, value: JSON.parse(value) });
});
