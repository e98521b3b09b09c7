import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scope } from "../database/database.ts";
import { newScope, openTestDatabase, write, type TestDatabase } from "../database/test-database.ts";
import { openSearch } from "./open-search.ts";
import type { Search, SearchRequest } from "./search.ts";

let test: TestDatabase;
let search: Search;
const { signal } = new AbortController();

beforeAll(async () => {
  test = await openTestDatabase();
  search = openSearch(test);
});

afterAll(async () => {
  search.close();
  await test.close();
});

async function insert(scope: Scope, table: string, documents: readonly object[]): Promise<string[]> {
  return await write(test.database, scope, async (calls) => {
    const ids: string[] = [];
    for (const document of documents) ids.push(await calls.insert(table, document));
    return ids;
  });
}

function ask(scope: Scope, request: Partial<SearchRequest>) {
  const whole = { text: null, vector: null, tables: ["notes"], vectorField: "embedding", filters: {}, limit: 10, ...request };
  return search.search(scope, whole, signal);
}

const inOrder = (list: readonly unknown[]) => list.map(String).sort((a, b) => (a < b ? -1 : 1));

async function titles(scope: Scope, request: Partial<SearchRequest>): Promise<unknown[]> {
  return (await ask(scope, request)).results.map(({ document }) => document["title"]);
}

describe("search by words", () => {
  it("ranks rare words, titles and short documents first", async () => {
    const scope = newScope();
    const filler = Array.from({ length: 20 }, (_, i) => ({ title: `note ${i}`, body: "the printer is fine" }));
    await insert(scope, "notes", [
      ...filler,
      { title: "long", body: `the printer overheats ${"and so on ".repeat(50)}` },
      { title: "short", body: "the printer overheats" },
      { title: "overheats", body: "see there" },
    ]);
    expect((await titles(scope, { text: "Printer OVERHEATS" })).slice(0, 3)).toEqual(["overheats", "short", "long"]);
    expect((await titles(scope, { text: "overheats" }))[0]).toBe("overheats");
    expect(await titles(scope, { text: "absent" })).toEqual([]);
    expect(await titles(scope, { text: "" })).toEqual([]);
  });

  it("knows accents, identifiers and scripts without spaces", async () => {
    const scope = newScope();
    await insert(scope, "notes", [
      { title: "one", body: "Überprüfung des Cafés" },
      { title: "two", body: "error_code E-4711" },
      { title: "three", labels: ["a", { deep: "東京都の天気API" }] },
    ]);
    expect(await titles(scope, { text: "uberprufung cafe" })).toEqual(["one"]);
    expect(await titles(scope, { text: "code" })).toEqual(["two"]);
    expect(await titles(scope, { text: "天気" })).toEqual(["three"]);
    expect(await titles(scope, { text: "api" })).toEqual(["three"]);
  });

  it("follows inserts, changes and deletes, and reads nothing anew for them", async () => {
    const scope = newScope();
    const [first = "", second = ""] = await insert(scope, "notes", [
      { title: "a", body: "alpha" },
      { title: "b", body: "beta" },
    ]);
    expect(await titles(scope, { text: "alpha" })).toEqual(["a"]);
    await write(test.database, scope, async (calls) => {
      await calls.patch(first, { body: "gamma" });
      await calls.remove(second);
      await calls.insert("notes", { title: "c", body: "alpha" });
    });
    expect(await titles(scope, { text: "alpha" })).toEqual(["c"]);
    expect(await titles(scope, { text: "gamma" })).toEqual(["a"]);
    expect(await titles(scope, { text: "beta" })).toEqual([]);
  });

  it("is made anew when most of it was replaced, and stays right", async () => {
    const scope = newScope();
    const [id = ""] = await insert(scope, "notes", [{ title: "x", body: "n0" }]);
    for (let round = 0; round < 11; round += 1) {
      await insert(scope, "filler", [{}]);
      await write(test.database, scope, async (calls) => {
        for (let i = 0; i < 120; i += 1) await calls.patch(id, { body: `n${round * 1000 + i}` });
      });
      expect(await titles(scope, { text: `n${round * 1000 + 119}` })).toEqual(["x"]);
      expect(await titles(scope, { text: "n0" })).toEqual([]);
    }
  });

  it("compares filters exactly, and only plain values of own fields", async () => {
    const scope = newScope();
    await insert(scope, "notes", [
      { title: "open", body: "disk", state: "open", size: 1 },
      { title: "closed", body: "disk", state: "closed", size: 1 },
      { title: "none", body: "disk" },
      { title: "many", body: "disk", state: "open", ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, i])) },
    ]);
    expect(inOrder(await titles(scope, { text: "disk", filters: { state: "open" } }))).toEqual(["many", "open"]);
    expect(await titles(scope, { text: "disk", filters: { state: "open", size: 1 } })).toEqual(["open"]);
    expect(await titles(scope, { text: "disk", filters: { toString: "x" } })).toEqual([]);
  });
});

describe("search by vectors", () => {
  it("finds the nearest, and fuses both lists", async () => {
    const scope = newScope();
    await insert(scope, "notes", [
      { title: "east", body: "alpha", embedding: [1, 0, 0] },
      { title: "north", body: "beta", embedding: [0, 2, 0] },
      { title: "both", body: "alpha beta", embedding: [0.9, 0.1, 0] },
      { title: "broken", body: "x", embedding: [0, 0, 0] },
      { title: "no list", body: "x", embedding: "text" },
    ]);
    expect(await titles(scope, { vector: [1, 0, 0], limit: 2 })).toEqual(["east", "both"]);
    const found = await ask(scope, { vector: [0, 1, 0], text: "alpha beta" });
    expect(found.results.map(({ document }) => document["title"])[0]).toBe("both");
    expect(found.results.find(({ document }) => document["title"] === "east")).toMatchObject({ vectorScore: null });
    await expect(ask(scope, { vector: [1, 0] })).rejects.toMatchObject({ code: "InvalidArgument" });
    await expect(ask(scope, { vector: [0, 0, 0] })).rejects.toMatchObject({ code: "InvalidArgument" });
  });
});

describe("what belongs to others", () => {
  it("is in no result, and does not decide about any", async () => {
    const [one, two] = [newScope(), newScope()];
    const other = { ...one, branch: "other" };
    await insert(one, "notes", [{ title: "mine", body: "secret plan" }]);
    await insert(two, "notes", [
      { title: "theirs", body: "secret plan" },
      { title: "theirs too", body: "secret" },
    ]);
    await insert(other, "notes", [{ title: "on a branch", body: "secret plan" }]);
    expect(await titles(one, { text: "secret plan" })).toEqual(["mine"]);
    const before = await ask(one, { text: "secret" });
    await insert(
      two,
      "notes",
      Array.from({ length: 50 }, () => ({ title: "noise", body: "secret" })),
    );
    expect((await ask(one, { text: "secret" })).results).toEqual(before.results);
    expect(await titles(other, { text: "secret" })).toEqual(["on a branch"]);
    const id = (await ask(two, { text: "plan" })).results[0]?.id ?? "";
    expect(await search.documents(one, [id])).toEqual([]);
    expect(await search.documents(two, [id])).toMatchObject([{ table: "notes", document: { title: "theirs" } }]);
  });

  it("a branch that was made from another has its documents and its own changes", async () => {
    const base = newScope();
    const copy = { ...base, branch: "copy" };
    const [id = ""] = await insert(base, "notes", [{ title: "from the base", body: "apple" }]);
    await test.database.update(copy, (transaction) => test.database.createBranchFrom(transaction, { base }));
    expect(await titles(copy, { text: "apple" })).toEqual(["from the base"]);
    await insert(base, "notes", [{ title: "later in the base", body: "apple" }]);
    await write(test.database, copy, (calls) => calls.patch(id, { title: "changed in the copy" }));
    expect(await titles(copy, { text: "apple" })).toEqual(["changed in the copy"]);
    expect(inOrder(await titles(base, { text: "apple" }))).toEqual(["from the base", "later in the base"]);
  });

  it("is let go with the branch", async () => {
    const scope = newScope();
    await insert(scope, "notes", [{ title: "a", body: "pear" }]);
    await ask(scope, { text: "pear" });
    const { indexes } = search.status();
    search.forget(scope);
    expect(search.status().indexes).toBe(indexes - 1);
    expect(await titles(scope, { text: "pear" })).toEqual(["a"]);
  });
});

describe("hostile documents and searches", () => {
  it("are bounded in what they cost", async () => {
    const scope = newScope();
    let deep: unknown = "bottom";
    for (let i = 0; i < 12; i += 1) deep = i % 2 === 0 ? [deep] : { deep };
    await insert(scope, "notes", [
      { title: "deep", deep, body: "findable" },
      { title: "large", body: "w ".repeat(200_000), zLast: "findable" },
      { title: "expands", body: "\uFDFA".repeat(50_000) },
      { title: "one word", body: "x".repeat(500_000) },
      { title: "unspaced", body: "天".repeat(100_000) },
      { title: "halves", body: "findable \u{1F600}" },
      { title: "names", constructor: "findable", hasOwnProperty: "findable" },
      { title: 7, body: ["findable", { $integer: "AQAAAAAAAAA=" }, 1] },
    ]);
    const found = await titles(scope, { text: "findable" });
    expect(found).toHaveLength(4);
    expect(found).toEqual(expect.arrayContaining(["deep", "halves", "names"]));
    expect(await titles(scope, { text: "bottom" })).toEqual([]);
    expect(search.status().bytes).toBeLessThan(64 * 1024 * 1024);
    expect(await titles(scope, { text: `${"nothing ".repeat(100_000)}` })).toEqual([]);
    expect(await titles(scope, { text: "x", tables: ["nowhere", "_scheduled_functions", "_storage"] })).toEqual([]);
  });

  it("an index is made to its end when the one who waited for it is gone", async () => {
    const scope = newScope();
    await insert(
      scope,
      "notes",
      Array.from({ length: 1500 }, (_, i) => ({ title: `t${i}`, body: `word${i} plum` })),
    );
    const gone = new AbortController();
    const { bytes } = search.status();
    const request = { text: "plum", vector: null, tables: ["notes"], vectorField: "embedding", filters: {}, limit: 1 };
    const asked = search.search(scope, request, gone.signal);
    setTimeout(() => gone.abort(new Error("gone")), 5);
    await expect(asked).rejects.toThrow("gone");
    while (search.status().bytes < bytes + 300_000) await new Promise((resolve) => setTimeout(resolve, 5));
  }, 30_000);

  it("what is written while an index is made is in it", async () => {
    const scope = newScope();
    const many = (from: number) => Array.from({ length: 600 }, (_, i) => ({ title: `${from + i}`, body: "plum" }));
    const first = await insert(scope, "notes", many(0));
    const asked = ask(scope, { text: "plum" });
    for (let i = 0; i < 4; i += 1) await insert(scope, "notes", [{ title: `late ${i}`, body: `plum late${i}` }]);
    await write(test.database, scope, async (calls) => {
      for (const id of first.slice(0, 300)) await calls.patch(id, { body: "quince" });
      for (const id of first.slice(300, 500)) await calls.remove(id);
    });
    await asked;
    expect((await ask(scope, { text: "plum", limit: 400 })).results).toHaveLength(104);
    expect((await ask(scope, { text: "quince", limit: 400 })).results).toHaveLength(300);
    expect(await titles(scope, { text: "late3" })).toEqual(["late 3"]);
  });

  it("searches that go on at the same time as writes see what was there before them", async () => {
    const scope = newScope();
    await insert(scope, "notes", [{ title: "0", body: "grow" }]);
    for (let i = 1; i <= 20; i += 1) {
      const [found] = await Promise.all([
        ask(scope, { text: "grow", limit: 100 }),
        ask(scope, { text: "grow" }),
        insert(scope, "notes", [{ title: `${i}`, body: "grow" }]),
      ]);
      expect(found.results.length).toBeGreaterThanOrEqual(i);
      expect((await ask(scope, { text: "grow", limit: 100 })).results).toHaveLength(i + 1);
    }
  });
});
