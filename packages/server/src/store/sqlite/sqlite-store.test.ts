import { statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeStore } from "../store-contract.ts";
import { describeStoreModel } from "../store-model.ts";
import { bytes, put, stateAt, write } from "../test-place.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import { TestFolder } from "./test-folder.ts";

describeStore("sqlite", ({ place, runtime, historyRetentionMs }) =>
  openSqliteStore({ dataDir: place, runtime, ...(historyRetentionMs === undefined ? {} : { historyRetentionMs }) }),
);

describe("sqlite store", () => {
  let folder: TestFolder;
  let store: SqliteStore;

  beforeEach(() => {
    folder = new TestFolder();
  });
  afterEach(() => folder.remove());

  test("T1 no snapshot exceeds latest, and latest never exceeds what is durable", async () => {
    store = await folder.open();
    let heard = 0;
    store.onCommit(({ ts }) => (heard = ts));
    let done = false;
    const load = Promise.all(Array.from({ length: 300 }, (_, i) => write(store, put("k", `${i}`)))).finally(() => (done = true));
    while (!done) {
      const snapshot = await store.snapshot();
      expect(snapshot.ts).toBeLessThanOrEqual(store.latest());
      expect(snapshot.ts).toBeGreaterThanOrEqual(heard);
      snapshot.release();
      expect(await stateAt(store, store.latest())).toHaveLength(store.latest() === 0 ? 0 : 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await load;
    expect(store.latest()).toBe(heard);
  });

  test("T2 a moment in use stays readable however the horizon moves, and is given free once", async () => {
    store = await folder.open();
    await write(store, put("a", "1"));
    const [first, second] = [await store.snapshot(), await store.snapshot()];
    await write(store, put("a", "2"));
    folder.clockOffsetMs = 2 * 86_400_000;
    first.release();
    first.release();
    await store.collect();
    expect(store.stats()).toMatchObject({ snapshotsInUse: 1, horizon: second.ts });
    expect(Buffer.from((await second.get(bytes("a"))) ?? []).toString()).toBe("1");
    second.release();
    await store.collect();
    expect(store.stats()).toMatchObject({ snapshotsInUse: 0, horizon: store.latest() });
    await expect(second.get(bytes("a"))).rejects.toThrow();
  });

  test("reads after close say that the host is shutting down", async () => {
    store = await folder.open();
    await store.commit({ writes: Array.from({ length: 1000 }, (_, i) => put(`k${i}`, "x")) });
    const snapshot = await store.snapshot();
    const reading = snapshot.range({ start: new Uint8Array(0), end: Uint8Array.of(255), order: "asc", limit: 1000 });
    const refused = expect(reading).rejects.toMatchObject({ code: "ShuttingDown" });
    await store.close();
    await refused;
    await expect(snapshot.get(bytes("k1"))).rejects.toMatchObject({ code: "ShuttingDown" });
    snapshot.release();
  });

  test("T3 the write-ahead log stays small though snapshots are always in use", async () => {
    store = await folder.open({ walPagesMax: 128 });
    await write(store, put("k0", "first"));
    const oldest = await store.snapshot();
    let held = await store.snapshot();
    for (let i = 0; i < 1000; i++) {
      await write(store, { key: bytes(`k${i % 50}`), value: new Uint8Array(8000).fill(i) });
      const next = await store.snapshot();
      await next.get(bytes("k1"));
      held.release();
      held = next;
    }
    // Without new beginnings it would have 2 pages of each value, as many of what was replaced, and more.
    expect(statSync(`${folder.databaseFile}-wal`).size).toBeLessThan(128 * 4096 * 6);
    expect(Buffer.from((await oldest.get(bytes("k0"))) ?? []).toString()).toBe("first");
    held.release();
    oldest.release();
  });
});

describe("sqlite store with little memory", () => {
  let folder: TestFolder;
  let store: SqliteStore;

  // Memory holds no commits, so conflicts and changes come from the log and the history table, and the
  // write-ahead log starts anew all the time.
  beforeEach(async () => {
    folder = new TestFolder();
    store = await folder.open({ recentBytesMax: 0, walPagesMax: 4 });
  });
  afterEach(() => folder.remove());

  describeStoreModel(() => store);
});
