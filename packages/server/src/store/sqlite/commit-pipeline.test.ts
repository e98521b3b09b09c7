import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bytes, committed, point, put, stateAt, write } from "../test-place.ts";
import { TestFolder } from "./test-folder.ts";

const DAY_MS = 86_400_000;
const TOO_LARGE = { key: bytes("large"), value: new Uint8Array(4 * 1024 * 1024) };
const SMALL_DATABASE = { databaseBytesMax: 2 * 1024 * 1024 };

let folder: TestFolder;
let writer: Worker | undefined;

const keepWriter = (worker: Worker): void => {
  writer = worker;
};

beforeEach(() => {
  folder = new TestFolder();
  process.on("worker", keepWriter);
});
afterEach(async () => {
  process.off("worker", keepWriter);
  await folder.remove();
});

test("P1 timestamps increase while the clock stands still, goes back and jumps, over restarts too", async () => {
  const stamps: number[] = [];
  const nowMs = folder.runtime.nowMs();
  for (const offsetMs of [0, 0, -DAY_MS, -400 * DAY_MS, 3 * DAY_MS, 0, 0]) {
    const store = await folder.open({ runtime: { ...folder.runtime, nowMs: () => nowMs + offsetMs } });
    for (let i = 0; i < 3; i++) stamps.push(await write(store, put("k", `${i}`)));
  }
  for (let i = 1; i < stamps.length; i++) expect(stamps[i]).toBeGreaterThan(stamps[i - 1] ?? Infinity);
  expect(stamps[0]).toBe(nowMs * 1000);
});

test("P2 a batch is checked against those that are not durable yet", async () => {
  const store = await folder.open();
  const at = await write(store, put("a", "1"));
  const first = store.commit({ writes: [put("a", "2")] });
  const second = store.commit({ writes: [put("b", "1")], reads: { at, ranges: [point("a")] } });
  expect(await first).toMatchObject({ kind: "committed" });
  expect(await second).toEqual({ kind: "conflict", key: bytes("a") });
});

test("P3 a conflict is told when its cause is durable", async () => {
  const store = await folder.open();
  const at = await write(store, put("a", "1"));
  const first = store.commit({ writes: [put("a", "2")] });
  await store.commit({ writes: [put("b", "1")], reads: { at, ranges: [point("a")] } });
  expect(await stateAt(store)).toEqual(["a=2"]);
  await first;
});

test("P3 who conflicts with a batch that then fails is checked again and commits", async () => {
  const store = await folder.open(SMALL_DATABASE);
  const at = await write(store, put("a", "1"));
  const failing = store.commit({ writes: [put("a", "2"), TOO_LARGE] });
  const waiting = store.commit({ writes: [put("b", "1")], reads: { at, ranges: [point("a")] } });
  await expect(failing).rejects.toMatchObject({ code: "StoreFailure" });
  expect(await waiting).toMatchObject({ kind: "committed" });
  expect(await stateAt(store)).toEqual(["a=1", "b=1"]);
});

test("P4 a listener that throws disturbs neither the commit nor the other listeners", async () => {
  const store = await folder.open();
  const uncaught: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error.message));
  try {
    const heard: number[] = [];
    store.onCommit(() => {
      throw new Error("a bug");
    });
    const listener = ({ ts }: { ts: number }): number => heard.push(ts);
    store.onCommit(listener);
    const stop = store.onCommit(listener);
    const first = await write(store, put("a", "1"));
    stop();
    const second = await write(store, put("a", "2"));
    expect(heard).toEqual([first, first, second]);
    expect(uncaught).toEqual(["a bug", "a bug"]);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
});

test("P5 when the writer thread is lost, every answer is what the database says, and the store goes on", async () => {
  const store = await folder.open({ walPagesMax: 1_000_000 });
  for (let round = 0; round < 8; round++) {
    const keys = Array.from({ length: 300 }, (_, i) => `r${round}/${1000 + i}`);
    const outcomes = keys.map(async (key, i) => {
      // Several messages are on their way when the thread ends.
      for (let turns = i % 10; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return write(store, put(key, "x")).then(
        () => [key, true] as const,
        (error: { code: string }) => [key, error.code !== "StoreFailure"] as const,
      );
    });
    for (let turns = Math.random() * 30; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    await writer?.terminate();
    const written = (await Promise.all(outcomes)).filter(([, done]) => done).map(([key]) => `${key}=x`);
    const state = await stateAt(store);
    expect(state.filter((pair) => pair.startsWith(`r${round}/`))).toEqual(written);
  }
  await write(store, put("z", "1"));
  expect((await stateAt(store)).at(-1)).toBe("z=1");
});

test("W2 a batch that does not fit fails alone; the others and later ones are written", async () => {
  const store = await folder.open(SMALL_DATABASE);
  const at = await write(store, put("a", "1"));
  const heard: number[] = [];
  store.onCommit(({ ts }) => heard.push(ts));
  const results = await Promise.allSettled([
    write(store, put("b", "1")),
    store.commit({ writes: [TOO_LARGE] }),
    write(store, put("c", "1")),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { code: "StoreFailure" } });
  expect(heard).toHaveLength(2);
  // What was not written is no conflict either.
  await committed(store, { writes: [put("d", "1")], reads: { at, ranges: [point("large")] } });
  expect(await stateAt(store)).toEqual(["a=1", "b=1", "c=1", "d=1"]);
  const reopened = await folder.open();
  expect(await stateAt(reopened)).toEqual(["a=1", "b=1", "c=1", "d=1"]);
});

test("close waits for batches that are still being checked in the log", async () => {
  const store = await folder.open({ recentBytesMax: 0 });
  const at = await write(store, put("a", "1"));
  for (let i = 0; i < 200; i++) await write(store, put("b", `${i}`));
  const checking = store.commit({ writes: [put("c", "1")], reads: { at, ranges: [point("a")] } });
  await store.close();
  expect(await checking).toMatchObject({ kind: "committed" });
  expect(await stateAt(await folder.open())).toEqual(["a=1", "b=199", "c=1"]);
});

test("more than may wait for the disk is refused, and what waits is written", async () => {
  const store = await folder.open({ pendingBytesMax: 10_000 });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => write(store, put(`k${10 + i}`, "x".repeat(1000)))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(9);
  expect(results.at(-1)).toMatchObject({ reason: { code: "StoreFailure" } });
  expect(await stateAt(store)).toHaveLength(9);
  // One batch alone is always taken.
  await write(store, put("big", "x".repeat(50_000)));
});

test("S7 while the disk holds the writer, the event loop turns and reads are answered", async () => {
  const store = await folder.open();
  await write(store, put("a", "1"));
  const other = new DatabaseSync(folder.databaseFile);
  other.exec("BEGIN IMMEDIATE");
  let settled = false;
  const commit = write(store, put("a", "2")).finally(() => (settled = true));
  const until = performance.now() + 50;
  let turns = 0;
  while (performance.now() < until || turns < 3) {
    turns += 1;
    expect(await stateAt(store)).toEqual(["a=1"]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(settled).toBe(false);
  other.exec("ROLLBACK");
  other.close();
  await commit;
  expect(await stateAt(store)).toEqual(["a=2"]);
});
