import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import { put, stateAt, write } from "../test-place.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";
import type { SqliteStore } from "./sqlite-store.ts";

const isRoot = process.getuid?.() === 0;
const runtime = createSystemRuntime();
let parent: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "plinth-folder-"));
});
afterEach(() => {
  chmodSync(parent, 0o700);
  rmSync(parent, { recursive: true, force: true });
});

const open = (dataDir: string): Promise<SqliteStore> => openSqliteStore({ dataDir, runtime });
const refusal = async (dataDir: string): Promise<{ code: string; message: string }> =>
  open(dataDir).then(
    async (store) => {
      await store.close();
      return { code: "opened", message: "" };
    },
    (error: { code: string; message: string }) => error,
  );

test("F2 the folder and all files in it are private, whatever the umask", async () => {
  const before = process.umask(0);
  const dataDir = join(parent, "deep", "data");
  const store = await open(dataDir);
  try {
    await write(store, put("a", "1"));
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    const files = readdirSync(dataDir);
    expect(files).toContain("plinth.db");
    expect(files).toContain("plinth.db-wal");
    for (const file of files) expect([file, statSync(join(dataDir, file)).mode & 0o777]).toEqual([file, 0o600]);
  } finally {
    process.umask(before);
    await store.close();
  }
});

test("after close the folder holds the database and its lock only", async () => {
  const dataDir = join(parent, "data");
  const store = await open(dataDir);
  await write(store, put("a", "1"));
  await store.close();
  await store.close();
  expect(readdirSync(dataDir).toSorted()).toEqual(["lock.db", "plinth.db"]);
});

test("a file in the way, on it or above it, is one clear sentence", async () => {
  const file = join(parent, "file");
  writeFileSync(file, "x");
  const on = await refusal(file);
  expect(on.message).toBe(`The data folder ${file} cannot be used: it is a file and not a folder.`);
  const below = await refusal(join(file, "data"));
  expect(below.message).toBe(`The data folder ${join(file, "data")} cannot be used: a part of its path is a file and not a folder.`);
});

test.skipIf(isRoot)("a folder that this user may not write is refused", async () => {
  chmodSync(parent, 0o500);
  expect((await refusal(join(parent, "data"))).message).toContain("this user may not write there");
  expect((await refusal(parent)).message).toContain("this user may not write there");
});

test("a place where nobody can make a folder is refused", async () => {
  expect((await refusal("/proc/plinth/data")).message).toContain("no folder can be made there");
});

test("a database that is not ours is refused and left as it is", async () => {
  const file = join(parent, "plinth.db");
  const foreign = new DatabaseSync(file);
  foreign.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
  foreign.close();
  expect((await refusal(parent)).message).toContain("is not a store of Plinth");
  const again = new DatabaseSync(file);
  expect(again.prepare("SELECT text FROM notes").get()).toEqual({ text: "mine" });
  again.close();
  writeFileSync(file, "no database at all, but long enough to have a header of its own");
  expect((await refusal(parent)).code).toBe("DataFolderUnusable");
});

test("data of a newer Plinth is refused", async () => {
  await (await open(parent)).close();
  const newer = new DatabaseSync(join(parent, "plinth.db"));
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  expect((await refusal(parent)).message).toContain("has the format 99 of a newer Plinth");
});

test("a folder is free again after a refusal and after a failed start", async () => {
  mkdirSync(join(parent, "plinth.db"));
  expect((await refusal(parent)).code).toBe("DataFolderUnusable");
  rmSync(join(parent, "plinth.db"), { recursive: true });
  const store = await open(parent);
  expect(await stateAt(store)).toEqual([]);
  expect((await refusal(parent)).message).toBe(`Another host (process ${process.pid}) uses the data folder ${parent}.`);
  await store.close();
  expect(existsSync(join(parent, "host.pid"))).toBe(false);
  await (await open(parent)).close();
});

test("the pid of a folder that says none is unknown", async () => {
  const store = await open(parent);
  rmSync(join(parent, "host.pid"));
  expect((await refusal(parent)).message).toContain("(process unknown)");
  writeFileSync(join(parent, "host.pid"), "rm -rf /");
  expect((await refusal(parent)).message).toContain("(process unknown)");
  await store.close();
});
