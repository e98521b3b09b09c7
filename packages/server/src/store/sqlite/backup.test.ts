import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import type { Timestamp } from "../store.ts";
import { bytes, committed, point, put, stateAt, write } from "../test-place.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";
import { restoreBackup } from "./restore.ts";
import type { SqliteStore } from "./sqlite-store.ts";

const system = createSystemRuntime();
let parent: string;
let backupFile: string;
let target: string;
let store: SqliteStore;

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "plinth-backup-"));
  backupFile = join(parent, "backup.plinth");
  target = join(parent, "restored");
  store = await openSqliteStore({ dataDir: join(parent, "data"), runtime: system, walPagesMax: 64 });
});
afterEach(async () => {
  await store.close();
  rmSync(parent, { recursive: true, force: true });
});

/** Opens what was restored, lets `look` see it, and closes it. */
async function look<T>(dataDir: string, at: (restored: SqliteStore) => Promise<T>, clockOffsetMs = 0): Promise<T> {
  const restored = await openSqliteStore({ dataDir, runtime: { ...system, nowMs: () => system.nowMs() + clockOffsetMs } });
  try {
    return await at(restored);
  } finally {
    await restored.close();
  }
}

describe("backup", () => {
  test("a backup under load is one moment of the store, and commits go on meanwhile", async () => {
    const filler = new Uint8Array(3000).fill(7);
    for (let i = 0; i < 20; i++)
      await store.commit({ writes: Array.from({ length: 100 }, (_, j) => ({ key: bytes(`f${i}/${j}`), value: filler })) });
    let running = true;
    let commits = 0;
    const load = Promise.all(
      Array.from({ length: 4 }, async (_, client) => {
        while (running) {
          await write(store, put("counter/a", `${commits}`), put(`c${client}/${commits}`, "x"), put("counter/b", `${commits}`));
          commits += 1;
        }
      }),
    );
    await write(store, put("before", "backup"));
    const before = store.latest();
    const commitsBefore = commits;
    await store.backup(backupFile);
    const commitsMeanwhile = commits - commitsBefore;
    running = false;
    await load;
    expect(commitsMeanwhile).toBeGreaterThan(0);
    const { ts } = await restoreBackup({ backupFile, dataDir: target });
    expect(ts).toBeGreaterThanOrEqual(before);
    expect(ts).toBeLessThanOrEqual(store.latest());
    const restored = await look(target, async (copy) => ({
      latest: copy.latest(),
      state: await stateAt(copy),
      log: await copy.log(0, 100_000),
    }));
    expect(restored.latest).toBe(ts);
    expect(restored.state).toEqual(await stateAt(store, ts));
    expect(restored.state).toContain("before=backup");
    expect(restored.log).toEqual((await store.log(0, 100_000)).filter((commit) => commit.ts <= ts));
  });

  test("a backup is one private file that nothing else is needed for", async () => {
    await write(store, put("a", "1"));
    await store.backup(backupFile);
    expect(readdirSync(parent).toSorted()).toEqual(["backup.plinth", "data"]);
    expect(statSync(backupFile).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(backupFile, { readOnly: true });
    expect(copy.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(copy.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "delete" });
    copy.close();
    expect(readdirSync(parent).toSorted()).toEqual(["backup.plinth", "data"]);
  });

  test("a backup overwrites nothing and leaves nothing when it fails", async () => {
    writeFileSync(backupFile, "precious");
    await expect(store.backup(backupFile)).rejects.toMatchObject({ code: "AlreadyExists" });
    expect(readFileSync(backupFile, "utf8")).toBe("precious");
    await expect(store.backup(join(parent, "nowhere", "backup"))).rejects.toMatchObject({ code: "StoreFailure" });
    await write(store, put("a", "1"));
  });

  test("a backup over the store's own files is refused and leaves its locks", async () => {
    const data = join(parent, "data");
    await write(store, put("a", "1"));
    for (const file of ["lock.db", "plinth.db", "plinth.db-wal", "plinth.db-shm"])
      await expect(store.backup(join(data, file))).rejects.toMatchObject({ code: "AlreadyExists" });
    // Locks are those of a process, so another one has to ask.
    const asks = `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(join(data, "lock.db"))}).exec("BEGIN EXCLUSIVE")`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", asks], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("database is locked")]);
  });

  test("close waits for a backup", async () => {
    await write(store, put("a", "1"));
    const writing = store.backup(backupFile);
    await store.close();
    await writing;
    await restoreBackup({ backupFile, dataDir: target });
    expect(await look(target, stateAt)).toEqual(["a=1"]);
  });
});

describe("restore", () => {
  test("S8 pins are as they were at the moment that is restored", async () => {
    const DAY_MS = 86_400_000;
    const range = { start: bytes("m"), end: bytes("n") };
    const pin = (id: string, at: Timestamp) => ({ id: bytes(id), range, at });
    const first = await write(store, put("m", "1"));
    await committed(store, { writes: [put("m", "2")], pins: { made: [pin("held", first)], ended: [] } });
    const moment = await write(store, put("m", "3"));
    await committed(store, { writes: [put("m", "4")], pins: { made: [pin("later", moment)], ended: [bytes("held")] } });
    await write(store, put("m", "5"));
    await store.backup(backupFile);
    const readAt = async (restored: SqliteStore, at: Timestamp): Promise<string> => {
      const snapshot = await restored.snapshot(at, range);
      const value = await snapshot.get(bytes("m"));
      snapshot.release();
      return Buffer.from(value ?? []).toString();
    };
    const latest = join(parent, "latest");
    await restoreBackup({ backupFile, dataDir: latest });
    await restoreBackup({ backupFile, dataDir: target, at: moment });
    // Days later, the next commits are what the retention begins with.
    const old = async (restored: SqliteStore): Promise<void> => {
      await write(restored, put("x", "1"));
      await restored.collect();
    };
    await look(latest, old, 2 * DAY_MS);
    await look(target, old, 2 * DAY_MS);
    await look(
      latest,
      async (restored) => {
        await restored.collect();
        await expect(readAt(restored, first)).rejects.toMatchObject({ code: "SnapshotTooOld" });
        expect(await readAt(restored, moment)).toBe("3");
      },
      4 * DAY_MS,
    );
    await look(
      target,
      async (restored) => {
        await write(restored, put("m", "6"));
        await restored.collect();
        expect(await readAt(restored, first)).toBe("1");
        await expect(readAt(restored, moment - 1)).rejects.toMatchObject({ code: "SnapshotTooOld" });
      },
      4 * DAY_MS,
    );
    const rows = new DatabaseSync(join(target, "plinth.db"), { readOnly: true, returnArrays: true });
    expect(rows.prepare("SELECT id, ended_ts FROM pins").all()).toEqual([[bytes("held"), null]]);
    rows.close();
  });

  test("restore to a moment brings back exactly that state, with its history", async () => {
    const moments: [Timestamp, string[]][] = [];
    for (let i = 0; i < 15; i++) {
      const ts = await write(store, put(`k${i % 4}`, i % 5 === 4 ? null : `${i}`), put("n", `${i}`));
      moments.push([ts, await stateAt(store)]);
    }
    await store.backup(backupFile);
    for (const which of [0, 7, 14]) {
      const [at, state] = moments[which] ?? [0, []];
      const dataDir = join(parent, `restored-${which}`);
      expect(await restoreBackup({ backupFile, dataDir, at })).toEqual({ ts: at });
      await look(dataDir, async (restored) => {
        expect(restored.latest()).toBe(at);
        expect(await stateAt(restored)).toEqual(state);
        for (const [earlier, earlierState] of moments.slice(0, which)) expect(await stateAt(restored, earlier)).toEqual(earlierState);
        expect(await restored.log(0, 100)).toEqual((await store.log(0, 100)).filter(({ ts }) => ts <= at));
      });
    }
  });

  test("B3 after a restore to a moment no timestamp is given out twice", async () => {
    const at = await write(store, put("a", "1"));
    const last = await write(store, put("a", "2"));
    await store.backup(backupFile);
    // A moment between two commits.
    expect(await restoreBackup({ backupFile, dataDir: target, at: last - 1 })).toEqual({ ts: last - 1 });
    await look(
      target,
      async (restored) => {
        expect(await stateAt(restored)).toEqual(["a=1"]);
        expect(await stateAt(restored, at)).toEqual(["a=1"]);
        const ts = await committed(restored, { writes: [put("a", "3")], reads: { at: restored.latest(), ranges: [point("a")] } });
        expect(ts).toBeGreaterThan(last);
        expect(await stateAt(restored, last - 1)).toEqual(["a=1"]);
      },
      -1_000_000,
    );
  });

  test("a moment that the backup does not hold is refused", async () => {
    const ts = await write(store, put("a", "1"));
    await store.backup(backupFile);
    for (const at of [ts + 1, -1, 0.5]) {
      await expect(restoreBackup({ backupFile, dataDir: target, at })).rejects.toMatchObject({ code: "SnapshotTooOld" });
    }
    expect(existsSync(target)).toBe(false);
  });

  test("B1 a folder that holds anything is refused, a locked one too", async () => {
    await write(store, put("a", "1"));
    await store.backup(backupFile);
    await expect(restoreBackup({ backupFile, dataDir: join(parent, "data") })).rejects.toMatchObject({ code: "RestoreTargetNotEmpty" });
    await expect(restoreBackup({ backupFile, dataDir: backupFile })).rejects.toMatchObject({ code: "DataFolderUnusable" });
    await restoreBackup({ backupFile, dataDir: target });
    await expect(restoreBackup({ backupFile, dataDir: target })).rejects.toMatchObject({
      code: "RestoreTargetNotEmpty",
    });
    expect(await look(target, stateAt)).toEqual(["a=1"]);
    expect(statSync(join(target, "plinth.db")).mode & 0o777).toBe(0o600);
  });

  test("B2 a file that is no backup, or a damaged one, is refused and leaves no store", async () => {
    await store.commit({ writes: Array.from({ length: 500 }, (_, i) => put(`key ${i}`, "x".repeat(100))) });
    await store.backup(backupFile);
    const good = readFileSync(backupFile);
    const damaged = Buffer.from(good);
    damaged.fill(0xee, 4096, damaged.length - 4096);
    const cases: Record<string, Uint8Array | undefined> = {
      missing: undefined,
      empty: new Uint8Array(0),
      text: Buffer.from("These are notes and no backup, though they are long enough.".repeat(100)),
      cut: good.subarray(0, 10_000),
      damaged,
    };
    for (const [name, content] of Object.entries(cases)) {
      const file = join(parent, name);
      if (content !== undefined) writeFileSync(file, content);
      await expect(restoreBackup({ backupFile: file, dataDir: target }), name).rejects.toMatchObject({ code: "InvalidBackup" });
    }
    await expect(restoreBackup({ backupFile: parent, dataDir: target })).rejects.toMatchObject({ code: "InvalidBackup" });
    expect(existsSync(target)).toBe(false);
  });
});
