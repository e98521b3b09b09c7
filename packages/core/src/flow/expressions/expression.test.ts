import { describe, expect, test } from "vitest";
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { compileExpression } from "./expression.ts";
import { FUNCTIONS } from "./functions/table.ts";
import { outcome, TYPES } from "./test-values.ts";

const VALUES: readonly (readonly [text: string, value: Json])[] = [
  // Literals.
  ["1", 1],
  ["1.5e3", 1500],
  ["0x1F", 31],
  ["-7", -7],
  ["true", true],
  ["null", null],
  ['"a\\n\\u00e4\\""', 'a\nä"'],
  ["'single'", "single"],
  ['r"\\d"', "\\d"],
  ['"""two\nlines"""', "two\nlines"],
  ["[1, 'a', null, [true]]", [1, "a", null, [true]]],
  ['{"a": 1, "b": {"c": []}}', { a: 1, b: { c: [] } }],
  ["{trigger.name: 1}", { Ada: 1 }],
  ["// a comment\n 1 + 1", 2],
  // Names, fields, elements.
  ["trigger.amount", 12.5],
  ["trigger.customer.email", "ada@example.com"],
  ['trigger.customer["first-name"]', "Ada"],
  ['trigger["customer"]["country"]', "GB"],
  ["trigger.items[1].sku", "a"],
  ["data.a.b[1].c", "deep"],
  ['data["a"].b[0]', 1],
  ["data.constructor", "own"],
  ["steps.price.output.total", 9],
  ["vars.list[size(vars.list) - 1]", 2],
  ["nothing", null],
  // Arithmetic.
  ["1 + 2 * 3", 7],
  ["(1 + 2) * 3", 9],
  ["7 / 2", 3.5],
  ["7 % 3", 1],
  ["-7 % 3", -1],
  ["5 - 8", -3],
  ["-(-2)", 2],
  ["- 0", 0],
  ["0 * -1", 0],
  ["0.1 + 0.2", 0.1 + 0.2],
  ["trigger.amount * 2", 25],
  ["data.n + 1", 6],
  ['"a" + "b"', "ab"],
  ["trigger.name + data.s", "Adatext"],
  ["[1] + [2, 3]", [1, 2, 3]],
  ["data.l + [0]", [1, "a", null, true, 0]],
  // Comparisons.
  ["1 < 2", true],
  ["2 <= 2", true],
  ["2 > 2", false],
  ["2 >= 2", true],
  ['"a" < "b"', true],
  ["1 == 1.0", true],
  ["data.n == '5'", false],
  ["[1, [2]] == [1, [2]]", true],
  ['{"a": 1, "b": 2} == {"b": 2, "a": 1}', true],
  ['{"a": 1} == {"a": 1, "b": null}', false],
  ['{"a": 1} != {"b": 1}', true],
  ["trigger.note == null", true],
  ["null == nothing", true],
  ['"new" in trigger.tags', true],
  ["3 in [1, 2]", false],
  ['"email" in trigger.customer', true],
  ['"toString" in trigger.customer', false],
  ['"constructor" in trigger.customer', false],
  ["{} in [1, {}]", true],
  // Logic.
  ["true && false", false],
  ["!trigger.isPaid || trigger.amount > 10", true],
  ['trigger.isPaid ? "yes" : "no"', "yes"],
  ["false && data.absent", false],
  ["data.absent && false", false],
  ["true || data.absent", true],
  ["data.absent || true", true],
  ["true || data.n", true],
  ["data.n > 3 ? data.n < 6 ? 1 : 2 : 3", 1],
  // What may be absent.
  ["has(data.a)", true],
  ["has(data.absent)", false],
  ["has(data.absent.further)", false],
  ["has(trigger.note)", true],
  ["has(data.l[3])", true],
  ["has(data.l[4])", false],
  ["has(data.toString)", false],
  ["has(data.__proto__)", false],
  ["has(nothing.x)", ["1:13 Null has no fields, so no `x`."]],
  ["default(data.absent, 7)", 7],
  ["default(trigger.note, 'none')", "none"],
  ["default(data.n, 7)", 5],
  ["data.absent.x.default('y')", "y"],
  ["default(lower(trigger.note), 'empty')", "empty"],
  ["default(first([]), 1)", 1],
  ["default(steps.price.error, {}).default(0)", {}],
  // Loops.
  ["trigger.items.map(i, i.price * i.count).sum()", 18],
  ["trigger.items.map(i, i.count > 3, i.sku)", ["a"]],
  ["trigger.items.filter(i, i.price > 3).map(i, i.sku)", ["b"]],
  ["trigger.items.exists(i, i.sku == 'a')", true],
  ["trigger.items.all(i, i.price > 3)", false],
  ["[1, 2, 2].exists_one(x, x == 2)", false],
  ["[1, 2].exists_one(x, x == 2)", true],
  ["trigger.items.find(i, i.price < 3).sku", "a"],
  ["[1].find(x, x > 1)", null],
  ["trigger.items.sortBy(i, i.sku).map(i, i.count)", [4, 2]],
  ["trigger.items.sortBy(i, -i.price)[0].sku", "b"],
  ["trigger.customer.map(k, k)", ["email", "country", "first-name"]],
  [
    "[1, 2].map(x, [10, 20].map(y, x * y))",
    [
      [10, 20],
      [20, 40],
    ],
  ],
  ["[1, 2].map(x, [3].map(x, x))", [[3], [3]]],
  ["[[1, 2], [3]].map(l, l.map(x, x + 1)).flatten()", [2, 3, 4]],
  ["[1, 2].map(x, x + vars.total)", [19, 20]],
  ["[0, 1].exists(x, 1 / x > 0)", true],
  ["[0, 1].all(x, 1 / x > 5)", false],
  ["data.l.map(x, type(x))", ["number", "string", "null", "boolean"]],
  // Timestamps.
  ["trigger.at", "2026-01-31T08:30:00.000Z"],
  ["trigger.at < now", true],
  ['trigger.at == timestamp("2026-01-31T08:30:00Z")', true],
  ['timestamp(data.at) <= timestamp("2026-01-01")', true],
  ["data.at < now", true],
  ["now == '2026-02-02T13:00:00+01:00'", true],
  ["now - timestamp('2026-02-02')", 43_200_000],
  ["now + duration('1d')", "2026-02-03T12:00:00.000Z"],
  ["duration('1d') + now", "2026-02-03T12:00:00.000Z"],
  ["now - duration('12h')", "2026-02-02T00:00:00.000Z"],
  ["now - data.at > duration('4w')", true],
  ["trigger.days", ["2026-03-01T00:00:00.000Z", "2026-01-31T22:00:00.000Z"]],
  ["trigger.days.sort()[0]", "2026-01-31T22:00:00.000Z"],
  ["min(trigger.days).month()", 1],
  ["trigger.days.map(d, d.day())", [1, 31]],
  ["trigger.days.exists(d, d > now)", true],
  ['"at " + now', "at 2026-02-02T12:00:00.000Z"],
  ["addMonths('2024-01-31', 1).formatDate()", "2024-02-29"],
  ["addMonths('2024-03-31', -13).formatDate()", "2023-02-28"],
  ["addDays('2024-02-28', 1).formatDate('EEE d MMM yy')", "Thu 29 Feb 24"],
  ["formatDate('1969-12-31T23:59:59.9Z', \"yyyy-MM-dd 'at' HH:mm:ss.SSS\")", "1969-12-31 at 23:59:59.900"],
  ["timestamp('0001-01-01').toMillis()", -62_135_596_800_000],
  ["duration('-1.5h')", -5_400_000],
  // Texts count characters, not halves of them.
  ['size("a😀b")', 3],
  ['substring("a😀b", 1, 2)', "😀"],
  ['indexOf("😀b", "b")', 1],
  ['split("a😀", "")', ["a", "😀"]],
  ['glob("a😀c", "a?c")', true],
  ['glob("abc", "a*b")', false],
  ['glob("aXbXc", "*X*c")', true],
  ['glob("", "*")', true],
  ['replace("aaa", "a", "bb")', "bbbbbb"],
  ['replace("aaa", "aa", "b")', "ba"],
  ['split("aaaaa", "aa")', ["", "", "a"]],
  ['contains("xaaaaaaaaaaaaaaaaaaaay", "aaaaaaaaaaaaaaaaaaaay")', true],
  ['contains("aaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaab")', false],
  ['split("aXXXXXXXXXXXXXXXXXXbXXXXXXXXXXXXXXXXXXc", "XXXXXXXXXXXXXXXXXX")', ["a", "b", "c"]],
  ['join(["a"], ", ")', "a"],
  ["[1, 2].map(x, string(x)).join('-')", "1-2"],
  // Numbers.
  ["round(1.45, 1)", 1.5],
  ["round(-1.005, 2)", -1.01],
  ["round(1e21, 2)", 1e21],
  ["round(0.0000001, 2)", 0],
  ["number('-1.5e2')", -150],
  ["max(trigger.items.map(i, i.price))", 4],
  ["min('b', 'a')", "a"],
  ["sum([])", 0],
  ["distinct([1, 1.0, '1', [1], [1], {}])", [1, "1", [1], {}]],
  ["merge(trigger.customer, {'email': 'x'}).email", "x"],
  ["fromJson(toJson(data)) == data", true],
  ["fromJson('{\"__proto__\": {\"x\": 1}}')['__proto__'].x", 1],
  ['has(fromJson(\'{"__proto__": {"x": 1}}\').x)', false],
  ["'%s'.format([data.l])", '[1,"a",null,true]'],
];

test.each(VALUES)("%s", (text, value) => {
  expect(outcome(text)).toEqual(value);
});

/** Text, place and a part of what is told when it is saved. */
const FINDINGS: readonly (readonly [text: string, at: string, part: string])[] = [
  ["", "1:1", "empty"],
  ["   ", "1:1", "empty"],
  ["'\ud83d' + 'x'", "1:1", "half a character"],
  ["1 +", "1:4", "A value is missing before the end"],
  ["(1", "1:3", "Expected `)`, and there is the end"],
  ["1 2", "1:3", "Unexpected"],
  ["a = 1", "1:3", "Unexpected"],
  ["1 +\n  * 2", "2:3", "A value is missing before `*`"],
  ['"open', "1:1", "Unterminated"],
  ["1e999", "1:1", "Invalid number"],
  ["12345678901234567890", "1:1", "too large to be exact"],
  ["1u", "1:1", "no unsigned"],
  ['b"x"', "1:1", "no bytes"],
  ["for", "1:1", "Reserved"],
  ["Type{a: 1}", "1:5", "Unexpected"],
  ["amount", "1:1", "`amount` is not known here"],
  ["triger.amount", "1:1", "Did you mean `trigger`?"],
  ["trigger.amonut", "1:9", "Did you mean `amount`?"],
  ['trigger["amonut"]', "1:9", "Did you mean `amount`?"],
  ["steps.prize.output", "1:7", "Did you mean `price`?"],
  ["steps.price.output.sum", "1:20", "There is total"],
  ["true &&\n  trigger.items.map(i, i.prize)", "2:26", "Did you mean `price`?"],
  ["trigger.amount.x", "1:16", "A number has no fields"],
  ["now.year", "1:5", "Use functions such as `year(t)`"],
  ["trigger.tags.size", "1:14", "A list of texts has no fields"],
  ["trigger.items[true]", "1:15", "A boolean cannot choose"],
  ["trigger.amount + 'x'", "1:1", "`string(x)` and `number(x)`"],
  ["trigger.amount && true", "1:9", "`&&` needs true or false"],
  ["!trigger.name", "1:10", "`!` needs true or false"],
  ["-trigger.name", "1:1", "`-` needs a number"],
  ["trigger.name ? 1 : 2", "1:9", "this is a text"],
  ["trigger.name == 1", "1:1", "`==` does not go with a text and a number"],
  ["trigger.name < 1", "1:1", "`<` does not go with"],
  ["'x' < now", "1:1", "`timestamp(x)` makes timestamps"],
  ["1 in 'text'", "1:1", "Use `contains(text, part)`"],
  ["[1] < [2]", "1:1", "`<` does not go with"],
  ["1 in trigger.tags", "1:1", "a number and a list of texts"],
  ["trigger.isPaid * 2", "1:1", "`*` does not go with"],
  ["lower()", "1:1", "takes 1 argument, and there are 0"],
  ["lower('a', 'b')", "1:1", "takes 1 argument, and there are 2"],
  ["substring('a')", "1:1", "takes 2 to 3 arguments, and there is 1"],
  ["min()", "1:1", "takes at least 1"],
  ["lower(1)", "1:7", "takes a text as text, and this is a number"],
  ["sum(trigger.tags)", "1:13", "takes a list of numbers"],
  ["trigger.tags.map(t, size(t)).join()", "1:1", "takes a list of texts"],
  ["year(1)", "1:6", "takes a timestamp"],
  ["lowr('A')", "1:1", "Did you mean `lower`?"],
  ["'a'.matches('a*')", "1:1", "Regular expressions are not evaluated"],
  ["now.getFullYear()", "1:1", "Use `year(t)`"],
  ["cel.bind(x, 1, x)", "1:1", "assignment node"],
  ["eval('1')", "1:1", "There is no function `eval`"],
  ["trigger.constructor('x')", "1:1", "There is no function `constructor`"],
  ["trigger.name.toString()", "1:1", "Use `string(x)`"],
  ["__proto__", "1:1", "Reserved"],
  ["trigger.__proto__", "1:9", "There is no field"],
  ["trigger.amount.map(x, x)", "1:1", "this is a number"],
  ["[1].map('x', 1)", "1:9", "The first argument here is the name"],
  ["[1].filter(x, 1)", "1:15", "`filter` needs true or false"],
  ["[1].sortBy(x)", "1:1", "It is written `list.sortBy(x, value)`"],
  ["map([1], x, x)", "1:1", "is written behind a list"],
  ["has(1)", "1:1", "`has` takes one field"],
  ["has(trigger.amonut)", "1:13", "Did you mean"],
  ["default(1)", "1:1", "`default` takes a value"],
  ["{1: 2}", "1:2", "Names of a record are texts"],
  ['{"a": 1, "a": 2}', "1:10", "stands twice"],
  ["trigger.?name", "1:9", "Expected a name"],
];

test.each(FINDINGS)("finding: %s", (text, at, part) => {
  const compiled = compileExpression(text, TYPES);
  const told = compiled.ok ? [] : compiled.findings.map(({ position: { line, column }, message }) => `${line}:${column} ${message}`);
  expect(told[0]).toContain(part);
  expect(told[0]?.split(" ")[0]).toBe(at);
});

/** What values do that no type foretold. */
const ERRORS: readonly (readonly [text: string, error: string])[] = [
  ["data.absent", "absent 1:6 There is no field `absent`"],
  ["data.toString", "absent 1:6"],
  ["data.__proto__", "absent 1:6"],
  ['data["__proto__"]', "absent 1:6"],
  ["trigger.note.size()", "absent 1:1"],
  ["nothing == null ? data.a.b[9] : 0", "absent 1:28"],
  ["data.l[-1]", "absent 1:8"],
  ["data.l[0.5]", "value 1:8"],
  ["data.l['x']", "type 1:8"],
  ["data.n.x", "type 1:8"],
  ["data.n + 'x'", "type 1:1"],
  ["data.n + data.s", "type 1:1"],
  ["data.l * 2", "type 1:1"],
  ["data.s > 1", "type 1:1"],
  ["data.n && true", "type 1:6"],
  ["data.s ? 1 : 2", "type 1:6"],
  ["1 in data.n", "type 1:1"],
  ["1 / 0", "value 1:1"],
  ["0 / 0", "value 1:1"],
  ["1e308 * 10", "value 1:1"],
  ["5 % 0", "value 1:1"],
  ["sum(data.l)", "type 1:1"],
  ["default(data.n + data.s, 1)", "type 1:9"],
  ["has(data.n.x)", "type 1:12"],
  ["join(data.l)", "type 1:1"],
  ["sort(data.l)", "type 1:1"],
  ["min([])", "absent 1:1"],
  ["lower(data.n)", "type 1:1"],
  ["data.n.map(x, x)", "type 1:1"],
  ["number('12a')", "value 1:1"],
  ["number('')", "value 1:1"],
  ["number('Infinity')", "value 1:1"],
  ["number('1e400')", "value 1:1"],
  ["timestamp('2026-02-30')", "value 1:1"],
  ["timestamp('2026-01-01T00:00:00')", "value 1:1"],
  ["timestamp('yesterday')", "value 1:1"],
  ["timestamp(1e99)", "value 1:1"],
  ["addDays(now, 1e9)", "value 1:1"],
  ["addMonths(now, 1e11)", "value 1:1"],
  ["duration('3 days')", "value 1:1"],
  ["formatDate(now, 'yyyy-QQ')", "value 1:1"],
  ["data.s > now", "value 1:1"],
  ["fromJson('{')", "value 1:1"],
  ["'%d'.format([1.5])", "value 1:1"],
  ["'%x'.format([1])", "value 1:1"],
  ["'%s'.format([])", "value 1:1"],
  ["'%.99f'.format([1])", "value 1:1"],
  ["round(1, 99)", "value 1:1"],
  ["substring('abc', -1)", "value 1:1"],
  ["replace('a', '', 'b')", "value 1:1"],
  ["[0].all(x, 1 / x > 0)", "value 1:12"],
];

test.each(ERRORS)("error: %s", (text, error) => {
  const told = outcome(text);
  expect(typeof told === "string" ? told.slice(0, error.length) : told).toBe(error);
});

const KINDS: readonly (readonly [text: string, type: ValueType])[] = [
  ["1 + 1", "number"],
  ["trigger.name + '!'", "string"],
  ["trigger.at", "timestamp"],
  ["now + 1", "timestamp"],
  ["now - trigger.at", "number"],
  ["trigger.items", { list: { record: { sku: "string", price: "number", count: "number", tags: { list: "string" } } } }],
  ["trigger.items.map(i, i.sku)", { list: "string" }],
  ["trigger.items.find(i, true).price", "number"],
  ["first(trigger.tags)", "string"],
  ["trigger.isPaid ? 1 : null", "number"],
  ["trigger.isPaid ? 1 : 'a'", "any"],
  ["[1, null, 2]", { list: "number" }],
  ["[1, 'a']", { list: "any" }],
  ['{"a": 1, "b": [now]}', { record: { a: "number", b: { list: "timestamp" } } }],
  ["merge(trigger.customer, {'x': 1}).x", "number"],
  ["data.anything.at.all", "any"],
  ["default(data.x, 1)", "any"],
  ["default(trigger.name, 'x')", "string"],
  ["sort(vars.list)", { list: "number" }],
  ["max(vars.list)", "number"],
  ["[[1]].flatten()", { list: "number" }],
  ["fromJson('1')", "any"],
];

test.each(KINDS)("type of %s", (text, type) => {
  const compiled = compileExpression(text, TYPES);
  expect(compiled.ok && compiled.expression.type).toEqual(type);
});

describe("expressions", () => {
  test.each([...FUNCTIONS.values()].flatMap(({ examples }) => examples))("example of the reference: %s", (text, value) => {
    expect(outcome(text)).toEqual(value);
  });

  test("the place that an expression is for says what it has to be", () => {
    expect(compileExpression("trigger.amount", TYPES, "boolean")).toEqual({
      ok: false,
      findings: [{ message: "This is a number; a boolean is needed here.", position: { line: 1, column: 1 } }],
    });
    const text = compileExpression("trigger.amount", TYPES, "string");
    expect(text.ok ? [] : text.findings[0]?.message).toBe("This is a number; a text is needed here. `string(x)` makes one.");
    expect(compileExpression("data.x", TYPES, "boolean").ok).toBe(true);
    expect(compileExpression("trigger.items.map(i, i.sku)", TYPES, { list: "string" }).ok).toBe(true);
    expect(compileExpression("now", TYPES, "string").ok).toBe(true);
  });

  test("one mistake is told once, several at once", () => {
    const compiled = compileExpression("trigger.amonut + 1 > 2 && foo(1) && bar", TYPES);
    expect(compiled.ok ? [] : compiled.findings.map(({ position }) => position.column)).toEqual([9, 27, 37]);
  });

  test("it says what it reads", () => {
    const compiled = compileExpression(
      'steps.price.output.total + trigger["amount"] + trigger.items.map(i, i.price + vars.total).sum() + data[trigger.name].x',
      TYPES,
    );
    expect(compiled.ok && compiled.expression.reads).toEqual([
      ["steps", "price", "output", "total"],
      ["trigger", "amount"],
      ["trigger", "items"],
      ["vars", "total"],
      ["data"],
      ["trigger", "name"],
    ]);
  });

  test("X5 values that are not what their types say are errors, and reach no further", () => {
    const wrong = { trigger: { amount: "12", name: 5, tags: "no list", items: [1], at: 7, days: [1], customer: null } };
    expect(outcome("trigger.amount * 2", wrong)).toMatch(/^type/);
    expect(outcome("trigger.name.lower()", wrong)).toMatch(/^type/);
    expect(outcome("trigger.tags.map(t, t)", wrong)).toMatch(/^type/);
    expect(outcome("trigger.items[0].sku", wrong)).toMatch(/^type/);
    expect(outcome("trigger.at < now", { ...wrong, now: "2026-01-01" })).toMatch(/^type/);
    expect(outcome("trigger.customer.email", wrong)).toMatch(/^absent/);
    expect(outcome("vars.total", wrong)).toMatch(/^absent/);
  });
});
