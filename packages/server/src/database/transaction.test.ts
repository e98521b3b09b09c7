import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import { callsOf, deploySchema, newScope, nextNowMs, openTestDatabase, query, read, schemaText, type TestDatabase, write } from "./test-database.ts";

const NOTES = defineRecordTable({ space: 0xfff0, name: "test notes", parse: (json) => json as { text: string } });
const TIMERS = defineRecordTable({ space: 0xfff1, name: "test timers", placement: "platform", parse: (json) => json as number });

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

function begin(scope = newScope(), readonly = false): Promise<Transaction> {
  return test.database.begin(scope, { readonly, nowMs: nextNowMs() });
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no error",
    (error: unknown) => error,
  );
}

describe("D1 snapshot and own writes", () => {
  it("D1 sees its own writes at once and those of others never", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { text: "first" }));
    const transaction = await begin(scope);
    const calls = callsOf(transaction);
    await write(test.database, scope, async (other) => {
      await other.patch(id, { text: "changed" });
      await other.insert("notes", { text: "second" });
    });
    expect((await calls.get(id))?.["text"]).toBe("first");
    expect(await calls.collect(query("notes"))).toHaveLength(1);
    const own = await calls.insert("notes", { text: "own" });
    expect((await calls.get(own))?.["text"]).toBe("own");
    expect((await calls.collect(query("notes"))).map((row) => row["text"])).toEqual(["first", "own"]);
    expect((await calls.collect(query("notes", { order: "desc" }))).map((row) => row["text"])).toEqual(["own", "first"]);
    await calls.remove(own);
    expect(await calls.get(own)).toBeNull();
    expect(await calls.count("notes")).toBe(1);
    transaction.release();
  });

  it("D1 reads a past moment", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { n: 1 }));
    const at = test.database.latest();
    await write(test.database, scope, (calls) => calls.patch(id, { n: 2 }));
    const transaction = await test.database.begin(scope, { readonly: true, at, nowMs: 0 });
    expect(transaction.ts).toBe(at);
    expect((await callsOf(transaction).get(id))?.["n"]).toBe(1);
    transaction.release();
  });

  it("D1 nothing of one tenant or branch is seen by another", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { secret: true }));
    for (const other of [newScope(), { tenant: scope.tenant, branch: "dev" }, { tenant: `${scope.tenant}x`, branch: "main" }]) {
      await write(test.database, other, async (calls) => {
        await calls.insert("notes", { own: true });
        expect(await calls.get(id)).toBeNull();
        expect(await errorOf(calls.patch(id, { secret: false }))).toMatchObject({ code: "InvalidArgument", message: `Update on nonexistent document ID ${id}` });
        expect(await errorOf(calls.remove(id))).toMatchObject({ code: "InvalidArgument" });
        expect(await calls.collect(query("notes"))).toHaveLength(1);
      });
    }
    expect(await read(test.database, scope, (calls) => calls.get(id))).toMatchObject({ secret: true });
  });

  it("D1 calls run in the order of their arrival", async () => {
    const transaction = await begin();
    const calls = callsOf(transaction);
    const insert = calls.insert("notes", { n: 1 });
    const count = calls.count("notes");
    const second = calls.insert("notes", { n: 2 });
    const rows = calls.collect(query("notes"));
    expect([await count, (await rows).length]).toEqual([1, 2]);
    await Promise.all([insert, second]);
    transaction.release();
  });

  it("gives system fields: increasing creation times and ids of 32 characters", async () => {
    const scope = newScope();
    await write(test.database, scope, async (calls) => {
      const ids = [];
      for (let i = 0; i < 5; i++) ids.push(await calls.insert("notes", { i }));
      const rows = await calls.collect(query("notes"));
      expect(rows.map((row) => row._id)).toEqual(ids);
      expect(rows[0]?._creationTime).toBe(nextNowMs() - 1000);
      for (const [at, row] of rows.entries()) {
        expect(row._id).toMatch(/^[0-9a-z]{32}$/);
        if (at > 0) expect(row._creationTime).toBeGreaterThan(rows[at - 1]?._creationTime ?? Number.NaN);
      }
    });
  });

  it("answers with the stored text and replaces, patches and removes as Convex does", async () => {
    const odd: unknown = JSON.parse('{"__proto__":{"constructor":1}}');
    await write(test.database, newScope(), async (calls) => {
      const id = await calls.insert("notes", { a: 1, b: { $integer: "AQAAAAAAAAA=" }, odd });
      const row = await calls.get(id);
      expect(await calls.patch(id, { a: { $undefined: null }, c: [true] })).toEqual({ _id: id, _creationTime: row?._creationTime, b: { $integer: "AQAAAAAAAAA=" }, c: [true], odd });
      expect(await calls.replace(id, { _id: id, _creationTime: row?._creationTime, d: 1 })).toEqual({ _id: id, _creationTime: row?._creationTime, d: 1 });
      expect(await calls.remove(id)).toEqual({ _id: id, _creationTime: row?._creationTime, d: 1 });
      expect(await calls.get(id)).toBeNull();
    });
  });
});

describe("D2 conflicts", () => {
  const readings: readonly [string, (transaction: Transaction, id: string) => Promise<unknown>][] = [
    ["a document", (transaction, id) => callsOf(transaction).get(id)],
    ["an absent document that appears", async (transaction, id) => callsOf(transaction).get(id)],
    ["a range into which a document comes (phantom)", (transaction) => callsOf(transaction).collect(query("notes"))],
    ["a count", (transaction) => callsOf(transaction).count("notes")],
    ["a page", (transaction) => callsOf(transaction).page(query("notes"), { cursor: null, pageSize: 5 })],
    ["a filtered query", (transaction) => callsOf(transaction).collect(query("notes", { operators: [{ filter: { $eq: [{ $field: "n" }, { $literal: 7 }] } }] }))],
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
        const added = await write(test.database, scope, async (calls) => [await calls.count("others"), await calls.insert("notes", { n })] as const);
        expect(await transaction.commit(), `${order} ${n}`).toMatchObject({ kind });
        await write(test.database, scope, (calls) => calls.remove(added[1]));
      }
    }
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
    const [x, y] = await write(test.database, scope, async (calls) => [await calls.insert("duty", { on: true }), await calls.insert("duty", { on: true })] as const);
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

describe("D3 one commit", () => {
  it("D3 documents, index entries, scheduled functions and records commit together or not at all", async () => {
    const scope = newScope();
    const blocker = await write(test.database, scope, (calls) => calls.insert("notes", {}));
    const fill = async (transaction: Transaction): Promise<void> => {
      await callsOf(transaction).patch(blocker, { touched: true });
      await callsOf(transaction).insert("notes", { n: 1 });
      await transaction.system.insert("_scheduled_functions", '{"name":"a:b","args":[{}],"scheduledTime":1,"state":{"kind":"pending"}}');
      transaction.records.put(NOTES, ["n"], { text: "n" });
      transaction.records.put(TIMERS, [scope.tenant, 1n], 5);
    };
    const counts = (): Promise<readonly number[]> =>
      read(test.database, scope, async (calls, transaction) => [
        await calls.count("notes"),
        await calls.count("_scheduled_functions"),
        (await transaction.records.range(NOTES, { prefix: [], limit: 10 })).length,
        (await transaction.records.range(TIMERS, { prefix: [scope.tenant], limit: 10 })).length,
      ]);
    const loser = await begin(scope);
    await fill(loser);
    await write(test.database, scope, (calls) => calls.patch(blocker, { other: true }));
    expect(await loser.commit()).toMatchObject({ kind: "conflict" });
    expect(await counts()).toEqual([1, 0, 0, 0]);
    await write(test.database, scope, (_, transaction) => fill(transaction));
    expect(await counts()).toEqual([2, 1, 1, 1]);
  });

  it("D3 calls that a function did not wait for are part of the commit; those that come later are refused", async () => {
    const scope = newScope();
    const transaction = await begin(scope);
    const calls = callsOf(transaction);
    const floating = [calls.insert("notes", { n: 1 }), calls.insert("notes", { n: 2 }), errorOf(calls.get("x"))];
    const commit = transaction.commit();
    const late = errorOf(calls.insert("notes", { n: 3 }));
    expect(await commit).toMatchObject({ kind: "committed" });
    await Promise.all(floating);
    expect(await late).toMatchObject({ code: "InvalidArgument" });
    expect(await read(test.database, scope, (after) => after.count("notes"))).toBe(2);
  });

  it("a release in the middle of calls refuses them", async () => {
    const scope = newScope();
    await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 100; n++) await calls.insert("notes", { n });
    });
    const transaction = await begin(scope);
    const outcomes = [errorOf(callsOf(transaction).collect(query("notes"))), errorOf(callsOf(transaction).count("notes"))];
    await Promise.resolve();
    transaction.release();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatchObject({ code: "InvalidArgument" });
    await transaction.idle();
  });

  it("a released transaction writes nothing, and later calls are refused", async () => {
    const scope = newScope();
    const transaction = await begin(scope);
    await callsOf(transaction).insert("notes", {});
    transaction.release();
    transaction.release();
    expect(await errorOf(callsOf(transaction).insert("notes", {}))).toMatchObject({ code: "InvalidArgument" });
    expect(await read(test.database, scope, (calls) => calls.count("notes"))).toBe(0);
  });
});

describe("D4 nested calls", () => {
  it("D4 an undone call leaves nothing but its reads", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { n: 1 }));
    const transaction = await begin(scope);
    const calls = callsOf(transaction);
    await calls.patch(id, { n: 2 });
    const outer = transaction.nested();
    await calls.patch(id, { n: 3 });
    await calls.insert("notes", { n: 30 });
    const inner = transaction.nested();
    await calls.remove(id);
    await calls.insert("fresh", {});
    transaction.records.put(NOTES, ["inner"], { text: "" });
    expect(await transaction.tables()).toHaveProperty("fresh");
    inner.undo();
    expect(await transaction.tables()).not.toHaveProperty("fresh");
    expect(await transaction.records.get(NOTES, ["inner"])).toBeUndefined();
    expect((await calls.collect(query("notes"))).map((row) => row["n"])).toEqual([3, 30]);
    outer.undo();
    expect((await calls.collect(query("notes"))).map((row) => row["n"])).toEqual([2]);
    const kept = transaction.nested();
    await calls.insert("notes", { n: 40 });
    kept.keep();
    expect(await transaction.commit()).toMatchObject({ kind: "committed" });
    expect((await read(test.database, scope, (after) => after.collect(query("notes")))).map((row) => row["n"])).toEqual([2, 40]);
    expect(await read(test.database, scope, (_, after) => after.tables())).not.toHaveProperty("fresh");
  });

  it("D4 what an undone call read stays in the read set", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("notes", { n: 1 }));
    const transaction = await begin(scope);
    const nested = transaction.nested();
    await callsOf(transaction).get(id);
    nested.undo();
    await callsOf(transaction).insert("others", {});
    await write(test.database, scope, (calls) => calls.patch(id, { n: 2 }));
    expect(await transaction.commit()).toMatchObject({ kind: "conflict" });
  });

  it("D4 a keep within an undone call is undone with it", async () => {
    const transaction = await begin();
    const calls = callsOf(transaction);
    const outer = transaction.nested();
    const inner = transaction.nested();
    await calls.insert("notes", {});
    inner.keep();
    expect(await calls.count("notes")).toBe(1);
    outer.undo();
    expect(await calls.count("notes")).toBe(0);
    transaction.release();
  });

  it("D4 streams of a call and of its nested calls are apart", async () => {
    const scope = newScope();
    await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 4; n++) await calls.insert("notes", { n });
    });
    const transaction = await begin(scope);
    const calls = callsOf(transaction);
    const next = async (argument: object): Promise<readonly unknown[]> => ((await calls.raw("plinth/queryNext", argument)) as { rows: { n: number }[] }).rows.map(({ n }) => n);
    expect(await next({ query: query("notes"), stream: 1, rows: 1 })).toEqual([0]);
    const nested = transaction.nested();
    expect(await errorOf(next({ stream: 1, rows: 1 }))).toMatchObject({ code: "InvalidArgument" });
    expect(await next({ query: query("notes", { order: "desc" }), stream: 1, rows: 1 })).toEqual([3]);
    nested.keep();
    expect(await next({ stream: 1, rows: 2 })).toEqual([1, 2]);
    transaction.release();
  });
});

describe("D5 limits", () => {
  const LARGE = "x".repeat(900_000);

  it("D5 documents written are counted over nested calls, undone ones too", async () => {
    const transaction = await begin();
    const calls = callsOf(transaction);
    const failures: unknown[] = [];
    for (let round = 0; failures.length === 0; round++) {
      const nested = transaction.nested();
      for (let i = 0; i < 5 && failures.length === 0; i++) {
        const outcome = await errorOf(calls.insert("notes", { LARGE }));
        if (outcome !== "no error") failures.push(outcome);
      }
      nested.undo();
      expect(round).toBeLessThan(20);
    }
    expect(failures[0]).toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("Bytes written") });
    expect(transaction.metrics().bytesWritten).toBeGreaterThan(limit("transactionWriteBytesMax"));
    transaction.release();
  });

  it("D5 documents and bytes read, queries, and documents written", async () => {
    const scope = newScope();
    const ids = await write(test.database, scope, async (calls) => {
      const made = [];
      for (let i = 0; i < 18; i++) made.push(await calls.insert(i < 10 ? "large" : "small", i < 10 ? { LARGE } : { i }));
      return made;
    });
    const bytes = await begin(scope, true);
    const nested = bytes.nested();
    expect(await callsOf(bytes).collect(query("large"))).toHaveLength(10);
    nested.undo();
    expect(await errorOf(callsOf(bytes).collect(query("large")))).toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("Bytes read") });
    bytes.release();

    const queries = await begin(scope, true);
    for (let i = 0; i < limit("transactionReadRangesMax"); i++) await queries.syscall("1.0/get", JSON.stringify({ id: ids[17] }));
    expect(await errorOf(callsOf(queries).get(ids[17] ?? ""))).toMatchObject({ code: "LimitExceeded" });
    expect(await errorOf(callsOf(queries).collect(query("small")))).toMatchObject({ code: "LimitExceeded" });
    queries.release();

    const documents = await begin(scope);
    for (let i = 0; i < limit("transactionWriteDocumentsMax"); i++) await documents.syscall("1.0/insert", '{"table":"many","value":{}}');
    expect(await errorOf(callsOf(documents).insert("many", {}))).toMatchObject({ code: "LimitExceeded" });
    expect(await errorOf(callsOf(documents).remove(ids[17] ?? ""))).toMatchObject({ code: "LimitExceeded" });
    expect(await callsOf(documents).count("many")).toBe(limit("transactionWriteDocumentsMax"));
    expect(await errorOf(callsOf(documents).collect(query("many"), 8192).then(() => callsOf(documents).count("many")))).toMatchObject({
      code: "LimitExceeded",
      message: expect.stringContaining("Documents read"),
    });
    documents.release();
  });

  it("D5 new tables and scheduled functions", async () => {
    const transaction = await begin();
    const calls = callsOf(transaction);
    for (let i = 0; i < limit("transactionTablesMax"); i++) await calls.insert(`table${i}`, {});
    expect(await errorOf(calls.insert("one_more", {}))).toMatchObject({ code: "LimitExceeded" });
    for (let i = 0; i < limit("transactionSchedulesMax"); i++) transaction.countSchedule(1);
    expect(() => transaction.countSchedule(1)).toThrow(expect.objectContaining({ code: "LimitExceeded" }));
    expect(transaction.metrics()).toMatchObject({ documentsWritten: 100, scheduledFunctionArgsBytes: 1001 });
    transaction.release();
  });

  it("D5 platform records and system documents are not the user's", async () => {
    const scope = newScope();
    await write(test.database, scope, async (_, transaction) => {
      transaction.records.put(NOTES, ["a"], { text: "a" });
      await transaction.records.get(NOTES, ["a"]);
      await transaction.system.insert("_storage", "{}");
      expect(transaction.metrics()).toEqual({ bytesRead: 0, bytesWritten: 0, databaseQueries: 0, documentsRead: 0, documentsWritten: 0, functionsScheduled: 0, scheduledFunctionArgsBytes: 0 });
    });
  });
});

describe("system tables", () => {
  it("are read through db.system alone and written by the platform alone", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (_, transaction) => transaction.system.insert("_scheduled_functions", '{"name":"a:b","state":{"kind":"pending"}}'));
    expect(id).toMatch(/^[0-9a-z]{32}$/);
    await write(test.database, scope, async (calls, transaction) => {
      const user = await calls.insert("notes", {});
      expect(await calls.get(id, { isSystem: true })).toMatchObject({ _id: id, name: "a:b" });
      expect(await errorOf(calls.get(id))).toMatchObject({ message: "System tables can only be accessed with db.system." });
      expect(await errorOf(calls.get(user, { isSystem: true }))).toMatchObject({ message: "User tables cannot be accessed with db.system." });
      for (const writing of [calls.patch(id, {}), calls.replace(id, {}), calls.remove(id), calls.insert("_storage", {})]) {
        expect(await errorOf(writing)).toMatchObject({ code: "InvalidArgument" });
      }
      expect(await calls.collect(query("_scheduled_functions"))).toHaveLength(1);
      await transaction.system.replace(id, '{"state":{"kind":"success"}}');
      expect(JSON.parse((await transaction.system.get(id)) ?? "")).toMatchObject({ _id: id, state: { kind: "success" } });
    });
    await write(test.database, scope, (_, transaction) => transaction.system.delete(id));
    expect(await read(test.database, scope, (calls) => calls.collect(query("_scheduled_functions")))).toEqual([]);
    const tables = await read(test.database, scope, (_, transaction) => transaction.tables());
    expect(tables["_storage"]).toBeLessThan(10_001);
    expect(tables["notes"]).toBe(10_001);
  });
});

describe("records", () => {
  it("are ordered by their keys, in both directions, behind a key and by prefix", async () => {
    const scope = newScope();
    await test.database.update(scope, (transaction) => {
      for (const key of [["a"], ["a", 1], ["a", 2], ["a", 10], ["b", -1], ["b", null], ["ab", true]]) transaction.records.put(NOTES, key, { text: key.join(".") });
      return Promise.resolve();
    });
    await read(test.database, scope, async (_, transaction) => {
      const list = async (options: Omit<Parameters<typeof transaction.records.range>[1], "limit">, limitRows = 100): Promise<unknown[]> =>
        (await transaction.records.range(NOTES, { ...options, limit: limitRows })).map(({ key }) => key);
      expect(await list({ prefix: [] })).toEqual([["a"], ["a", 1], ["a", 2], ["a", 10], ["ab", true], ["b", null], ["b", -1]]);
      expect(await list({ prefix: ["a"] })).toEqual([["a"], ["a", 1], ["a", 2], ["a", 10]]);
      expect(await list({ prefix: ["a"], order: "desc" }, 2)).toEqual([["a", 10], ["a", 2]]);
      expect(await list({ prefix: [], after: ["a", 2] }, 2)).toEqual([["a", 10], ["ab", true]]);
      expect(await list({ prefix: ["a"], after: ["a", 10], order: "desc" }, 2)).toEqual([["a", 2], ["a", 1]]);
      expect(await list({ prefix: ["a"], after: ["a", 10] })).toEqual([]);
      expect(await transaction.records.get(NOTES, ["a", 10])).toEqual({ text: "a.10" });
    });
    await test.database.update(scope, (transaction) => {
      transaction.records.delete(NOTES, ["a"]);
      return Promise.resolve();
    });
    expect(await test.database.read(scope, (transaction) => transaction.records.get(NOTES, ["a"]))).toBeUndefined();
  });

  it("platform tables lie in one place for all scopes, and a range shows commits into them", async () => {
    const seen: number[] = [];
    const range = test.database.recordRange(newScope(), TIMERS);
    const stop = test.store.onCommit((commit) => {
      for (const { key } of commit.writes) if (Buffer.compare(range.start, key) <= 0 && Buffer.compare(key, range.end) < 0) seen.push(commit.ts);
    });
    await write(test.database, newScope(), (_, transaction) => Promise.resolve(transaction.records.put(TIMERS, ["shared"], 1)));
    expect(await read(test.database, newScope(), (_, transaction) => transaction.records.get(TIMERS, ["shared"]))).toBe(1);
    stop();
    expect(seen).toHaveLength(1);
  });
});
