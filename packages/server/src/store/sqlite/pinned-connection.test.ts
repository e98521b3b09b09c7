import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { put, write } from "../test-place.ts";
import { openConnection } from "./connection.ts";
import { MomentReader } from "./moment-reader.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import { RecentCommits } from "./recent-commits.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import { TestFolder } from "./test-folder.ts";

let folder: TestFolder;
let store: SqliteStore;
let connection: PinnedConnection;

beforeEach(async () => {
  folder = new TestFolder();
  store = await folder.open();
  connection = new PinnedConnection(folder.databaseFile, { cacheBytes: 1024 * 1024 });
});
afterEach(async () => {
  connection.close();
  await folder.remove();
});

test("C1 C2 a pin is one moment until it is dropped", async () => {
  const first = await write(store, put("a", "1"));
  expect(connection.read((pin) => pin)).toBe(first);
  const second = await write(store, put("a", "2"));
  expect(connection.read((pin) => pin)).toBe(first);
  connection.dropPin();
  expect(connection.read((pin) => pin)).toBe(second);
});

test("C2 a connection that keeps no pin does not hold the write-ahead log", async () => {
  await write(store, put("a", "1"));
  const writer = new DatabaseSync(folder.databaseFile, { returnArrays: true });
  const startAnew = (): unknown => writer.prepare("PRAGMA wal_checkpoint(RESTART)").get();
  connection.read(() => undefined);
  await write(store, put("a", "2"));
  expect(startAnew()).toMatchObject({ 0: 1 });
  connection.keepPin(false);
  const third = await write(store, put("a", "3"));
  expect(connection.read((pin) => pin)).toBe(third);
  expect(startAnew()).toMatchObject({ 0: 0 });
  connection.keepPin(true);
  writer.close();
});

test("C3 M1 a reader shows a moment through any later pin", async () => {
  await write(store, put("a", "1"), put("b", "1"));
  const at = store.latest();
  const reader = new MomentReader(connection, new RecentCommits({ floor: Infinity, bytesMax: 0 }));
  const read = (): (string | undefined)[] =>
    ["a", "b", "c"].map((key) => {
      const value = reader.get(at, Buffer.from(key));
      return value === undefined ? undefined : Buffer.from(value).toString();
    });
  expect(read()).toEqual(["1", "1", undefined]);
  await write(store, put("a", "2"), put("b", null), put("c", "2"));
  expect(read()).toEqual(["1", "1", undefined]);
  connection.dropPin();
  expect(read()).toEqual(["1", "1", undefined]);
});

test("M2 one step looks at a bounded number of rows, also where none counts", async () => {
  const keys = Array.from({ length: 100 }, (_, i) => `k${100 + i}`);
  const at = store.latest();
  await write(store, ...keys.map((key) => put(key, "1")));
  await write(store, ...keys.map((key) => put(key, null)), put("z", "1"));
  const reader = new MomentReader(connection, new RecentCommits({ floor: Infinity, bytesMax: 0 }));
  let rest: { start: Uint8Array; end: Uint8Array } | undefined = { start: new Uint8Array(0), end: Uint8Array.of(255) };
  let steps = 0;
  while (rest !== undefined) {
    const step = reader.rangeStep(at, { ...rest, order: "asc", rowsMax: 10 });
    expect(step.entries).toEqual([]);
    rest = step.rest;
    steps += 1;
  }
  expect(steps).toBe(11);
});

test("S2 every connection waits for the disk at each commit, and leaves the write-ahead log to its keeper", () => {
  const writer = openConnection(folder.databaseFile, { cacheBytes: 1024 * 1024, lockWaitMs: 0 });
  const pragma = (name: string): unknown => writer.prepare(`PRAGMA ${name}`).get();
  expect([pragma("synchronous"), pragma("journal_mode"), pragma("wal_autocheckpoint")]).toEqual([[2], ["wal"], [0]]);
  writer.close();
});
