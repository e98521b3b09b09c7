import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bytes, committed, put, stateAt, write } from "../test-place.ts";
import { TestFolder } from "./test-folder.ts";

const DAY_MS = 86_400_000;

let folder: TestFolder;

beforeEach(() => {
  folder = new TestFolder();
});
afterEach(() => folder.remove());

/** Looks at the tables beside the store. */
function rows(sql: string): unknown[] {
  const database = new DatabaseSync(folder.databaseFile, { readOnly: true, returnArrays: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

test("H1 H3 collection empties the history but for the newest row of the log, and keeps the horizon", async () => {
  const store = await folder.open();
  for (let i = 0; i < 400; i++) await write(store, put("same", `${i}`));
  folder.clockOffsetMs = 2 * DAY_MS;
  expect(await store.collect()).toEqual({ removed: 399 });
  expect(await store.collect()).toEqual({ removed: 0 });
  const last = await write(store, put("same", "last"));
  folder.clockOffsetMs = 4 * DAY_MS;
  expect(await store.collect()).toEqual({ removed: 1 });
  expect(rows("SELECT key FROM replaced")).toEqual([]);
  expect(rows("SELECT ts FROM log")).toEqual([[last]]);
  expect(rows("SELECT value FROM meta WHERE name = 'horizon'")).toEqual([[last]]);
  expect((await folder.open()).stats().horizon).toBe(last);
});

test("H2 every moment from the horizon on stays whole, and a commit larger than a slice is collected whole", async () => {
  const store = await folder.open();
  const many = Array.from({ length: 700 }, (_, i) => `k${1000 + i}`);
  await write(store, ...many.map((key) => put(key, "1")));
  await write(store, ...many.map((key) => put(key, "2")));
  const early = await write(store, put("k1000", null), put("x", "1"));
  folder.clockOffsetMs = 2 * DAY_MS;
  const late = await write(store, ...many.slice(0, 500).map((key) => put(key, "3")), put("x", "2"));
  expect(await store.collect()).toEqual({ removed: 701 });
  const { horizon } = store.stats();
  expect(horizon).toBeGreaterThan(early);
  expect(horizon).toBeLessThan(late);
  const before = await stateAt(store, horizon);
  expect(before).toEqual([...many.slice(1).map((key) => `${key}=2`), "x=1"]);
  expect(await stateAt(store, late)).toHaveLength(701);
  expect(await stateAt(store, late - 1)).toEqual(before);
  expect(rows("SELECT count(*) FROM replaced")).toEqual([[500]]);
});

test("H4 N1 what a pin keeps stays without its commit until the end of the pin is at the horizon, then it goes, slice by slice", async () => {
  let store = await folder.open();
  const many = Array.from({ length: 1100 }, (_, i) => `k${10_000 + i}`);
  const at = await write(store, ...many.map((key) => put(key, "1")), put("other", "1"));
  const pin = { id: bytes("pin"), range: { start: bytes("k"), end: bytes("l") }, at };
  await committed(store, { writes: [], pins: { made: [pin], ended: [] } });
  await write(store, ...many.map((key) => put(key, "2")), put("other", "2"));
  folder.clockOffsetMs = 2 * DAY_MS;
  const ended = await committed(store, { writes: [], pins: { made: [], ended: [pin.id] } });
  expect(await store.collect()).toEqual({ removed: 1 });
  expect(rows("SELECT count(*), min(until_ts) > 0 FROM replaced")).toEqual([[1100, 1]]);
  expect(rows("SELECT at, ended_ts FROM pins")).toEqual([[at, ended]]);
  // Once more from the database: nothing about the pin is only in memory.
  store = await folder.open();
  folder.clockOffsetMs = 4 * DAY_MS;
  await write(store, put("other", "3"));
  const collecting = store.collect();
  const during = await Promise.all(many.slice(0, 50).map((key) => write(store, put(key, "3"))));
  expect(during).toHaveLength(50);
  expect(await collecting).toEqual({ removed: 1100 });
  expect(rows("SELECT count(*) FROM pins")).toEqual([[0]]);
  expect(rows("SELECT count(*) FROM replaced")).toEqual([[51]]);
});

test("a batch whose pin cannot be made writes nothing, and the others of its group do", async () => {
  const store = await folder.open();
  const at = await write(store, put("a", "1"));
  const pin = { id: bytes("same"), range: { start: bytes("a"), end: bytes("b") }, at };
  await committed(store, { writes: [], pins: { made: [pin], ended: [] } });
  const outcomes = await Promise.allSettled([
    write(store, put("b", "1")),
    committed(store, { writes: [put("c", "1")], pins: { made: [pin], ended: [] } }),
    write(store, put("d", "1")),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await stateAt(store)).toEqual(["a=1", "b=1", "d=1"]);
});

test("history is collected in the background, and a young store keeps its first moment", async () => {
  const store = await folder.open({ collectIntervalMs: 5 });
  await write(store, put("a", "1"));
  await write(store, put("a", "2"));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(await stateAt(store, 0)).toEqual([]);
  folder.clockOffsetMs = 2 * DAY_MS;
  while (store.stats().horizon === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await expect(store.snapshot(0)).rejects.toMatchObject({ code: "SnapshotTooOld" });
});
