import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Transaction } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import { callsOf, errorOf, newScope, nextNowMs, openTestDatabase, query, read, type TestDatabase, write } from "./test-database.ts";

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
        expect(await errorOf(calls.patch(id, { secret: false }))).toMatchObject({
          code: "InvalidArgument",
          message: `Update on nonexistent document ID ${id}`,
        });
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
      expect(await calls.patch(id, { a: { $undefined: null }, c: [true] })).toEqual({
        _id: id,
        _creationTime: row?._creationTime,
        b: { $integer: "AQAAAAAAAAA=" },
        c: [true],
        odd,
      });
      expect(await calls.replace(id, { _id: id, _creationTime: row?._creationTime, d: 1 })).toEqual({
        _id: id,
        _creationTime: row?._creationTime,
        d: 1,
      });
      expect(await calls.remove(id)).toEqual({ _id: id, _creationTime: row?._creationTime, d: 1 });
      expect(await calls.get(id)).toBeNull();
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

describe("system tables", () => {
  it("are read through db.system alone and written by the platform alone", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (_, transaction) =>
      transaction.system.insert("_scheduled_functions", '{"name":"a:b","state":{"kind":"pending"}}'),
    );
    expect(id).toMatch(/^[0-9a-z]{32}$/);
    await write(test.database, scope, async (calls, transaction) => {
      const user = await calls.insert("notes", {});
      expect(await calls.get(id, { isSystem: true })).toMatchObject({ _id: id, name: "a:b" });
      expect(await errorOf(calls.get(id))).toMatchObject({ message: "System tables can only be accessed with db.system." });
      expect(await errorOf(calls.get(user, { isSystem: true }))).toMatchObject({
        message: "User tables cannot be accessed with db.system.",
      });
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
      for (const key of [["a"], ["a", 1], ["a", 2], ["a", 10], ["b", -1], ["b", null], ["ab", true]])
        transaction.records.put(NOTES, key, { text: key.join(".") });
      return Promise.resolve();
    });
    await read(test.database, scope, async (_, transaction) => {
      const list = async (options: Omit<Parameters<typeof transaction.records.range>[1], "limit">, limitRows = 100): Promise<unknown[]> =>
        (await transaction.records.range(NOTES, { ...options, limit: limitRows })).map(({ key }) => key);
      expect(await list({ prefix: [] })).toEqual([["a"], ["a", 1], ["a", 2], ["a", 10], ["ab", true], ["b", null], ["b", -1]]);
      expect(await list({ prefix: ["a"] })).toEqual([["a"], ["a", 1], ["a", 2], ["a", 10]]);
      expect(await list({ prefix: ["a"], order: "desc" }, 2)).toEqual([
        ["a", 10],
        ["a", 2],
      ]);
      expect(await list({ prefix: [], after: ["a", 2] }, 2)).toEqual([
        ["a", 10],
        ["ab", true],
      ]);
      expect(await list({ prefix: ["a"], after: ["a", 10], order: "desc" }, 2)).toEqual([
        ["a", 2],
        ["a", 1],
      ]);
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
      for (const { key } of commit.writes)
        if (Buffer.compare(range.start, key) <= 0 && Buffer.compare(key, range.end) < 0) seen.push(commit.ts);
    });
    await write(test.database, newScope(), (_, transaction) => Promise.resolve(transaction.records.put(TIMERS, ["shared"], 1)));
    expect(await read(test.database, newScope(), (_, transaction) => transaction.records.get(TIMERS, ["shared"]))).toBe(1);
    stop();
    expect(seen).toHaveLength(1);
  });
});
