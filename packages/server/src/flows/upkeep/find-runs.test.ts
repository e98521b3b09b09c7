import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scope } from "../../database/database.ts";
import { OPEN_FLOW_RUNS } from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import type { OpenRuns } from "../open-runs.ts";
import { WrittenRun } from "../retention/test-runs.ts";
import { listRuns } from "./find-runs.ts";
import type { ListRequest } from "./upkeep.ts";

const DAY_MS = 86_400_000;

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

async function found(scope: Scope, request: Partial<ListRequest>, inMemory: readonly string[] = []) {
  const runs = { has: (_: Scope, id: string) => inMemory.includes(id) } as OpenRuns;
  const runtime = { ...opened.runtime, nowMs: () => 8 * DAY_MS, sleep: () => Promise.resolve() };
  const page = await listRuns({ database: opened.database, runtime, runs }, scope, { filter: {}, isStuck: false, max: 10, ...request });
  return { ids: page.runs.map(({ id }) => id), next: page.next };
}

async function begun(scope: Scope, id: string, atMs: number): Promise<WrittenRun> {
  const run = new WrittenRun(opened.database, scope, { id });
  await run.begin(atMs);
  return run;
}

test("runs are listed by their status and why they wait, in pages", async () => {
  const scope = newScope();
  for (const id of ["r1", "r2", "r3", "r4"]) await begun(scope, id, 7 * DAY_MS);
  const ended = await begun(scope, "r5", 7 * DAY_MS);
  await ended.signal(7 * DAY_MS + 1, { json: "end" });
  expect(await found(scope, {})).toEqual({ ids: ["r5", "r4", "r3", "r2", "r1"], next: null });
  expect(await found(scope, { filter: { status: ["completed"] } })).toEqual({ ids: ["r5"], next: null });
  const waiting = { filter: { status: ["waiting"], reason: "awaiting_signal", flow: "signalled" }, max: 3 } as const;
  expect(await found(scope, waiting)).toEqual({ ids: ["r4", "r3", "r2"], next: "r2" });
  expect(await found(scope, { ...waiting, after: "r2" })).toEqual({ ids: ["r1"], next: null });
  expect(await found(scope, { filter: { flow: "other" } })).toEqual({ ids: [], next: null });
});

test("a run is stuck when a time of it is past, or nobody does what it has to do", async () => {
  const [scope, other] = [newScope(), newScope()];
  // It waits for seven days.
  for (const [id, atMs] of Object.entries({ r1: 0, r2: 7 * DAY_MS, r3: 7 * DAY_MS, r4: 7 * DAY_MS })) await begun(scope, id, atMs);
  const ended = await begun(scope, "r5", 0);
  await ended.signal(1, { json: "end" });
  await begun(other, "r6", 0);
  await opened.database.update(scope, async ({ records }) => {
    for (const id of ["r3", "r4"]) records.put(OPEN_FLOW_RUNS, [scope.tenant, scope.branch, id], true);
  });
  expect(await found(scope, { isStuck: true }, ["r4"])).toEqual({ ids: ["r3", "r1"], next: null });
  expect(await found(scope, { isStuck: true, max: 1 })).toEqual({ ids: ["r4"], next: "r4" });
  expect(await found(scope, { isStuck: true, after: "r4" })).toEqual({ ids: ["r3", "r1"], next: null });
  expect(await found(scope, { isStuck: true, filter: { flow: "other" } })).toEqual({ ids: [], next: null });
});
