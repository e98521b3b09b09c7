import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findingsOf } from "./script.ts";

const NAMES = ["inputs", "keyrings", "workflow"];

function placesOf(code: string): readonly string[] {
  return findingsOf({ code, names: NAMES }).map(
    ({ line, column, message }) => `${line}:${column} ${/`([^`]+)`/.exec(message)?.[1] ?? message}`,
  );
}

describe("what a script must not use is found where it stands", () => {
  it.each([
    ["eval('1')", "1:1 eval"],
    ["const a = 1;\n  return eval;", "2:10 eval"],
    ["(0, eval)('1')", "1:5 eval"],
    ["return new Function('return 1')()", "1:12 Function"],
    ["const F = Function; F('1')", "1:11 Function"],
    ["require('fs')", "1:1 require"],
    ["const r = require", "1:11 require"],
    ["import fs from 'fs'", "1:1 import"],
    ["return await import('fs')", "1:14 import"],
    ["return 1; export const a = 1", "1:11 export"],
    ["process.exit(1)", "1:1 process"],
    ["return { process }", "1:10 process"],
    ["inputs.__proto__.x = 1", "1:8 __proto__"],
    ["inputs['__proto__'].x = 1", "1:8 __proto__"],
    ["inputs[`__proto__`].x = 1", "1:8 __proto__"],
    ["inputs['__pro' + `to${'__'}`].x = 1", "1:8 __proto__"],
    ["inputs?.__proto__", "1:9 __proto__"],
    ["return { __proto__: null }", "1:10 __proto__"],
    ["return { ['__proto__']: 1 }", "1:11 __proto__"],
    ["const { __proto__: p } = inputs", "1:9 __proto__"],
    ["\\u0065val('1')", "1:1 eval"],
    ["ev\\u{61}l('1')", "1:1 eval"],
    ["inputs.__pr\\u006fto__", "1:8 __proto__"],
    ["globalThis.eval('1')", "1:12 eval"],
    ["globalThis['ev' + 'al']('1')", "1:12 eval"],
    ["globalThis.globalThis[`process`]", "1:23 process"],
    ["const { eval: run } = globalThis", "1:9 eval"],
    ["(() => 1).constructor('return 1')()", "1:11 constructor"],
    ["[].constructor.constructor('return 1')()", "1:16 constructor"],
    ["new (async () => 1).constructor('return 1')", "1:21 constructor"],
    ["return `a ${eval('1')}`", "1:13 eval"],
    ["function f(a = eval('1')) {}", "1:16 eval"],
    ["class A { [eval('1')] = process.env }", "1:12 eval"],
    ["for (const a of process.argv);", "1:17 process"],
    ["{ const eval = 1; } eval('1')", "1:21 eval"],
    ["(function process() {})(); process.exit()", "1:28 process"],
    ["try { } catch (process) { } process.exit()", "1:29 process"],
    ["/* eval('1') */ eval('1')", "1:17 eval"],
    ["'a'\r\n// x\u2028process.x", "3:1 process"],
  ])("%s", (code, place) => {
    expect(placesOf(code)[0]).toBe(place);
  });

  it("all of them, in order", () => {
    expect(placesOf("eval(1);\nprocess.x;\n\n inputs.__proto__")).toEqual(["1:1 eval", "2:1 process", "4:9 __proto__"]);
  });
});

describe("what only looks like it is none", () => {
  it.each([
    "return 'eval(1)'",
    "return `process.env and ${inputs.a} require('x')`",
    "// eval('1')\n/* new Function() */ return 1",
    "return /eval\\(/.test(inputs.a)",
    "return inputs.process.env + inputs.eval(1) + inputs['require']",
    "const process = inputs.order; return process.state",
    "return items.map((process) => process.id); var items = inputs.items",
    "function require(name) { return name } return require('a')",
    "const { process: { eval: Function } } = inputs; return new Function()",
    "return { eval: 1, process: 2, require() { return 3 } }",
    "process: for (;;) { break process }",
    "try { return 1 } catch (eval) { return eval.message }",
    "return ((...process) => process.length)(1, 2)",
    "if (typeof process === 'undefined') return inputs.f instanceof Function",
    "class A { eval() { return 1 } static process = 2 } return new A().eval() + A.process",
    "class A { copy() { return new this.constructor() } } return new A().copy().constructor.name",
    "switch (1) { case 1: let process = 1; return process }",
    "for (let process = 0; process < 1; process++); return 1",
    "if (inputs.a) { var process = 1 } return process",
    "if (inputs.a) { function process() {} } return process",
    "const run = function process() { return process.name }; return run()",
    "return await Promise.all(workflow.lookups.items.map(async ({ id }) => id))",
    "'use strict'; return 1",
  ])("%s", (code) => {
    expect(placesOf(code)).toEqual([]);
  });
});

describe("mistakes have a place", () => {
  it.each([
    ["return 1 +", "1:11 it is no JavaScript: Unexpected token."],
    ["const a = 1;\nconst a = 2;", "2:7 it is no JavaScript: Identifier 'a' has already been declared."],
    ["}); (async function () {", "1:1 it is no JavaScript: Unexpected token."],
    ["return `open", "1:9 it is no JavaScript: Unterminated template."],
    ["let inputs = 1", "1:1 inputs"],
    ["const { workflow } = inputs", "1:1 workflow"],
  ])("%s", (code, place) => {
    expect(placesOf(code)).toEqual([place]);
  });

  it("nesting that exhausts the stack is a finding", () => {
    for (const code of [
      "[".repeat(50_000),
      "(".repeat(25_000) + ")".repeat(25_000),
      "a=>".repeat(16_000),
      `${"-".repeat(1)}${"!".repeat(49_990)}1`,
    ])
      expect(findingsOf({ code, names: NAMES })).toHaveLength(1);
  });
});

it("a name is found however it is written, unless it is the script's own", () => {
  const name = fc.constantFrom("eval", "Function", "process", "require");
  const written = name.chain((text) =>
    fc
      .tuple(
        ...text
          .split("")
          .map((char) =>
            fc.constantFrom(char, `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`, `\\u{${char.charCodeAt(0).toString(16)}}`),
          ),
      )
      .map((chars) => ({ text, source: chars.join("") })),
  );
  const around = fc.constantFrom(
    (use: string) => `return ${use}(1)`,
    (use: string) => `/* ${use} */ "${"eval"}"; [1].map((a) => ({ a, b: ${use} }))`,
    (use: string) => `if (inputs) { for (const k in inputs) { \`\${${use}}\` } }`,
    (use: string) => `class A { static { ${use}.x } }`,
    (use: string) => `const { a = ${use} } = inputs`,
    (use: string) => `label: while (true) { ${use}; break label }`,
    (use: string) => `return async function* () { yield* ${use} }`,
    (use: string) => `x = y ? ${use} : 0; var x, y`,
  );
  fc.assert(
    fc.property(written, around, ({ text, source }, place) => {
      const code = place(source);
      expect(placesOf(code)).toHaveLength(1);
      expect(placesOf(`const ${text} = inputs;\n${code}`)).toEqual([]);
      expect(placesOf(`return (async (${text}) => { ${code} })(1)`)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

it("any text gets an answer, and every place lies in it", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "eval",
      "{",
      "}",
      "(",
      ")",
      "`",
      "${",
      "\n",
      "\r",
      "\u2028",
      "return ",
      "=>",
      "__proto__",
      "[",
      "]",
      "function ",
      "class ",
      ".",
      "import",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const code = pieces.join("");
      const lines = code.split(/\r\n?|[\n\u2028\u2029]/);
      for (const { line, column } of findingsOf({ code, names: NAMES })) {
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 1000 },
  );
});
