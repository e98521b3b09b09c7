import { limit } from "@plinth/core/limits.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Scope } from "./database.ts";
import { defineRecordTable } from "./record-tables.ts";
import {
  type Calls,
  callsOf,
  deploySchema,
  errorOf,
  newScope,
  nextNowMs,
  openTestDatabase,
  query,
  read,
  schemaText,
  write,
  type Row,
  type TestDatabase,
} from "./test-database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

async function copy(base: Scope, branch: string, at?: number): Promise<Scope> {
  const scope = { tenant: base.tenant, branch };
  await test.database.update(scope, (transaction) =>
    test.database.createBranchFrom(transaction, at === undefined ? { base } : { base, at }),
  );
  return scope;
}

const MARKS = defineRecordTable({ space: 0xfff5, name: "test marks", parse: (json) => json === true });

const SCHEMA = schemaText({ notes: { indexes: { by_n: ["n"] } } });
const BY_N = query("notes", { index: "by_n" });

function numbers(rows: readonly Row[]): unknown[] {
  return rows.map((row) => row["n"]);
}

async function numbersIn(scope: Scope, options: Parameters<typeof query>[1] = { index: "by_n" }): Promise<unknown[]> {
  return read(test.database, scope, async (calls) => numbers(await calls.collect(query("notes", options))));
}

async function filled(count = 4): Promise<{ scope: Scope; ids: string[] }> {
  const scope = newScope();
  await deploySchema(test.database, scope, SCHEMA);
  const ids = await write(test.database, scope, async (calls) => {
    const made: string[] = [];
    for (let n = 1; n <= count; n++) made.push(await calls.insert("notes", { n }));
    return made;
  });
  return { scope, ids };
}

describe("a branch over another one", () => {
  it("D6 shows the base as of the moment, and its own changes over it", async () => {
    const { scope, ids } = await filled();
    const branch = await copy(scope, "b");
    const [first = "", second = ""] = ids;
    await write(test.database, scope, async (calls) => {
      await calls.remove(first);
      await calls.insert("notes", { n: 100 });
    });
    expect(await numbersIn(branch)).toEqual([1, 2, 3, 4]);
    await write(test.database, branch, async (calls) => {
      await calls.remove(second);
      await calls.patch(first, { n: 50 });
      await calls.insert("notes", { n: 7 });
      expect(numbers(await calls.collect(BY_N))).toEqual([3, 4, 7, 50]);
    });
    expect(await numbersIn(branch)).toEqual([3, 4, 7, 50]);
    expect(await numbersIn(branch, { index: "by_n", order: "desc" })).toEqual([50, 7, 4, 3]);
    expect(await numbersIn(branch, {})).toEqual([50, 3, 4, 7]);
    expect(await numbersIn(scope)).toEqual([2, 3, 4, 100]);
    await read(test.database, branch, async (calls) => {
      expect(await calls.get(second)).toBeNull();
      expect(await calls.get(first)).toMatchObject({ n: 50 });
      expect(await calls.count("notes")).toBe(4);
    });
  });

  it("D6 L2 conflicts with commits into the branch, and with none into the base", async () => {
    const { scope, ids } = await filled();
    const branch = await copy(scope, "b");
    const [first = "", second = ""] = ids;
    const outcomeAfter = async (other: Scope, change: (calls: Calls) => Promise<unknown>): Promise<string> => {
      const transaction = await test.database.begin(branch, { readonly: false, nowMs: nextNowMs() });
      const calls = callsOf(transaction);
      await calls.get(first);
      const range = [{ type: "Lt", fieldPath: "n", value: 3 }];
      await calls.collect(query("notes", { index: "by_n", range }));
      const mine = Buffer.from(`${branch.tenant}\0${branch.branch}\0`);
      for (const { start } of transaction.readRanges()) expect(Buffer.from(start).subarray(0, mine.length).equals(mine)).toBe(true);
      await calls.insert("notes", { n: 90 });
      await write(test.database, other, change);
      return (await transaction.commit()).kind;
    };
    expect(await outcomeAfter(scope, (calls) => calls.patch(first, { n: 2 }))).toBe("committed");
    expect(await outcomeAfter(scope, (calls) => calls.remove(second))).toBe("committed");
    expect(await outcomeAfter(branch, (calls) => calls.insert("notes", { n: 80 }))).toBe("committed");
    expect(await outcomeAfter(branch, (calls) => calls.insert("notes", { n: 0 }))).toBe("conflict");
    expect(await outcomeAfter(branch, (calls) => calls.remove(second))).toBe("conflict");
    expect(await outcomeAfter(branch, (calls) => calls.patch(first, { other: 1 }))).toBe("conflict");
  });

  it("is made together with the rest of its transaction, or not at all", async () => {
    const { scope } = await filled();
    const branch = { tenant: scope.tenant, branch: "b" };
    const transaction = await test.database.begin(branch, { readonly: false, nowMs: nextNowMs() });
    await test.database.createBranchFrom(transaction, { base: scope });
    expect(numbers(await callsOf(transaction).collect(BY_N))).toEqual([1, 2, 3, 4]);
    const other = await test.database.begin(branch, { readonly: false, nowMs: nextNowMs() });
    await callsOf(other).insert("first", {});
    expect((await other.commit()).kind).toBe("committed");
    expect((await transaction.commit()).kind).toBe("conflict");
    expect(await numbersIn(branch, {})).toEqual([]);
    await test.database.eraseBranch(branch);
    await copy(scope, "b");
    expect(await numbersIn(branch)).toEqual([1, 2, 3, 4]);
  });

  it("L1 starts without the system documents and records of its base, and with tables and indexes of its own after the base's", async () => {
    const { scope } = await filled();
    const id = await test.database.update(scope, (transaction) => {
      transaction.records.put(MARKS, ["a"], true);
      return transaction.system.insert("_scheduled_functions", '{"name":"x"}');
    });
    const branch = await copy(scope, "b");
    await test.database.read(branch, async (transaction) => {
      expect(await transaction.system.get(id)).toBeNull();
      expect(await callsOf(transaction).get(id, { isSystem: true })).toBeNull();
      expect(await callsOf(transaction).collect(query("_scheduled_functions"))).toEqual([]);
      expect(await callsOf(transaction).count("_scheduled_functions")).toBe(0);
      expect(await transaction.records.range(MARKS, { prefix: [], limit: 10 })).toEqual([]);
    });
    const tables = (of: Scope): Promise<Readonly<Record<string, number>>> => test.database.read(of, (transaction) => transaction.tables());
    await write(test.database, branch, (calls) => calls.insert("mine", { n: 1 }));
    await write(test.database, scope, (calls) => calls.insert("yours", { n: 2 }));
    const [mine, yours] = [await tables(branch), await tables(scope)];
    expect(mine).toEqual({ ...yours, yours: undefined, mine: yours["yours"] });
    expect(await read(test.database, branch, (calls) => calls.count("mine"))).toBe(1);
  });

  it("has a schema of its own: indexes are filled through the layers, dropped ones are gone, documents of the base are checked", async () => {
    const { scope } = await filled(40);
    const branch = await copy(scope, "b");
    const below = await copy(branch, "below");
    const next = schemaText({ notes: { indexes: { by_half: ["half"], by_m: ["m", "n"] } } });
    await deploySchema(test.database, branch, next);
    expect(await numbersIn(branch, { index: "by_m", order: "desc" })).toEqual(Array.from({ length: 40 }, (_, i) => 40 - i));
    expect(await errorOf(numbersIn(branch))).toMatchObject({ code: "InvalidArgument" });
    await deploySchema(test.database, branch, SCHEMA);
    expect(await numbersIn(branch)).toHaveLength(40);
    expect(await numbersIn(scope)).toHaveLength(40);
    expect(await numbersIn(below)).toHaveLength(40);
    const narrow = schemaText({
      notes: { document: { type: "object", value: { n: { fieldType: { type: "string" }, optional: false } } } },
    });
    expect(await errorOf(test.database.prepareSchema(below, narrow))).toMatchObject({ code: "SchemaMismatch" });
    expect(await numbersIn(below)).toHaveLength(40);
  });

  it("takes nothing of a schema that its base prepares, and the base goes on with it", async () => {
    const { scope } = await filled();
    const next = schemaText({ notes: { indexes: { by_m: ["m"] } }, fresh: {} });
    const prepared = await test.database.prepareSchema(scope, next);
    const branch = await copy(scope, "b");
    await write(test.database, branch, (calls) => calls.insert("fresh", { n: 1 }));
    await test.database.update(scope, (transaction) => test.database.activateSchema(transaction, prepared));
    expect(await numbersIn(scope, { index: "by_m" })).toEqual([1, 2, 3, 4]);
    expect(await errorOf(numbersIn(branch, { index: "by_m" }))).toMatchObject({ code: "InvalidArgument" });
    await deploySchema(test.database, branch, next);
    expect(await numbersIn(branch, { index: "by_m" })).toEqual([1, 2, 3, 4]);
    expect(await read(test.database, scope, (calls) => calls.count("fresh"))).toBe(0);
    expect(await read(test.database, branch, (calls) => calls.count("fresh"))).toBe(1);
  });

  it("does not take cursors of its base", async () => {
    const { scope } = await filled();
    const branch = await copy(scope, "b");
    const page = await read(test.database, scope, (calls) => calls.page(BY_N, { cursor: null, pageSize: 2 }));
    const other = read(test.database, branch, (calls) => calls.page(BY_N, { cursor: page.continueCursor, pageSize: 2 }));
    expect(await errorOf(other)).toMatchObject({ code: "InvalidArgument" });
  });

  it("can be read at older moments, before its beginning too", async () => {
    const { scope, ids } = await filled();
    const before = test.database.latest();
    await write(test.database, scope, (calls) => calls.remove(ids[0] ?? ""));
    const branch = await copy(scope, "b", before);
    const begun = test.database.latest();
    await write(test.database, branch, (calls) => calls.remove(ids[1] ?? ""));
    const readAt = async (at: number): Promise<unknown[]> => {
      const transaction = await test.database.begin(branch, { readonly: true, at, nowMs: nextNowMs() });
      const rows = await callsOf(transaction).collect(query("notes"));
      transaction.release();
      return numbers(rows);
    };
    expect(await readAt(before)).toEqual([]);
    expect(await readAt(begun)).toEqual([1, 2, 3, 4]);
    expect(await readAt(test.database.latest())).toEqual([1, 3, 4]);
    expect(await errorOf(copy(scope, "c", test.database.latest() + 1000))).toMatchObject({ code: "SnapshotTooOld" });
  });

  it("of nothing is an empty branch", async () => {
    const scope = newScope();
    const branch = await copy(scope, "b");
    await write(test.database, branch, (calls) => calls.insert("notes", { n: 1 }));
    expect(await numbersIn(branch, {})).toEqual([1]);
  });

  it("leaves no mark of documents that the base never had", async () => {
    const { scope } = await filled();
    const branch = await copy(scope, "b");
    const count = async (): Promise<number> => {
      const prefix = Buffer.from(`${branch.tenant}\0${branch.branch}\0`);
      const snapshot = await test.store.snapshot();
      const entries = await snapshot.range({ start: prefix, end: Buffer.concat([prefix, Buffer.of(0xff)]), order: "asc", limit: 1000 });
      snapshot.release();
      return entries.length;
    };
    const start = await count();
    const id = await write(test.database, branch, (calls) => calls.insert("notes", { n: 1 }));
    expect(await count()).toBe(start + 3);
    await write(test.database, branch, (calls) => calls.remove(id));
    expect(await count()).toBe(start);
  });

  it("L3 passes long runs of deleted documents in bounded steps, with pauses", async () => {
    let clockMs = 0;
    let pauses = 0;
    let stepMs = 0;
    const system = createSystemRuntime();
    const hasty = await openTestDatabase({
      ...system,
      monotonicMs: () => (clockMs += stepMs),
      sleep: (delayMs, signal) => {
        pauses++;
        return system.sleep(delayMs, signal);
      },
    });
    const { database } = hasty;
    try {
      const scope = newScope();
      await deploySchema(database, scope, SCHEMA);
      const branch = { tenant: scope.tenant, branch: "b" };
      const count = 5000;
      const ids = await write(database, scope, async (calls) => {
        const made: string[] = [];
        for (let n = 0; n < count; n++) made.push(await calls.insert("notes", { n }));
        return made;
      });
      await database.update(branch, (transaction) => database.createBranchFrom(transaction, { base: scope }));
      await write(database, branch, async (calls) => {
        for (const id of ids.slice(0, -1)) await calls.remove(id);
      });
      // From now on every piece of work takes long enough for a pause.
      stepMs = limit("databaseSliceMs");
      for (const order of ["asc", "desc"] as const) {
        const before = pauses;
        const rows = await read(database, branch, (calls) => calls.collect(query("notes", { index: "by_n", order })));
        expect(numbers(rows)).toEqual([count - 1]);
        // Two layers, at most 1024 entries of one at a time.
        expect(pauses - before).toBeGreaterThan((2 * count) / 1024);
        expect(pauses - before).toBeLessThan(100);
      }
    } finally {
      await hasty.close();
    }
  });

  it("refuses a branch that holds data, and a chain that is too deep", async () => {
    const { scope } = await filled();
    const branch = await copy(scope, "b1");
    expect(await errorOf(copy(scope, "b1"))).toMatchObject({ code: "AlreadyExists" });
    let last = branch;
    for (const name of ["b2", "b3", "b4"]) last = await copy(last, name);
    expect(await errorOf(copy(last, "b5"))).toMatchObject({ code: "LimitExceeded" });
    expect(await numbersIn(last)).toEqual([1, 2, 3, 4]);
  });
});
