import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
import { describe, expect, test } from "vitest";
import { parseSchema } from "./schema.ts";

/** What the convex package exports; its method is marked as internal. */
function exported(definition: unknown): string {
  return (definition as { export(): string }).export();
}

const table = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  tableName: "users",
  indexes: [],
  documentType: { type: "any" },
  ...more,
});
const schema = (...tables: readonly unknown[]): string => JSON.stringify({ tables, schemaValidation: true });
const withIndex = (name: unknown, fields: unknown): string => schema(table({ indexes: [{ indexDescriptor: name, fields }] }));

describe("parseSchema", () => {
  test("reads what the convex package exports", () => {
    const text = exported(
      defineSchema(
        {
          users: defineTable({ name: v.string(), tags: v.optional(v.array(v.string())), address: v.object({ city: v.string() }) })
            .index("by_name", ["name"])
            .index("by_city", { fields: ["address.city", "name"], staged: true })
            .searchIndex("search_name", { searchField: "name", filterFields: ["address.city"] })
            .vectorIndex("by_vector", { vectorField: "tags", dimensions: 128, filterFields: ["name"] }),
          shapes: defineTable(v.union(v.object({ kind: v.literal("circle") }), v.object({ kind: v.literal("square") }))),
          anything: defineTable(v.any()),
        },
        { schemaValidation: false },
      ),
    );
    const { tables, schemaValidation } = parseSchema(text);
    expect(schemaValidation).toBe(false);
    expect([...tables.keys()]).toEqual(["users", "shapes", "anything"]);
    const users = tables.get("users");
    expect(users?.indexes).toEqual([
      { name: "by_name", fields: ["name"], staged: false },
      { name: "by_city", fields: ["address.city", "name"], staged: true },
    ]);
    expect(users?.searchIndexes).toEqual([{ name: "search_name", searchField: "name", filterFields: ["address.city"], staged: false }]);
    expect(users?.vectorIndexes).toEqual([
      { name: "by_vector", vectorField: "tags", dimensions: 128, filterFields: ["name"], staged: false },
    ]);
    expect(users?.documentType.type).toBe("object");
    expect(tables.get("shapes")?.documentType.type).toBe("union");
    expect(tables.get("anything")?.documentType).toEqual({ type: "any" });
  });

  test("a table may be named like a property of objects, and has no staged lists in old exports", () => {
    const { tables } = parseSchema(schema(table({ tableName: "constructor" }), table({ tableName: "toString" })));
    expect([...tables.keys()]).toEqual(["constructor", "toString"]);
    expect(tables.get("constructor")).toEqual({
      name: "constructor",
      indexes: [],
      searchIndexes: [],
      vectorIndexes: [],
      documentType: { type: "any" },
    });
  });

  const cases: readonly (readonly [string, string, string])[] = [
    ["no JSON", "{", "the schema is not usable JSON"],
    ["too deep", "[".repeat(100_000), "nested deeper"],
    ["null", "null", "made by `defineSchema({...})`"],
    ["no tables", "{}", "made by `defineSchema({...})`"],
    ["no schemaValidation", '{"tables":[]}', "`schemaValidation` has to be true or false"],
    ["a table that is no table", schema(5), "made by `defineTable({...})`"],
    ["a table twice", schema(table(), table()), "the table `users` is defined twice; keep one"],
    [
      "a reserved table name",
      schema(table({ tableName: "_users" })),
      'the table name "_users" is not valid: names that begin with `_` are reserved; rename the table',
    ],
    ["an empty table name", schema(table({ tableName: "" })), "it is empty"],
    ["a table name with a dash", schema(table({ tableName: "a-b" })), "letters, digits and `_` only"],
    ["a long table name", schema(table({ tableName: "a".repeat(65) })), "it has 65 characters and may have 64"],
    [
      "documents that are no objects",
      schema(table({ documentType: { type: "string" } })),
      "have to be `v.object`, a union of objects, or `v.any`",
    ],
    ["a union with any", schema(table({ documentType: { type: "union", value: [{ type: "any" }] } })), "have to be `v.object`"],
    [
      "a system field",
      schema(table({ documentType: { type: "object", value: { _id: { fieldType: { type: "any" }, optional: false } } } })),
      'declares the field "_id"',
    ],
    [
      "a bad validator",
      schema(table({ documentType: { type: "object", value: { a: { fieldType: { type: "int" }, optional: false } } } })),
      'at .a is not valid: "int"',
    ],
    ["indexes that are no list", schema(table({ indexes: {} })), "`indexes` of the table `users` is not a list of indexes"],
    ["an index that is no object", schema(table({ indexes: [null] })), "is not a list of indexes"],
    ["an index without name", withIndex(undefined, ["a"]), "has no name"],
    ["by_id", withIndex("by_id", ["a"]), "every table has an index of that name already; rename the index"],
    ["by_creation_time", withIndex("by_creation_time", ["a"]), "every table has an index of that name already"],
    ["a reserved index name", withIndex("_x", ["a"]), "reserved"],
    ["no fields", withIndex("i", []), "the index `i` of the table `users` has no fields; name at least one"],
    ["fields that are no list", withIndex("i", "a"), "needs a list of fields"],
    ["a field that is no text", withIndex("i", [1]), "is not a string"],
    ["an empty field", withIndex("i", [""]), "has an empty part"],
    ["an empty part", withIndex("i", ["a..b"]), "has an empty part"],
    ["a field twice", withIndex("i", ["a", "b", "a"]), 'names the field "a" twice'],
    ["_creationTime", withIndex("i", ["a", "_creationTime"]), "is added to the end of each index by itself; leave it out of the index `i`"],
    ["_id", withIndex("i", ["_id"]), "read documents by id with `db.get(id)`"],
    ["a reserved field", withIndex("i", ["_x"]), "are reserved"],
    [
      "17 fields",
      withIndex(
        "i",
        Array.from({ length: 17 }, (_, i) => `f${i}`),
      ),
      "17 fields and may have 16",
    ],
    [
      "65 indexes",
      schema(table({ indexes: Array.from({ length: 65 }, (_, i) => ({ indexDescriptor: `i${i}`, fields: ["a"] })) })),
      "65 indexes and may have 64",
    ],
    [
      "one name for two kinds of index",
      schema(
        table({
          indexes: [{ indexDescriptor: "i", fields: ["a"] }],
          stagedSearchIndexes: [{ indexDescriptor: "i", searchField: "a", filterFields: [] }],
        }),
      ),
      "two indexes named `i`; rename one",
    ],
    [
      "a vector without dimensions",
      schema(table({ vectorIndexes: [{ indexDescriptor: "i", vectorField: "a", filterFields: [] }] })),
      "a whole number from 2 to 4096",
    ],
    ["many tables", schema(...Array.from({ length: 10_001 }, (_, i) => table({ tableName: `t${i}` }))), "10001 tables"],
  ];
  test.each(cases)("refuses %s", (_what, text, part) => {
    expect(() => parseSchema(text)).toThrow(part);
    expect(() => parseSchema(text)).toThrow("The package cannot be deployed");
  });
});
