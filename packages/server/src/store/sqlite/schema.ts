import { readFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { firstRow, integerAt } from "./connection.ts";

/** Marks a file as a store of Plinth ("Plin"); SQLite keeps it in the header. */
export const APPLICATION_ID = 0x506c_696e;

/** All migrations in order. One that was released is never edited; a test holds their checksums. */
export const MIGRATIONS = ["0001-store.sql", "0002-pins.sql"] as const;

/** What a database file is, told from its header. */
export type FileKind =
  | { readonly kind: "empty" }
  | { readonly kind: "store"; readonly version: number }
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "foreign" };

export function fileKind(database: DatabaseSync): FileKind {
  const applicationId = integerPragma(database, "application_id");
  const version = integerPragma(database, "user_version");
  if (applicationId === APPLICATION_ID) {
    return version > MIGRATIONS.length ? { kind: "newer", version } : { kind: "store", version };
  }
  const pages = integerPragma(database, "page_count");
  return applicationId === 0 && version === 0 && pages === 0 ? { kind: "empty" } : { kind: "foreign" };
}

/** Brings an empty file or an older store to the newest schema, each step in a transaction of its own. */
export function migrate(database: DatabaseSync, fromVersion: number): void {
  for (let version = fromVersion; version < MIGRATIONS.length; version++) {
    const name = MIGRATIONS[version];
    const sql = readFileSync(new URL(`./migrations/${name}`, import.meta.url), "utf8");
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(sql);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA user_version = ${version + 1}`);
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}

function integerPragma(database: DatabaseSync, name: "application_id" | "user_version" | "page_count"): number {
  const row = firstRow(database.prepare(`PRAGMA ${name}`));
  return row === undefined ? 0 : integerAt(row, 0);
}
