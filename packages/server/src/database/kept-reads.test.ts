import { expect, test } from "vitest";
import { KeptReads } from "./kept-reads.ts";
import { defineRecordTable } from "./record-tables.ts";
import { newScope, openTestDatabase } from "./test-database.ts";

const TABLE = defineRecordTable({ space: 0xfff6, name: "test settings", parse: (json) => json });
const BESIDE = defineRecordTable({ space: 0xfff7, name: "test settings beside", parse: (json) => json });
const ALL = { prefix: [], limit: 10 };

test("K1 what was read is kept until a commit writes into it, and not longer", async () => {
  const opened = await openTestDatabase();
  try {
    const { database } = opened;
    const [scope, other] = [newScope(), newScope()];
    let reads = 0;
    const ask = (at = scope) =>
      database.readKept(at, "settings", async ({ records }) => {
        reads++;
        return { rows: await records.range(TABLE, ALL) };
      });
    const put = (at: typeof scope, name: string) => database.update(at, async ({ records }) => records.put(TABLE, [name], { name }));

    expect((await ask()).rows).toEqual([]);
    const empty = await ask();
    expect(reads).toBe(1);
    await put(other, "one");
    await database.update(scope, async ({ records }) => records.put(BESIDE, ["one"], { name: "one" }));
    expect(await ask()).toBe(empty);
    expect((await ask(other)).rows).toHaveLength(1);

    await put(scope, "one");
    expect((await ask()).rows.map(({ value }) => value)).toEqual([{ name: "one" }]);
    await put(scope, "one");
    await database.update(scope, async ({ records }) => records.delete(TABLE, ["one"]));
    expect((await ask()).rows).toEqual([]);
  } finally {
    await opened.close();
  }
});

test("K1 nothing is kept that a commit may have changed while it was read, or given out while commits were not seen", async () => {
  const range = { start: Buffer.from("a"), end: Buffer.from("b") };
  const write = (ts: number) => ({ ts, writes: [{ key: Buffer.from("a1"), value: Buffer.from("v") }] });
  const kept = new KeptReads(1);
  const ask = (latest: number, value: string, during = () => {}) =>
    kept.get(
      "name",
      () => latest,
      () => {
        during();
        return Promise.resolve({ value, ranges: [range] });
      },
    );
  expect(await ask(1, "old", () => kept.committed(write(2)))).toBe("old");
  expect(await ask(2, "new")).toBe("new");
  expect(await ask(2, "unused")).toBe("new");
  expect(await ask(3, "ahead")).toBe("ahead");
});
