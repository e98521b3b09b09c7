import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limit } from "../limits.ts";
import { readYaml } from "./yaml-source.ts";

const errors = (text: string): string[] =>
  readYaml(text)
    .findings.filter(({ severity }) => severity === "error")
    .map(({ message }) => message);

describe("what is refused (Y1–Y4)", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["alias bomb", "a: &a [x]\nb: [*a, *a]\n", /anchor &a/],
    ["alias without an anchor", "a: *nothing\n", /alias \*nothing/],
    ["cycle", "a: &a\n  b: *a\n", /anchor &a/],
    ["merge key", "a:\n  <<: {b: 1}\n", /merge key/],
    ["quoted merge key", 'a:\n  "<<": {b: 1}\n', /merge key/],
    ["core tag", "a: !!int 1\n", /tag !!int/],
    ["custom tag", "a: !exec ls\n", /tag !exec/],
    ["verbatim tag", "a: !<tag:yaml.org,2002:js> x\n", /tag /],
    ["directive", "%TAG ! tag:x,2000:\n---\na: 1\n", /directive/],
    ["second document", "a: 1\n---\nb: 2\n", /second document/],
    ["document after an end", "a: 1\n...\nb: 2\n", /./],
    ["__proto__", "__proto__: 1\n", /`__proto__` is not allowed/],
    ["constructor in braces", "a: {constructor: 1}\n", /`constructor` is not allowed/],
    ["escaped key", '"\\u005f_proto__": 1\n', /`__proto__` is not allowed/],
    ["duplicate", "a: 1\na: 2\n", /twice/],
    ["duplicate by another spelling", 'a: 1\n"a": 2\n', /twice/],
    ["number as text twice", '1: a\n"1": b\n', /twice/],
    ["list as a key", "? [a]\n: 1\n", /key has to be a text/],
    ["infinity", "a: -.inf\n", /finite/],
    ["flow depth", "[".repeat(100_000), /deeper than/],
    ["flow depth, closed", `${"[".repeat(2000)}${"]".repeat(2000)}`, /deeper than/],
    ["maps in maps", "{a: ".repeat(30) + "}".repeat(30), /deeper than/],
    ["hyphens in one line", `${"- ".repeat(100_000)}x`, /deeper than/],
    ["question marks", "? ".repeat(1000), /deeper than/],
    ["colons", `a${": ".repeat(1000)}`, /./],
    ["block depth", Array.from({ length: 60 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), /deeper than/],
    ["indentation", Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), /./],
    ["lists under each other", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}-`).join("\n"), /./],
    ["many values", `a: [${"1,".repeat(30_000)}]`, /more than 20000 values/],
    ["long text", `a: "${"x".repeat(70_000)}"`, /has 70000 characters/],
    ["long key", `${"k".repeat(300)}: 1`, /300 characters/],
    ["long file", "#".repeat(limit("manifestBytesMax") + 1), /bytes and may have/],
    ["long file of wide characters", "é".repeat(limit("manifestBytesMax") / 2 + 1), /bytes and may have/],
  ];
  test.each(cases)("%s", (_, text, message) => {
    const { json, findings } = readYaml(text);
    expect(json).toBeUndefined();
    expect(errors(text).join("\n")).toMatch(message);
    expect(findings.length).toBeLessThanOrEqual(limit("manifestFindingsMax") + 1);
  });

  test("there is an end to findings", () => {
    expect(readYaml(`a: [${"*b,\n ".repeat(5000)}]`).findings).toHaveLength(limit("manifestFindingsMax"));
  });
});

describe("what is read", () => {
  test("scalars follow the core schema of YAML 1.2", () => {
    const { json } = readYaml('a: [true, False, null, ~, 1, 0x1f, 0o17, 1.5, 1e3, 2001-01-01, 012, 1_000, 12:30, "1"]\n');
    expect(json).toEqual({ a: [true, false, null, null, 1, 31, 15, 1.5, 1000, "2001-01-01", 12, "1_000", "12:30", "1"] });
  });

  test("values of Norway are texts, with a warning when they are not quoted", () => {
    const { json, findings } = readYaml('a: no\nb: "no"\nc: ON\nd: y\n');
    expect(json).toEqual({ a: "no", b: "no", c: "ON", d: "y" });
    expect(findings.map(({ severity, path, line }) => [severity, path, line])).toEqual([
      ["warning", "a", 1],
      ["warning", "c", 3],
    ]);
  });

  test("objects have no prototype", () => {
    const { json } = readYaml("a: {b: 1}");
    expect(Object.getPrototypeOf(json)).toBeNull();
    expect(Reflect.get(Object(json) as object, "toString")).toBeUndefined();
  });

  test("an asterisk, ampersand or exclamation mark within a text is a text", () => {
    const { json, findings } = readYaml('a: "*/5 * * * *"\nb: x & y\nc: |\n  *a !b &c\n  --- no document\nd: wow!\n');
    expect(findings).toEqual([]);
    expect(json).toEqual({ a: "*/5 * * * *", b: "x & y", c: "*a !b &c\n--- no document\n", d: "wow!" });
  });

  test("a long line in brackets is not indented", () => {
    const text = JSON.stringify({ a: Array.from({ length: 200 }, () => "text") });
    expect(readYaml(text)).toMatchObject({ json: JSON.parse(text) as object, findings: [] });
  });

  test("windows line ends and a byte order mark", () => {
    const { json, lines } = readYaml("\ufeffa: 1\r\nb:\r\n  - c: 2\r\n");
    expect(json).toEqual({ a: 1, b: [{ c: 2 }] });
    expect(lines).toMatchObject({ a: 1, b: 2, "b[0].c": 3 });
  });

  test("lines are known for values and containers", () => {
    const { lines } = readYaml(
      'functions:\n  - name: a\n\n  # two\n  - description: >\n      long\n      text\n    name: b\n"odd key": {x: 1,\n  y: 2}\n',
    );
    expect(lines).toEqual({
      "": 1,
      functions: 1,
      "functions[0]": 2,
      "functions[0].name": 2,
      "functions[1]": 5,
      "functions[1].description": 5,
      "functions[1].name": 8,
      '["odd key"]': 9,
      '["odd key"].x': 9,
      '["odd key"].y': 10,
    });
  });
});

test("any text is read without throwing, and what JSON can say is read as JSON reads it", () => {
  const bits = fc.constantFrom(
    "- ",
    "? ",
    ": ",
    "a",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    ">\n",
    "'",
    '"',
    "#",
    "---\n",
    "%Y\n",
    ",",
    "\t",
    "<<: ",
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 60 }), (parts) => {
      const { json, findings } = readYaml(parts.join(""));
      expect(json !== undefined || findings.length > 0).toBe(true);
    }),
    { numRuns: 2000 },
  );
  const key = fc.stringMatching(/^[a-z ]{1,8}$/).filter((text) => text !== "constructor" && text !== "prototype");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.string(),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const text = JSON.stringify(value);
      const { json } = readYaml(text);
      if (json !== undefined) expect(JSON.stringify(json)).toBe(text);
      else expect(errors(text).join()).toMatch(/deeper/);
    }),
    { numRuns: 500 },
  );
});
