import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeDocumentId } from "@plinth/core/documents/ids.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "./database.ts";
import { callsOf, deploySchema, newScope, nextNowMs, openTestDatabase, query, schemaText, type TestDatabase } from "./test-database.ts";

let test: TestDatabase;
let transaction: Transaction;
let id = "";
beforeAll(async () => {
  test = await openTestDatabase();
  const scope = newScope();
  await deploySchema(test.database, scope, schemaText({ notes: { indexes: { by_n: ["n"] } } }));
  transaction = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
  id = await callsOf(transaction).insert("notes", { n: 1 });
  await callsOf(transaction).insert("other", {});
});
afterAll(async () => {
  transaction.release();
  await test.close();
});

const OPS = ["1.0/get", "1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove", "1.0/count", "1.0/queryPage", "plinth/queryNext"];
const GARBAGE = [
  "",
  "null",
  "1",
  '"x"',
  "[]",
  "{",
  "{}",
  "undefined",
  '{"id":{"__proto__":1}}',
  '{"__proto__":{"id":"x"}}',
  `${"[".repeat(100_000)}`,
  `{"value":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`,
  `"${"x".repeat(9_000_000)}"`,
];

async function errorOf(op: string, text: string): Promise<PlinthError> {
  try {
    await transaction.syscall(op, text);
  } catch (error) {
    if (error instanceof PlinthError) return error;
    throw error;
  }
  throw new Error(`${op} accepted ${text.slice(0, 100)}`);
}

/** A function's fault, and no text of it longer than an error may be. */
function expectRefused(error: PlinthError): void {
  expect(["InvalidArgument", "LimitExceeded", "NotAvailable", "EffectDenied"]).toContain(error.code);
  expect(error.message.length).toBeLessThan(5000);
}

describe("hostile arguments", () => {
  it.each(OPS)("%s refuses more values than the host parses at once", async (op) => {
    const error = await errorOf(op, `{"table":"notes","value":{"list":[${"{},".repeat(limit("jsonValuesMax") / 2)}{}]}}`);
    expect(error.code).toBe("TooManyValues");
  });

  it.each(OPS)("%s refuses garbage", async (op) => {
    for (const text of GARBAGE) expectRefused(await errorOf(op, text));
  });

  it("unknown operations are not available", async () => {
    for (const op of ["", "1.0/drop", "constructor", "__proto__", "1.0/get ", "x".repeat(100_000)]) {
      expect(transaction.handles(op)).toBe(false);
      expect((await errorOf(op, "{}")).code).toBe("NotAvailable");
    }
  });

  it("ids that are forged, of other tables or of no table", async () => {
    const unknownTable = encodeDocumentId({ tableNumber: 55_555, internalId: new Uint8Array(16) });
    const absent = encodeDocumentId({ tableNumber: 10_001, internalId: new Uint8Array(16) });
    const calls = callsOf(transaction);
    expect(await calls.get(unknownTable)).toBeNull();
    expect(await calls.get(absent)).toBeNull();
    for (const forged of [
      "",
      "x",
      id.slice(1),
      `${id}0`,
      id.toUpperCase(),
      `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`,
      "0".repeat(32),
      "\0".repeat(32),
      5,
      null,
      { id },
    ]) {
      for (const op of ["1.0/get", "1.0/remove", "1.0/shallowMerge", "1.0/replace"]) {
        const error = await errorOf(op, JSON.stringify({ id: forged, value: {} }));
        expect(error.message).toMatch(/^Invalid argument `id` for `db\.(get|delete|patch|replace)`: /);
      }
    }
    for (const op of ["1.0/remove", "1.0/shallowMerge", "1.0/replace"]) {
      for (const gone of [unknownTable, absent])
        expect((await errorOf(op, JSON.stringify({ id: gone, value: {} }))).message).toMatch(/ on nonexistent document ID /);
    }
    expect((await errorOf("1.0/get", JSON.stringify({ id, table: "other" }))).message).toBe(
      'Invalid argument `id` for `db.get`: expected to be an Id<"other">, got Id<"notes"> instead.',
    );
    expect(await calls.get(id, { table: "notes" })).toMatchObject({ n: 1 });
  });

  it("documents that may not be stored", async () => {
    const bad: unknown[] = [
      null,
      [],
      1,
      { _id: id },
      { _creationTime: 1 },
      { _other: 1 },
      { $x: 1 },
      { a: { $integer: "AA==" } },
      { a: { $float: "AAAAAAAA8D8=" } },
      { a: { $undefined: null } },
      { a: [{ $undefined: null }] },
      { a: { $commitTs: null } },
      { "\u00e9": 1 },
      { ["x".repeat(65)]: 1 },
      { a: "\ud800" },
      { a: Array.from({ length: 8193 }, () => 0) },
      Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`f${n}`, n])),
      { a: "x".repeat(1024 * 1024) },
      JSON.parse(`${'{"a":'.repeat(17)}1${"}".repeat(17)}`),
    ];
    for (const value of bad) {
      expectRefused(await errorOf("1.0/insert", JSON.stringify({ table: "notes", value })));
      if (Object.hasOwn((value ?? {}) as object, "_id")) continue;
      expectRefused(await errorOf("1.0/replace", JSON.stringify({ id, value })));
    }
    for (const value of [{ _id: "other" }, { _creationTime: 5 }, { _id: { $undefined: null } }, { _x: 1 }])
      expectRefused(await errorOf("1.0/shallowMerge", JSON.stringify({ id, value })));
    for (const table of ["", "_storage", "_x", "1a", "a.b", "a b", "x".repeat(65), "é", 1, null])
      expectRefused(await errorOf("1.0/insert", JSON.stringify({ table, value: {} })));
    expect(await callsOf(transaction).get(id)).toMatchObject({ n: 1 });
    expect(({} as Record<string, unknown>)["n"]).toBeUndefined();
  });

  it("queries that are not queries", async () => {
    const source = { type: "FullTableScan", tableName: "notes", order: "asc" };
    const index = (indexName: unknown, range: unknown, order: unknown = "asc"): object => ({ type: "IndexRange", indexName, range, order });
    const eq = (fieldPath: unknown, value: unknown): object => ({ type: "Eq", fieldPath, value });
    const bad: unknown[] = [
      null,
      [],
      {},
      { source, operators: null },
      { source: {}, operators: [] },
      { source: { ...source, order: "up" }, operators: [] },
      { source: { ...source, tableName: 1 }, operators: [] },
      { source: { ...source, tableName: "_x.y" }, operators: [] },
      { source, operators: [{}] },
      { source, operators: [{ limit: -1 }] },
      { source, operators: [{ limit: 1.5 }] },
      { source, operators: [{ limit: 1, filter: { $literal: true } }] },
      { source, operators: Array.from({ length: 257 }, () => ({ limit: 1 })) },
      { source, operators: [{ filter: { $eq: [1] } }] },
      { source, operators: [{ filter: { $where: "x" } }] },
      { source: index("notes", []), operators: [] },
      { source: index("notes.by_n.x", []), operators: [] },
      { source: index("notes.by_n", {}), operators: [] },
      { source: index("notes.by_n", [eq("x", 1)]), operators: [] },
      { source: index("notes.by_n", [eq("n", 1), eq("n", 1)]), operators: [] },
      { source: index("notes.by_n", [eq("_creationTime", 1)]), operators: [] },
      {
        source: index("notes.by_n", [
          { type: "Gt", fieldPath: "n", value: 1 },
          { type: "Gte", fieldPath: "n", value: 1 },
        ]),
        operators: [],
      },
      { source: index("notes.by_n", [{ type: "Neq", fieldPath: "n", value: 1 }]), operators: [] },
      {
        source: index(
          "notes.by_n",
          Array.from({ length: 10_000 }, () => eq("n", 1)),
        ),
        operators: [],
      },
      { source: index("notes.nope", []), operators: [] },
      { source: index("nope.by_n", []), operators: [] },
      { source: index("notes.constructor", []), operators: [] },
      { source: { type: "Search", indexName: "notes.by_n", filters: [] }, operators: [] },
    ];
    for (const one of bad) {
      expectRefused(await errorOf("plinth/queryNext", JSON.stringify({ query: one, stream: 1, rows: 1 })));
      expectRefused(await errorOf("1.0/queryPage", JSON.stringify({ query: one, cursor: null, pageSize: 1 })));
    }
    expect((await errorOf("plinth/queryNext", JSON.stringify({ query: bad.at(-1), stream: 1, rows: 1 }))).code).toBe("NotAvailable");
    for (const argument of [
      { stream: 1, rows: 1 },
      { query: query("notes"), stream: -1, rows: 1 },
      { query: query("notes"), stream: "1", rows: 1 },
      { query: query("notes"), stream: 1, rows: "1" },
      { query: query("notes"), stream: 1, rows: -1 },
    ]) {
      expectRefused(await errorOf("plinth/queryNext", JSON.stringify(argument)));
    }
  });

  it("pages and cursors", async () => {
    const page = (changes: object): Promise<PlinthError> =>
      errorOf("1.0/queryPage", JSON.stringify({ query: query("notes"), cursor: null, pageSize: 1, ...changes }));
    expect((await page({ pageSize: 0 })).message).toBe("Must request at least 1 document while paginating");
    for (const changes of [
      { pageSize: -1 },
      { pageSize: 1.5 },
      { pageSize: "1" },
      { pageSize: 1e300 },
      { maximumRowsRead: 0 },
      { maximumBytesRead: -1 },
      { cursor: 1 },
      { cursor: {} },
    ])
      expectRefused(await page(changes));
    const other = await callsOf(transaction).page(query("other"), { cursor: null, pageSize: 1 });
    for (const cursor of ["", "x", "A".repeat(64), "A".repeat(100_000), other.continueCursor]) {
      for (const changes of [{ cursor }, { endCursor: cursor }]) {
        const error = await page(changes);
        expect(error.message).toContain("InvalidCursor");
        expect(JSON.parse(error.dataText ?? "")).toEqual({ isConvexSystemError: true, paginationError: "InvalidCursor" });
      }
    }
  });

  it("filters that are expensive, wrong or nested deep", async () => {
    const run = (filter: unknown): Promise<PlinthError> =>
      errorOf("plinth/queryNext", JSON.stringify({ query: query("notes", { operators: [{ filter }] }), stream: 9, rows: 1 }));
    let deep: unknown = { $literal: true };
    for (let depth = 0; depth < 100; depth++) deep = { $not: deep };
    expectRefused(await run(deep));
    expectRefused(await run({ $literal: 1 }));
    expectRefused(await run({ $and: Array.from({ length: 10_000 }, () => ({ $literal: true })) }));
    await transaction.syscall("plinth/queryClose", '{"stream":9}');
  });

  it("open queries are bounded in number and size, and closing is harmless", async () => {
    const own = await test.database.begin(newScope(), { readonly: false, nowMs: nextNowMs() });
    for (let n = 0; n < 3; n++) await callsOf(own).insert("notes", { n });
    const literal = "x".repeat(1_500_000);
    const open = (stream: number): Promise<string> =>
      own.syscall(
        "plinth/queryNext",
        JSON.stringify({
          query: query("notes", { operators: [{ filter: { $neq: [{ $field: "n" }, { $literal: literal }] } }] }),
          stream,
          rows: 1,
        }),
      );
    let opened = 0;
    await expect(
      (async () => {
        for (; opened < 100; opened++) await open(opened);
      })(),
    ).rejects.toMatchObject({ code: "LimitExceeded" });
    expect(opened).toBeLessThanOrEqual(limit("openQueriesBytesMax") / literal.length);
    for (let stream = -1; stream < 200; stream++)
      if (stream >= 0) expect(await own.syscall("plinth/queryClose", JSON.stringify({ stream }))).toBe("null");
    expect(JSON.parse(await open(0))).toMatchObject({ done: false });
    own.release();
  });

  it("a query may not write", async () => {
    const readonly = await test.database.begin(newScope(), { readonly: true, nowMs: 0 });
    for (const op of ["1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove"]) {
      await expect(readonly.syscall(op, JSON.stringify({ table: "notes", id, value: {} }))).rejects.toMatchObject({ code: "EffectDenied" });
    }
    readonly.release();
  });

  it("one commit stays within its bytes, index entries included", async () => {
    const scope = newScope();
    const indexes = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`by_${n}`, ["text"]]));
    await deploySchema(test.database, scope, schemaText({ notes: { indexes } }));
    const own = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
    const failed = await (async () => {
      for (let n = 0; n < 16; n++) await callsOf(own).insert("notes", { text: "x".repeat(800_000) });
    })().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "LimitExceeded", message: expect.stringContaining("one commit") });
    own.release();
  });
});
