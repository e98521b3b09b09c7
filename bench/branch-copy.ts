import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database, Scope, Transaction } from "../packages/server/src/database/database.ts";
import { openDatabase } from "../packages/server/src/database/open-database.ts";
import { createSystemRuntime } from "../packages/server/src/runtime/system-runtime.ts";
import { openSqliteStore } from "../packages/server/src/store/sqlite/open-sqlite-store.ts";
import { rounded, type Bench } from "./bench.ts";
import { percentile } from "./load.ts";

const COPIES = 50;
const READS = 2000;
const BATCH = 4000;
const SMALL = 1000;
const LARGE = 1_000_000;
const TENANT = "bench";

/** How long a branch takes that starts with the data of another: of a million documents and, as the raw figure, of a thousand. */
export const branchCopy: Bench = async () => {
  const runtime = createSystemRuntime();
  const dataDir = mkdtempSync(join(tmpdir(), "plinth-bench-"));
  const store = await openSqliteStore({ dataDir, runtime });
  const database = await openDatabase({ store, runtime });
  try {
    const small = await fill(database, "small", SMALL);
    const startedMs = performance.now();
    const large = await fill(database, "large", LARGE);
    const fillMs = performance.now() - startedMs;
    // In turns, so that what else the machine does disturbs both alike.
    const smallMs: number[] = [];
    const largeMs: number[] = [];
    for (let i = 0; i < COPIES; i++) {
      smallMs.push(await copyOnce(database, small.scope, i));
      largeMs.push(await copyOnce(database, large.scope, i));
    }
    const [p50, p50Small] = [percentile(inOrder(largeMs), 0.5), percentile(inOrder(smallMs), 0.5)];
    const base = large.scope;
    const copy = copyOf(base, 0);
    return {
      name: "branch-copy",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(inOrder(largeMs), 0.99)),
      raw: { what: `the same with ${SMALL} documents in place of ${LARGE}`, p50: rounded(p50Small) },
      ratio: rounded(p50Small / p50),
      details: {
        "get in the base, µs": rounded(await medianUs(database, base, get(large))),
        "get in the copy, µs": rounded(await medianUs(database, copy, get(large))),
        "page of 100 in the base, µs": rounded(await medianUs(database, base, page)),
        "page of 100 in the copy, µs": rounded(await medianUs(database, copy, page)),
        "documents inserted per second": rounded(LARGE / (fillMs / 1000)),
      },
    };
  } finally {
    await database.close();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
};

interface Filled {
  readonly scope: Scope;
  /** Some of the documents. */
  readonly ids: readonly string[];
}

/** Inserts through the database, with one index. */
async function fill(database: Database, branch: string, count: number): Promise<Filled> {
  const scope = { tenant: TENANT, branch };
  const prepared = await database.prepareSchema(scope, SCHEMA);
  await database.update(scope, (transaction) => database.activateSchema(transaction, prepared));
  const ids: string[] = [];
  for (let done = 0; done < count; done += BATCH) {
    await database.update(scope, async (transaction) => {
      for (let n = done; n < Math.min(done + BATCH, count); n++) {
        const answer = await transaction.syscall("1.0/insert", `{"table":"notes","value":{"n":${n},"text":"${"x".repeat(100)}"}}`);
        if (n % Math.ceil(count / 1000) === 0) ids.push(idOf(answer));
      }
    });
  }
  return { scope, ids };
}

const SCHEMA = JSON.stringify({
  tables: [
    {
      tableName: "notes",
      indexes: [{ indexDescriptor: "by_n", fields: ["n"] }],
      stagedDbIndexes: [],
      searchIndexes: [],
      stagedSearchIndexes: [],
      vectorIndexes: [],
      stagedVectorIndexes: [],
      documentType: { type: "any" },
    },
  ],
  schemaValidation: true,
});

function copyOf(scope: Scope, number: number): Scope {
  return { tenant: TENANT, branch: `${scope.branch}-copy-${number}` };
}

async function copyOnce(database: Database, base: Scope, number: number): Promise<number> {
  const fromMs = performance.now();
  await database.update(copyOf(base, number), (transaction) => database.createBranchFrom(transaction, { base }));
  return performance.now() - fromMs;
}

function inOrder(times: readonly number[]): readonly number[] {
  return times.toSorted((a, b) => a - b);
}

type Call = (transaction: Transaction, i: number) => Promise<string>;

function get({ ids }: Filled): Call {
  return (transaction, i) => transaction.syscall("1.0/get", `{"id":"${ids[i % ids.length]}","isSystem":false,"version":"1.0.0"}`);
}

const page: Call = (transaction) => transaction.syscall("1.0/queryPage", PAGE);

const PAGE = JSON.stringify({
  query: { source: { type: "IndexRange", indexName: "notes.by_n", range: [], order: "asc" }, operators: [] },
  cursor: null,
  pageSize: 100,
  version: "1.0.0",
});

/** A transaction for each call, as a query has it. */
async function medianUs(database: Database, scope: Scope, call: Call): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const fromMs = performance.now();
    const answer = await database.read(scope, (transaction) => call(transaction, i));
    times.push((performance.now() - fromMs) * 1000);
    if (answer === "null" || answer.startsWith('{"page":[]')) throw new Error("nothing was read");
  }
  return percentile(inOrder(times), 0.5);
}

function idOf(answer: string): string {
  const { _id } = JSON.parse(answer) as { _id: string };
  return _id;
}
