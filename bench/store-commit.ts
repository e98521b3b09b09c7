import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSystemRuntime } from "../packages/server/src/runtime/system-runtime.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../packages/server/src/store/store.ts";
import { medianRun, rounded, type Bench } from "./bench.ts";
import { percentile } from "./load.ts";

const DURATION_MS = 2000;
const VALUE = new Uint8Array(200).fill(7);

/** Durable commits of one small write: one after the other, and from 32 clients that share syncs. */
export const storeCommit: Bench = async () => {
  const single = await medianRun(
    3,
    () => measure(1),
    ({ perSecond }) => perSecond,
  );
  const grouped = await measureGrouped();
  const rawPerSecond = measureSqlite();
  return {
    name: "store-commit",
    unit: "ms",
    p50: rounded(percentile(single.latenciesMs, 0.5)),
    p99: rounded(percentile(single.latenciesMs, 0.99)),
    perSecond: rounded(grouped.perSecond),
    raw: {
      what: "single durable inserts into a bare SQLite table, no thread",
      p50: rounded(1000 / rawPerSecond),
      perSecond: rounded(rawPerSecond),
    },
    ratio: rounded(single.perSecond / rawPerSecond),
    details: { "single per second": rounded(single.perSecond), "p50 of 32 clients, ms": rounded(percentile(grouped.latenciesMs, 0.5)) },
  };
};

export async function measureGrouped(): Promise<Measured> {
  return await medianRun(
    3,
    () => measure(32),
    ({ perSecond }) => perSecond,
  );
}

interface Measured {
  readonly latenciesMs: readonly number[];
  readonly perSecond: number;
}

async function measure(clients: number): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), "plinth-bench-"));
  const store = await openSqliteStore({ dataDir, runtime: createSystemRuntime() });
  try {
    return await commitFor(store, clients);
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function commitFor(store: Store, clients: number): Promise<Measured> {
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - startedMs < DURATION_MS) {
        const key = Buffer.alloc(12);
        key.writeUInt32BE(next++, 8);
        const fromMs = performance.now();
        await store.commit({ writes: [{ key, value: VALUE }] });
        latenciesMs.push(performance.now() - fromMs);
      }
    }),
  );
  const perSecond = latenciesMs.length / ((performance.now() - startedMs) / 1000);
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), perSecond };
}

/** The raw limit: what one synchronous insert with full sync takes. */
function measureSqlite(): number {
  const dataDir = mkdtempSync(join(tmpdir(), "plinth-bench-"));
  const database = new DatabaseSync(join(dataDir, "raw.db"));
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
  const insert = database.prepare("INSERT INTO entries (key, value) VALUES (?, ?)");
  const startedMs = performance.now();
  let count = 0;
  while (performance.now() - startedMs < DURATION_MS) {
    const key = Buffer.alloc(12);
    key.writeUInt32BE(count++, 8);
    insert.run(key, VALUE);
  }
  const perSecond = count / ((performance.now() - startedMs) / 1000);
  database.close();
  rmSync(dataDir, { recursive: true, force: true });
  return perSecond;
}
