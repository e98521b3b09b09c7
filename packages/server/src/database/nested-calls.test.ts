import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import { callsOf, errorOf, newScope, nextNowMs, openTestDatabase, query, read, type TestDatabase, write } from "./test-database.ts";

const NOTES = defineRecordTable({ space: 0xfff5, name: "nested notes", parse: (json) => json as { text: string } });

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

function begin(scope = newScope(), readonly = false): Promise<Transaction> {
  return test.database.begin(scope, { readonly, nowMs: nextNowMs() });
}

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
    const next = async (argument: object): Promise<readonly unknown[]> =>
      ((await calls.raw("plinth/queryNext", argument)) as { rows: { n: number }[] }).rows.map(({ n }) => n);
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
    expect(await errorOf(callsOf(bytes).collect(query("large")))).toMatchObject({
      code: "LimitExceeded",
      message: expect.stringContaining("Bytes read"),
    });
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
    expect(
      await errorOf(
        callsOf(documents)
          .collect(query("many"), 8192)
          .then(() => callsOf(documents).count("many")),
      ),
    ).toMatchObject({
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
      expect(transaction.metrics()).toEqual({
        bytesRead: 0,
        bytesWritten: 0,
        databaseQueries: 0,
        documentsRead: 0,
        documentsWritten: 0,
        functionsScheduled: 0,
        scheduledFunctionArgsBytes: 0,
      });
    });
  });
});
