/** Scripts and code nodes on a real host: what is refused, what they see, what they print, and what a failure says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;
beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 60_000);
afterAll(() => host.local.stop());

type Json = Readonly<Record<string, unknown>>;

async function findings(nodes: Json): Promise<readonly Json[]> {
  const definition = { format: 1, name: "checked", trigger: { type: "api" }, start: "a", nodes };
  return ((await succeed(host.send("/v1/flows/check", { body: { definition } }))).json["findings"] as Json[]).filter(
    ({ severity }) => severity === "error",
  );
}

async function run(name: string, nodes: Json, { input = {}, ...more }: Json = {}): Promise<Json> {
  const definition = { format: 1, name, trigger: { type: "api" }, start: Object.keys(nodes)[0], nodes, ...more };
  const published = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (published.json["version"] === null) throw new Error(JSON.stringify(published.json["findings"]));
  return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs: 30_000 } }))).json;
}

const script = (code: string, more: Json = {}) => ({ type: "script", data: { code, ...more } });
const python = (code: string, more: Json = {}) => ({ type: "code", data: { code, ...more } });

async function failureOf(name: string, node: Json): Promise<string> {
  const { error } = await run(name, { a: { ...node, retry: { attempts: 1 } } });
  return String((error as Json)["message"]);
}

async function logsOf(id: string): Promise<readonly Json[]> {
  return (await succeed(host.send(`/v1/flow-runs/${id}/logs`))).json["steps"] as Json[];
}

test("a script is parsed when it is saved, and each finding has its place and what to write instead", { timeout: 60_000 }, async () => {
  const found = await findings({ a: script("const a = 1;\nreturn eval('a') + process.env.X;"), b: script("return 1 +") });
  expect(found.map(({ node, position }) => ({ node, position }))).toEqual([
    { node: "a", position: { line: 2, column: 8 } },
    { node: "a", position: { line: 2, column: 20 } },
    { node: "b", position: { line: 1, column: 11 } },
  ]);
  expect(found[0]?.["message"]).toMatch(
    /^nodes\.a\.data\.code, line 2, column 8: `return eval\('a'\) \+ process\.env\.X;`: `eval` makes code.*write/,
  );
  expect(await findings({ a: script("const process = inputs.a; return process.x + 'eval(1)'") })).toEqual([]);
  expect((await findings({ a: script(`return "${"é".repeat(25_000)}"`) }))[0]?.["message"]).toContain("50000 bytes");
});

test("Python is parsed under its policy when it is saved", { timeout: 60_000 }, async () => {
  const found = await findings({ a: { ...python("x = 1\nimport os"), next: "b" }, b: python("result = ().__class__") });
  expect(found.map(({ node, position }) => ({ node, position }))).toEqual([
    { node: "a", position: { line: 2, column: 1 } },
    { node: "b", position: { line: 1, column: 10 } },
  ]);
  expect(found[0]?.["message"]).toBe("nodes.a.data.code, line 2, column 1: `import os`: the module 'os' is blocked.");
});

test("a failure names the author's line and column and shows the line", { timeout: 60_000 }, async () => {
  expect(await failureOf("first", script("return inputs.customer.tier;"))).toMatch(
    /Cannot read properties of undefined \(reading 'tier'\) \(line 1, column 24: `return inputs\.customer\.tier;`\)/,
  );
  const nested = ["const rate = (order) => {", "  if (!order) throw new RangeError('no order');", "};", "return [null].map(rate);"].join(
    "\n",
  );
  expect(await failureOf("nested", script(nested))).toContain(
    "RangeError: no order (line 2, column 21: `if (!order) throw new RangeError('no order');`)",
  );
  const late = ["await Promise.resolve();", "", "\tnull.x;"].join("\r\n");
  expect(await failureOf("late", script(late))).toContain("(line 3, column 7: `null.x;`)");
  expect(await failureOf("text", script("throw 'plain'"))).toContain("plain");
  expect(await failureOf("python", python("total = 0\nfor order in [1]:\n    total += order['price']\nresult = total"))).toMatch(
    /line 3: `total \+= order\['price'\]`/,
  );
});

test("a script sees the run as `workflow`", { timeout: 60_000 }, async () => {
  const done = await run(
    "sees",
    {
      each: { type: "for_each", data: { items: ["x"], body: "inner" } },
      inner: {
        ...script("return { ...workflow, own: inputs.a, inputs: Object.keys(inputs) };", { input: { a: "=item" } }),
        label: "Price it",
      },
    },
    { input: { id: 7 }, variables: { rate: { type: "number", initial: 3 } } },
  );
  const [seen] = (done["output"] as { results: Json[] }).results;
  expect(seen).toMatchObject({
    ...{ trigger: { id: 7 }, variables: { rate: 3 }, lookups: {}, steps: {}, item: "x", index: 0, own: "x", inputs: ["a", "workflow"] },
    currentNode: { api_name: "inner", name: "Price it" },
  });
  expect(Object.keys((seen?.["company"] ?? {}) as Json).sort()).toEqual(["id", "name"]);
});

test("what a script prints is in the log of its run, and what Python prints while it runs", { timeout: 60_000 }, async () => {
  const done = await run("prints", {
    a: { ...script("console.log('one', 2); console.warn('three'); return 1;"), next: "b" },
    b: script("throw console.error('bad')"),
  });
  const logs = await logsOf(String(done["id"]));
  expect(logs).toMatchObject([
    {
      node: "a",
      attempt: 1,
      dropped: 0,
      lines: [
        { level: "log", text: "one 2" },
        { level: "warn", text: "three" },
      ],
    },
    { node: "b", lines: [{ level: "error", text: "bad" }] },
  ]);
  expect(JSON.stringify(logs[0]?.["lines"])).toMatch(/"atMs":\d{13}/);

  const definition = {
    format: 1,
    name: "streams",
    trigger: { type: "api" },
    start: "a",
    nodes: { a: python("import time\nprint('begun')\ntime.sleep(20)\nresult = 1") },
  };
  await succeed(host.send("/v1/flows", { body: { definition } }));
  const { json } = await succeed(host.send("/v1/flows/streams/runs", { body: {} }));
  const id = String(json["id"]);
  const lines = await eventually(async () => ((await logsOf(id))[0]?.["lines"] as Json[] | undefined)?.[0], "the first line");
  expect(lines).toMatchObject({ text: "begun" });
  expect((await succeed(host.send(`/v1/flow-runs/${id}`))).json["status"]).not.toBe("completed");
  await succeed(host.send(`/v1/flow-runs/${id}/cancel`, { body: {} }));
});

test("Python runs under its policy and its result is checked", { timeout: 60_000 }, async () => {
  expect(
    await run("adds", { a: python("result = inputs['a'] + inputs['workflow']['trigger']['b']", { input: { a: 1 } }) }, { input: { b: 2 } }),
  ).toMatchObject({
    status: "completed",
    output: 3,
  });
  expect(await failureOf("policy", python("import json\nresult = json.codecs"))).toContain("the module 'json' does not offer 'codecs'");
});

test("the flow of the guide runs", { timeout: 60_000 }, async () => {
  const guide = readFileSync(join(import.meta.dirname, "../../docs/guide/flow-scripts.md"), "utf8");
  const { nodes, trigger } = JSON.parse(/```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? "") as { nodes: Json; trigger: Json };
  const done = await run("discount", nodes, { input: { customer: "acme", amount: 100 }, trigger });
  expect(done).toMatchObject({ status: "completed", output: { amount: 80 } });
});
