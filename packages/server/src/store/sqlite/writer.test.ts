import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { describeStoreModel } from "../store-model.ts";
import { bytes, committed, point, put, stateAt, write } from "../test-place.ts";
import { openSqliteStore, type OpenOptions } from "./open-sqlite-store.ts";
import type { SqliteStore } from "./sqlite-store.ts";

let dataDir: string;
let store: SqliteStore;
let writer: Worker | undefined;

const keepWriter = (worker: Worker): void => {
  writer = worker;
};

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "plinth-writer-"));
  process.on("worker", keepWriter);
});
afterEach(async () => {
  process.off("worker", keepWriter);
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function open(options: Partial<OpenOptions> = {}): Promise<void> {
  store = await openSqliteStore({ dataDir, runtime: createSystemRuntime(), ...options });
}

test("W2 a batch that does not fit fails alone; the others and later ones are written", async () => {
  await open({ databaseBytesMax: 2 * 1024 * 1024 });
  const at = await write(store, put("a", "1"));
  const large = { writes: [{ key: bytes("large"), value: new Uint8Array(4 * 1024 * 1024) }] };
  const heard: number[] = [];
  store.onCommit(({ ts }) => heard.push(ts));
  const results = await Promise.allSettled([write(store, put("b", "1")), store.commit(large), write(store, put("c", "1"))]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { code: "StoreFailure" } });
  expect(heard).toHaveLength(2);
  // What was not written is no conflict either.
  await committed(store, { writes: [put("d", "1")], reads: { at, ranges: [point("large")] } });
  expect(await stateAt(store)).toEqual(["a=1", "b=1", "c=1", "d=1"]);
  await store.close();
  await open();
  expect(await stateAt(store)).toEqual(["a=1", "b=1", "c=1", "d=1"]);
});

test("P3 who conflicts with a batch that then fails is checked again and commits", async () => {
  await open({ databaseBytesMax: 2 * 1024 * 1024 });
  const at = await write(store, put("a", "1"));
  const failing = store.commit({ writes: [put("a", "2"), { key: bytes("large"), value: new Uint8Array(4 * 1024 * 1024) }] });
  const waiting = store.commit({ writes: [put("b", "1")], reads: { at, ranges: [point("a")] } });
  await expect(failing).rejects.toMatchObject({ code: "StoreFailure" });
  expect(await waiting).toMatchObject({ kind: "committed" });
  expect(await stateAt(store)).toEqual(["a=1", "b=1"]);
});

test("P5 when the writer thread is lost, every answer is what the database says, and the store goes on", async () => {
  await open({ walPagesMax: 64 });
  for (let round = 0; round < 5; round++) {
    const keys = Array.from({ length: 300 }, (_, i) => `r${round}/${i}`);
    const outcomes = keys.map((key) =>
      write(store, put(key, "x")).then(
        () => [key, true] as const,
        (error: { code: string }) => [key, error.code !== "StoreFailure"] as const,
      ),
    );
    for (let turns = Math.random() * 12; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    await writer?.terminate();
    const written = (await Promise.all(outcomes)).filter(([, done]) => done).map(([key]) => `${key}=x`);
    const state = await stateAt(store);
    expect(state.filter((pair) => pair.startsWith(`r${round}/`))).toEqual(written.toSorted());
  }
  await write(store, put("z", "1"));
  expect((await stateAt(store)).at(-1)).toBe("z=1");
});

test("S7 while the disk holds the writer, the event loop turns and reads are answered", async () => {
  await open();
  await write(store, put("a", "1"));
  const other = new DatabaseSync(join(dataDir, "plinth.db"));
  other.exec("BEGIN IMMEDIATE");
  let settled = false;
  const commit = write(store, put("a", "2")).finally(() => (settled = true));
  const until = performance.now() + 50;
  let turns = 0;
  while (performance.now() < until) {
    turns += 1;
    expect(await stateAt(store)).toEqual(["a=1"]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(settled).toBe(false);
  expect(turns).toBeGreaterThan(10);
  other.exec("ROLLBACK");
  other.close();
  await commit;
  expect(await stateAt(store)).toEqual(["a=2"]);
});

test("T3 the write-ahead log stays small though snapshots are always in use", async () => {
  await open({ walPagesMax: 128 });
  await write(store, put("k0", "first"));
  const oldest = await store.snapshot();
  let held = await store.snapshot();
  for (let i = 0; i < 1500; i++) {
    await write(store, { key: bytes(`k${i % 50}`), value: new Uint8Array(8000).fill(i) });
    const next = await store.snapshot();
    await next.get(bytes("k1"));
    held.release();
    held = next;
  }
  // Without new beginnings it would have 2 pages of each value, as many of what was replaced, and more.
  expect(statSync(join(dataDir, "plinth.db-wal")).size).toBeLessThan(128 * 4096 * 6);
  expect(Buffer.from((await oldest.get(bytes("k0"))) ?? []).toString()).toBe("first");
  held.release();
  oldest.release();
  expect(store.stats().snapshotsInUse).toBe(0);
});

test("H3 collection empties the history but for the newest row of the log", async () => {
  let offsetMs = 0;
  const system = createSystemRuntime();
  await open({ runtime: { ...system, nowMs: () => system.nowMs() + offsetMs } });
  for (let i = 0; i < 700; i++) await write(store, put("same", `${i}`));
  offsetMs = 2 * 86_400_000;
  await store.collect();
  const last = await write(store, put("same", "last"));
  offsetMs = 4 * 86_400_000;
  await store.collect();
  const other = new DatabaseSync(join(dataDir, "plinth.db"), { readOnly: true, returnArrays: true });
  expect(other.prepare("SELECT count(*) FROM replaced").get()).toEqual([0]);
  expect(other.prepare("SELECT ts FROM log").all()).toEqual([[last]]);
  expect(other.prepare("SELECT value FROM meta WHERE name = 'horizon'").get()).toEqual([last]);
  other.close();
});

test("history is collected in the background", async () => {
  let offsetMs = 0;
  const system = createSystemRuntime();
  await open({ runtime: { ...system, nowMs: () => system.nowMs() + offsetMs }, collectIntervalMs: 5 });
  await write(store, put("a", "1"));
  await write(store, put("a", "2"));
  offsetMs = 2 * 86_400_000;
  while (store.stats().horizon === 0) await system.sleep(2);
  await expect(store.snapshot(0)).rejects.toMatchObject({ code: "SnapshotTooOld" });
});

// The same histories where memory holds no commits, so that conflicts and changes come from the log and the
// history table, and where the write-ahead log starts anew all the time.
describeStoreModel(
  () => store,
  () => open({ recentBytesMax: 0, walPagesMax: 4 }),
);
