import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateFilter, parseExpression } from "@plinth/core/documents/filter.ts";
import { fieldAt } from "@plinth/core/documents/index-range.ts";
import { compareValues } from "@plinth/core/documents/order.ts";
import { isValueObject, valueFromJson, type ValueObject } from "@plinth/core/documents/values.ts";
import {
  type Calls,
  callsOf,
  deploySchema,
  type Json,
  newScope,
  nextNowMs,
  openTestDatabase,
  query,
  type QueryRequest,
  read,
  type Row,
  schemaText,
  type TestDatabase,
  write,
} from "./test-database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

const INDEXES: Readonly<Record<string, readonly string[]>> = { by_a: ["a"], by_a_b: ["a", "b"], by_inner: ["o.x", "a"] };
const FIELDS: Readonly<Record<string, readonly string[]>> = { ...INDEXES, by_creation_time: [], by_id: ["_id"] };
const SCHEMA = schemaText({ things: { indexes: INDEXES }, others: { indexes: INDEXES } });

/** Few values of many types, so that ties and neighbours are frequent. */
const value = fc.constantFrom<Json>(
  null,
  0,
  1,
  2,
  -1.5,
  true,
  false,
  "",
  "a",
  "b",
  "\0",
  "a\0",
  { $integer: "AQAAAAAAAAA=" },
  { $bytes: "AQ==" },
  [1],
  [],
  { x: 1 },
);
const document = fc.record({ a: value, b: value, o: fc.record({ x: value }, { requiredKeys: [] }) }, { requiredKeys: [] });
const tableName = fc.constantFrom("things", "others");

const comparison = fc.record({
  op: fc.constantFrom("$eq", "$neq", "$lt", "$lte", "$gt", "$gte"),
  field: fc.constantFrom("a", "b", "o.x", "_creationTime"),
  literal: fc.oneof(value, fc.constant({ $undefined: null })),
});
const filter = fc
  .array(comparison, { minLength: 1, maxLength: 3 })
  .chain((parts) =>
    fc
      .constantFrom("$and", "$or")
      .map((op): Json => ({ [op]: parts.map((part) => ({ [part.op]: [{ $field: part.field }, { $literal: part.literal }] })) })),
  );
const operator = fc.oneof(
  filter.map((expression): Json => ({ filter: expression })),
  fc.integer({ min: 0, max: 8 }).map((rows): Json => ({ limit: rows })),
);

const bounds = fc.array(fc.record({ type: fc.constantFrom("Gt", "Gte", "Lt", "Lte"), value }), { maxLength: 2 });
const request = fc.record({
  table: tableName,
  index: fc.constantFrom(...Object.keys(FIELDS), undefined),
  equal: fc.array(value, { maxLength: 2 }),
  bounds,
  order: fc.constantFrom("asc" as const, "desc" as const),
  operators: fc.array(operator, { maxLength: 3 }),
});

interface Request {
  readonly table: string;
  readonly index: string | undefined;
  readonly equal: readonly Json[];
  readonly bounds: readonly { readonly type: string; readonly value: Json }[];
  readonly order: "asc" | "desc";
  readonly operators: readonly Json[];
}

/** A query that the rules for index ranges allow. */
function rangeOf({ index, equal, bounds: wanted }: Request): { type: string; fieldPath: string; value: Json }[] {
  if (index === undefined) return [];
  const declared = FIELDS[index] ?? [];
  const fields = index === "by_id" ? ["_id"] : [...declared, "_creationTime"];
  const range = equal.slice(0, declared.length).map((one, at) => ({ type: "Eq", fieldPath: fields[at] ?? "", value: one }));
  const next = fields[range.length];
  const sides = new Set<boolean>();
  for (const { type, value: bound } of wanted) {
    const lower = type.startsWith("G");
    if (next === undefined || sides.has(lower)) continue;
    sides.add(lower);
    range.push({ type, fieldPath: next, value: bound });
  }
  return range;
}

function queryOf(one: Request): QueryRequest {
  return query(one.table, {
    ...(one.index === undefined ? {} : { index: one.index, range: rangeOf(one) }),
    order: one.order,
    operators: one.operators,
  });
}

function valuesOf(row: Json): ValueObject {
  const converted = valueFromJson(row);
  if (!isValueObject(converted)) throw new Error("a row is an object");
  return converted;
}

/** What the query has to give: everything sorted, compared and cut one after the other. */
function expectedRows(rows: readonly Row[], one: Request): Row[] {
  const fields = one.index === "by_id" ? ["_id"] : [...(one.index === undefined ? [] : (FIELDS[one.index] ?? [])), "_creationTime", "_id"];
  const range = rangeOf(one);
  const parsed = rows.map((row) => ({ row, values: valuesOf(row) }));
  const selected = parsed.filter(({ values }) =>
    range.every(({ type, fieldPath, value: bound }) => {
      const order = compareValues(fieldAt(values, fieldPath), valueFromJson(bound));
      return { Eq: order === 0, Gt: order > 0, Gte: order >= 0, Lt: order < 0, Lte: order <= 0 }[type];
    }),
  );
  const direction = one.order === "asc" ? 1 : -1;
  selected.sort((x, y) => {
    for (const field of fields) {
      const order = compareValues(fieldAt(x.values, field), fieldAt(y.values, field));
      if (order !== 0) return direction * order;
    }
    return 0;
  });
  let remaining = selected;
  for (const step of one.operators as { filter?: Json; limit?: number }[]) {
    if (step.limit !== undefined) remaining = remaining.slice(0, step.limit);
    else {
      const expression = parseExpression(step.filter);
      remaining = remaining.filter(({ values }) => evaluateFilter(expression, values));
    }
  }
  return remaining.map(({ row }) => row);
}

type Model = Map<string, { readonly table: string; readonly row: Row }>;

const change = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("insert" as const), table: tableName, document }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("patch" as const, "replace" as const), at: fc.nat(), document }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("query" as const), request, rows: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pages" as const), request, pageSize: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("nest" as const, "keep" as const, "undo" as const, "commit" as const, "count" as const) }),
  },
);

async function checkPages(calls: Calls, model: Model, one: Request, pageSize: number): Promise<void> {
  // A limit holds for each page, so only filters are given to pages.
  const paged = { ...one, operators: one.operators.filter((step) => !Object.hasOwn(step as object, "limit")) };
  const expected = expectedRows(rowsOf(model, one.table), paged);
  const seen: Row[] = [];
  const edges: (string | null)[] = [null];
  for (let cursor: string | null = null; ;) {
    const page = await calls.page(queryOf(paged), { cursor, pageSize });
    expect(page.page.length).toBeLessThanOrEqual(pageSize);
    expect(page.pageStatus).toBeNull();
    seen.push(...page.page);
    // The same page again, by its end instead of its size.
    const again = await calls.page(queryOf(paged), { cursor, pageSize: 1, endCursor: page.continueCursor });
    expect(again.page).toEqual(page.page);
    expect([again.isDone, again.continueCursor]).toEqual([page.isDone, page.continueCursor]);
    if (page.splitCursor !== null) {
      const first = await calls.page(queryOf(paged), { cursor, pageSize: 1, endCursor: page.splitCursor });
      const second = await calls.page(queryOf(paged), { cursor: page.splitCursor, pageSize: 1, endCursor: page.continueCursor });
      expect([...first.page, ...second.page]).toEqual(page.page);
    }
    cursor = page.continueCursor;
    edges.push(cursor);
    if (page.isDone) break;
    expect(edges.length).toBeLessThan(200);
  }
  expect(seen).toEqual(expected);
}

function rowsOf(model: Model, table: string): Row[] {
  return [...model.values()].filter((entry) => entry.table === table).map(({ row }) => row);
}

describe("queries", () => {
  it("D1 D4 random operations give what a naive model gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 60 }), async (changes) => {
        const scope = newScope();
        await deploySchema(test.database, scope, SCHEMA);
        let transaction = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
        let calls = callsOf(transaction);
        let model: Model = new Map();
        const layers: { readonly nested: { keep(): void; undo(): void }; readonly model: Model }[] = [];
        for (const one of changes) {
          const ids = [...model.keys()];
          const id = "at" in one && ids.length > 0 ? ids[one.at % ids.length] : undefined;
          const entry = id === undefined ? undefined : model.get(id);
          switch (one.kind) {
            case "insert": {
              const made = await calls.insert(one.table, one.document);
              model.set(made, { table: one.table, row: (await calls.get(made)) as Row });
              break;
            }
            case "patch":
            case "replace": {
              if (id === undefined || entry === undefined) break;
              const { _id, _creationTime } = entry.row;
              const row: Row = one.kind === "patch" ? { ...entry.row, ...one.document } : { ...one.document, _id, _creationTime };
              expect(await (one.kind === "patch" ? calls.patch(id, one.document) : calls.replace(id, one.document))).toEqual(row);
              model.set(id, { ...entry, row });
              break;
            }
            case "remove":
              if (id === undefined) break;
              await calls.remove(id);
              model.delete(id);
              break;
            case "query":
              expect(await calls.collect(queryOf(one.request), one.rows)).toEqual(
                expectedRows(rowsOf(model, one.request.table), one.request),
              );
              break;
            case "pages":
              await checkPages(calls, model, one.request, one.pageSize);
              break;
            case "count":
              for (const table of ["things", "others", "nothing"]) expect(await calls.count(table)).toBe(rowsOf(model, table).length);
              break;
            case "nest":
              layers.push({ nested: transaction.nested(), model: new Map(model) });
              break;
            case "keep":
              layers.pop()?.nested.keep();
              break;
            case "undo": {
              const layer = layers.pop();
              layer?.nested.undo();
              model = layer?.model ?? model;
              break;
            }
            case "commit":
              while (layers.length > 0) layers.pop()?.nested.keep();
              expect(await transaction.commit()).toMatchObject({ kind: "committed" });
              transaction = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
              calls = callsOf(transaction);
              break;
          }
        }
        transaction.release();
      }),
      { numRuns: 150 },
    );
  });

  it("a query that is not done goes on behind its last row, over what was written meanwhile", async () => {
    await write(test.database, newScope(), async (calls) => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n++) ids.push(await calls.insert("list", { n }));
      const next = async (argument: object): Promise<Json> => calls.raw("plinth/queryNext", argument);
      expect(await next({ query: query("list"), stream: 0, rows: 1 })).toMatchObject({ rows: [{ n: 0 }], done: false });
      await calls.remove(ids[1] ?? "");
      await calls.insert("list", { n: 4 });
      expect(await next({ stream: 0, rows: 2 })).toMatchObject({ rows: [{ n: 2 }, { n: 3 }], done: false });
      expect(await next({ stream: 0, rows: 2 })).toMatchObject({ rows: [{ n: 4 }], done: true });
    });
  });

  it("large answers come in parts, and a whole table within the limits", async () => {
    const scope = newScope();
    await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 12; n++) await calls.insert("large", { n, text: "x".repeat(400_000) });
    });
    await read(test.database, scope, async (calls) => {
      const answer = (await calls.raw("plinth/queryNext", { query: query("large"), stream: 99, rows: 8192 })) as {
        rows: Row[];
        done: boolean;
      };
      expect(answer).toMatchObject({ done: false });
      expect(answer.rows.length).toBeLessThan(5);
      expect(await calls.collect(query("large", { index: "by_id" }), 3)).toHaveLength(12);
    });
  });

  it("pages stop at what may be read, and say where to split", async () => {
    const scope = newScope();
    await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 20; n++) await calls.insert("list", { n });
    });
    await read(test.database, scope, async (calls) => {
      const never = query("list", { operators: [{ filter: { $eq: [{ $field: "n" }, { $literal: 19 }] } }] });
      const required = await calls.page(never, { cursor: null, pageSize: 1, maximumRowsRead: 10 });
      expect(required).toMatchObject({ page: [], isDone: false, pageStatus: "SplitRequired" });
      expect(required.splitCursor).not.toBeNull();
      expect(await calls.page(never, { cursor: required.continueCursor, pageSize: 1 })).toMatchObject({
        page: [{ n: 19 }],
        isDone: false,
        pageStatus: null,
      });
      expect(await calls.page(query("list"), { cursor: null, pageSize: 9, maximumRowsRead: 10 })).toMatchObject({
        pageStatus: "SplitRecommended",
      });
      expect(await calls.page(query("list"), { cursor: null, pageSize: 5, maximumRowsRead: 10 })).toMatchObject({ pageStatus: null });
      const bytes = await calls.page(query("list"), { cursor: null, pageSize: 20, maximumBytesRead: 200 });
      expect(bytes.pageStatus).toBe("SplitRequired");
      expect(bytes.page.length).toBeGreaterThan(0);
    });
  });

  it("a table that nobody wrote to is empty, also for pages", async () => {
    await read(test.database, newScope(), async (calls) => {
      expect(await calls.collect(query("nothing"))).toEqual([]);
      expect(await calls.collect(query("nothing", { index: "by_id", order: "desc" }))).toEqual([]);
      const page = await calls.page(query("nothing"), { cursor: null, pageSize: 3 });
      expect(page).toMatchObject({ page: [], isDone: true, splitCursor: null, pageStatus: null });
      expect(await calls.page(query("nothing"), { cursor: page.continueCursor, pageSize: 3 })).toMatchObject({ page: [], isDone: true });
      expect(await calls.count("nothing")).toBe(0);
    });
  });

  it("long reads let other work go on, those of a transaction's own writes too", async () => {
    const transaction = await test.database.begin(newScope(), { readonly: false, nowMs: nextNowMs() });
    for (let n = 0; n < 4000; n++) await transaction.syscall("1.0/insert", `{"table":"list","value":{"n":${n}}}`);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const slow = { $and: Array.from({ length: 100 }, () => ({ $neq: [{ $field: "n" }, { $literal: -1 }] })) };
    expect(await callsOf(transaction).collect(query("list", { operators: [{ filter: slow }] }), 8192)).toHaveLength(4000);
    clearInterval(timer);
    transaction.release();
    expect(turns).toBeGreaterThan(3);
  });
});
