/** Functions in a branch that started with a copy of another one's data: caches, conflicts and schedules know only the branch. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scope } from "../../packages/server/src/database/database.ts";
import { removeFolder, request, SCOPE, startEngineHost, testScript, value, type EngineHost } from "./engine-host.ts";

let host: EngineHost;
let jobId: unknown;
const BRANCH: Scope = { tenant: SCOPE.tenant, branch: "copy" };

beforeAll(async () => {
  host = await startEngineHost();
  await value(host, "counters:add", { name: "shared", by: 5 });
  jobId = await value(host, "jobs:scheduleWrite", { text: "of the base", delayMs: 600_000 });
  await host.database.update(BRANCH, (transaction) => host.database.createBranchFrom(transaction, { base: SCOPE }));
  await host.deploys.deploy(BRANCH, await testScript());
});
afterAll(async () => {
  await host.stop();
  expect(host.logLines).toEqual([]);
  await removeFolder(host);
});

async function counter(scope: Scope, name = "shared"): Promise<{ readonly cached: boolean | undefined; readonly value: unknown }> {
  const outcome = await host.engine.invoke(request("counters:get", { name }, scope));
  if (outcome.status === "failed") throw new Error(outcome.error.message);
  return { cached: outcome.usage.cached, value: JSON.parse(outcome.valueText) };
}

test("a cached query of the branch outlives commits into the base and ends with one into the branch, and the other way round", async () => {
  expect(await counter(BRANCH)).toEqual({ cached: false, value: 5 });
  expect(await counter(BRANCH)).toEqual({ cached: true, value: 5 });
  expect(await counter(SCOPE)).toEqual({ cached: false, value: 5 });
  await value(host, "counters:add", { name: "shared", by: 1 });
  expect(await counter(BRANCH)).toEqual({ cached: true, value: 5 });
  expect(await counter(SCOPE)).toEqual({ cached: false, value: 6 });
  expect(await value(host, "counters:add", { name: "shared", by: 10 }, BRANCH)).toBe(15);
  expect(await counter(BRANCH)).toEqual({ cached: false, value: 15 });
  expect(await counter(SCOPE)).toEqual({ cached: true, value: 6 });
});

test("mutations of the branch at the same time conflict with each other alone", async () => {
  const [before, baseBefore] = [Number((await counter(BRANCH)).value), Number((await counter(SCOPE)).value)];
  const add = (scope: Scope) => host.engine.invoke(request("counters:add", { name: "shared", by: 1 }, scope));
  const both = await Promise.all([BRANCH, SCOPE].map((scope) => Promise.all(Array.from({ length: 12 }, () => add(scope)))));
  const [inBranch = 0, inBase = 0] = both.map((outcomes) => outcomes.filter(({ status }) => status === "succeeded").length);
  expect((await counter(BRANCH)).value).toBe(before + inBranch);
  expect((await counter(SCOPE)).value).toBe(baseBefore + inBase);
  expect(inBranch).toBeGreaterThan(1);
});

test("what is scheduled in the base is not scheduled in the branch", async () => {
  expect(await value(host, "jobs:state", { id: jobId })).toMatchObject({ state: { kind: "pending" } });
  expect(await value(host, "jobs:state", { id: jobId }, BRANCH)).toBeNull();
});
