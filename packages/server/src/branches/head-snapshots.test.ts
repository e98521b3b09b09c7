/** Snapshots of heads: once a day, over restarts, kept for a while; and the branches that are warmed after a start. */
import { limit } from "@plinth/core/limits.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { DAILY_JOBS, HEADS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Scope } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import type { StoredPackageVersion } from "../packages/packages.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import { createLog } from "../telemetry/log.ts";
import { CacheWarmer } from "./cache-warmer.ts";
import { DAY_MS } from "./daily.ts";
import { HeadSnapshots } from "./head-snapshots.ts";
import { openBranches, type OpenedBranches } from "./open-branches.ts";
import { UsedBranches } from "./used-branches.ts";

const MAIN = { tenant: "default", branch: "main" };
const DEV = { tenant: "default", branch: "dev" };
const log = createLog({ level: "silent" });

let opened: TestDatabase;
let branches: OpenedBranches;
let nowMs: number;
/** Callbacks of timers that were set, with their times. */
let timers: { readonly atMs: number; readonly callback: () => void }[];

beforeEach(async () => {
  opened = await openTestDatabase();
  branches = openBranches({ database: opened.database, runtime: opened.runtime, log });
  nowMs = Date.UTC(2026, 0, 31, 12);
  timers = [];
});

afterEach(async () => await opened.close());

function runtime() {
  return {
    ...opened.runtime,
    nowMs: () => nowMs,
    timer: (delayMs: number, callback: () => void) => {
      timers.push({ atMs: nowMs + delayMs, callback });
      return { cancel: () => {} };
    },
  };
}

function snapshots(): HeadSnapshots {
  return new HeadSnapshots({
    database: opened.database,
    runtime: runtime(),
    log,
    branches,
    tenants: { list: async () => [{ name: "default" }] },
  });
}

async function moveHead(scope: Scope, digit: string, seq: number): Promise<void> {
  await opened.database.update(scope, async ({ records }) =>
    records.put(HEADS, ["head"], { version: digit.repeat(64), seq, deployedMs: nowMs }),
  );
}

it("holds the head of each branch, once a day, also when the host starts again", async () => {
  await branches.create("default", { name: "dev" });
  await branches.create("default", { name: "bare" });
  await moveHead(MAIN, "a", 1);
  await moveHead(DEV, "b", 7);
  await snapshots().takeDue();
  await moveHead(MAIN, "c", 2);
  await snapshots().takeDue();
  expect(await snapshots().list(MAIN)).toEqual([{ day: "2026-01-31", atMs: nowMs, heads: { "": { version: "a".repeat(64), seq: 1 } } }]);
  expect(await snapshots().list(DEV)).toMatchObject([{ heads: { "": { version: "b".repeat(64), seq: 7 } } }]);
  expect(await snapshots().list({ ...DEV, branch: "bare" })).toEqual([]);
});

it("goes on after a crash with what has no row of the day", async () => {
  await branches.create("default", { name: "dev" });
  await moveHead(MAIN, "a", 1);
  await snapshots().takeDue();
  // As if the host had been stopped after `main`.
  await opened.database.update(PLATFORM_SCOPE, async ({ records }) => records.delete(DAILY_JOBS, ["headSnapshots"]));
  await moveHead(MAIN, "c", 2);
  await moveHead(DEV, "b", 1);
  await snapshots().takeDue();
  expect(await snapshots().list(MAIN)).toMatchObject([{ heads: { "": { version: "a".repeat(64) } } }]);
  expect(await snapshots().list(DEV)).toHaveLength(1);
});

it("comes at midnight by its timer, keeps its days and no more, the latest first", async () => {
  const days = limit("headSnapshotDaysMax");
  await moveHead(MAIN, "a", 1);
  const job = snapshots();
  job.start();
  for (let day = 0; day < days + 2; day++) {
    const next = timers.pop();
    expect(next?.atMs).toBe(Date.UTC(2026, 1, 1) + day * DAY_MS);
    nowMs = next?.atMs ?? 0;
    next?.callback();
    await waitUntil(async () => (await job.list(MAIN))[0]?.atMs === nowMs);
  }
  await job.stop();
  const kept = await job.list(MAIN);
  expect(kept).toHaveLength(days);
  expect(kept[0]?.day).toBe("2026-03-04");
});

it("remembers the branches that were used last over a restart, in order and bounded", async () => {
  const used = new UsedBranches({ database: opened.database, runtime: runtime(), log });
  const max = limit("usedBranchesMax");
  for (let i = 0; i < max + 5; i++) used.note({ tenant: "default", branch: `b${i}` });
  used.note(MAIN);
  used.note(MAIN);
  expect(timers).toHaveLength(1);
  used.forget({ tenant: "default", branch: `b${max + 4}` });
  await used.stop();
  const again = await new UsedBranches({ database: opened.database, runtime: runtime(), log }).load();
  expect(again).toHaveLength(max - 1);
  expect(again.slice(0, 2)).toEqual([MAIN, { tenant: "default", branch: `b${max + 3}` }]);
});

it("warms what was used and is still there, one at a time, and goes on after one that fails", async () => {
  const warmed: string[] = [];
  let running = 0;
  const version: VersionCode = { digest: "a".repeat(64), script: () => Promise.resolve(""), sourceMap: () => Promise.resolve(null) };
  const warmer = new CacheWarmer({
    log,
    packages: {
      list: (scope) =>
        Promise.resolve(
          scope.branch !== "dev"
            ? []
            : ["old", "crm"].map((name, index) => ({ name, version: version.digest, seq: 1, deployedMs: index, runtime: "node" as const })),
        ),
      version: (_scope, name) => Promise.resolve(storedPackage(name)),
      resolve: (_scope, path) => Promise.resolve({ ...resolved(path), version: { ...version, digest: path } }),
    },
    deploys: { version: (scope) => Promise.resolve(scope.branch === "bare" ? undefined : version) },
    sandbox: {
      warm: async ({ branch, version: { digest } }) => {
        expect(++running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
        if (branch === "broken") throw new Error("no runner");
        warmed.push(digest.startsWith("@") ? `${branch}${digest}` : branch);
      },
    },
    used: () => Promise.resolve(["main", "broken", "bare", "gone", "dev"].map((branch) => ({ tenant: "default", branch }))),
    isServed: (scope) => Promise.resolve(scope.branch !== "gone"),
  });
  warmer.start();
  warmer.warm({ tenant: "default", branch: "moved" });
  expect(warmed).toEqual([]);
  await warmer.settled();
  expect(warmed).toEqual(["main", "dev", "dev@crm/first", "dev@old/first", "moved"]);
});

function storedPackage(name: string): StoredPackageVersion {
  const manifest = {} as StoredPackageVersion["manifest"];
  return { package: name, version: "a".repeat(64), runtime: "node", manifest, functions: ["first"], createdMs: 1 };
}

function resolved(path: string): Omit<ResolvedFunction, "version"> {
  return { path, kind: "action", visibility: "internal", args: null, returns: null };
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error("it did not come about in 30 seconds");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
