import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunnerPeer } from "../conformance/runner-peer.ts";
import { startRunner } from "./test-version.ts";

const FUNCTIONS = `
import { queryGeneric } from "convex/server";
export const small = queryGeneric({ handler: async () => null });
export const collector = queryGeneric({ handler: async () => typeof globalThis.gc });
`;
const MIB = 1024 * 1024;

let runner: RunnerPeer;
beforeAll(async () => {
  runner = await startRunner({ f: FUNCTIONS });
});
afterAll(() => runner.close());

async function call(path: string) {
  const outcome = await runner.invoke({ version: "v", path });
  if (outcome.kind !== "result") throw new Error(JSON.stringify(outcome.failure));
  return outcome;
}

test("many calls hold little memory", async () => {
  let mostBytes = 0;
  for (let i = 0; i < 200; i++) mostBytes = Math.max(mostBytes, (await call("f:small")).heapBytes);
  expect(mostBytes).toBeGreaterThan(MIB);
  // Left to the engine it comes to some 50 MiB.
  expect(mostBytes).toBeLessThan(28 * MIB);
});

test("a runner without calls gives memory back", async () => {
  for (let i = 0; i < 15; i++) await call("f:small");
  const busyBytes = (await call("f:small")).heapBytes;
  expect(busyBytes).toBeGreaterThan(4 * MIB);
  let restedBytes = busyBytes;
  // Each call begins its time anew, so a machine that was too busy to rest gets another one.
  for (let tries = 0; tries < 8 && restedBytes >= 3 * MIB; tries += 1) {
    await sleep(2500);
    restedBytes = (await call("f:small")).heapBytes;
  }
  expect(restedBytes).toBeLessThan(3 * MIB);
});

test("functions have no collector", async () => {
  expect((await call("f:collector")).text).toBe('"undefined"');
});
