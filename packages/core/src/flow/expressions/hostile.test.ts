import { expect, test } from "vitest";
import { limit } from "../../limits.ts";
import type { Json, JsonObject } from "../../operations/operation.ts";
import { compileExpression, type Evaluation } from "./expression.ts";
import { outcome, TYPES } from "./test-values.ts";

const BIG: JsonObject = {
  data: {
    list: Array.from({ length: 8000 }, (_, i) => (i * 7919) % 8000),
    text: "a".repeat(60_000),
    texts: Array.from({ length: 4000 }, (_, i) => `${"k".repeat(30)}${i}`),
    lists: Array.from({ length: 300 }, (_, i) => [i]),
    record: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i])),
  },
};

function evaluateBig(text: string): Evaluation {
  const compiled = compileExpression(text, TYPES);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  return compiled.expression.evaluate(BIG);
}

test.each([
  ["1 MB of text", "1".repeat(1 << 20)],
  ["deep brackets", "(".repeat(8000)],
  ["deep lists", `${"[".repeat(5000)}${"]".repeat(5000)}`],
  ["deep records", '{"a":'.repeat(3000)],
  ["deep calls", `${"lower(".repeat(2000)}"a"${")".repeat(2000)}`],
  ["a row of -", `${"-".repeat(16_000)}1`],
  ["a row of !", `${"!".repeat(16_000)}true`],
  ["a long sum", Array.from({ length: 4000 }, () => "1").join("+")],
  ["a sum deeper than allowed", Array.from({ length: limit("expressionDepthMax") + 1 }, () => "1").join("+")],
  ["a row of - deeper than allowed", `${"-".repeat(limit("expressionDepthMax"))}1`],
  ["a long chain of fields", `data${".a".repeat(4000)}`],
  ["a long chain of methods", `data${".lower()".repeat(2000)}`],
  ["nested conditions", "true ? ".repeat(2000)],
  ["a long number", "9".repeat(16_000)],
  ["a wide list", `[${"1,".repeat(8000)}]`],
  ["many unknown names", Array.from({ length: 90 }, (_, i) => `unknown${i}`).join("+")],
])("%s is a finding", (_, text) => {
  const compiled = compileExpression(text, TYPES);
  expect(compiled.ok).toBe(false);
  if (!compiled.ok) {
    expect(compiled.findings.length).toBeLessThanOrEqual(limit("expressionFindingsMax"));
    for (const { message } of compiled.findings) expect(message.length).toBeLessThan(600);
  }
});

test("as deep as allowed is no finding", () => {
  expect(outcome(Array.from({ length: limit("expressionDepthMax") }, () => "1").join("+"))).toBe(limit("expressionDepthMax"));
});

/** What takes long, or makes much, and would not end in time if it were not counted. */
test.each([
  "data.list.map(a, data.list.map(b, data.list.map(c, 1)))",
  "data.list.all(a, data.list.all(b, data.list.all(c, true)))",
  "data.list.exists(a, data.absent == 1)",
  "data.list.map(a, default(data.absent, 1))",
  "data.list.map(a, data.list.sort())",
  "data.list.map(a, data.list.sortBy(x, -x))",
  "data.list.map(a, data.texts.sort())",
  "data.list.map(a, data.texts.distinct())",
  "data.list.map(a, data.lists.distinct())",
  "data.list.map(a, data.text + data.text)",
  "data.list.map(a, data.list + data.list)",
  "data.list.map(a, data.text.upper())",
  "data.list.map(a, data.text.split('a'))",
  "data.list.map(a, data.text.split(''))",
  "data.list.map(a, data.text.replace('a', data.text))",
  "data.list.map(a, data.text.contains('aaaaaaaaaaaaaaab'))",
  "data.list.map(a, data.text.contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'))",
  "data.list.map(a, data.text.contains(substring(data.text, 0, 30000) + 'b'))",
  "data.list.map(a, glob(data.text, '*a*a*a*a*a*b'))",
  "data.list.map(a, data.text == data.text + 'b')",
  "data.list.map(a, data.texts.join(data.text))",
  "data.list.map(a, toJson(data.record))",
  "data.list.map(a, merge(data.record, {'x': a}))",
  "data.list.map(a, fromJson('[' + data.texts.map(t, '1').join(',') + ']'))",
  "data.list.map(a, padStart('', 1000000, 'ab'))",
  "padStart('', 9007199254740991, 'ab')",
  "data.list.map(a, '%s%s'.format([data.text, data.text]))",
  "data.list.map(a, formatDate('2026-01-01', substring(data.text, 0, 9000).replace('a', 'd ')))",
  "data.list.map(a, addMonths('2026-01-01', a))",
  "data.list.map(a, duration('1h30m') + round(a / 7, 3))",
  "data.list.map(a, data.lists.flatten())",
  "data.list.map(a, data.record.map(k, data.record[k]))",
])("%s ends with an error of the limit", (text) => {
  const result = evaluateBig(text);
  expect(result).toMatchObject({ ok: false, error: { code: "limit" } });
});

test("X2 what an evaluation makes is bounded apart from its steps", () => {
  for (const text of [
    "padStart('', 1500000, 'ab')",
    "size(data.text.replace('a', 'x' + substring(data.text, 0, 20)))",
    "data.list.slice(0, 2).map(a, [data.text, data.text, data.text, data.text, data.text, data.text, data.text, data.text, data.text])",
  ]) {
    const result = evaluateBig(text);
    expect(result.ok ? "" : result.error.message).toContain("characters and elements");
  }
});

test("X2 an expression cannot catch the error of the limit", () => {
  const endless = "data.list.all(a, data.list.all(b, data.list.all(c, true)))";
  for (const text of [
    `default(${endless}, 1)`,
    `has(data[string(${endless})])`,
    `${endless} || true`,
    `[0].exists(x, ${endless})`,
    `true ? ${endless} : 1`,
  ])
    expect(evaluateBig(text)).toMatchObject({ ok: false, error: { code: "limit" } });
  const large = "padStart('', 1500000, 'ab') == ''";
  for (const text of [
    `${large} || true`,
    `true || ${large} ? [0].exists(x, ${large} || x == 0) : 1`,
    `[0, 1].exists(x, x == 1 || ${large})`,
  ])
    expect(evaluateBig(text)).toMatchObject({ ok: false, error: { code: "limit" } });
});

test("X2 one value in many places is counted as often as it would be written", () => {
  const doubling = Array.from({ length: 40 }).reduce<string>((text) => `${text}.map(x, [x, x])`, "[data.text]");
  expect(evaluateBig(doubling)).toMatchObject({ ok: false, error: { code: "limit" } });
  const large = Array.from({ length: 20 }).reduce<string>((text) => `${text}.map(x, [x, x])`, "[1]");
  for (const text of [
    `${large} == ${large}`,
    `toJson(${large})`,
    `string(${large})`,
    `${large} in [${large}]`,
    `[${large}, ${large}].distinct()`,
  ])
    expect(evaluateBig(text)).toMatchObject({ ok: false, error: { code: "limit" } });
});

test("types that double with each loop are checked in time", () => {
  const doubling = Array.from({ length: 80 }).reduce<string>((text) => `${text}.map(x, {'a': x, 'b': x})`, "[trigger]");
  const both = `${doubling.replace("[trigger]", "[1]")} == ${doubling}`;
  expect(compileExpression(doubling, TYPES).ok).toBe(true);
  expect(compileExpression(both, TYPES).ok).toBe(true);
  expect(compileExpression(`true ? ${doubling} : ${doubling}`, TYPES).ok).toBe(true);
});

test("X4 names of prototypes are fields like any others", () => {
  for (const name of [
    "constructor",
    "__proto__",
    "prototype",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "length",
    "map",
    "__defineGetter__",
  ]) {
    for (const target of ["data", "data.l", "data.s", "data.n", "data.isTrue", "data.own"]) {
      const context = { data: { l: [], s: "text", n: 1, isTrue: true, own: {} } };
      expect(outcome(`${target}["${name}"]`, context)).toMatch(/^(?:absent|type) /);
      expect(outcome(`has(${target}["${name}"]) ? 1 : 2`, context)).toSatisfy(
        (told: Json) => told === 2 || (typeof told === "string" && told.startsWith("type ")),
      );
    }
    const own: Json = JSON.parse(`{"${name}": {"x": 1}}`);
    expect(outcome(`data["${name}"].x`, { data: own })).toBe(1);
    expect(JSON.stringify(outcome(`{"${name}": 1}`))).toBe(`{"${name}":1}`);
    expect(JSON.stringify(outcome(`merge(data, {"a": 1})`, { data: own }))).toBe(`{"${name}":{"x":1},"a":1}`);
    expect(compileExpression(name === "map" ? "[].map" : `${name}()`, TYPES).ok).toBe(false);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("names that nearly fit among many are looked for in time", () => {
  const name = (i: number): string => `${"a".repeat(60)}${1000 + i}`;
  const record = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [name(i), "number"] as const));
  const text = `[${Array.from({ length: 180 }, (_, i) => `trigger.${name(-1 - i)}`).join(",")}]`;
  const start = performance.now();
  const compiled = compileExpression(text, { trigger: { record } });
  expect(compiled.ok ? [] : compiled.findings).toHaveLength(limit("expressionFindingsMax"));
  // Without a bound it takes a minute.
  expect(performance.now() - start).toBeLessThan(5000);
});

test("a stack that is nearly used up is an error like others", () => {
  const text = `${Array.from({ length: 95 }).reduce<string>((inner) => `[${inner}]`, "1")} == [data]`;
  const compiled = compileExpression(text, TYPES);
  const outcomes = new Set<string>();
  const evaluateAt = (depth: number): void => {
    if (depth > 0) return evaluateAt(depth - 1);
    const result = compiled.ok ? compiled.expression.evaluate({ data: 1 }) : null;
    outcomes.add(result === null ? "finding" : result.ok ? "value" : result.error.code);
  };
  const hasRoom = (depth: number): boolean => {
    try {
      evaluateAt(depth);
      return true;
    } catch {
      return false;
    }
  };
  // How many calls fit changes as the engine compiles them, so the place is looked for again and again.
  for (let round = 0; round < 20 && !outcomes.has("limit"); round += 1) for (let depth = 1000; hasRoom(depth); depth += 20);
  expect([...outcomes].toSorted()).toEqual(["limit", "value"]);
});

test("lists are sorted within their steps, and the work is counted", () => {
  expect(evaluateBig("size(data.list.sort())")).toMatchObject({ ok: true, value: 8000 });
  expect(evaluateBig("size(data.list.sortBy(x, -x))")).toMatchObject({ ok: true, value: 8000 });
  expect(evaluateBig("size(data.list.sort())").cost).toBeGreaterThan(50_000);
  expect(evaluateBig("size(data.list.sortBy(x, -x))").cost).toBeGreaterThan(50_000);
});
