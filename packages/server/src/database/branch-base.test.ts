import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scope } from "./database.ts";
import {
  deploySchema,
  errorOf,
  newScope,
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
