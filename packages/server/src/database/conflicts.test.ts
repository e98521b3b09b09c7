import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Transaction } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import {
  callsOf,
  deploySchema,
  newScope,
  nextNowMs,
  openTestDatabase,
  query,
  read,
  schemaText,
  type TestDatabase,
  write,
} from "./test-database.ts";

const NOTES = defineRecordTable({ space: 0xfff3, name: "conflict notes", parse: (json) => json as { text: string } });
const TIMERS = defineRecordTable({ space: 0xfff4, name: "conflict timers", placement: "platform", parse: (json) => json as number });

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

function begin(scope = newScope(), readonly = false): Promise<Transaction> {
  return test.database.begin(scope, { readonly, nowMs: nextNowMs() });
}

describe("D2 conflicts", () => {
  const readings: readonly [string, (transaction: Transaction, id: string) => Promise<unknown>][] = [
    ["a document", (transaction, id) => callsOf(transaction).get(id)],
    ["an absent document that appears", async (transaction, id) => callsOf(transaction).get(id)],
    ["a range into which a document comes (phantom)", (transaction) => callsOf(transaction).collect(query("notes"))],
    ["a count", (transaction) => callsOf(transaction).count("notes")],
    ["a page", (transaction) => callsOf(transaction).page(query("notes"), { cursor: null, pageSize: 5 })],
    [
      "a filtered query",
      (transaction) =>
        callsOf(transaction).collect(query("notes", { operators: [{ filter: { $eq: [{ $field: "n" }, { $literal: 7 }] } }] })),
    ],
    ["a record", (transaction) => transaction.records.get(NOTES, ["a"])],
    ["a range of records", (transaction) => transaction.records.range(NOTES, { prefix: [], limit: 10 })],
    ["a platform record", (transaction) => transaction.records.get(TIMERS, ["x"])],
  ];

  it.each(readings)("D2 refuses a commit that read %s which changed meanwhile", async (_, reading) => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { n: 7 }));
    const transaction = await begin(scope);
    await reading(transaction, id);
    await callsOf(transaction).insert("others", {});
    await write(test.database, scope, async (calls, other) => {
      await calls.patch(id, { n: 8 });
      await calls.insert("notes", { n: 7 });
      other.records.put(NOTES, ["a"], { text: "x" });
      other.records.put(TIMERS, ["x"], 1);
    });
    expect(await transaction.commit()).toMatchObject({ kind: "conflict" });
    expect(await read(test.database, scope, (calls) => calls.count("others"))).toBe(0);
  });

  it("D2 names the table of the conflict", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", {}));
    const transaction = await begin(scope);
    await callsOf(transaction).patch(id, { a: 1 });
    await write(test.database, scope, (calls) => calls.patch(id, { b: 1 }));
    expect(await transaction.commit()).toEqual({ kind: "conflict", what: 'table "notes"' });
  });

  it("D2 a range that stops early is read up to the last key seen, and no further", async () => {
    const scope = newScope();
    const ids = await write(test.database, scope, async (calls) => {
      const made = [];
      for (let n = 0; n < 6; n++) made.push(await calls.insert("notes", { n }));
      return made;
    });
    const readFirstTwo = async (): Promise<Transaction> => {
      const transaction = await begin(scope);
      const rows = await callsOf(transaction).collect(query("notes", { operators: [{ limit: 2 }] }));
      expect(rows.map((row) => row["n"])).toEqual([0, 1]);
      await callsOf(transaction).insert("notes", { n: 99 });
      return transaction;
    };
    const first = await readFirstTwo();
    await write(test.database, scope, (calls) => calls.remove(ids[4] ?? ""));
    expect(await first.commit()).toMatchObject({ kind: "committed" });
    const second = await readFirstTwo();
    await write(test.database, scope, (calls) => calls.remove(ids[0] ?? ""));
    expect(await second.commit()).toMatchObject({ kind: "conflict" });
  });

  it("D2 a document that comes between those of a range that stopped early is a conflict; one behind them is none", async () => {
    const scope = newScope();
    await deploySchema(test.database, scope, schemaText({ notes: { indexes: { by_n: ["n"] } } }));
    await write(test.database, scope, async (calls) => {
      for (const n of [10, 20, 30, 40]) await calls.insert("notes", { n });
    });
    for (const [order, n, kind] of [
      ["asc", 15, "conflict"],
      ["asc", 25, "committed"],
      ["desc", 35, "conflict"],
      ["desc", 24, "committed"],
    ] as const) {
      for (const operators of [[{ limit: 2 }], [{ filter: { $gt: [{ $field: "n" }, { $literal: 0 }] } }, { limit: 2 }]]) {
        const transaction = await begin(scope);
        expect(await callsOf(transaction).collect(query("notes", { index: "by_n", order, operators }))).toHaveLength(2);
        await callsOf(transaction).insert("others", {});
        const added = await write(
          test.database,
          scope,
          async (calls) => [await calls.count("others"), await calls.insert("notes", { n })] as const,
        );
        expect(await transaction.commit(), `${order} ${n}`).toMatchObject({ kind });
        await write(test.database, scope, (calls) => calls.remove(added[1]));
      }
    }
  });

  it("D2 a range counts as read although its reading failed", async () => {
    const scope = newScope();
    await deploySchema(test.database, scope, schemaText({ notes: { indexes: { by_n: ["n"] } } }));
    await write(test.database, scope, async (calls) => {
      for (const n of [10, 20]) await calls.insert("notes", { n });
    });
    const transaction = await begin(scope);
    const wrong = { $add: [{ $field: "n" }, { $literal: 1 }] };
    await expect(callsOf(transaction).collect(query("notes", { index: "by_n", operators: [{ filter: wrong }] }))).rejects.toMatchObject({
      code: "InvalidArgument",
    });
    await callsOf(transaction).insert("others", {});
    await write(test.database, scope, async (calls) => [await calls.count("others"), await calls.insert("notes", { n: 5 })]);
    expect(await transaction.commit()).toMatchObject({ kind: "conflict" });
  });

  it("D2 two transactions that make the same table conflict, and the one that runs again joins it", async () => {
    const scope = newScope();
    const [a, b] = [await begin(scope), await begin(scope)];
    await callsOf(a).insert("notes", {});
    await callsOf(b).insert("notes", {});
    expect(await a.commit()).toMatchObject({ kind: "committed" });
    expect(await b.commit()).toEqual({ kind: "conflict", what: "the tables and the schema" });
    await write(test.database, scope, (calls) => calls.insert("notes", {}));
    expect(await read(test.database, scope, (calls) => calls.count("notes"))).toBe(2);
  });

  it("D2 refuses write skew", async () => {
    const scope = newScope();
    const [x, y] = await write(
      test.database,
      scope,
      async (calls) => [await calls.insert("duty", { on: true }), await calls.insert("duty", { on: true })] as const,
    );
    const [a, b] = [await begin(scope), await begin(scope)];
    for (const [transaction, own] of [
      [a, x],
      [b, y],
    ] as const) {
      const on = (await callsOf(transaction).collect(query("duty"))).filter((row) => row["on"] === true);
      expect(on).toHaveLength(2);
      await callsOf(transaction).patch(own, { on: false });
    }
    expect(await a.commit()).toMatchObject({ kind: "committed" });
    expect(await b.commit()).toMatchObject({ kind: "conflict" });
  });

  it("D2 update runs again until it commits", async () => {
    const scope = newScope();
    const add = (): Promise<void> =>
      test.database.update(scope, async (transaction) => {
        const before = await transaction.records.get(NOTES, ["sum"]);
        transaction.records.put(NOTES, ["sum"], { text: String(Number(before?.text ?? 0) + 1) });
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await test.database.read(scope, (transaction) => transaction.records.get(NOTES, ["sum"]))).toEqual({ text: "20" });
  });

  it("what a read-only transaction read is given as ranges", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("notes", {}));
    await read(test.database, scope, async (calls, transaction) => {
      expect(transaction.readRanges()).toHaveLength(0);
      await calls.collect(query("notes"));
      // The catalogue, the range of the index and one document.
      expect(transaction.readRanges()).toHaveLength(3);
      expect(await transaction.commit()).toEqual({ kind: "committed", ts: transaction.ts });
    });
  });
});
