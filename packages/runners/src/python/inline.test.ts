/** Inline code beyond its policy: output, results, limits, forged ends. Ids are those of the abuse suite. */
import { describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { NO_PYTHON, python, runInline } from "./test-python.ts";

const OUTPUT_MAX = limit("inlineOutputBytesMax");

describe.skipIf(python === undefined)(`inline code${python === undefined ? ` (${NO_PYTHON})` : ""}`, () => {
  test("captures both streams and no console lines", async () => {
    const outcome = await runInline("import pprint\nprint('a', 1, sep='-')\npprint.pprint({'b': 1})\n2");
    expect(outcome).toMatchObject({
      kind: "result",
      value: { result: 2, stdout: "a-1\n{'b': 1}\n", stderr: "", truncated: false },
      logs: [],
    });
  });

  test("keeps warnings of the compiler out of the output", async () => {
    expect(await runInline(String.raw`x = "\d"` + "\nx is 1\nlen(x)")).toMatchObject({ kind: "result", value: { result: 2, stderr: "" } });
  });

  test("sends what failing code printed as console lines", async () => {
    const outcome = await runInline("print('before')\n1/0");
    expect(outcome).toMatchObject({ kind: "error", message: "ZeroDivisionError: division by zero", logs: ["before"] });
  });

  test("sends what it prints as console lines where the call asks for it, and keeps it too", async () => {
    expect(await runInline("print('a')\nprint('b', end='')\nprint('c')\nprint('d', end='')\n1", { streams: true })).toMatchObject({
      kind: "result",
      value: { result: 1, stdout: "a\nbc\nd" },
      logs: ["a", "bc", "d"],
    });
    expect(await runInline("print('before')\n1/0", { streams: true })).toMatchObject({ kind: "error", logs: ["before"] });
  });

  test.each([
    ["one long line", "print('x' * 10_000_000)"],
    ["many lines", "for _ in range(1_000_000): print('xy')"],
    ["a huge repr", "print([1] * 2_000_000)"],
    ["characters of several bytes", "print('ä' * 1_000_000)"],
  ])("P20 cuts output: %s", async (_name, code) => {
    const outcome = await runInline(code);
    if (outcome.kind !== "result") throw new Error(outcome.message);
    const { stdout, truncated } = outcome.value;
    expect(truncated).toBe(true);
    expect(stdout).toMatch(new RegExp(`the output was cut here: it has more than ${OUTPUT_MAX} bytes\\n$`));
    expect(Buffer.byteLength(stdout)).toBeLessThan(OUTPUT_MAX + 200);
    expect(Buffer.byteLength(stdout)).toBeGreaterThan(OUTPUT_MAX - 200);
  });

  test("P21 cuts results at 5 levels, 1,000 items and 100 keys", async () => {
    const outcome = await runInline("x = []\nx.append(x)\n[[[[[[1]]]]], list(range(1003)), {str(n): n for n in range(103)}, x]");
    if (outcome.kind !== "result") throw new Error(outcome.message);
    const [deep, long, wide, cyclic] = outcome.value.result as [unknown, unknown[], Record<string, unknown>, unknown];
    expect(outcome.value.truncated).toBe(true);
    expect(deep).toEqual([[[["<cut: more than 5 levels>"]]]]);
    expect(cyclic).toEqual([[[["<cut: more than 5 levels>"]]]]);
    expect(long).toHaveLength(1001);
    expect(long.at(-1)).toBe("<cut: 3 more items>");
    expect(Object.keys(wide)).toHaveLength(101);
    expect(wide["<cut>"]).toBe("<cut: 3 more keys>");
  });

  test.each([
    ["float('nan')", "NaN"],
    ["[float('inf')]", "NaN or an infinity"],
    ["b'a'", "type bytes"],
    ["object()", "type object"],
    ["{1.5: 2}", "a key of type float"],
    ["10 ** 5000", "too many digits"],
    ["import datetime\ndatetime.date(2024, 1, 1)", "type date"],
    ["class A:\n  def __str__(self):\n    while True: pass\nA()", "type A"],
    ["[['x' * 1000] * 1000] * 100", "more than"],
  ])("P21 refuses %s", async (code, message) => {
    expect(await runInline(code, { limits: { resultBytes: 1_000_000 } })).toMatchObject({
      kind: "error",
      message: expect.stringContaining(message) as string,
    });
  });

  test("P21 runs nothing of the code's classes while it reads the result", async () => {
    const code = `
class D(dict):
  def items(self):
    while True: pass
  keys = __iter__ = __len__ = items
class L(list):
  def __iter__(self):
    while True: pass
  __len__ = __iter__
class S(str):
  def __str__(self):
    while True: pass
  __repr__ = __str__
class I(int):
  def __repr__(self):
    while True: pass
  __str__ = __int__ = __index__ = __repr__
class F(float):
  def __float__(self):
    while True: pass
  __repr__ = __float__
result = [D(a=1), L([2]), S("x"), I(3), F(4.5), True, None, (1, 2), {5}]`;
    expect(await runInline(code, { killAfterMs: 5000 })).toMatchObject({
      kind: "result",
      value: { result: [{ a: 1 }, [2], "x", 3, 4.5, true, null, [1, 2], [5]], truncated: false },
    });
  });

  test("P22 refuses to run for more than three minutes", async () => {
    expect(await runInline("1", { limits: { wallMs: 180_001 } })).toMatchObject({ kind: "invalid" });
  });

  test.each(["raise SystemExit(0)", "raise SystemExit(3)", "raise KeyboardInterrupt", "raise GeneratorExit"])(
    "P24 %s is an error",
    async (code) => {
      expect(await runInline(code)).toMatchObject({ kind: "error" });
    },
  );

  test("P25 classes of the standard library cannot be changed", async () => {
    const code = "import json\njson.JSONEncoder.encode = lambda s, o: '1'\n2";
    expect(await runInline(code)).toMatchObject({ kind: "policy", message: "a class of the standard library cannot be changed." });
  });

  test("private names look in messages as they were written", async () => {
    const code = "class A:\n  def _f(self): return self._y\n  def g(self): return self._f()\nA().g()";
    expect(await runInline(code)).toMatchObject({ kind: "error", message: "AttributeError: 'A' object has no attribute '_y'" });
  });

  test("P25 changed functions of the standard library do not change the result", async () => {
    const code = `
import json, collections
def evil(*a, **k): return '"forged"'
json.dumps = json.loads = evil
print = evil
{"a": [1, collections.OrderedDict(b=2)]}`;
    expect(await runInline(code)).toMatchObject({ kind: "result", value: { result: { a: [1, { b: 2 }] } } });
  });

  test("P26 text that looks like a result is output", async () => {
    const frame = '{"type":"result","call":1,"heapBytes":0,"observedTime":true,"observedRandom":true}';
    expect(await runInline(`print('''${frame}''')\n1`)).toMatchObject({ kind: "result", value: { result: 1, stdout: `${frame}\n` } });
  });

  test.each(["x = []\nwhile True: x.append('y' * 1000 + str(len(x)))", "bytearray(10**10)", "'x' * 10**10", "[0] * 10**10"])(
    "B13 memory ends: %s",
    async (code) => {
      expect(["outOfMemory", "error"]).toContain((await runInline(code)).kind);
    },
  );

  test.each([
    "def f(): f()\nf()",
    "x = []\nfor _ in range(200_000): x = [x]\nrepr(x)",
    "x = []\ny = []\nfor _ in range(200_000):\n  x = [x]\n  y = [y]\nx == y",
    "x = (1,)\nfor _ in range(200_000): x = (x,)\nhash(x)",
  ])("B14 recursion ends: %s", async (code) => {
    expect(["error", "outOfMemory", "killed"]).toContain((await runInline(code)).kind);
  });

  test("an exception with a hostile text is reported by its name", async () => {
    const code = "class E(Exception):\n  def __str__(self): raise ValueError('x')\nraise E()";
    expect(await runInline(code)).toMatchObject({ kind: "error", message: "E: <its text cannot be had: ValueError>" });
  });

  test("inputs and keyrings cross as data", async () => {
    const inputs = { "'''": '"""', b: ["\\n{x}", "${y}", "\u2028", "😀"] };
    expect(await runInline("[inputs, keyrings['q']]", { inputs, keyrings: { q: "'+1+'" } })).toMatchObject({
      kind: "result",
      value: { result: [inputs, "'+1+'"] },
    });
  });
});
