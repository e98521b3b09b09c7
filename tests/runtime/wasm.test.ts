/** A package of WebAssembly modules as its author has it: built by the CLI, pushed to a real host, called at its door. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send, type Json } from "../../packages/cli/src/client.ts";
import { buildPackage } from "../../packages/cli/src/package/build-package.ts";
import { pushPackage } from "../../packages/cli/src/package/push-package.ts";
import { assemble, command } from "../../packages/runners/src/wasm/test-modules.ts";
import { callOnce, openTestSandbox, packageOf, requestOf } from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

const quiet = { overrides: {}, update: () => undefined };
const MODULES = {
  // Says on standard error that it runs, and returns its event.
  echo: command(
    `(local $length i32)
    (call $write (i32.const 2) (i32.const 1024) (i32.const 8))
    (local.set $length (call $read))
    (call $write (i32.const 1) (i32.const 4096) (local.get $length))`,
    { more: '(data (i32.const 1024) "it runs\\n")' },
  ),
  refuse: command("(call $proc_exit (i32.const 4))"),
  trap: command("(call $inner)", { more: "(func $inner (unreachable))" }),
};

let host: LocalHost;
let folder: string;

async function writePackage(modules: Readonly<Record<string, string>>): Promise<string> {
  const root = mkdtempSync(join(folder, "package-"));
  await mkdir(join(root, "code"));
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(root, "code", `${name}.wasm`), await assemble(text));
  const functions = Object.keys(modules).map((name) => `  - name: ${name}\n    description: ${name}\n`);
  writeFileSync(join(root, "manifest.yaml"), `version: "2"\nname: mods\ndescription: Modules.\nfunctions:\n${functions.join("")}`);
  return root;
}

async function push(modules: Readonly<Record<string, string>>): Promise<unknown> {
  const built = await buildPackage(await writePackage(modules), quiet);
  return await pushPackage(host.connection, built.archive, { name: "mods", update: quiet.update });
}

async function execute(name: string, args: Json = {}): Promise<unknown> {
  const response = await send(host.connection, `/v1/functions/${encodeURIComponent(`@mods/${name}`)}/execute`, { body: { args } });
  return await response.json();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "plinth-wasm-test-"));
  host = await startLocalHost();
}, 60_000);
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a folder of modules is a package of the runtime wasm", { timeout: 30_000 }, async () => {
  expect(await push(MODULES)).toMatchObject({ package: "mods", runtime: "wasm", functions: ["echo", "refuse", "trap"], files: 4 });
  expect(await push(MODULES), "the same files are the same version").toMatchObject({ changed: false });
});

test("a module reads its event, writes its result, and logs", async () => {
  for (const payload of [{ a: "ä😀" }, {}, { list: [1, null, "x".repeat(100_000)] }])
    expect(await execute("echo", payload)).toMatchObject({
      status: "succeeded",
      value: { payload, execution_metadata: { function_name: "echo" } },
      logs: [{ level: "log", text: "it runs" }],
    });
});

test("its failures say what happened", async () => {
  expect(await execute("refuse")).toMatchObject({
    status: "failed",
    error: { code: "FunctionError", message: "Uncaught Error: exit code 4", fault: "function" },
  });
  expect(await execute("trap")).toMatchObject({
    status: "failed",
    error: { message: "Uncaught RuntimeError: unreachable", stack: expect.stringMatching(/^ {4}at inner \(wasm-function/) as string },
  });
});

test("a module need not read its event", async () => {
  expect(await execute("refuse", { large: "x".repeat(1_000_000) })).toMatchObject({ error: { message: "Uncaught Error: exit code 4" } });
});

test("without a jail, by the unsafe setting, modules are found where they lie", { timeout: 30_000 }, async () => {
  const path = await writePackage({ echo: MODULES.echo });
  const { sandbox } = await openTestSandbox({ unsafeNoJail: true, warmRunners: 0 });
  try {
    const version = packageOf('{"functions":["echo"]}', { runtime: "wasm", folder: async () => ({ path, release: () => undefined }) });
    const request = requestOf("echo", { a: 1 }, { version, kind: "handler" });
    const limits = { ...request.limits, cpuMs: 5000, wallMs: 5000 };
    expect(await callOnce(sandbox, { request: { ...request, limits } })).toMatchObject({ kind: "ok", valueText: '{"a":1}' });
  } finally {
    await sandbox.close();
  }
});

test("a module that cannot be run is refused, and the old version serves", { timeout: 30_000 }, async () => {
  const refused = push({ ...MODULES, echo: '(module (import "env" "now" (func)) (memory (export "memory") 1) (func (export "_start")))' });
  await expect(refused).rejects.toThrow(/code\/echo\.wasm cannot be run: it imports what does not exist here: env\.now/);
  expect(await execute("echo", { a: 1 })).toMatchObject({ status: "succeeded", value: { payload: { a: 1 } } });
});
