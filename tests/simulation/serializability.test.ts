/**
 * Random concurrent transactions against a running host, checked for strict serializability. A failing history is
 * repeated with PLINTH_TEST_SEED; PLINTH_TEST_LONG runs thousands.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../packages/cli/src/client.ts";
import { CommandFailure } from "../../packages/cli/src/failure.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";
import { findAnomaly, type Operation, type Transaction } from "./list-append-checker.ts";
import { chooseSeed, Random, rounds } from "./random.ts";

const HISTORIES = rounds({ ci: 150, long: 3000 });
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

async function runHistory(seed: number, index: number): Promise<{ readonly transactions: Transaction[]; readonly failures: number }> {
  const transactions: Transaction[] = [];
  let nextValue = 1;
  let failures = 0;
  const form = index % 2 === 0 ? "document" : "range";
  const client = async (number: number) => {
    const random = new Random(seed + index * 1009 + number * 31);
    for (let i = 0; i < TRANSACTIONS_PER_CLIENT; i += 1) {
      const operations = Array.from({ length: random.integer(1, 4) }, (): Operation => {
        const key = random.pick(KEYS);
        return random.next() < 0.5 ? { kind: "read", key } : { kind: "append", key, value: nextValue++ };
      });
      const startedMs = performance.now();
      const reads = await transact(`${seed}-${index}`, form, operations);
      if (reads === undefined) failures += 1;
      // What failed with a conflict did not happen; the checker takes it as unknown, which is weaker.
      transactions.push({ operations, startedMs, endedMs: performance.now(), ...(reads === undefined ? {} : { reads }) });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return { transactions, failures };
}

async function transact(
  history: string,
  form: "document" | "range",
  operations: readonly Operation[],
): Promise<Transaction["reads"] | undefined> {
  const readsOnly = operations.every(({ kind }) => kind === "read");
  try {
    const result = readsOnly
      ? await callFunction(host.connection, "lists:read", { history, form, keys: operations.map(({ key }) => key) })
      : await callFunction(host.connection, "lists:transact", { history, form, operations: operations as unknown as Json });
    return result as unknown as Transaction["reads"];
  } catch (error) {
    if (error instanceof CommandFailure && /OptimisticConcurrency|changed while it ran/.test(`${error.code} ${error.message}`))
      return undefined;
    throw error;
  }
}
