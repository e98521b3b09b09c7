/** The real programs of the runtimes in the real jail. What they do in detail is tested where they are written. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { callOnce, folderWith, packageOf, requestOf } from "../fixtures/test-sandbox.ts";
import { childrenOf } from "../jail/process-stats.ts";
import { createSandbox, type JailedSandbox } from "../pool.ts";
import type { CallOutcome, VersionCode } from "../sandbox.ts";

const OPTIONS = { timeout: 60_000 };
const LIMITS = { ...requestOf("").limits, cpuMs: 10_000, wallMs: 10_000 };
const folders: string[] = [];
let sandbox: JailedSandbox | undefined;

afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
  expect(childrenOf(process.pid), "no process is left").toEqual([]);
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function start(options: { readonly unsafeNoJail?: boolean } = {}): Promise<JailedSandbox> {
  sandbox = await createSandbox({ runtime: createSystemRuntime(), warmRunners: 0, ...options });
  return sandbox;
}

async function packageWith(runtime: "node" | "python", files: Readonly<Record<string, string>>): Promise<VersionCode> {
  const path = await folderWith({});
  folders.push(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text, { mode: 0o644 });
  }
  const version = packageOf(JSON.stringify(files), { runtime, folder: async () => ({ path, release: () => undefined }) });
  return { ...version, script: async () => JSON.stringify({ functions: ["main"] }) };
}

const NODE = {
  "code/package.json": '{"name":"test","main":"./dist/index.js"}',
  "code/dist/index.js": "exports.functionFactory = { main: async ([event]) => ({ doubled: event.n * 2, cwd: process.cwd() }) };",
};

const PYTHON = { "code/functions/main.py": "def run(events):\n    return {'doubled': events[0]['n'] * 2}\n" };

function valueOf(outcome: CallOutcome): unknown {
  if (outcome.kind !== "ok") throw new Error(`the call ended as ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.valueText);
}

describe("in the jail", () => {
  test("a Node package is analysed and serves its handler", OPTIONS, async () => {
    const pool = await start();
    const version = await packageWith("node", NODE);
    expect((await pool.analyze({ tenant: "a", version, env: {} })).functions.map((each) => each.path)).toEqual(["main"]);
    const request = requestOf("main", { n: 21 }, { version, kind: "handler", limits: LIMITS });
    expect(valueOf(await callOnce(pool, { request }))).toMatchObject({ doubled: 42 });
  });

  test("a Python package is analysed and serves its handler", OPTIONS, async () => {
    const pool = await start();
    const version = await packageWith("python", PYTHON);
    expect((await pool.analyze({ tenant: "a", version, env: {} })).functions.map((each) => each.path)).toEqual(["main"]);
    const request = requestOf("main", { n: 21 }, { version, kind: "handler", limits: LIMITS });
    expect(valueOf(await callOnce(pool, { request }))).toEqual({ doubled: 42 });
  });

  test("Python inline code gives its result, and what its policy forbids is said", OPTIONS, async () => {
    const pool = await start();
    const version = packageOf("inline", { runtime: "python", reuse: false, memoryBytesMax: limit("inlineMemoryBytesMax") });
    const inline: VersionCode = { ...version, digest: "inline-python", script: async () => JSON.stringify({ functions: [] }) };
    const run = (code: string): Promise<CallOutcome> =>
      callOnce(pool, {
        request: requestOf(
          "",
          {},
          {
            version: inline,
            kind: "inline",
            argsText: JSON.stringify({ code, inputs: { n: 4 }, keyrings: {} }),
            limits: { ...LIMITS, heapBytes: limit("inlineMemoryBytesMax") },
          },
        ),
      });
    expect(valueOf(await run('print("said")\nresult = inputs["n"] + 1'))).toMatchObject({ result: 5, stdout: "said\n" });
    expect((await run("import subprocess")).kind).toBe("policy");
    expect((await run("result = (")).kind).not.toBe("ok");
  });
});

test("without a jail, by the unsafe setting, packages are found where they lie", OPTIONS, async () => {
  const pool = await start({ unsafeNoJail: true });
  const version = await packageWith("node", NODE);
  const request = requestOf("main", { n: 1 }, { version, kind: "handler", limits: LIMITS });
  expect(valueOf(await callOnce(pool, { request }))).toMatchObject({ doubled: 2 });
});
