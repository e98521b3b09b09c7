import { rm } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import {
  acquire,
  callOnce,
  fixtureProgram,
  folderWith,
  NEVER,
  openTestSandbox,
  packageOf,
  pythonFixture,
  QUIET,
  requestOf,
  type TestSandbox,
} from "./fixtures/test-sandbox.ts";
import { childrenOf } from "./jail/process-stats.ts";
import { nodeRuntime } from "./runtimes/node.ts";
import { pythonRuntime } from "./runtimes/python.ts";
import type { CallOutcome, PackageCode, VersionCode } from "./sandbox.ts";
import { SCRATCH_MISSING } from "./fixtures/scratch-missing.ts";

let open: TestSandbox | undefined;
const folders: string[] = [];

afterEach(async () => {
  await open?.sandbox.close();
  open = undefined;
  expect(childrenOf(process.pid), "no process is left").toEqual([]);
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

async function start(options: Parameters<typeof openTestSandbox>[0] = {}): Promise<TestSandbox> {
  open = await openTestSandbox({
    warmRunners: 0,
    runtimes: {
      node: nodeRuntime(fixtureProgram("raw-runner.js")),
      python: pythonRuntime(pythonFixture("raw_runner.py")),
    },
    ...options,
  });
  return open;
}

/** A package with one file, and how often its folder is in use. */
async function filePackage(
  script: string,
  over: Parameters<typeof packageOf>[1] = {},
): Promise<{ version: VersionCode; uses: () => number }> {
  const path = await folderWith({ "data.txt": `data of ${script}` });
  folders.push(path);
  let uses = 0;
  const folder: PackageCode["folder"] = async () => {
    uses++;
    return { path, release: () => void uses-- };
  };
  return { version: packageOf(script, { folder, ...over }), uses: () => uses };
}

const handler = (version: VersionCode, path: string, arg: unknown = {}, over: Parameters<typeof requestOf>[2] = {}) =>
  requestOf(path, arg, { version, kind: "handler", ...over });
const inlineOf = (runtime: "node" | "python"): VersionCode =>
  packageOf(`inline-${runtime}`, { runtime, reuse: false, memoryBytesMax: limit("inlineMemoryBytesMax") });
const inline = (version: VersionCode, code: string, inputs: unknown = {}) =>
  requestOf("", {}, { version, kind: "inline", argsText: JSON.stringify({ code, inputs, keyrings: {} }) });

function valueOf(outcome: CallOutcome): unknown {
  if (outcome.kind !== "ok") throw new Error(`the call ended as ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.valueText);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.each(["node", "python"] as const)("%s", (runtime) => {
  test("serves call after call in one process, which sees the package and can change nothing (V1, V2)", async () => {
    const { sandbox, events } = await start();
    const { version, uses } = await filePackage("again", { runtime });
    const read =
      runtime === "node"
        ? 'return require("node:fs").readFileSync("/package/data.txt", "utf8")'
        : 'value = open("/package/data.txt").read()';
    const write = runtime === "node" ? 'require("node:fs").writeFileSync("/package/new", "x")' : 'open("/package/new", "w")';
    expect(valueOf(await callOnce(sandbox, { request: handler(version, "evaluate", { code: read }) }))).toBe("data of again");
    expect(JSON.stringify(valueOf(await callOnce(sandbox, { request: handler(version, "evaluate", { code: write }) })))).toMatch(
      /EROFS|30/,
    );
    expect(events.filter((event) => event.type === "started")).toHaveLength(1);
    expect(uses()).toBe(1);
    await sandbox.evict("a");
    expect(uses()).toBe(0);
  });

  test("without reuse each call has a process of its own, and a spare is ready (V2)", async () => {
    const { sandbox } = await start();
    const { version, uses } = await filePackage("once", { runtime, reuse: false });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const lease = await acquire(sandbox, "a", "action", version);
      ids.push(lease.runnerId);
      expect((await lease.run(handler(version, "echo"), QUIET, NEVER)).kind).toBe("ok");
      expect((await lease.run(handler(version, "echo"), QUIET, NEVER)).kind).toBe("lost");
      lease.release();
    }
    expect(new Set(ids).size).toBe(3);
    await expect.poll(() => sandbox.status().warm).toBe(1);
    await sandbox.evict("a");
    expect(uses()).toBe(0);
    expect(sandbox.status().runners).toBe(0);
  });

  test("inline code takes a process that is ready, once (V1)", async () => {
    const { sandbox, events } = await start();
    const version = inlineOf(runtime);
    expect(valueOf(await callOnce(sandbox, { request: inline(version, "echo", { a: 1 }) }))).toEqual(
      runtime === "node" ? [{ a: 1 }] : { a: 1 },
    );
    await expect.poll(() => sandbox.status().warm).toBe(1);
    const ids = new Set<string>();
    for (const tenant of ["a", "b", "c"]) {
      const lease = await acquire(sandbox, tenant, "action", version);
      ids.add(lease.runnerId);
      expect((await lease.run(inline(version, "echo"), QUIET, NEVER)).kind).toBe("ok");
      lease.release();
    }
    expect(ids.size).toBe(3);
    expect(events.filter((event) => event.type === "bound").map((event) => event.tenant)).toEqual(["a", "a", "b", "c"]);
  });

  test("spares that fill the tenant's places give way to inline code, and do not push each other out", async () => {
    const { sandbox, events } = await start();
    for (let index = 0; index < limit("packageProcessesPerTenantMax") + 2; index++) {
      const { version } = await filePackage(`spare ${index}`, { runtime, reuse: false });
      await callOnce(sandbox, { request: handler(version, "echo") });
    }
    await pause(500);
    for (let call = 0; call < 3; call++) expect((await callOnce(sandbox, { request: inline(inlineOf(runtime), "echo") })).kind).toBe("ok");
    const eventsOfPause = async (): Promise<number> => {
      const before = events.length;
      await pause(500);
      return events.length - before;
    };
    // They come to rest, which spares that push each other out would not.
    await expect.poll(eventsOfPause).toBeLessThanOrEqual(2);
  });

  test("a loop ends at its deadline with the process; the next call works", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("spin", { runtime });
    const limits = { ...requestOf("").limits, cpuMs: 200, wallMs: 300 };
    expect(await callOnce(sandbox, { request: handler(version, "spin", {}, { limits }) })).toMatchObject({ kind: "timeout" });
    expect((await callOnce(sandbox, { request: handler(version, "echo") })).kind).toBe("ok");
  });

  test("a version that does not load is refused at once, and tried again later (V4)", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("fails", { runtime });
    for (let i = 0; i < 20; i++)
      expect(await callOnce(sandbox, { request: handler(version, "echo") })).toMatchObject({ kind: "error", message: "SyntaxError: no" });
    expect(sandbox.status().spawned).toBeLessThan(8);
  });
});

describe("the pool of versions", () => {
  test("branches, versions and tenants never share a process (V1)", async () => {
    const { sandbox } = await start();
    const [one, two] = [(await filePackage("one")).version, (await filePackage("two")).version];
    const ids = new Set<string>();
    for (const tenant of ["a", "b"])
      for (const branch of ["main", "dev"])
        for (const version of [one, two]) {
          const lease = await sandbox.acquire({ tenant, branch, lane: "action", version }, NEVER);
          ids.add(lease.runnerId);
          lease.release();
        }
    expect(ids.size).toBe(8);
    await sandbox.evict("a", "dev");
    expect(sandbox.status().runners).toBe(6);
  });

  test("calls of one version run side by side up to the limit, then wait in order (V3)", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("many");
    const max = limit("packageProcessesPerVersionMax");
    const leases = await Promise.all(Array.from({ length: max }, () => acquire(sandbox, "a", "action", version)));
    expect(new Set(leases.map((lease) => lease.runnerId)).size).toBe(max);
    const order: number[] = [];
    const waiting = [0, 1, 2].map(async (index) => {
      const lease = await acquire(sandbox, "a", "action", version);
      order.push(index);
      lease.release();
    });
    await pause(30);
    expect(order).toEqual([]);
    for (const lease of leases) lease.release();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2]);
  });

  test("a waiter that gives up is gone, and those of other tenants are served", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("many");
    const leases = await Promise.all(
      Array.from({ length: limit("packageProcessesPerVersionMax") }, () => acquire(sandbox, "a", "action", version)),
    );
    const controller = new AbortController();
    const waiting = sandbox.acquire({ tenant: "a", branch: "main", lane: "action", version }, controller.signal);
    controller.abort(plinthError("ExpiredInQueue", { maxMs: 1, reason: "test" }));
    await expect(waiting).rejects.toMatchObject({ code: "ExpiredInQueue" });
    expect((await callOnce(sandbox, { tenant: "b", request: handler(version, "echo") })).kind).toBe("ok");
    for (const lease of leases) lease.release();
  });

  test("the budget is shared: idle processes give way to runners of functions and the other way round", async () => {
    const { sandbox } = await start({ runnersMax: 1, warmRunners: 0 });
    const { version } = await filePackage("one");
    for (let i = 0; i < 2; i++) {
      expect((await callOnce(sandbox, { tenant: "a", request: handler(version, "echo") })).kind).toBe("ok");
      expect((await callOnce(sandbox, { tenant: "b", request: requestOf("echo") })).kind).toBe("ok");
      expect(sandbox.status().runners).toBe(1);
    }
  });

  test("a cancelled call ends, and its process with it", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("cancelled");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    expect(await callOnce(sandbox, { request: handler(version, "silent"), signal: controller.signal })).toMatchObject({
      kind: "cancelled",
    });
    expect(sandbox.status().runners).toBe(0);
  });

  test("C14 B02 a process that dies or takes too much memory is the end of its call, and not of the next", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("dies", { memoryBytesMax: 96 * 2 ** 20 });
    const limits = { ...requestOf("").limits, cpuMs: 10_000, wallMs: 20_000 };
    expect(await callOnce(sandbox, { request: handler(version, "exit", { code: 0 }) })).toMatchObject({ kind: "lost" });
    expect((await callOnce(sandbox, { request: handler(version, "memory", {}, { limits }) })).kind).toBe("outOfMemory");
    expect((await callOnce(sandbox, { request: handler(version, "echo") })).kind).toBe("ok");
  });

  test("warm loads ahead; analysis runs in a process that ends", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("warm");
    await sandbox.warm({ tenant: "a", branch: "main", version });
    expect(sandbox.status()).toMatchObject({ runners: 1, warm: 1 });
    expect((await sandbox.analyze({ tenant: "a", version, env: {} })).functions.map((each) => each.path)).toEqual(["main"]);
    expect(sandbox.status()).toMatchObject({ runners: 1, warm: 1 });
    const failing = (await filePackage("fails")).version;
    await expect(sandbox.analyze({ tenant: "a", version: failing, env: {} })).rejects.toMatchObject({ code: "InvalidPackage" });
  });

  test("files that cannot be had reject the call, and nothing is tried in a loop", async () => {
    const { sandbox } = await start();
    const version = packageOf("gone", { folder: () => Promise.reject(plinthError("NotFound", { what: "version" })) });
    for (let i = 0; i < 10; i++) await expect(acquire(sandbox, "a", "action", version)).rejects.toMatchObject({ code: "NotFound" });
    expect(sandbox.status().spawned).toBeLessThan(6);
  });

  test("a runtime that the machine does not have says what to install, and the others work", async () => {
    const { sandbox } = await start({ python: "/nowhere/python3" });
    await expect(acquire(sandbox, "a", "action", inlineOf("python"))).rejects.toMatchObject({
      code: "NotAvailable",
      message: expect.stringContaining("apt-get install python3") as string,
    });
    expect((await callOnce(sandbox, { request: handler((await filePackage("fine")).version, "echo") })).kind).toBe("ok");
  });

  test.skipIf(SCRATCH_MISSING !== undefined)("the scratch folder is there when asked for, bounded, and new for each process", async () => {
    const { sandbox } = await start();
    const version = (await filePackage("scratch", { scratchBytes: 2 ** 20 })).version;
    const code = `const fs = require("node:fs"); fs.mkdirSync("/scratch/a"); fs.writeFileSync("/scratch/a/b", "x"); fs.renameSync("/scratch/a/b", "/scratch/c");
      fs.chmodSync("/scratch/c", 0o600); fs.utimesSync("/scratch/c", 1, 1); fs.truncateSync("/scratch/c", 0);
      const codes = {};
      for (const [name, act] of Object.entries({ link: () => fs.linkSync("/scratch/c", "/scratch/d"), symlink: () => fs.symlinkSync("/app", "/scratch/e"), outside: () => fs.writeFileSync("/written", "x"), full: () => { for (let i = 0; i < 64; i++) fs.appendFileSync("/scratch/big" + i, Buffer.alloc(65536)); } }))
        try { act(); codes[name] = "worked"; } catch (error) { codes[name] = error.code; }
      return { codes, files: fs.readdirSync("/scratch").filter((name) => !name.startsWith("big")) };`;
    const outcome = await callOnce(sandbox, { request: handler(version, "evaluate", { code }) });
    expect(valueOf(outcome)).toEqual({ codes: { link: "EPERM", symlink: "EPERM", outside: "EROFS", full: "ENOSPC" }, files: ["a", "c"] });
    await sandbox.evict("a");
    const list = 'return require("node:fs").readdirSync("/scratch")';
    expect(valueOf(await callOnce(sandbox, { request: handler(version, "evaluate", { code: list }) }))).toEqual([]);
  });

  test.skipIf(SCRATCH_MISSING === undefined)("a scratch folder that cannot be bounded is refused, and says why", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("scratch", { scratchBytes: 2 ** 20 });
    await expect(callOnce(sandbox, { request: handler(version, "echo") })).rejects.toMatchObject({ code: "NotAvailable" });
  });

  test("a process without scratch has no such folder", async () => {
    const { sandbox } = await start();
    const { version } = await filePackage("none");
    const code = 'return require("node:fs").existsSync("/scratch")';
    expect(valueOf(await callOnce(sandbox, { request: handler(version, "evaluate", { code }) }))).toBe(false);
  });
});
