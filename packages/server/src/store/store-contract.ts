import { randomInt } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeStoreModel } from "./store-model.ts";
import { describeStorePins } from "./store-pins.ts";
import type { Commit, Snapshot, Store } from "./store.ts";
import { bytes, committed, LAST_KEY, pairs, point, put, stateAt, TestPlace, text, write, type OpenStore } from "./test-place.ts";

const DAY_MS = 86_400_000;
const EVERYTHING = { start: new Uint8Array(0), end: LAST_KEY };

/** The contract of `store.ts`, run by every adapter. */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    let place: TestPlace;
    let store: Store;

    beforeEach(async () => {
      place = new TestPlace(open);
      store = await place.open();
    });
    afterEach(async () => {
      await place.remove();
    });

    const reopen = async (): Promise<void> => {
      await store.close();
      store = await place.open();
    };

    describe("S1 atomic", () => {
      test("S1 all writes of a batch become visible together", async () => {
        const writing = Promise.all(
          Array.from({ length: 200 }, (_, i) => write(store, put("a", `${i}`), put("m", `${i}`), put("z", `${i}`))),
        );
        let done = false;
        void writing.then(() => (done = true));
        while (!done) {
          const snapshot = await store.snapshot();
          const values = [await snapshot.get(bytes("a")), await snapshot.get(bytes("m")), await snapshot.get(bytes("z"))].map(text);
          expect(new Set(values).size).toBe(1);
          snapshot.release();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await writing;
      });

      test("S1 a batch that conflicts writes nothing", async () => {
        const ts = await write(store, put("a", "1"));
        await write(store, put("a", "2"));
        const result = await store.commit({ writes: [put("b", "1"), put("a", "3")], reads: { at: ts, ranges: [point("a")] } });
        expect(result.kind).toBe("conflict");
        expect(await stateAt(store)).toEqual(["a=2"]);
      });

      test("S1 keys and values may be empty, binary and large", async () => {
        const large = new Uint8Array(3 * 1024 * 1024).fill(0xab);
        const longKey = new Uint8Array(5000).fill(1);
        await store.commit({
          writes: [
            { key: new Uint8Array(0), value: bytes("empty key") },
            { key: new Uint8Array([0, 255, 0]), value: new Uint8Array(0) },
            { key: longKey, value: large },
          ],
        });
        await reopen();
        const snapshot = await store.snapshot();
        expect(text(await snapshot.get(new Uint8Array(0)))).toBe("empty key");
        expect(await snapshot.get(new Uint8Array([0, 255, 0]))).toEqual(new Uint8Array(0));
        expect(Buffer.from((await snapshot.get(longKey)) ?? []).equals(large)).toBe(true);
        snapshot.release();
      });

      test("S1 a commit does not see what its caller does to the buffers afterwards", async () => {
        const key = bytes("kk");
        const value = bytes("vv");
        const end = bytes("z");
        const done = store.commit({ writes: [{ key: key.subarray(1), value: value.subarray(1) }] });
        await done;
        key.fill(0);
        value.fill(0);
        expect(await stateAt(store)).toEqual(["k=v"]);
        const conflict = await store.commit({ writes: [], reads: { at: 0, ranges: [{ start: new Uint8Array(0), end }] } });
        expect(conflict).toEqual({ kind: "conflict", key: bytes("k") });
      });
    });

    describe("S2 durable", () => {
      test("S2 what was committed is there after the store is opened again", async () => {
        await write(store, put("a", "1"), put("b", "2"));
        await write(store, put("b", null), put("c", "3"));
        const latest = store.latest();
        await reopen();
        expect(await stateAt(store)).toEqual(["a=1", "c=3"]);
        expect(store.latest()).toBe(latest);
      });

      test("S2 close waits for the commits that were taken and refuses new work", async () => {
        const taken = Promise.all(Array.from({ length: 50 }, (_, i) => write(store, put(`k${i}`, "x"))));
        const closing = store.close();
        await expect(store.commit({ writes: [] })).rejects.toMatchObject({ code: "ShuttingDown" });
        await expect(store.snapshot()).rejects.toMatchObject({ code: "ShuttingDown" });
        await closing;
        await taken;
        store = await place.open();
        expect(await stateAt(store)).toHaveLength(50);
      });
    });

    describe("S3 ordered", () => {
      test("S3 timestamps increase strictly, also within one millisecond", async () => {
        const stamps = await Promise.all(Array.from({ length: 300 }, (_, i) => write(store, put("k", `${i}`))));
        for (let i = 1; i < stamps.length; i++) expect(stamps[i]).toBeGreaterThan(stamps[i - 1] ?? Infinity);
        expect(store.latest()).toBe(stamps.at(-1));
      });

      test("S3 timestamps are microseconds of the clock", async () => {
        const before = place.runtime.nowMs() * 1000;
        const ts = await write(store, put("k", "v"));
        expect(ts).toBeGreaterThanOrEqual(before);
        expect(ts).toBeLessThan(before + 60_000_000);
      });

      test("S3 timestamps increase over a restart with the clock set back", async () => {
        const first = await write(store, put("k", "1"));
        place.clockOffsetMs = -400 * DAY_MS;
        const second = await write(store, put("k", "2"));
        await reopen();
        const third = await write(store, put("k", "3"));
        expect(second).toBeGreaterThan(first);
        expect(third).toBeGreaterThan(second);
        expect(await stateAt(store, second)).toEqual(["k=2"]);
      });

      test("S3 an empty store is at 0 and can be read", async () => {
        expect(store.latest()).toBe(0);
        const snapshot = await store.snapshot();
        expect(snapshot.ts).toBe(0);
        expect(await snapshot.get(bytes("a"))).toBeUndefined();
        snapshot.release();
        expect(await store.log(0, 10)).toEqual([]);
      });

      test("S3 a snapshot stays as it was while commits go on", async () => {
        await write(store, put("a", "1"), put("b", "1"), put("c", "1"));
        const snapshot = await store.snapshot();
        await write(store, put("a", "2"), put("b", null), put("d", "2"));
        await write(store, put("c", null), put("e", "3"));
        await write(store, put("b", "4"));
        expect(pairs(await snapshot.range({ ...EVERYTHING, order: "asc", limit: 10 }))).toEqual(["a=1", "b=1", "c=1"]);
        expect(pairs(await snapshot.range({ ...EVERYTHING, order: "desc", limit: 2 }))).toEqual(["c=1", "b=1"]);
        expect(text(await snapshot.get(bytes("b")))).toBe("1");
        expect(await snapshot.get(bytes("d"))).toBeUndefined();
        snapshot.release();
        snapshot.release();
        expect(await stateAt(store)).toEqual(["a=2", "b=4", "d=2", "e=3"]);
      });

      test("S3 a snapshot taken after a commit resolved shows it", async () => {
        for (let i = 0; i < 100; i++) {
          const ts = await write(store, put("k", `${i}`));
          const snapshot = await store.snapshot();
          expect(snapshot.ts).toBeGreaterThanOrEqual(ts);
          expect(text(await snapshot.get(bytes("k")))).toBe(`${i}`);
          snapshot.release();
        }
      });

      test("S3 listeners hear of every durable commit in order, before its commit resolves", async () => {
        const heard: Commit[] = [];
        const resolved: number[] = [];
        const stop = store.onCommit((commit) => {
          expect(resolved).not.toContain(commit.ts);
          heard.push(commit);
        });
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            resolved.push(await write(store, put("z", `${i}`), put(`k${randomInt(5)}`, i % 3 === 0 ? null : `${i}`)));
          }),
        );
        stop();
        await write(store, put("unheard", "1"));
        expect(heard).toHaveLength(50);
        expect(heard.map(({ ts }) => ts)).toEqual(heard.map(({ ts }) => ts).toSorted((a, b) => a - b));
        expect(await store.log(0, 50)).toEqual(heard);
      });

      test("S3 the log pages through all commits with their values", async () => {
        const stamps: number[] = [];
        for (let i = 0; i < 20; i++) stamps.push(await write(store, put("same", `${i}`), put(`k${i}`, "x"), put(`k${i - 1}`, null)));
        const seen: Commit[] = [];
        for (;;) {
          const page = await store.log(seen.at(-1)?.ts ?? 0, 7);
          if (page.length === 0) break;
          seen.push(...page);
        }
        expect(seen.map(({ ts }) => ts)).toEqual(stamps);
        for (const [i, { writes }] of seen.entries()) {
          const found = new Map(writes.map(({ key, value }) => [text(key), value === null ? null : text(value)]));
          expect(found).toEqual(
            new Map([
              ["same", `${i}`],
              [`k${i}`, "x"],
              [`k${i - 1}`, null],
            ]),
          );
        }
        expect(await store.log(store.latest() + 5, 7)).toEqual([]);
      });

      test("S3 a range of many steps is whole, in both orders, at any limit", async () => {
        const keys = Array.from({ length: 3000 }, (_, i) => `k${String(i).padStart(5, "0")}`);
        await store.commit({ writes: keys.map((key) => put(key, key)) });
        const snapshot = await store.snapshot();
        await store.commit({ writes: keys.filter((_, i) => i % 3 !== 0).map((key, i) => put(key, i % 2 === 0 ? "new" : null)) });
        for (const limit of [1, 63, 64, 65, 1500, 5000]) {
          const ascending = await snapshot.range({ ...EVERYTHING, order: "asc", limit });
          expect(pairs(ascending)).toEqual(keys.slice(0, limit).map((key) => `${key}=${key}`));
          const descending = await snapshot.range({ ...EVERYTHING, order: "desc", limit });
          expect(pairs(descending)).toEqual(
            keys
              .toReversed()
              .slice(0, limit)
              .map((key) => `${key}=${key}`),
          );
        }
        snapshot.release();
      });
    });

    describe("S4 serializable", () => {
      /** Reads `ranges` at a moment, then another commit writes `writes`; does the reader conflict? */
      const conflictOf = async (
        ranges: { start: Uint8Array; end: Uint8Array }[],
        ...writes: Parameters<typeof put>[]
      ): Promise<string | undefined> => {
        await write(store, put("b", "0"), put("d", "0"));
        const snapshot = await store.snapshot();
        await write(store, ...writes.map(([key, value]) => put(key, value)));
        const result = await store.commit({ writes: [put("result", "x")], reads: { at: snapshot.ts, ranges } });
        snapshot.release();
        return result.kind === "conflict" ? text(result.key) : undefined;
      };

      test("S4 a write of a key that was read is a conflict and names the key", async () => {
        expect(await conflictOf([point("b")], ["b", "1"])).toBe("b");
      });
      test("S4 a delete of a key that was read is a conflict", async () => {
        expect(await conflictOf([point("d")], ["d", null])).toBe("d");
      });
      test("S4 an insert into a range that was read is a conflict", async () => {
        expect(await conflictOf([{ start: bytes("a"), end: bytes("e") }], ["c", "1"])).toBe("c");
      });
      test("S4 the end of a range does not belong to it, the start does", async () => {
        expect(await conflictOf([{ start: bytes("b"), end: bytes("d") }], ["d", "1"], ["a", "1"])).toBeUndefined();
        expect(await conflictOf([{ start: bytes("b"), end: bytes("d") }], ["b", "1"])).toBe("b");
      });
      test("S4 ranges may come in any order, overlap and be empty", async () => {
        const ranges = [
          point("z"),
          { start: bytes("c"), end: bytes("x") },
          { start: bytes("d"), end: bytes("e") },
          { start: bytes("b"), end: bytes("a") },
        ];
        expect(await conflictOf(ranges, ["b", "1"])).toBeUndefined();
        expect(await conflictOf(ranges, ["w", "1"])).toBe("w");
      });
      test("S4 what others wrote elsewhere or before the snapshot is no conflict", async () => {
        expect(await conflictOf([point("a"), { start: bytes("c"), end: bytes("cz") }], ["b", "1"], ["d", "1"])).toBeUndefined();
      });

      test("S4 of batches that wait together and read what the others write, one commits", async () => {
        const at = await write(store, put("counter", "0"));
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            store.commit({ writes: [put("counter", `${i}`)], reads: { at, ranges: [point("counter")] } }),
          ),
        );
        expect(results.filter(({ kind }) => kind === "committed")).toHaveLength(1);
        expect(await stateAt(store)).toEqual(["counter=0"]);
      });

      test("S4 write skew is impossible", async () => {
        const at = await write(store, put("x", "1"), put("y", "1"));
        const reads = { at, ranges: [point("x"), point("y")] };
        const results = await Promise.all([
          store.commit({ writes: [put("x", "0")], reads }),
          store.commit({ writes: [put("y", "0")], reads }),
        ]);
        expect(results.map(({ kind }) => kind)).toEqual(["committed", "conflict"]);
      });

      test("S4 after a conflict a new snapshot shows its cause", async () => {
        await write(store, put("counter", "0"));
        const increment = async (): Promise<number> => {
          for (let attempts = 1; ; attempts++) {
            const snapshot = await store.snapshot();
            const value = Number(text(await snapshot.get(bytes("counter"))));
            const result = await store.commit({
              writes: [put("counter", `${value + 1}`)],
              reads: { at: snapshot.ts, ranges: [point("counter")] },
            });
            snapshot.release();
            if (result.kind === "committed") return attempts;
          }
        };
        const attempts = await Promise.all(Array.from({ length: 16 }, increment));
        expect(await stateAt(store)).toEqual(["counter=16"]);
        // Each round lets one through; nobody spins on a commit that is not durable yet.
        expect(Math.max(...attempts)).toBeLessThanOrEqual(16);
      });

      test("S4 a snapshot from before a restart still conflicts", async () => {
        const at = await write(store, put("a", "1"));
        await write(store, put("a", "2"));
        const later = await write(store, put("b", "2"));
        await reopen();
        const result = await store.commit({ writes: [], reads: { at, ranges: [point("a")] } });
        expect(result).toEqual({ kind: "conflict", key: bytes("a") });
        await committed(store, { writes: [], reads: { at: later, ranges: [point("a")] } });
        await committed(store, { writes: [], reads: { at, ranges: [point("c")] } });
      });
    });

    describe("S5 history", () => {
      const pastRetention = async (): Promise<void> => {
        place.clockOffsetMs += 2 * DAY_MS;
        await store.collect();
      };

      test("S5 every moment can be read again, also after a restart", async () => {
        const moments: [number, string[]][] = [[0, []]];
        for (let i = 0; i < 12; i++) {
          const ts = await write(store, put(`k${i % 4}`, i % 5 === 4 ? null : `${i}`), put("n", `${i}`));
          moments.push([ts, await stateAt(store)]);
        }
        await reopen();
        await store.collect();
        for (const [at, state] of moments) expect(await stateAt(store, at)).toEqual(state);
        // A moment between two commits shows the earlier one.
        const [, [first, state] = [0, []]] = moments;
        expect(await stateAt(store, first - 1)).toEqual([]);
        expect(state).toEqual(["k0=0", "n=0"]);
      });

      test("S5 moments in the future, before the retention and no moments at all are refused", async () => {
        const ts = await write(store, put("a", "1"));
        for (const at of [ts + 1, -1, ts - 0.5, Number.NaN, Infinity]) {
          await expect(store.snapshot(at)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        }
        await pastRetention();
        await write(store, put("a", "2"));
        await pastRetention();
        await expect(store.snapshot(0)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        await expect(store.snapshot(ts)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        await expect(store.log(ts - 1, 10)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        await expect(store.commit({ writes: [], reads: { at: ts - 1, ranges: [point("b")] } })).resolves.toMatchObject({
          kind: "committed",
        });
        await reopen();
        await expect(store.snapshot(ts)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        await expect(store.commit({ writes: [], reads: { at: ts - 1, ranges: [point("b")] } })).rejects.toMatchObject({
          code: "SnapshotTooOld",
        });
        expect(await stateAt(store)).toEqual(["a=2"]);
      });

      test("S5 collection removes what is older than the retention and keeps the latest state", async () => {
        for (let i = 0; i < 30; i++) await write(store, put("same", `${i}`), put(`k${i}`, "x"), put(`k${i - 1}`, null));
        await pastRetention();
        const kept = await write(store, put("same", "last"));
        place.clockOffsetMs += DAY_MS / 2;
        const { removed } = await store.collect();
        expect(removed).toBe(0);
        expect(await stateAt(store, kept)).toEqual(["k29=x", "same=last"]);
        expect(await stateAt(store, kept - 1)).toEqual(["k29=x", "same=29"]);
        place.clockOffsetMs += DAY_MS;
        expect(await store.collect()).toEqual({ removed: 1 });
        await expect(store.snapshot(kept - 1)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        expect(await stateAt(store)).toEqual(["k29=x", "same=last"]);
      });

      test("S5 what a snapshot in use reads is never collected", async () => {
        await write(store, put("a", "1"), put("b", "1"));
        const snapshot: Snapshot = await store.snapshot();
        await write(store, put("a", "2"), put("b", null));
        await write(store, put("a", "3"));
        await pastRetention();
        expect(pairs(await snapshot.range({ ...EVERYTHING, order: "asc", limit: 10 }))).toEqual(["a=1", "b=1"]);
        expect(await store.collect()).toEqual({ removed: 0 });
        snapshot.release();
        expect(await store.collect()).toEqual({ removed: 3 });
      });

      test("S5 collection of much history goes in slices between commits", async () => {
        const keys = Array.from({ length: 2000 }, (_, i) => `k${i}`);
        await store.commit({ writes: keys.map((key) => put(key, "1")) });
        await store.commit({ writes: keys.map((key) => put(key, "2")) });
        await write(store, put("last", "1"));
        place.clockOffsetMs += 2 * DAY_MS;
        const collecting = store.collect();
        const stamps = await Promise.all(Array.from({ length: 20 }, (_, i) => write(store, put("during", `${i}`))));
        expect(stamps).toHaveLength(20);
        expect(await collecting).toEqual({ removed: 2000 });
        expect(await stateAt(store)).toHaveLength(2002);
      });
    });

    describe("S6 exclusive", () => {
      test("S6 a second opening is refused at once and does no harm", async () => {
        await write(store, put("a", "1"));
        await expect(place.open()).rejects.toMatchObject({ code: "DataFolderLocked" });
        await write(store, put("a", "2"));
        await reopen();
        expect(await stateAt(store)).toEqual(["a=2"]);
      });
    });

    describe("S7 not blocking", () => {
      test("S7 the event loop turns while commits wait, and those that wait together share their sync", async () => {
        await write(store, put("warm", "up"));
        const timed = async (work: () => Promise<unknown>): Promise<number> => {
          const start = performance.now();
          await work();
          return performance.now() - start;
        };
        const alone = await timed(async () => {
          for (let i = 0; i < 50; i++) await write(store, put(`a${i}`, "x"));
        });
        let turns = 0;
        let waiting = true;
        const together = await timed(async () => {
          const all = Promise.all(Array.from({ length: 2000 }, (_, i) => write(store, put(`b${i}`, "x"))));
          void all.finally(() => (waiting = false));
          while (waiting) {
            turns += 1;
            await new Promise((resolve) => setImmediate(resolve));
          }
          await all;
        });
        expect(turns).toBeGreaterThan(5);
        // Forty times the commits; with a sync each they would take forty times as long.
        expect(together).toBeLessThan(alone * 20);
      });
    });

    describe("S8 pinned", () => {
      describeStorePins({ place: () => place, store: () => store, reopen });
    });

    describeStoreModel(() => store);
  });
}
