import { afterAll, beforeAll, expect, test } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createSandbox, type JailedSandbox } from "./pool.ts";

let sandbox: JailedSandbox;
const jq = (program: string, input: unknown, valuesMax?: number): Promise<unknown> =>
  sandbox.tools.run("a", "jq", { program, input, ...(valuesMax === undefined ? {} : { valuesMax }) });

beforeAll(async () => {
  sandbox = await createSandbox({ runtime: createSystemRuntime(), warmRunners: 0 });
}, 60_000);

afterAll(() => sandbox.close());

test("jq gives the values of a program", { timeout: 60_000 }, async () => {
  expect(await jq(".a[] | {b: .}", { a: [1, "two"] })).toEqual({ values: [{ b: 1 }, { b: "two" }] });
  expect(await jq(".", null)).toEqual({ values: [null] });
  expect(await jq("empty", 1)).toEqual({ values: [] });
  expect(await jq(".", 'a \u2028 "text"\nin lines')).toEqual({ values: ['a \u2028 "text"\nin lines'] });
});

test("what is wrong with a program is said to its author, and the process goes on", { timeout: 60_000 }, async () => {
  const { spawned } = sandbox.status();
  await expect(jq(".a |", {})).rejects.toMatchObject({ code: "ToolFailed", message: expect.stringContaining("syntax error") as string });
  await expect(jq('error("mine")', {})).rejects.toMatchObject({ code: "ToolFailed", message: expect.stringContaining("mine") as string });
  await expect(jq("range(100)", {}, 10)).rejects.toMatchObject({ code: "ToolFailed" });
  expect(await jq(".", 1)).toEqual({ values: [1] });
  expect(sandbox.status().spawned).toBe(spawned);
});

test("jq sees neither files nor the environment of the host", { timeout: 60_000 }, async () => {
  const outcome = await jq("$ENV", {});
  expect(JSON.stringify(outcome)).not.toContain("vitest");
  await expect(jq('import "/etc/passwd" as $x; $x', {})).rejects.toMatchObject({ code: "ToolFailed" });
});

test("A06 an endless program ends in time, and the next one works", { timeout: 60_000 }, async () => {
  await expect(jq("def f: f; f", {})).rejects.toMatchObject({ code: "FunctionTimeout" });
  expect(await jq(".", 1)).toEqual({ values: [1] });
});

test("B02 a program that takes all memory ends, and the next one works", { timeout: 60_000 }, async () => {
  const error: unknown = await jq("[range(1e12)]", {}).catch((thrown: unknown) => thrown);
  expect(["FunctionOutOfMemory", "FunctionTimeout"]).toContain((error as { readonly code?: string }).code);
  expect(await jq(".", 1)).toEqual({ values: [1] });
});

test("yaml is read to plain data with the lines of its parts", { timeout: 60_000 }, async () => {
  expect(await sandbox.tools.run("a", "yaml", { text: "version: '2'\nlist:\n  - name: x\n" })).toMatchObject({
    json: { version: "2", list: [{ name: "x" }] },
    lines: { "list[0].name": 3 },
    findings: [],
  });
  expect(await sandbox.tools.run("a", "yaml", { text: "a: &x [1]\nb: *x\n" })).toMatchObject({ findings: [{ line: 1 }, { line: 2 }] });
});

test("each tenant has processes of its own", { timeout: 60_000 }, async () => {
  await sandbox.tools.run("b", "jq", { program: ".", input: 1 });
  const { runners } = sandbox.status();
  await sandbox.evict("b");
  expect(sandbox.status().runners).toBe(runners - 1);
});
