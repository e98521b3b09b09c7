import { describe, expect, test } from "vitest";
import { limit } from "../../limits.ts";
import type { Json } from "../../operations/operation.ts";
import { compileData, type DataPath, expressionIn, literalInData } from "./resolve-data.ts";
import { CONTEXT, TYPES } from "./test-values.ts";

function resolved(data: Json): Json {
  const compiled = compileData(data, TYPES);
  expect(compiled.findings).toEqual([]);
  const resolution = compiled.resolve(CONTEXT);
  return resolution.ok ? resolution.value : `${resolution.path.join(".")} ${resolution.error.code}`;
}

describe("data of a node", () => {
  test.each<readonly [string, Json, Json]>([
    ["an expression", "=trigger.amount", 12.5],
    ["a text", "trigger.amount", "trigger.amount"],
    ["a text that begins with =", "==1 + 1", "=1 + 1"],
    ["a text that begins with ==", "===x", "==x"],
    ["no text", 7, 7],
    ["nothing", null, null],
    ["a record", { url: "='https://x/' + lower(trigger.name)", method: "GET" }, { url: "https://x/ada", method: "GET" }],
    ["lists in records in lists", [{ a: ["=1 + 1", true] }, "=vars.list"], [{ a: [2, true] }, [3, 1, 2]]],
    ["names are no expressions", { "=1": "=1" }, { "=1": 1 }],
  ])("%s", (_, data, value) => {
    expect(resolved(data)).toEqual(value);
  });

  test("names of the engine stay fields", () => {
    const data: Json = JSON.parse('{"__proto__": {"x": "=1 + 1"}, "constructor": "=2"}');
    expect(JSON.stringify(resolved(data))).toBe('{"__proto__":{"x":2},"constructor":2}');
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("findings have the path and the place in the text that the author wrote", () => {
    const compiled = compileData({ a: ["=trigger.amonut"], b: "=1 +\n foo", c: "=" }, TYPES);
    expect(compiled.findings.map(({ path, position: { line, column } }) => [path.join("."), line, column])).toEqual([
      ["a.0", 1, 10],
      ["b", 2, 2],
      ["c", 1, 2],
    ]);
  });

  test("an error has the path of its expression", () => {
    expect(resolved({ a: "=1", b: { c: "=data.absent" } })).toBe("b.c absent");
  });

  test("the type of the result, and what is read", () => {
    const compiled = compileData({ a: "=trigger.amount", b: ["=now", "=trigger.amount"], c: "x" }, TYPES);
    expect(compiled.type).toEqual({ record: { a: "number", b: { list: "any" }, c: "string" } });
    expect(compiled.reads).toEqual([["trigger", "amount"], ["now"]]);
  });

  test("places may be exempt", () => {
    const isLiteral = (path: DataPath): boolean => path[0] === "code";
    const resolution = compileData({ code: "= not CEL", x: "=1" }, TYPES, { isLiteral }).resolve(CONTEXT);
    expect(resolution.ok && resolution.value).toEqual({ code: "= not CEL", x: 1 });
  });

  test("all expressions share one bound", () => {
    const loop = "=vars.list.map(x, vars.list.map(y, x * y)).size()";
    const costOf = (data: Json): number => compileData(data, TYPES).resolve(CONTEXT).cost;
    const one = costOf([loop]);
    expect(costOf([loop, loop, loop])).toBe(3 * one);
    const resolution = compileData([loop, loop, loop], TYPES).resolve(CONTEXT, { costMax: 2 * one + 5 });
    expect(resolution).toMatchObject({ ok: false, path: ["2"], error: { code: "limit" } });
  });

  test("as many expressions as a node may have, and no more", () => {
    const most = limit("dataExpressionsMax");
    expect(
      compileData(
        Array.from({ length: most }, () => "=1"),
        TYPES,
      ).findings,
    ).toEqual([]);
    expect(
      compileData(
        Array.from({ length: most + 1 }, () => "=1"),
        TYPES,
      ).findings,
    ).toMatchObject([{ path: [String(most)] }]);
  });

  test("data too deep is a finding", () => {
    const deep = Array.from({ length: 5000 }).reduce<Json>((inner) => [inner], "=1");
    expect(compileData(deep, TYPES).findings).toHaveLength(1);
  });

  test("any text can be written so that it stands for itself", () => {
    for (const text of ["", "a", "=", "==", "=a", "==a"]) {
      expect(resolved(literalInData(text))).toBe(text);
      expect(expressionIn(literalInData(text))).toBeNull();
    }
  });
});
