/** Work that user code can multiply without sending much: bounded for a transaction, and done with pauses. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Scope, Transaction } from "./database.ts";
import {
  callsOf,
  deploySchema,
  newScope,
  nextNowMs,
  objectValidator,
  openTestDatabase,
  query,
  schemaText,
  type TestDatabase,
} from "./test-database.ts";

let test: TestDatabase;
let clockMs = 0;
let pauses = 0;
const system = createSystemRuntime();
/** On its clock every piece of work takes long enough for a pause. */
const hasty: Runtime = {
  ...system,
  monotonicMs: () => (clockMs += limit("databaseSliceMs")),
  sleep: (delayMs, signal) => {
    pauses++;
    return system.sleep(delayMs, signal);
  },
};
const scope: Scope = newScope();
/** A text of the list costs as many steps as the union has members. */
const MEMBERS = 1000;
const union = { type: "union", value: Array.from({ length: MEMBERS }, (_, value) => ({ type: "literal", value })) };

beforeAll(async () => {
  test = await openTestDatabase(hasty);
  await deploySchema(
    test.database,
    scope,
    schemaText({ slow: { document: objectValidator({ list: { type: "array", value: union } }) }, rows: {} }),
  );
});
afterAll(() => test.close());

const begin = (): Promise<Transaction> => test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
const slowList = (steps: number): number[] => Array<number>(steps / MEMBERS).fill(MEMBERS - 1);

/** Pauses that the database makes while `body` runs. */
async function pausesDuring(body: () => Promise<unknown>): Promise<number> {
  const before = pauses;
  await body();
  return pauses - before;
}

it("checks of documents are bounded one by one and together, whatever is caught or undone in between", async () => {
  const transaction = await begin();
  const calls = callsOf(transaction);
  const one = limit("validationStepsMax");
  await expect(calls.insert("slow", { list: slowList(one) })).rejects.toMatchObject({
    code: "LimitExceeded",
    message: expect.stringContaining("Steps of the validation of a value"),
  });
  let inserted = 0;
  const insertMany = async (): Promise<void> => {
    for (; inserted < 1000; inserted++) {
      const nested = transaction.nested();
      await calls.insert("slow", { list: slowList(one / 4) }).finally(() => nested.undo());
    }
  };
  const paused = await pausesDuring(() =>
    expect(insertMany()).rejects.toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("all values of a call") }),
  );
  expect(inserted).toBeGreaterThan(10);
  expect(inserted).toBeLessThanOrEqual((4 * limit("validationStepsPerCallMax")) / one);
  expect(paused).toBeGreaterThanOrEqual(inserted);
  await expect(calls.insert("slow", { list: [1] })).rejects.toMatchObject({ code: "LimitExceeded" });
  transaction.release();
  const next = await begin();
  await callsOf(next).insert("slow", { list: [1] });
  next.release();
});

it("filters are bounded for one document and for all queries of a transaction", async () => {
  const transaction = await begin();
  const calls = callsOf(transaction);
  for (let n = 0; n < 100; n++) await calls.insert("rows", { n, text: "x".repeat(8000) });
  const same = { $eq: [{ $field: "text" }, { $field: "text" }] };
  const run = (stream: number, filters: number, comparisons: number): Promise<string> =>
    transaction.syscall(
      "plinth/queryNext",
      JSON.stringify({
        query: query("rows", {
          operators: Array.from({ length: filters }, () => ({ filter: { $and: Array<unknown>(comparisons).fill(same) } })),
        }),
        stream,
        rows: 100,
      }),
    );
  await expect(run(0, 10, 100)).rejects.toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("for one document") });
  let queries = 1;
  const runMany = async (): Promise<void> => {
    for (; queries < 1000; queries++) await run(queries, 1, 10);
  };
  const paused = await pausesDuring(() =>
    expect(runMany()).rejects.toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("one function call") }),
  );
  expect(queries).toBeGreaterThan(2);
  expect(queries).toBeLessThan(20);
  expect(paused).toBeGreaterThanOrEqual(100 * (queries - 2));
  transaction.release();
});
