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
    const small = await measure(database, await fill(database, "small", SMALL));
    const startedMs = performance.now();
    const filled = await fill(database, "large", LARGE);
    const fillMs = performance.now() - startedMs;
    const large = await measure(database, filled);
    const [p50, p50Small] = [percentile(large.copyMs, 0.5), percentile(small.copyMs, 0.5)];
    return {
      name: "branch-copy",
      unit: "ms",
      p50: rounded(p50),
      p99: rounded(percentile(large.copyMs, 0.99)),
      raw: { what: `the same with ${SMALL} documents in place of ${LARGE}`, p50: rounded(p50Small) },
      ratio: rounded(p50Small / p50),
      details: {
        "get in the base, µs": rounded(large.getInBaseUs),
        "get in the copy, µs": rounded(large.getInCopyUs),
        "page of 100 in the base, µs": rounded(large.pageInBaseUs),
        "page of 100 in the copy, µs": rounded(large.pageInCopyUs),
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

interface Measured {
  readonly copyMs: readonly number[];
  readonly getInBaseUs: number;
  readonly getInCopyUs: number;
  readonly pageInBaseUs: number;
  readonly pageInCopyUs: number;
}

async function measure(database: Database, { scope, ids }: Filled): Promise<Measured> {
  const copyMs: number[] = [];
  let copy = scope;
  for (let i = 0; i < COPIES; i++) {
    copy = { tenant: TENANT, branch: `${scope.branch}-copy-${i}` };
    const fromMs = performance.now();
    await database.update(copy, (transaction) => database.createBranchFrom(transaction, { base: scope }));
    copyMs.push(performance.now() - fromMs);
  }
  const get = (transaction: Transaction, i: number): Promise<string> =>
    transaction.syscall("1.0/get", `{"id":"${ids[i % ids.length]}","isSystem":false,"version":"1.0.0"}`);
  const page = (transaction: Transaction): Promise<string> => transaction.syscall("1.0/queryPage", PAGE);
  return {
    copyMs: copyMs.sort((a, b) => a - b),
    getInBaseUs: await medianUs(database, scope, get),
    getInCopyUs: await medianUs(database, copy, get),
    pageInBaseUs: await medianUs(database, scope, page),
    pageInCopyUs: await medianUs(database, copy, page),
  };
}

const PAGE = JSON.stringify({
  query: { source: { type: "IndexRange", indexName: "notes.by_n", range: [], order: "asc" }, operators: [] },
  cursor: null,
  pageSize: 100,
  version: "1.0.0",
});

/** A transaction for each call, as a query has it. */
async function medianUs(database: Database, scope: Scope, call: (transaction: Transaction, i: number) => Promise<string>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const fromMs = performance.now();
    const answer = await database.read(scope, (transaction) => call(transaction, i));
    times.push((performance.now() - fromMs) * 1000);
    if (answer === "null" || answer.startsWith('{"page":[]')) throw new Error("nothing was read");
  }
  return percentile(
    times.sort((a, b) => a - b),
    0.5,
  );
}

function idOf(answer: string): string {
  const { _id } = JSON.parse(answer) as { _id: string };
  return _id;
}
