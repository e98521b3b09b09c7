/**
 * Random concurrent transactions against a running host, checked for strict serializability. A failing history is
 * repeated with PLINTH_TEST_SEED; PLINTH_TEST_LONG runs thousands.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, field, type Json } from "../../packages/cli/src/client.ts";
import type { Connection } from "../../packages/cli/src/connection.ts";
import { CommandFailure } from "../../packages/cli/src/failure.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";
import { findAnomaly, type Operation, type Transaction } from "./list-append-checker.ts";
import { chooseSeed, Random, rounds } from "./random.ts";

const HISTORIES = rounds({ ci: 150, long: 3000 });
const COPIED_HISTORIES = rounds({ ci: 8, long: 40 });
const AT_ONCE = 6;
const CLIENTS = 4;
const TRANSACTIONS_PER_CLIENT = 5;
const KEYS = ["x", "y", "z"];

let host: LocalHost;

beforeAll(async () => {
  host = await startLocalHost();
  await deployFolder(host.connection, join(import.meta.dirname, "..", "functions", "convex"));
});

afterAll(async () => {
  await host.stop();
});

test(
  `${HISTORIES} histories are strictly serializable`,
  async () => {
    const seed = chooseSeed();
    console.log(`seed ${seed}`);
    let conflictsReported = 0;
    for (let first = 0; first < HISTORIES; first += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, HISTORIES - first) }, (_, i) => first + i);
      const results = await Promise.all(batch.map((index) => runHistory(seed, index)));
      for (const [i, { transactions, failures }] of results.entries()) {
        conflictsReported += failures;
        const anomaly = findAnomaly(transactions);
        if (anomaly !== null) expect.fail(`history ${first + i} of seed ${seed}: ${anomaly}\n${JSON.stringify(transactions, null, 1)}`);
      }
    }
    // Retries hide nearly all conflicts; a host that gives most of them to its callers is not usable.
    expect(conflictsReported).toBeLessThan(HISTORIES * CLIENTS * TRANSACTIONS_PER_CLIENT * 0.05);
  },
  HISTORIES * 2000,
);

test(
  `${COPIED_HISTORIES} histories that go on in a copied branch, and in its base at the same time, are strictly serializable`,
  async () => {
    const seed = chooseSeed();
    console.log(`seed ${seed}`);
    const indexes = Array.from({ length: COPIED_HISTORIES }, (_, i) => 1_000_000 + i);
    const before = await Promise.all(indexes.map((index) => runHistory(seed, index)));
    const name = `copy-${seed}`;
    const key = field(await call(host.connection, "/v1/branches", { body: { name, from: "main" } }), "key") ?? "";
    const branch: Connection = { ...host.connection, branchHeaders: { "x-plinth-branch": name, "x-plinth-branch-key": key } };
    const goOn = (connection: Connection) =>
      Promise.all(indexes.map((index) => runHistory(seed, index, { connection, firstValue: 1000, clientSeed: 500 })));
    const [inBranch, inBase] = await Promise.all([goOn(branch), goOn(host.connection)]);
    // What happened before the copy belongs to both.
    for (const after of [inBranch, inBase]) {
      for (const [i, { transactions }] of after.entries()) {
        const whole = [...(before[i]?.transactions ?? []), ...transactions];
        const anomaly = findAnomaly(whole);
        if (anomaly !== null) expect.fail(`history ${i} of seed ${seed}: ${anomaly}\n${JSON.stringify(whole, null, 1)}`);
      }
    }
    expect(inBranch.flatMap(({ transactions }) => transactions).some(({ reads }) => reads !== undefined)).toBe(true);
  },
  COPIED_HISTORIES * 10_000,
);

interface Part {
  readonly connection: Connection;
  /** Values of the part begin here. */
  readonly firstValue: number;
  readonly clientSeed: number;
}

async function runHistory(
  seed: number,
  index: number,
  { connection, firstValue, clientSeed }: Part = { connection: host.connection, firstValue: 1, clientSeed: 0 },
): Promise<{ readonly transactions: Transaction[]; readonly failures: number }> {
  const transactions: Transaction[] = [];
  let nextValue = firstValue;
  let failures = 0;
  const form = index % 2 === 0 ? "document" : "range";
  const client = async (number: number) => {
    const random = new Random(seed + index * 1009 + number * 31 + clientSeed);
    for (let i = 0; i < TRANSACTIONS_PER_CLIENT; i += 1) {
      const operations = Array.from({ length: random.integer(1, 4) }, (): Operation => {
        const key = random.pick(KEYS);
        return random.next() < 0.5 ? { kind: "read", key } : { kind: "append", key, value: nextValue++ };
      });
      const startedMs = performance.now();
      const reads = await transact(connection, { history: `${seed}-${index}`, form, operations });
      if (reads === undefined) failures += 1;
      // What failed with a conflict did not happen; the checker takes it as unknown, which is weaker.
      transactions.push({ operations, startedMs, endedMs: performance.now(), ...(reads === undefined ? {} : { reads }) });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return { transactions, failures };
}

async function transact(
  connection: Connection,
  {
    history,
    form,
    operations,
  }: { readonly history: string; readonly form: "document" | "range"; readonly operations: readonly Operation[] },
): Promise<Transaction["reads"] | undefined> {
  const readsOnly = operations.every(({ kind }) => kind === "read");
  try {
    const result = readsOnly
      ? await callFunction(connection, "lists:read", { history, form, keys: operations.map(({ key }) => key) })
      : await callFunction(connection, "lists:transact", { history, form, operations: operations as unknown as Json });
    return result as unknown as Transaction["reads"];
  } catch (error) {
    if (error instanceof CommandFailure && /OptimisticConcurrency|changed while it ran/.test(`${error.code} ${error.message}`))
      return undefined;
    throw error;
  }
}
