/** Q3: what indexes may take. */
import { limit } from "@plinth/core/limits.ts";
import { expect, it } from "vitest";
import { newScope, openTestDatabase, write } from "../database/test-database.ts";
import { openSearch } from "./open-search.ts";
import { TableIndex } from "./table-index.ts";

it("a table whose index would be too large is refused, and vectors count", () => {
  const index = new TableIndex();
  const put = (i: number) => index.put({ id: `id${i}`, title: [], body: ["a"], marks: null, vector: new Float32Array(4096) });
  const fill = () => {
    for (let i = 0; i < 10_000; i += 1) put(i);
  };
  expect(fill).toThrow(expect.objectContaining({ code: "LimitExceeded" }));
  expect(index.bytes).toBeLessThanOrEqual(limit("searchIndexBytesMax"));
  const { size } = index;
  for (let i = 0; i < 100; i += 1) index.remove(`id${i}`);
  put(20_000);
  expect(index.size).toBe(size - 99);
});

it("a tenant keeps so many indexes, and those that it did not use for longest go first, never those of others", async () => {
  const test = await openTestDatabase();
  const search = openSearch(test);
  try {
    const scope = newScope();
    await write(test.database, scope, (calls) => calls.insert("notes", { title: "kept" }));
    const { signal } = new AbortController();
    const other = { ...scope, tenant: `${scope.tenant}-other` };
    await write(test.database, other, (calls) => calls.insert("notes", { title: "kept" }));
    const ask = (vectorField: string, place = scope) =>
      search.search(place, { text: "kept", vector: null, tables: ["notes"], vectorField, filters: {}, limit: 1 }, signal);
    const max = limit("searchTenantIndexesMax");
    await ask("field0", other);
    for (let i = 0; i < max + 5; i += 1) await ask(`field${i}`);
    expect(search.status().indexes).toBe(max + 1);
    expect((await ask("field0")).results).toHaveLength(1);
    expect(search.status().bytes).toBeLessThan(limit("searchTenantBytesMax"));
  } finally {
    search.close();
    await test.close();
  }
}, 60_000);
