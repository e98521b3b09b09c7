import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { assert } from "@plinth/core/assert.ts";

export interface ConnectionOptions {
  readonly readOnly?: boolean;
  readonly cacheBytes: number;
  /** How long a statement waits for a lock of another connection. */
  readonly lockWaitMs: number;
}

/** Opens a connection as every part of the store wants it. The file must exist. */
export function openConnection(file: string, options: ConnectionOptions): DatabaseSync {
  const database = new DatabaseSync(file, {
    readOnly: options.readOnly ?? false,
    timeout: options.lockWaitMs,
    defensive: true,
    allowExtension: false,
    returnArrays: true,
  });
  try {
    database.exec(`PRAGMA cache_size = -${Math.ceil(options.cacheBytes / 1024)}`);
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA wal_autocheckpoint = 0");
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** A row as the connections of the store return it: the columns in their order. */
export type Row = readonly SQLOutputValue[];

/** The first row of a statement. */
export function firstRow(statement: StatementSync, ...parameters: (number | string | Uint8Array)[]): Row | undefined {
  const row: unknown = statement.get(...parameters);
  return row === undefined ? undefined : rowOf(row);
}

/** All rows of a statement. */
export function allRows(statement: StatementSync, ...parameters: (number | string | Uint8Array)[]): Row[] {
  const rows: unknown[] = statement.all(...parameters);
  return rows.map(rowOf);
}

/** A column that the schema declares as an integer. */
export function integerAt(row: Row, column: number): number {
  const value = row[column];
  assert(typeof value === "number", "the column holds an integer");
  return value;
}

/** A column that the schema declares as bytes. */
export function bytesAt(row: Row, column: number): Uint8Array {
  const value = row[column];
  assert(value instanceof Uint8Array, "the column holds bytes");
  return value;
}

/** SQLite's result code of a failed statement. */
export function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

export const SQLITE_BUSY = 5;

/** The text of a failure, for the person who reads the message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rowOf(row: unknown): Row {
  assert(Array.isArray(row), "a row is an array");
  return row;
}
