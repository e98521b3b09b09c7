import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { readPins } from "./pins.ts";
import { APPLICATION_ID, fileKind, migrate, MIGRATIONS } from "./schema.ts";

/** A migration that was released is never edited: another data folder has run it already. Add a new one. */
const CHECKSUMS: Record<string, string> = {
  "0001-store.sql": "866fff1748fa053978c0feea3fbc6ef13804001b27dd9737ff4004e6cdc20270",
  "0002-pins.sql": "652fb0fb84191c8e65ab52dae24d9eceb24f6907a183356efdd5c619065a3a18",
};

const folder = new URL("./migrations/", import.meta.url);

test("every migration is numbered, listed and unchanged", () => {
  expect(readdirSync(folder).toSorted()).toEqual([...MIGRATIONS]);
  MIGRATIONS.forEach((name, i) => expect(name.startsWith(`${String(i + 1).padStart(4, "0")}-`)).toBe(true));
  const found = MIGRATIONS.map((name) => [
    name,
    createHash("sha256")
      .update(readFileSync(new URL(name, folder)))
      .digest("hex"),
  ]);
  expect(Object.fromEntries(found)).toEqual(CHECKSUMS);
});

test("a file is empty, ours, newer or foreign", () => {
  const open = (): DatabaseSync => new DatabaseSync(":memory:", { returnArrays: true });
  const database = open();
  expect(fileKind(database)).toEqual({ kind: "empty" });
  migrate(database, 0);
  expect(fileKind(database)).toEqual({ kind: "store", version: MIGRATIONS.length });
  migrate(database, MIGRATIONS.length);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  expect(fileKind(database)).toEqual({ kind: "newer", version: MIGRATIONS.length + 1 });
  const foreign = open();
  foreign.exec("CREATE TABLE notes (text TEXT)");
  expect(fileKind(foreign)).toEqual({ kind: "foreign" });
  foreign.exec(`PRAGMA application_id = ${APPLICATION_ID + 1}`);
  expect(fileKind(foreign)).toEqual({ kind: "foreign" });
});

test("a store of each older format is brought up to date with what it holds", () => {
  for (let version = 1; version < MIGRATIONS.length; version++) {
    const database = new DatabaseSync(":memory:", { returnArrays: true });
    for (const name of MIGRATIONS.slice(0, version)) database.exec(readFileSync(new URL(name, folder), "utf8"));
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
    database.exec("INSERT INTO log (ts, keys) VALUES (7, x'')");
    migrate(database, version);
    expect(fileKind(database)).toEqual({ kind: "store", version: MIGRATIONS.length });
    expect(database.prepare("SELECT ts FROM log").all()).toEqual([[7]]);
    expect(readPins(database)).toEqual([]);
  }
});

test("a migration that fails leaves nothing", () => {
  const database = new DatabaseSync(":memory:", { returnArrays: true });
  database.exec("CREATE TABLE log (other TEXT)");
  expect(() => migrate(database, 0)).toThrow();
  expect(database.isTransaction).toBe(false);
  expect(database.prepare("SELECT name FROM sqlite_schema").all()).toEqual([["log"]]);
});
