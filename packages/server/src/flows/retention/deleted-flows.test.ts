import { afterAll, beforeAll, expect, test } from "vitest";
import type { StoredValue } from "@plinth/core/flow/value.ts";
import type { Database, Scope } from "../../database/database.ts";
import {
  DELETED_FLOWS,
  DROPPED_BLOBS,
  ENDED_FLOW_RUNS,
  FLOW_JOURNAL,
  FLOW_LEDGER,
  FLOW_RUNS,
  FLOW_RUNS_OF_FLOW,
  FLOW_TESTS,
  FLOW_TRIGGERS,
  FLOW_VALUES,
  FLOW_VERSION_BUNDLES,
  FLOW_VERSIONS,
  FLOWS,
  PLATFORM_SCOPE,
} from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import { createTelemetry } from "../../telemetry/telemetry.ts";
import { DeletedFlows, type DeletedFlowsParts } from "./deleted-flows.ts";
import { WrittenRun } from "./test-runs.ts";

const FLOW = "signalled";
const VALUE: StoredValue = { digest: "d".repeat(64), bytes: 100_000, contentType: "text/plain" };
const BUNDLE = "b".repeat(64);

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

function deletedFlows(parts: Partial<DeletedFlowsParts> = {}): DeletedFlows {
  const { log } = createTelemetry({ logLevel: "silent" });
  const told = { cancel: () => Promise.resolve(), tellParent: () => Promise.resolve() };
  return new DeletedFlows({ ...opened, log, ...told, ...parts });
}

/** With a trigger, tests and 25 versions, of which one uses packages. */
async function publish(scope: Scope): Promise<void> {
  await opened.database.update(scope, async ({ records }) => {
    records.put(FLOW_TESTS, [FLOW], { tests: {} });
    const trigger = { type: "manual", filter: null, data: {}, output: "any", eventTypes: [], secret: "s" } as const;
    records.put(FLOW_TRIGGERS, [FLOW], { ...trigger, flow: FLOW, description: "", version: "v1", isOn: true });
    for (let seq = 1; seq <= 25; seq++) {
      records.put(FLOW_VERSIONS, [FLOW, `v${seq}`], { definition: {} });
      records.put(FLOW_LEDGER, [FLOW, seq], { version: `v${seq}`, createdMs: seq, note: null });
    }
    records.put(FLOW_VERSION_BUNDLES, [FLOW, "v1"], { digests: [BUNDLE] });
  });
}

async function endedRun(scope: Scope, id: string): Promise<WrittenRun> {
  const run = new WrittenRun(opened.database, scope, { id });
  await run.begin(0, { json: null, stored: [{ path: [], value: VALUE }] });
  await run.signal(10, { json: "end" });
  return run;
}

/** Rows of the flow and its runs in the branch. */
async function rowsOf(scope: Scope): Promise<number> {
  const tables = [FLOWS, FLOW_VERSIONS, FLOW_LEDGER, FLOW_TESTS, FLOW_TRIGGERS, FLOW_VERSION_BUNDLES];
  const ofRuns = [FLOW_RUNS, FLOW_RUNS_OF_FLOW, FLOW_JOURNAL, FLOW_VALUES];
  return await opened.database.read(scope, async ({ records }) => {
    const counts = [...tables, ...ofRuns].map(async (table) => (await records.range<unknown>(table, { prefix: [], limit: 1000 })).length);
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  });
}

async function marks({ tenant, branch }: Scope): Promise<number> {
  const prefix = [tenant, branch];
  const tables = [DELETED_FLOWS, ENDED_FLOW_RUNS];
  const counts = await opened.database.read(PLATFORM_SCOPE, ({ records }) =>
    Promise.all(tables.map(async (table) => (await records.range(table, { prefix, limit: 1000 })).length)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Waits for the end of the test at most. */
async function gone(scope: Scope): Promise<void> {
  while ((await marks(scope)) > 0) await opened.runtime.sleep(20);
}

test("D1 a flow is deleted with its ended runs, and not while one goes on", async () => {
  const scope = newScope();
  await publish(scope);
  await endedRun(scope, "r1");
  const live = new WrittenRun(opened.database, scope, { id: "r2" });
  await live.begin(0);
  const flows = deletedFlows();
  await expect(flows.delete(scope, FLOW)).rejects.toMatchObject({ code: "FlowHasRuns", message: expect.stringContaining("1 of its runs") });
  await live.signal(20, { json: "end" });
  await flows.delete(scope, FLOW);
  await gone(scope);
  expect(await rowsOf(scope)).toBe(0);
  for (const digest of [VALUE.digest, BUNDLE])
    expect(await opened.database.read(scope, ({ records }) => records.get(DROPPED_BLOBS, [digest]))).toBeDefined();
  await expect(flows.delete(scope, FLOW)).rejects.toMatchObject({ code: "NotFound" });
  await flows.stop();
});

test("D1 a run that began meanwhile is cancelled, and one that would begin later does not", async () => {
  const scope = newScope();
  await publish(scope);
  await endedRun(scope, "r1");
  const late = new WrittenRun(opened.database, scope, { id: "r2" });
  const flows = deletedFlows({
    // It comes after the count, before the commit.
    database: {
      ...methodsOf(opened.database),
      update: async (...args: Parameters<Database["update"]>) => {
        if (late.stored.row.seq === 0) await late.begin(5);
        return await opened.database.update(...args);
      },
    } as Database,
    cancel: async (_, run) => {
      expect(run).toBe("r2");
      await late.apply({ kind: "cancelled", atMs: 30, by: "t", reason: "" });
    },
  });
  await flows.delete(scope, FLOW);
  await gone(scope);
  expect(await rowsOf(scope)).toBe(0);
  expect(late.stored.row.status).toBe("cancelled");
  const next = new WrittenRun(opened.database, scope, { id: "r3" });
  const begun = next.apply({
    ...{ kind: "started", atMs: 40, trigger: { json: null } },
    run: { id: "r3", flow: FLOW, version: "v1", company: { id: "t", name: "t" }, environment: "main" },
  });
  await expect(begun).rejects.toMatchObject({ code: "NotFound" });
  await flows.stop();
});

test("D2 a host that was killed in between goes on, and tells the runs that wait for these", async () => {
  const scope = newScope();
  await publish(scope);
  for (const id of ["r1", "r2", "r3"]) await endedRun(scope, id);
  let commits = 0;
  const killed = deletedFlows({
    database: {
      ...methodsOf(opened.database),
      update: async (...args: Parameters<Database["update"]>) => {
        commits += 1;
        if (commits > 2) throw new Error("killed");
        return await opened.database.update(...args);
      },
    } as Database,
  });
  await killed.delete(scope, FLOW);
  await killed.stop();
  // The mark, and two runs of three.
  expect(await marks(scope)).toBe(3);
  const told: string[] = [];
  const flows = deletedFlows({ tellParent: (_, run) => Promise.resolve(void told.push(run)) });
  flows.start();
  await gone(scope);
  expect(await rowsOf(scope)).toBe(0);
  expect(told).toEqual(["r2", "r3"]);
  await flows.stop();
});

function methodsOf(database: Database): Partial<Database> {
  return { read: database.read.bind(database) };
}
