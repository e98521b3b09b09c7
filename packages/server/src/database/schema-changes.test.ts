import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "./database.ts";
import { KeySpace } from "./key-space.ts";
import { openDatabase } from "./open-database.ts";
import {
  callsOf,
  deploySchema,
  errorOf,
  newScope,
  nextNowMs,
  objectValidator,
  openTestDatabase,
  query,
  read,
  schemaText,
  type TestDatabase,
  write,
} from "./test-database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

const STRING = { type: "string" };
const NUMBER = { type: "number" };
const USERS = { document: objectValidator({ name: STRING, "age?": NUMBER }), indexes: { by_name: ["name"] } };

function activate(scope: Scope, prepared: Awaited<ReturnType<TestDatabase["database"]["prepareSchema"]>>): Promise<void> {
  return test.database.update(scope, (transaction) => test.database.activateSchema(transaction, prepared));
}

/** All entries of all indexes of a branch, as the numbers of the indexes. */
async function storedIndexNumbers(scope: Scope): Promise<number[]> {
  const keys = new KeySpace(scope);
  const snapshot = await test.store.snapshot();
  try {
    const entries = await snapshot.range({ start: keys.index(0).start, end: keys.index(0xffff_fffe).end, order: "asc", limit: 100_000 });
    return entries.map(({ key }) => new DataView(key.buffer, key.byteOffset + keys.index(0).start.length - 4, 4).getUint32(0));
  } finally {
    snapshot.release();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 4000; turn++) {
    if (await condition()) return;
    await test.runtime.sleep(5);
  }
  throw new Error("it did not happen in time");
}

/** Each index gives exactly the documents, in its order. */
async function expectIndexesComplete(scope: Scope, table: string, indexes: Readonly<Record<string, string>>): Promise<void> {
  await read(test.database, scope, async (calls) => {
    const all = await calls.collect(query(table, { index: "by_id" }), 8192);
    expect(await calls.collect(query(table), 8192)).toHaveLength(all.length);
    for (const [index, field] of Object.entries(indexes)) {
      const rows = await calls.collect(query(table, { index }), 8192);
      expect(rows.map((row) => row._id).toSorted(), index).toEqual(all.map((row) => row._id).toSorted());
      const values = rows.map((row) => JSON.stringify(row[field]));
      expect(values, index).toEqual(values.toSorted());
    }
  });
}

describe("schema changes", () => {
  it("C1 nothing is seen before the activation, and everything after it", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    const before = test.database.latest();
    const progress: string[] = [];
    const prepared = await test.database.prepareSchema(
      scope,
      schemaText({ users: USERS, posts: { indexes: { by_user: ["user"] } } }),
      (text) => progress.push(text),
    );
    expect(prepared).toMatchObject({ indexesAdded: ["users.by_name", "posts.by_user"], indexesRemoved: [] });
    expect(progress).toEqual(["users: checking documents, filling index by_name: 1 documents"]);
    await read(test.database, scope, async (calls, transaction) => {
      expect(await transaction.tables()).not.toHaveProperty("posts");
      expect(await errorOf(calls.collect(query("users", { index: "by_name" })))).toMatchObject({
        message: "Index users.by_name is currently backfilling and not available to query yet.",
      });
    });
    await activate(scope, prepared);
    await write(test.database, scope, async (calls, transaction) => {
      expect(await transaction.tables()).toHaveProperty("posts");
      expect(await calls.collect(query("users", { index: "by_name" }))).toMatchObject([{ name: "a" }]);
      expect(await calls.collect(query("posts", { index: "by_user" }))).toEqual([]);
      expect(await errorOf(calls.insert("users", { name: 1 }))).toMatchObject({
        code: "SchemaViolation",
        message: expect.stringContaining("Path: .name"),
      });
      const id = await calls.insert("users", { name: "b", age: 1 });
      expect(await errorOf(calls.patch(id, { name: { $undefined: null } }))).toMatchObject({ code: "SchemaViolation" });
      expect(await errorOf(calls.replace(id, { name: "b", extra: 1 }))).toMatchObject({
        code: "SchemaViolation",
        message: expect.stringContaining("extra field"),
      });
    });
    const past = await test.database.begin(scope, { readonly: true, at: before, nowMs: 0 });
    expect(await errorOf(callsOf(past).collect(query("users", { index: "by_name" })))).toMatchObject({
      message: "Index users.by_name not found.",
    });
    past.release();
  });

  it("C2 documents that do not fit are named, and nothing is left of the attempt", async () => {
    const scope = newScope();
    const bad = await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 30; n++) await calls.insert("users", { name: `n${n}` });
      return calls.insert("users", { name: "x", age: "old" });
    });
    const before = await storedIndexNumbers(scope);
    const error = await errorOf(test.database.prepareSchema(scope, schemaText({ users: USERS, fresh: {} })));
    expect(error).toMatchObject({ code: "SchemaMismatch" });
    expect(String(error)).toContain(`Document with ID "${bad}" in table "users"`);
    expect(String(error)).toContain("Path: .age");
    await until(async () => (await storedIndexNumbers(scope)).length === before.length);
    await write(test.database, scope, async (calls, transaction) => {
      await calls.insert("users", { anything: true });
      expect(await transaction.tables()).not.toHaveProperty("fresh");
    });
  });

  it.each([
    ["not JSON", "{"],
    ["a wrong shape", '{"tables":1}'],
    ["an index of a system field", schemaText({ users: { indexes: { by: ["_id"] } } })],
    ["nested too deep", `{"tables":${"[".repeat(5000)}${"]".repeat(5000)},"schemaValidation":true}`],
  ])("C2 a schema with %s is refused", async (_, text) => {
    expect(await errorOf(test.database.prepareSchema(newScope(), text))).toMatchObject({ code: "InvalidPackage" });
  });

  it("C3 a bad document that is written between check and activation stops the activation", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: USERS }));
    const bad = await write(test.database, scope, (calls) => calls.insert("users", { name: 7 }));
    expect(await errorOf(activate(scope, prepared))).toMatchObject({ code: "SchemaMismatch", message: expect.stringContaining(bad) });
    await test.database.discardSchema(scope, prepared);
    await write(test.database, scope, (calls) => calls.remove(bad));
    await deploySchema(test.database, scope, schemaText({ users: USERS }));
    await expectIndexesComplete(scope, "users", { by_name: "name" });
  });

  it("C3 a document that is made bad between check and activation stops it too", async () => {
    const scope = newScope();
    const id = await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: USERS }));
    await write(test.database, scope, (calls) => calls.patch(id, { extra: 1 }));
    expect(await errorOf(activate(scope, prepared))).toMatchObject({
      code: "SchemaMismatch",
      message: expect.stringContaining("extra field"),
    });
  });

  it("C3 a bad document in an undone nested call does not stop it", async () => {
    const scope = newScope();
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: USERS }));
    await write(test.database, scope, async (calls, transaction) => {
      const nested = transaction.nested();
      await calls.insert("users", { name: 7 });
      nested.undo();
      await calls.insert("users", { name: "fits" });
    });
    await activate(scope, prepared);
    await expectIndexesComplete(scope, "users", { by_name: "name" });
  });

  it("C3 a writer that is under way during the activation conflicts with it", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: USERS }));
    const writer = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
    await callsOf(writer).insert("users", { name: 7 });
    await activate(scope, prepared);
    expect(await writer.commit()).toMatchObject({ kind: "conflict" });

    const other = newScope();
    const again = await test.database.prepareSchema(other, schemaText({ users: USERS }));
    const mover = await test.database.begin(other, { readonly: false, nowMs: nextNowMs() });
    await test.database.activateSchema(mover, again);
    await write(test.database, other, (calls) => calls.insert("users", { name: 7 }));
    expect(await mover.commit()).toMatchObject({ kind: "conflict" });
  });

  it("C3 indexes are complete and documents fit after changes under concurrent writes", async () => {
    const scope = newScope();
    const ids = await write(test.database, scope, async (calls) => {
      const made: string[] = [];
      for (let n = 0; n < 600; n++) made.push(await calls.insert("users", { name: `n${n % 37}`, team: `t${n % 5}` }));
      return made;
    });
    let stop = false;
    const writer = async (number: number): Promise<number> => {
      let commits = 0;
      for (let n = number; !stop; n += 7) {
        const transaction = await test.database.begin(scope, { readonly: false, nowMs: nextNowMs() });
        const calls = callsOf(transaction);
        const id = ids[n % ids.length] ?? "";
        if ((await calls.get(id)) !== null)
          await (n % 11 === 0 ? calls.remove(id) : calls.patch(id, { name: `w${n % 41}`, team: `t${n % 6}` }));
        ids.push(await calls.insert("users", { name: `i${n % 43}`, team: "new" }));
        if ((await transaction.commit()).kind === "committed") commits++;
        transaction.release();
        await test.runtime.sleep(1);
      }
      return commits;
    };
    const writers = [1, 2, 3].map(writer);
    const document = objectValidator({ name: STRING, team: STRING });
    await deploySchema(test.database, scope, schemaText({ users: { document, indexes: { by_name: ["name"], by_team: ["team"] } } }));
    await deploySchema(
      test.database,
      scope,
      schemaText({ users: { document, indexes: { by_team: ["team", "name"], by_both: ["name", "team"] } } }),
    );
    stop = true;
    for (const commits of await Promise.all(writers)) expect(commits).toBeGreaterThan(0);
    await expectIndexesComplete(scope, "users", { by_team: "team", by_both: "name" });
    const count = await read(test.database, scope, (calls) => calls.count("users"));
    // Three indexes are left: the two declared ones and the order of creation.
    await until(async () => new Set(await storedIndexNumbers(scope)).size === 3);
    expect(await storedIndexNumbers(scope)).toHaveLength(3 * count);
  });

  it("fills large tables in bounded transactions", async () => {
    const scope = newScope();
    for (let part = 0; part < 3; part++) {
      await write(test.database, scope, async (calls) => {
        for (let n = 0; n < 500; n++) await calls.insert("users", { name: `n${n}`, text: part === 0 ? "x".repeat(8_000) : "" });
      });
    }
    const sizes: number[] = [];
    const stop = test.store.onCommit((commit) => sizes.push(commit.writes.length));
    await deploySchema(test.database, scope, schemaText({ users: { indexes: { by_name: ["name"] } } }));
    stop();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit("schemaBatchDocumentsMax"));
    await expectIndexesComplete(scope, "users", { by_name: "name" });
  });

  it("removes what is no longer declared", async () => {
    const scope = newScope();
    await deploySchema(test.database, scope, schemaText({ users: USERS }));
    await write(test.database, scope, async (calls) => {
      for (let n = 0; n < 300; n++) await calls.insert("users", { name: `n${n}` });
    });
    const prepared = await test.database.prepareSchema(scope, null);
    expect(prepared).toMatchObject({ indexesAdded: [], indexesRemoved: ["users.by_name"] });
    await activate(scope, prepared);
    await write(test.database, scope, async (calls) => {
      expect(await errorOf(calls.collect(query("users", { index: "by_name" })))).toMatchObject({
        code: "InvalidArgument",
        message: "Index users.by_name not found.",
      });
      await calls.insert("users", { whatever: 1 });
    });
    await until(async () => new Set(await storedIndexNumbers(scope)).size === 1);
  });

  it("an index whose fields change is served by its old entries until the new ones are ready", async () => {
    const scope = newScope();
    await deploySchema(test.database, scope, schemaText({ users: { indexes: { by: ["name"] } } }));
    await write(test.database, scope, async (calls) => {
      await calls.insert("users", { name: "a", age: 2 });
      await calls.insert("users", { name: "b", age: 1 });
    });
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: { indexes: { by: ["age"] } } }));
    const names = (): Promise<unknown[]> =>
      read(test.database, scope, async (calls) => (await calls.collect(query("users", { index: "by" }))).map((row) => row["name"]));
    expect(await names()).toEqual(["a", "b"]);
    await activate(scope, prepared);
    expect(await names()).toEqual(["b", "a"]);
  });

  it("staged indexes are filled, not queried, and become usable without being filled again", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    await deploySchema(test.database, scope, schemaText({ users: { staged: { by_name: ["name"] } } }));
    expect(await read(test.database, scope, (calls) => errorOf(calls.collect(query("users", { index: "by_name" }))))).toMatchObject({
      message: expect.stringContaining("staged"),
    });
    const prepared = await test.database.prepareSchema(scope, schemaText({ users: { indexes: { by_name: ["name"] } } }));
    expect(prepared.indexesAdded).toEqual([]);
    await activate(scope, prepared);
    expect(await read(test.database, scope, (calls) => calls.collect(query("users", { index: "by_name" })))).toHaveLength(1);
  });

  it("the same schema again changes nothing and writes nothing", async () => {
    const scope = newScope();
    await deploySchema(test.database, scope, schemaText({ users: USERS }));
    const before = test.database.latest();
    await deploySchema(test.database, scope, schemaText({ users: USERS }));
    expect(test.database.latest()).toBe(before);
  });

  it("of two prepared schemas the later one can be activated", async () => {
    const scope = newScope();
    const first = await test.database.prepareSchema(scope, schemaText({ users: USERS }));
    const second = await test.database.prepareSchema(scope, schemaText({ posts: {} }));
    expect(await errorOf(activate(scope, first))).toMatchObject({ code: "InvalidPackage" });
    await activate(scope, second);
    await test.database.discardSchema(scope, first);
    await write(test.database, scope, (calls) => calls.insert("users", { name: 1 }));
    expect(await read(test.database, scope, (_, transaction) => transaction.tables())).toHaveProperty("posts");
  });

  it("C2 what a crash left is cleared by the next preparation", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: "a" }));
    await test.database.prepareSchema(scope, schemaText({ users: { indexes: { by_name: ["name"], by_age: ["age"] } }, never: {} }));
    await write(test.database, scope, (calls) => calls.insert("users", { name: "b" }));
    // Another host opens the store; nothing in memory knows of the preparation.
    const restarted = await openDatabase({ store: test.store, runtime: test.runtime });
    const prepared = await restarted.prepareSchema(scope, schemaText({ users: { indexes: { by_name: ["name"] } } }));
    await restarted.update(scope, (transaction) => restarted.activateSchema(transaction, prepared));
    await restarted.close();
    await until(async () => (await storedIndexNumbers(scope)).length === 4);
    await expectIndexesComplete(scope, "users", { by_name: "name" });
    expect(await read(test.database, scope, (_, transaction) => transaction.tables())).not.toHaveProperty("never");
  });

  it("a schema without validation declares indexes and checks nothing", async () => {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("users", { name: 1 }));
    await deploySchema(test.database, scope, schemaText({ users: USERS }, false));
    await write(test.database, scope, (calls) => calls.insert("users", { name: 2 }));
    expect(await read(test.database, scope, (calls) => calls.collect(query("users", { index: "by_name" })))).toHaveLength(2);
    expect(await errorOf(test.database.prepareSchema(scope, schemaText({ users: USERS })))).toMatchObject({ code: "SchemaMismatch" });
  });

  it("ids are checked against the table that they are of", async () => {
    const scope = newScope();
    await deploySchema(
      test.database,
      scope,
      schemaText({ users: {}, posts: { document: objectValidator({ author: { type: "id", tableName: "users" } }) } }),
    );
    await write(test.database, scope, async (calls) => {
      const user = await calls.insert("users", {});
      const post = await calls.insert("posts", { author: user });
      expect(await errorOf(calls.insert("posts", { author: post }))).toMatchObject({ code: "SchemaViolation" });
    });
  });
});
