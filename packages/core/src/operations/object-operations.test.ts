import { describe, expect, it } from "vitest";
import { bytesFromBase64 } from "../documents/base64.ts";
import { parseSchema } from "../documents/schema.ts";
import { parseValidator } from "../documents/validators.ts";
import { valueToJson } from "../documents/values.ts";
import { checkFields } from "./check-ports.ts";
import { objectNames } from "./object-name.ts";
import { indexForFilter, objectOperations } from "./object-operations.ts";
import type { Operation } from "./operation.ts";
import { valueOfPlain } from "./plain-values.ts";
import { searchOperations } from "./search.ts";

const text = { fieldType: { type: "string" }, optional: false };
const optional = (fieldType: object) => ({ fieldType, optional: true });
const table = (tableName: string, fields: object, indexes: readonly object[] = []) => ({
  tableName,
  indexes,
  searchIndexes: [],
  vectorIndexes: [],
  documentType: { type: "object", value: fields },
});

const SCHEMA = parseSchema(
  JSON.stringify({
    schemaValidation: true,
    tables: [
      table(
        "accounts",
        {
          name: text,
          size: optional({ type: "bigint" }),
          stage: {
            fieldType: {
              type: "union",
              value: [
                { type: "literal", value: "lead" },
                { type: "literal", value: "won" },
              ],
            },
            optional: false,
          },
          owner: optional({ type: "id", tableName: "people" }),
        },
        [
          { indexDescriptor: "by_stage", fields: ["stage", "name"] },
          { indexDescriptor: "by_name", fields: ["name"] },
        ],
      ),
      table("people", { name: text }),
    ],
  }),
);

const operation = (slug: string): Operation => {
  const found = objectOperations(SCHEMA).find((each) => each.operation.slug === slug);
  if (found === undefined) throw new Error(`no ${slug}`);
  return found.operation;
};
const names = (slug: string) => operation(slug).inputs[0]?.fields.map(({ name, isRequired }) => `${name}${isRequired ? "" : "?"}`);

describe("names of objects", () => {
  it("are the singular of the table, in snake case", () => {
    const tables = ["accounts", "ticketComments", "companies", "boxes", "people", "status", "addresses", "HTTPLogs", "news"];
    expect(Object.fromEntries(objectNames(tables))).toEqual({
      accounts: "account",
      ticketComments: "ticket_comment",
      companies: "company",
      boxes: "box",
      people: "person",
      status: "status",
      addresses: "address",
      HTTPLogs: "http_log",
      news: "news",
    });
  });

  it("N1 N2 do not depend on the order of tables, and no two share one", () => {
    const tables = ["account", "accounts", "Accounts", "accounts_2"];
    const one = objectNames(tables);
    expect(objectNames(tables.toReversed())).toEqual(one);
    expect(new Set(one.values()).size).toBe(tables.length);
    expect(one.get("account")).toBe("account");
  });
});

describe("operations of tables", () => {
  it("are eight for each, with the fields that each needs", () => {
    expect(objectOperations(SCHEMA).map((each) => each.operation.slug)).toEqual([
      ...["create_account", "get_account", "update_account", "delete_account", "list_account"],
      ...["account_created", "account_updated", "account_deleted"],
      ...["create_person", "get_person", "update_person", "delete_person", "list_person"],
      ...["person_created", "person_updated", "person_deleted"],
    ]);
    expect(names("create_account")).toEqual(["name", "size?", "stage", "owner?"]);
    expect(names("update_account")).toEqual(["_id", "name?", "size?", "stage?", "owner?"]);
    expect(operation("create_account").scopes).toMatchObject([{ scope: "account:write" }]);
    expect(operation("list_account").scopes).toMatchObject([{ scope: "account:read" }]);
    expect(operation("account_created")).toMatchObject({ type: "trigger", effect: "read", isAgentSkill: false });
  });

  it("filter by fields of indexes alone", () => {
    const filter = operation("list_account").inputs[0]?.fields.find(({ name }) => name === "filter");
    expect(filter?.fields?.map(({ name }) => name)).toEqual(["name", "stage"]);
    expect(operation("list_person").inputs[0]?.fields.map(({ name }) => name)).not.toContain("filter");
  });

  it("take null for an optional field in a change, to take it away, and not for others", () => {
    const fields = operation("update_account").inputs[0]?.fields ?? [];
    expect(checkFields(fields, { _id: "x", size: null })).toEqual({ kind: "ok", value: { _id: "x", size: null } });
    expect(checkFields(fields, { _id: "x", name: null })).toEqual({ kind: "ok", value: { _id: "x" } });
  });

  it("use the index whose first fields the filter has for the longest", () => {
    const indexes = SCHEMA.tables.get("accounts")?.indexes ?? [];
    const best = (...filter: string[]) => {
      const found = indexForFilter(indexes, new Set(filter));
      return found === undefined ? undefined : [found.index.name, found.served];
    };
    expect(best("stage")).toEqual(["by_stage", 1]);
    expect(best("name", "stage")).toEqual(["by_stage", 2]);
    expect(best("name")).toEqual(["by_name", 1]);
    expect(best("owner")).toBeUndefined();
  });
});

describe("plain values", () => {
  const read = (validator: object, json: never) => valueToJson(valueOfPlain(parseValidator(validator), json));

  it("become what the validator wants, or stay for it to refuse", () => {
    expect(valueOfPlain(parseValidator({ type: "bigint" }), "9007199254740993")).toBe(9_007_199_254_740_993n);
    expect(valueOfPlain(parseValidator({ type: "bigint" }), 1.5)).toBe(1.5);
    expect(valueOfPlain(parseValidator({ type: "bigint" }), "9223372036854775808")).toBe("9223372036854775808");
    expect(valueOfPlain(parseValidator({ type: "bytes" }), "AQID")).toEqual(bytesFromBase64("AQID")?.buffer);
    const union = { type: "union", value: [{ type: "string" }, { type: "bigint" }] };
    expect(read(union, "12" as never)).toBe("12");
    expect(valueOfPlain(parseValidator(union), 12)).toBe(12n);
  });
});

describe("search", () => {
  const find = (query: string) =>
    searchOperations(
      objectOperations(SCHEMA).map((each) => each.operation),
      { text: query },
    ).map(({ slug }) => slug);

  it("has the best first, by words of slug, name and description", () => {
    expect(find("create account")[0]).toBe("create_account");
    expect(find("delete persons")[0]).toBe("delete_person");
    expect(find("accounts").length).toBe(8);
    expect(find("no such words at all")).toEqual([]);
    expect(find("").length).toBe(16);
  });
});
