/**
 * Random expressions, over values that keep no promise of their types. They must end in a value or an error whatever they are, and the
 * part of the language that CEL and this project share must give what the library's own evaluator gives.
 */
import { evaluate as referenceEvaluate } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json, JsonObject } from "../../operations/operation.ts";
import { compileExpression } from "./expression.ts";
import { FUNCTIONS } from "./functions/table.ts";
import type { ExpressionTypes } from "./part.ts";
import { LOOPS } from "./syntax.ts";
import { ownField, setField } from "./values.ts";
import { isRecord } from "./work.ts";

const NAMES = ["a", "b", "constructor", "toString", "length", "x"];
const OPERATORS = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "in", "&&", "||"];
const ANY_TYPES: ExpressionTypes = { a: "any", b: "any", t: "timestamp", l: { list: "timestamp" }, n: "number" };

const literal = fc.oneof(
  fc.constantFrom("1", "0", "-1", "2.5", "1e300", "true", "false", "null", '""', '"a"', '"2026-01-01"', '"__proto__"', '"%s"', "[]", "{}"),
  fc.string({ unit: "grapheme", maxLength: 5 }).map((text) => JSON.stringify(text).replaceAll(/\\u(?:d[89a-f]..)/g, "x")),
);

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie("expression");
  return {
    expression: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("a", "b", "t", "l", "n", "x"),
      literal,
      fc.tuple(inner, fc.constantFrom(...OPERATORS), inner).map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      fc.tuple(inner, fc.constantFrom(...NAMES)).map(([target, name]) => `${target}.${name}`),
      fc.tuple(inner, inner).map(([target, index]) => `${target}[${index}]`),
      fc
        .tuple(fc.constantFrom(...FUNCTIONS.keys(), "default"), fc.array(inner, { minLength: 1, maxLength: 3 }))
        .map(([name, args]) => `${name}(${args.join(", ")})`),
      fc.tuple(inner, fc.constantFrom(...LOOPS), inner).map(([list, loop, body]) => `${list}.${loop}(x, ${body})`),
      fc.tuple(inner, inner, inner).map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
      inner.map((operand) => `!(${operand})`),
      inner.map((operand) => `-(${operand})`),
      inner.map((target) => `has(${target}.a)`),
      fc.array(inner, { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
      fc.tuple(inner, inner).map(([first, second]) => `{"a": ${first}, "__proto__": ${second}}`),
    ),
  };
});

const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 3 })
  .map((value): Json => JSON.parse(JSON.stringify(value)))
  .chain((value) => fc.constantFrom(value, [value, "a", 1], { a: value, constructor: 1 }, "2026-01-01T00:00:00Z", 7));
const context: fc.Arbitrary<JsonObject> = fc.record({ a: json, b: json, t: json, l: json, n: json });

function frozen(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}

test("X1 X2 X3 X6 whatever an expression is, it ends within its bound, the same each time, with JSON or an error", () => {
  let evaluated = 0;
  fc.assert(
    fc.property(expression, context, fc.integer({ min: 1, max: 3000 }), (text, values, costMax) => {
      const compiled = compileExpression(text, ANY_TYPES);
      if (!compiled.ok) return;
      evaluated += 1;
      frozen(values);
      const first = compiled.expression.evaluate(values, { costMax });
      expect(compiled.expression.evaluate(values, { costMax })).toEqual(first);
      if (!first.ok) {
        expect(first.error.message).not.toContain("undefined");
        return;
      }
      expect(first.cost).toBeLessThanOrEqual(costMax);
      expect(JSON.parse(JSON.stringify(first.value))).toStrictEqual(first.value);
      expect(Object.is(first.value, -0)).toBe(false);
      expect(compiled.expression.evaluate(values, { costMax: first.cost })).toEqual(first);
      expect(compiled.expression.evaluate(values, { costMax: first.cost - 1 })).toMatchObject({ ok: false, error: { code: "limit" } });
    }),
    { numRuns: 4000 },
  );
  expect(evaluated).toBeGreaterThan(500);
}, 60_000);

/** What stands at some paths of the context, and nothing beside them. */
function pruned(whole: JsonObject, reads: readonly (readonly string[])[]): JsonObject {
  const kept: Record<string, Json> = {};
  for (const path of reads) keep(whole, kept, path);
  return kept;
}

function keep(from: JsonObject, to: Record<string, Json>, [name = "", ...rest]: readonly string[]): void {
  if (!Object.hasOwn(from, name)) return;
  const value = from[name] ?? null;
  if (rest.length === 0 || !isRecord(value)) {
    setField(to, name, value);
    return;
  }
  const before = ownField(to, name) ?? null;
  // A shorter path may have brought the whole of it already.
  if (before === value) return;
  const inner: Record<string, Json> = isRecord(before) ? { ...before } : {};
  keep(value, inner, rest);
  setField(to, name, inner);
}

test("what it reads is all that it reads", () => {
  let evaluated = 0;
  fc.assert(
    fc.property(expression, context, (text, values) => {
      const compiled = compileExpression(text, ANY_TYPES);
      if (!compiled.ok) return;
      const { reads, evaluate } = compiled.expression;
      const result = evaluate(values);
      const sorted = reads.toSorted((left, right) => left.length - right.length);
      const again = evaluate(pruned(values, sorted));
      evaluated += 1;
      expect([text, again.ok ? again.value : again.error.code]).toEqual([text, result.ok ? result.value : result.error.code]);
    }),
    { numRuns: 4000 },
  );
  expect(evaluated).toBeGreaterThan(500);
}, 60_000);

test("X6 no text throws", () => {
  const pieces = fc.constantFrom(
    "a",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "+",
    "-",
    "!",
    "&&",
    "||",
    "==",
    "in",
    "'",
    '"',
    "\\",
    "\n",
    "map",
    "has",
    "x",
    "1",
    "0x",
    "e",
    " ",
    "//",
    "b",
    "r",
    "\u{1f600}",
    "\ud800",
    "\0",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
    fc.tuple(expression, fc.nat()).map(([whole, cut]) => whole.slice(0, cut % (whole.length + 1))),
  );
  fc.assert(
    fc.property(text, (source) => {
      const compiled = compileExpression(source, ANY_TYPES);
      if (compiled.ok) compiled.expression.evaluate({ a: 1, b: [2], t: "2026-01-01", l: [], n: 1 });
      else expect(compiled.findings.length).toBeGreaterThan(0);
    }),
    { numRuns: 4000 },
  );
}, 60_000);

const sharedNumber = fc.letrec<{ number: string; truth: string }>((tie) => ({
  number: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 50 }).map((whole) => `${whole}.5`),
    fc
      .tuple(tie("number"), fc.constantFrom("+", "-", "*"), tie("number"))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc.tuple(tie("truth"), tie("number"), tie("number")).map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
    tie("number").map((operand) => `(-${operand})`),
    fc.array(tie("number"), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(", ")}][0]`),
    tie("number").map((value) => `{"k": ${value}}.k`),
  ),
  truth: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("true", "false", "p.yes", "has(p.no)", "has(p.yes)", "p.absent"),
    fc
      .tuple(tie("number"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), tie("number"))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    fc.tuple(tie("truth"), fc.constantFrom("&&", "||"), tie("truth")).map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie("truth").map((operand) => `!(${operand})`),
    fc
      .tuple(
        fc.array(tie("number"), { minLength: 1, maxLength: 3 }),
        fc.constantFrom("exists", "all", "exists_one"),
        fc.constantFrom("x > 10.5", "x + 1.5 < 20.0 || p.absent", "p.yes && x != 3.5"),
      )
      .map(([items, loop, body]) => `[${items.join(", ")}].${loop}(x, ${body})`),
    fc
      .tuple(tie("number"), fc.array(tie("number"), { minLength: 1, maxLength: 3 }))
      .map(([item, items]) => `${item} in [${items.join(", ")}].filter(y, y > 2.5).map(y, y + 0.5)`),
    fc
      .tuple(fc.constantFrom("startsWith", "endsWith", "contains"), fc.constantFrom('"a"', '"b"', '""', '"ab"'))
      .map(([name, part]) => `("a" + "b").${name}(${part})`),
  ),
}));

test("what CEL and flows share has the library's results", () => {
  const values = { p: { yes: true } };
  let compared = 0;
  fc.assert(
    fc.property(fc.oneof(sharedNumber.truth, sharedNumber.number), (text) => {
      const compiled = compileExpression(text, { p: "any" });
      if (!compiled.ok) throw new Error(`${text}: ${JSON.stringify(compiled.findings)}`);
      const result = compiled.expression.evaluate(values);
      let reference: unknown;
      try {
        reference = referenceEvaluate(text, values);
      } catch {
        reference = "error";
      }
      compared += 1;
      expect([text, result.ok ? result.value : "error"]).toEqual([text, Object.is(reference, -0) ? 0 : reference]);
    }),
    { numRuns: 3000 },
  );
  expect(compared).toBe(3000);
}, 60_000);

test("parts of texts are found where the engine finds them", () => {
  const word = fc.constantFrom("a", "b", "aa", "ab", "aab", "aaaaaaaab", "abababab");
  const words = (most: number): fc.Arbitrary<string> => fc.array(word, { minLength: 1, maxLength: most }).map((parts) => parts.join(""));
  const compiled = compileExpression("[indexOf(a, b), a.split(b), a.replace(b, 'c'), a.contains(b)]", { a: "string", b: "string" });
  let long = 0;
  fc.assert(
    fc.property(words(30), words(8), fc.nat(), (text, other, from) => {
      const part = other.length > 20 ? text.slice(from % text.length, (from % text.length) + 24) : other;
      const result = compiled.ok ? compiled.expression.evaluate({ a: text, b: part }) : compiled;
      if (part.length > 16 && text.includes(part)) long += 1;
      expect(result).toMatchObject({ value: [text.indexOf(part), text.split(part), text.replaceAll(part, "c"), text.includes(part)] });
    }),
    { numRuns: 2000 },
  );
  expect(long).toBeGreaterThan(50);
});
