import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { evaluatePolicy, findingsOf, runRego } from "./rego.ts";

/** The value of `output` when it is the term or the rules that are given. */
const output = (text: string, input: unknown = {}): unknown =>
  evaluatePolicy(`package rego\nimport future.keywords\n${text.includes("output") ? text : `output := ${text}`}`, input, 1_700_000_000_000);

describe("rules", () => {
  it.each([
    ["the first clause that holds", "output = 1 { input.a == 1 } else = 2 { input.a == 2 } else = 3", { a: 2 }, 2],
    ["the last else", "output = 1 { input.a == 1 } else := 2 if { input.a == 2 } else = 3 { true }", { a: 9 }, 3],
    ["default", "default output = 7\noutput = 1 { input.a }", {}, 7],
    ["no value", "output = 1 { input.a }", {}, null],
    ["false is no value of a condition", "output = 1 { input.a }", { a: false }, null],
    ["not", 'output = 1 { not blocked }\nblocked { input.user == names[_] }\nnames := ["x"]', { user: "y" }, 1],
    ["not of what holds", 'output = 1 { not input.user == "x" }', { user: "x" }, null],
    ["several bodies", "output = 1 { input.a } { input.b }", { b: true }, 1],
    ["functions", "output := double(4)\ndouble(x) = y { y := x * 2 }", {}, 8],
    ["functions with patterns", 'output := [f("a"), f("b")]\nf("a") := 1\nf("b") := 2', {}, [1, 2]],
    [
      "partial sets in both forms",
      'output := [s, t]\ns[x] { x := input.xs[_]; x > 1 }\nt contains "k" if true',
      { xs: [1, 2, 3] },
      [[2, 3], ["k"]],
    ],
    ["partial objects", "output := o\no[k] := v { v := input.m[k]; v > 1 }", { m: { a: 1, b: 2 } }, { b: 2 }],
    ["heads with paths", "output.response.body := 1\noutput.event := 2 if input.a", { a: 1 }, { response: { body: 1 }, event: 2 }],
    ["conditions in any order", "output = y { y == x + 1; x := input.a; y := 3 }", { a: 2 }, 3],
    ["with", "output = y { y := f with input.a as 5 }\nf := input.a", { a: 1 }, 5],
    ["imports", "import input.request as req\noutput := req.method", { request: { method: "GET" } }, "GET"],
    ["data of the package", "output := data.rego.x\nx := 3", {}, 3],
    ["every", "output = 1 { every x in input.xs { x > 0 } }", { xs: [1, 2] }, 1],
    ["every that fails", "output = 1 { every x in input.xs { x > 1 } }", { xs: [1, 2] }, null],
    ["some", "output = [k, v] { some k, v in input.m; v == 2 }", { m: { a: 1, b: 2 } }, ["b", 2]],
    ["a variable that both conditions share", "output = i { some i; input.a[i] == input.b[i] }", { a: [1, 2], b: [0, 2] }, 1],
  ])("%s", (_name, rules, input, wanted) => {
    expect(output(rules, input)).toEqual(wanted);
  });
});

describe("terms", () => {
  it.each([
    ["[x | x := [1, 2, 3][_]; x != 2]", [1, 3]],
    ["{k: v | some k, v in {1: 2}}", { "1": 2 }],
    ["{x | x := [2, 1, 2][_]}", [1, 2]],
    ["count({1, 1, 2}) + 3 * 2 - 4 / 2", 6],
    ["{1, 2} & {2, 3} | {9}", [2, 9]],
    ["3 in [1, 3]", true],
    ['sprintf("%s|%d|%v|%5.2f|%x|%t|%q|%%", ["a", 3, {"b": [1]}, 1.5, 255, true, "q"])', 'a|3|{"b": [1]}| 1.50|ff|true|"q"|%'],
    ['sprintf("%d %s", ["a", 1])', "%!d(string=a) %!s(int=1)"],
    ['concat(",", {"b", "a"})', "a,b"],
    ['split("a.b", ".")', ["a", "b"]],
    ['trim(" xax ", " x")', "a"],
    ['trim_prefix(trim_suffix("v1.0", ".0"), "v")', "1"],
    ['replace(lower("AbA"), "a", upper("c"))', "CbC"],
    ['substring("päpä", 1, 2)', "äp"],
    ['object.get({"a": {"b": 1}}, ["a", "b"], 0)', 1],
    ['object.get({}, "a", 5)', 5],
    ['json.unmarshal(json.marshal({"a": [1]}))', { a: [1] }],
    ["array.concat([1], [2])", [1, 2]],
    ['base64.decode(base64.encode("ü"))', "ü"],
    ['base64url.encode_no_pad("??>")', "Pz8-"],
    ['hex.encode("ab")', "6162"],
    ['crypto.md5("")', "d41d8cd98f00b204e9800998ecf8427e"],
    ['crypto.hmac.equal("a", "a")', true],
    ["time.now_ns()", 1_700_000_000_000_000_000],
    ['to_number("1.5")', 1.5],
    ["[is_object({}), is_array({}), is_null(null), is_set(set())]", [true, false, true, true]],
    ["`raw\\n`", "raw\\n"],
    ["-1", -1],
    ["[sum([1, 2]), max([1, 3]), min({2, 1}), sort([2, 1])]", [3, 3, 1, [1, 2]]],
  ])("%s", (term, wanted) => {
    expect(output(term)).toEqual(wanted);
  });

  it("a function whose values do not fit has no value", () => {
    expect(output('json.unmarshal("{")')).toBeNull();
    expect(output("lower(1)")).toBeNull();
    expect(output("1 / 0")).toBeNull();
  });

  it("signs bytes that are no text", () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0xa4, 0xc3]);
    const wanted = createHmac("sha256", "key").update(bytes).digest("hex");
    expect(output('crypto.hmac.sha256(base64.decode(input.raw), "key")', { raw: bytes.toString("base64") })).toBe(wanted);
    // The text of a caller cannot stand for such bytes.
    expect(output("base64.encode(input.text)", { text: "\udcff" })).toBe(Buffer.from("\uFFFD").toString("base64"));
  });
});

describe("what is wrong is said with its line", () => {
  it.each([
    ["output := x", 1, "`x` has no value here"],
    ["output = 1 {\n  foo(1)\n}", 2, "the function `foo` is not offered"],
    ["output = 1 {\n  count(1, 2)\n}", 2, "`count` takes 1 values, not 2"],
    ["output := a\na := output", 1, "depends on itself"],
    ['output = 1 {\n  x := "\n}', 2, "a text does not end"],
    ["a := 1", 0, "there is no rule `output`"],
    ["output contains 1", 1, "`output` is an object"],
    ["output = 1 {\n  not x\n}\nx { y }", 4, "`y` has no value here"],
    ['output = 1 {\n  regex.match(".*", "a")\n}', 2, "the function `regex.match` is not offered"],
    ["output = 1 {\n  http.send({})\n}", 2, "the function `http.send` is not offered"],
    ["output = 1 { input.a with data.x as 1 }", 1, "`with` replaces `input`"],
    [`output := ${"[".repeat(1000)}`, 1, "lie deeper"],
  ])("%s", (rules, line, message) => {
    expect(findingsOf(`package rego\n${rules}`)).toEqual([{ line: line + 1, message: expect.stringContaining(message) as string }]);
  });

  it("another package, and no policy at all", () => {
    expect(findingsOf("package other\noutput := 1")).toHaveLength(1);
    expect(findingsOf("<html>")).toHaveLength(1);
    expect(findingsOf("")).toHaveLength(1);
    expect(findingsOf("package rego\noutput := {}")).toEqual([]);
  });
});

describe("hostile policies end", () => {
  const request = { method: "POST", query: "", headers: [], bodyBase64: "" };
  const numbers = JSON.stringify(Array.from({ length: 300 }, (_, i) => i));

  it.each([
    ["too many steps", `output := count([1 | ${numbers}[_]; ${numbers}[_]; ${numbers}[_]])`],
    [
      "texts that double",
      `output := t20\nt0 := "${"a".repeat(1000)}"\n${Array.from({ length: 20 }, (_, i) => `t${i + 1} := concat("", [t${i}, t${i}, t${i}, t${i}])`).join("\n")}`,
    ],
    [
      "values that hold others often",
      `output := t30\nt0 := [1, 1]\n${Array.from({ length: 30 }, (_, i) => `t${i + 1} := [t${i}, t${i}]`).join("\n")}`,
    ],
    ["two values", "output := 1\noutput := 2"],
    ["long bodies", `output := 1 {\n${"true\n".repeat(20_000)}}`],
  ])("%s", async (_name, rules) => {
    const started = performance.now();
    const answer = await runRego({ policy: `package rego\n${rules}`, request });
    expect("failed" in answer || ("value" in answer && (answer.value as { output: unknown }).output === null)).toBe(true);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("requests", () => {
  const policy = `package rego
output := {"response": {"body": input.request, "status_code": 200}}`;
  const seen = async (request: Partial<Parameters<typeof runRego>[0]["request"] & object>) => {
    const answer = await runRego({ policy, request: { method: "POST", query: "", headers: [], bodyBase64: "", ...request } });
    return ("value" in answer ? answer.value : answer) as { output: { response: { body: unknown } } };
  };
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  it("show names of headers as Go writes them, the last value, and parameters as lists", async () => {
    const answer = await seen({
      query: "a=1&a=2&b=%20",
      headers: [
        ["x-hub-signature-256", "one"],
        ["X-HUB-SIGNATURE-256", "two"],
      ],
    });
    expect(answer.output.response.body).toEqual({
      method: "POST",
      query: { a: ["1", "2"], b: [" "] },
      query_raw: "a=1&a=2&b=%20",
      headers: { "X-Hub-Signature-256": "two" },
      body_raw: "",
    });
  });

  it("show bodies parsed when they can be", async () => {
    const bodyOf = async (type: string, text: string) => {
      const answer = await seen({ headers: [["content-type", type]], bodyBase64: base64(text) });
      return (answer.output.response.body as { body?: unknown }).body;
    };
    expect(await bodyOf("application/json; charset=utf-8", '{"a":1}')).toEqual({ a: 1 });
    expect(await bodyOf("application/vnd.github+json", "[1]")).toEqual([1]);
    expect(await bodyOf("application/x-www-form-urlencoded", "a=1&a=2")).toEqual({ a: ["1", "2"] });
    expect(await bodyOf("application/json", "{")).toBeUndefined();
    expect(await bodyOf("text/plain", "{}")).toBeUndefined();
  });
});
