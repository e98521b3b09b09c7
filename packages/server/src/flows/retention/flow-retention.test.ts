import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoredValue } from "@plinth/core/flow/value.ts";
import type { Scope } from "../../database/database.ts";
import {
  DROPPED_BLOBS,
  ENDED_FLOW_RUNS,
  FLOW_JOURNAL,
  FLOW_RUNS,
  FLOW_RUNS_OF_FLOW,
  FLOW_SNAPSHOTS,
  FLOW_START_KEYS,
  FLOW_VALUES,
  HEADS,
  KEPT_VERSIONS,
  PLATFORM_SCOPE,
  VERSION_LEDGER,
  VERSIONS,
} from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import { dropOldVersions } from "../../deploys/kept-versions.ts";
import { createTelemetry } from "../../telemetry/telemetry.ts";
import { readState } from "../run-rows.ts";
import { flowBlobs } from "../values/value-rows.ts";
import { endedKey } from "./ended-runs.ts";
import { FlowRetention, type KeptRuns } from "./flow-retention.ts";
import { SIGNALLED, WrittenRun } from "./test-runs.ts";

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;
const VALUE: StoredValue = { digest: "d".repeat(64), bytes: 100_000, contentType: "text/plain" };

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

function retention(kept: KeptRuns, database = opened.database): FlowRetention {
  const { log } = createTelemetry({ logLevel: "silent" });
  const runtime = { ...opened.runtime, nowMs: () => NOW_MS };
  return new FlowRetention({ database, runtime, log, keptRunsOf: () => Promise.resolve(kept) });
}

/** With a value that is stored. */
async function ended(scope: Scope, id: string, endedMs: number): Promise<WrittenRun> {
  const run = new WrittenRun(opened.database, scope, { id, startKey: `key of ${id}` });
  await run.begin(endedMs - 1000, { json: null, stored: [{ path: [], value: VALUE }] });
  await opened.database.update(scope, async ({ records }) => records.put(FLOW_START_KEYS, ["signalled", `key of ${id}`], id));
  await run.signal(endedMs, { json: "end" });
  return run;
}

async function idsOf(scope: Scope): Promise<readonly string[]> {
  const rows = await opened.database.read(scope, ({ records }) => records.range(FLOW_RUNS, { prefix: [], limit: 100 }));
  return rows.map(({ key }) => String(key[0]));
}

/** Rows of a branch in all tables that a run has rows in. */
async function rowsOf(scope: Scope): Promise<number> {
  const tables = [FLOW_RUNS, FLOW_JOURNAL, FLOW_SNAPSHOTS, FLOW_RUNS_OF_FLOW, FLOW_START_KEYS, FLOW_VALUES];
  const counts = await opened.database.read(scope, ({ records }) =>
    Promise.all(tables.map(async (table) => (await records.range<unknown>(table, { prefix: [], limit: 1000 })).length)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function endedRows(scope: Scope): Promise<number> {
  const prefix = [scope.tenant, scope.branch];
  return (await opened.database.read(PLATFORM_SCOPE, ({ records }) => records.range(ENDED_FLOW_RUNS, { prefix, limit: 100 }))).length;
}

test("R3 runs go when their time is over or too many came after them; one that waits stays, however old", async () => {
  const [a, b] = [newScope(), newScope()];
  await ended(a, "r1", NOW_MS - 40 * DAY_MS);
  const waiting = new WrittenRun(opened.database, a, { id: "r2" });
  await waiting.begin(NOW_MS - 90 * DAY_MS, { json: null, stored: [{ path: [], value: VALUE }] });
  await ended(a, "r3", NOW_MS - 3 * DAY_MS);
  await ended(a, "r4", NOW_MS - 2 * DAY_MS);
  await ended(a, "r5", NOW_MS - 2000);
  await ended(a, "r6", NOW_MS - 1000);
  await ended(b, "r1", NOW_MS - 40 * DAY_MS);

  expect(await retention({ forMs: 30 * DAY_MS, count: 10 }).collect()).toMatchObject({ runs: 2 });
  expect(await idsOf(a)).toEqual(["r2", "r3", "r4", "r5", "r6"]);
  expect(await rowsOf(b)).toBe(0);
  expect(await endedRows(b)).toBe(0);
  // One is as many as there may be, but whoever has begun r5 may not have read its result.
  expect(await retention({ forMs: 30 * DAY_MS, count: 1 }).collect()).toMatchObject({ runs: 2 });
  expect(await idsOf(a)).toEqual(["r2", "r5", "r6"]);
  expect(await retention({ forMs: 1, count: 1 }).collect()).toMatchObject({ runs: 2 });
  expect(await idsOf(a)).toEqual(["r2"]);
  // What waits keeps its value; the value of the others is wanted as long as their rows can be read in history.
  const references = await opened.database.read(a, ({ records }) => flowBlobs(() => Promise.resolve())(records));
  expect(references).toEqual([VALUE.digest]);
  expect(await opened.database.read(b, ({ records }) => flowBlobs(() => Promise.resolve())(records))).toEqual([]);
  expect(await opened.database.read(b, ({ records }) => records.get(DROPPED_BLOBS, [VALUE.digest]))).toMatchObject({ droppedMs: NOW_MS });
});

test("R1 a host that was killed in between goes on; nobody finds the run meanwhile", async () => {
  const scope = newScope();
  const run = new WrittenRun(opened.database, scope, { id: "long" });
  await run.begin(0);
  for (let i = 1; i <= 250; i++) await run.signal(i, { json: i });
  await run.signal(1000, { json: "end" });
  let commits = 0;
  const killed = {
    ...opened.database,
    read: opened.database.read.bind(opened.database),
    update: async (...args: Parameters<typeof opened.database.update>) => {
      commits += 1;
      if (commits > 2) throw new Error("killed");
      return await opened.database.update(...args);
    },
  } as typeof opened.database;
  await retention({ forMs: 1, count: 1 }, killed).collect();
  expect(await idsOf(scope)).toEqual([]);
  expect(await rowsOf(scope)).toBeGreaterThan(0);
  expect(await retention({ forMs: 1, count: 1 }).collect()).toMatchObject({ runs: 1 });
  expect(await rowsOf(scope)).toBe(0);
  expect(await endedRows(scope)).toBe(0);
});

test("R2 a run that was cancelled and goes on is not deleted", async () => {
  const scope = newScope();
  const run = new WrittenRun(opened.database, scope, { id: "again" });
  await run.begin(0);
  await run.apply({ kind: "cancelled", atMs: 10, by: "anna", reason: "" });
  expect(await endedRows(scope)).toBe(1);
  await run.apply({ kind: "retried", atMs: 20, node: "take", input: null, by: "anna" });
  expect(await endedRows(scope)).toBe(0);
  // The index as it was read before the run went on.
  const stale = endedKey({ scope, flow: "signalled", endedMs: 10, id: "again" });
  await opened.database.update(scope, async ({ records }) => records.put(ENDED_FLOW_RUNS, stale, true));
  expect(await retention({ forMs: 1, count: 1 }).collect()).toMatchObject({ runs: 0 });
  expect(await idsOf(scope)).toEqual(["again"]);
  expect(await endedRows(scope)).toBe(0);
});

test("W6 a version of functions stays as long as a run may need it", async () => {
  const scope = newScope();
  const digestOf = (seq: number): string => String(seq).padStart(64, "0");
  const deploy = async (seq: number): Promise<void> => {
    const version = digestOf(seq);
    await opened.database.update(scope, async (transaction) => {
      const { records } = transaction;
      records.put(VERSIONS, [version], { digest: version, createdMs: seq, blobs: { script: version, sourceMap: null, analysis: null } });
      records.put(HEADS, ["head"], { version, seq, deployedMs: seq });
      records.put(VERSION_LEDGER, [seq], { seq, version, parent: null, atMs: seq, by: "t", note: null });
      await dropOldVersions(transaction, { head: version, nowMs: NOW_MS });
    });
  };
  const kept = async (): Promise<readonly number[]> => {
    const rows = await opened.database.read(scope, ({ records }) => records.range(VERSIONS, { prefix: [], limit: 200 }));
    return rows.map(({ key }) => Number(key[0]));
  };
  for (let seq = 1; seq <= 22; seq++) await deploy(seq);
  // No flow has run here.
  expect((await kept())[0]).toBe(3);
  const run = new WrittenRun(opened.database, scope, { id: "pins", functions: digestOf(3) });
  await run.begin(0);
  for (let seq = 23; seq <= 45; seq++) await deploy(seq);
  await retention({ forMs: DAY_MS, count: 1000 }).collect();
  expect((await kept()).slice(0, 2)).toEqual([3, 26]);
  await run.signal(50, { json: "end" });
  await retention({ forMs: DAY_MS, count: 1000 }).collect();
  expect((await kept())[0]).toBe(26);
  const noted = await opened.database.read(PLATFORM_SCOPE, ({ records }) => records.range(KEPT_VERSIONS, { prefix: [], limit: 10 }));
  expect(noted).toEqual([]);
});

test("a state is read from its snapshot and what came after it", { timeout: 60_000 }, async () => {
  const scope = newScope();
  const run = new WrittenRun(opened.database, scope, { id: "folded" });
  await run.begin(0);
  for (let i = 1; i <= 1010; i++) await run.signal(i, { json: i });
  expect(run.stored.row).toMatchObject({ seq: 1011, snapshotSeq: 1000 });
  const read = () => opened.database.read(scope, ({ records }) => readState(records, run.stored.row, SIGNALLED));
  expect(await read()).toEqual(run.state);
  await opened.database.update(scope, async ({ records }) => {
    for (let seq = 0; seq < 1000; seq++) records.delete(FLOW_JOURNAL, ["folded", seq]);
  });
  expect(await read()).toEqual(run.state);
});
