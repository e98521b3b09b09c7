/** Many first calls at once: all are served, nobody starves, and nothing is left afterwards. */
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { callOnce, fixtureProgram, folderWith, openTestSandbox, packageOf, requestOf } from "./fixtures/test-sandbox.ts";
import { childrenOf } from "./jail/process-stats.ts";
import { nodeRuntime } from "./runtimes/node.ts";
import type { VersionCode } from "./sandbox.ts";

const TENANTS = 8;
const VERSIONS_OF_TENANT = 4;
const CALLS_OF_VERSION = 2;

const handler = (version: VersionCode, path = "echo") =>
  requestOf(path, {}, { version, kind: "handler", limits: { ...requestOf("").limits, wallMs: 30_000 } });

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test("first calls of many versions of many tenants end well, in turns, and leave nothing", async () => {
  const { sandbox } = await openTestSandbox({ warmRunners: 0, runtimes: { node: nodeRuntime(fixtureProgram("raw-runner.js")) } });
  const path = await folderWith({ "data.txt": "x" });
  const before = descriptors();
  let uses = 0;
  const ended: string[] = [];
  try {
    const folder = async () => {
      uses++;
      return { path, release: () => void uses-- };
    };
    const calls: Promise<void>[] = [];
    for (let tenant = 0; tenant < TENANTS; tenant++) {
      const crashing = packageOf(`crash ${tenant}`, { folder, reuse: tenant % 2 === 0 });
      calls.push(
        callOnce(sandbox, { tenant: `t${tenant}`, lane: "action", request: handler(crashing, "abort") }).then((outcome) =>
          expect(outcome.kind).toBe("lost"),
        ),
      );
      for (let version = 0; version < VERSIONS_OF_TENANT; version++) {
        const code = packageOf(`${tenant} ${version}`, { folder, reuse: version % 2 === 0 });
        for (let call = 0; call < CALLS_OF_VERSION; call++)
          calls.push(
            callOnce(sandbox, { tenant: `t${tenant}`, lane: "action", request: handler(code) }).then((outcome) => {
              expect(outcome.kind).toBe("ok");
              ended.push(`t${tenant}`);
            }),
          );
      }
    }
    await Promise.all(calls);
    expect(ended).toHaveLength(TENANTS * VERSIONS_OF_TENANT * CALLS_OF_VERSION);
    // Everybody had something before anybody had everything.
    expect(new Set(ended.slice(0, ended.length / 2)).size).toBe(TENANTS);
    for (let tenant = 0; tenant < TENANTS; tenant += 2) await sandbox.evict(`t${tenant}`);
  } finally {
    await sandbox.close();
    await rm(path, { recursive: true, force: true });
  }
  expect(uses).toBe(0);
  expect(childrenOf(process.pid)).toEqual([]);
  expect(sandbox.status().runners).toBe(0);
  expect(descriptors()).toBeLessThanOrEqual(before + 2);
}, 120_000);

test("close while versions start leaves nothing", async () => {
  const { sandbox } = await openTestSandbox({ warmRunners: 0, runtimes: { node: nodeRuntime(fixtureProgram("raw-runner.js")) } });
  const path = await folderWith({ "data.txt": "x" });
  let uses = 0;
  const folder = async () => {
    uses++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { path, release: () => void uses-- };
  };
  const calls = Array.from({ length: 30 }, (_, index) =>
    callOnce(sandbox, { tenant: `t${index % 7}`, lane: "action", request: handler(packageOf(`v${index}`, { folder })) }).catch(
      () => undefined,
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 60));
  await sandbox.close();
  await Promise.all(calls);
  await rm(path, { recursive: true, force: true });
  expect(uses).toBe(0);
  expect(childrenOf(process.pid)).toEqual([]);
}, 60_000);
