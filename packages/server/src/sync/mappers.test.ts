import { afterEach, beforeEach, expect, it } from "vitest";
import { SYNC_MAPPERS_BY_ITEM, SYNC_UNITS } from "../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { SyncMappers } from "./mappers.ts";
import type { SyncUnitRow } from "./sync-records.ts";

const UNIT = "syncunit_1";
const scope = newScope();

let opened: TestDatabase;
let mappers: SyncMappers;
beforeEach(async () => {
  opened = await openTestDatabase();
  mappers = new SyncMappers(opened);
  await opened.database.update(scope, async ({ records }) => {
    records.put(SYNC_UNITS, [UNIT], { id: UNIT, snapInId: "snapin_1", import: "things", mappers: 0 } as unknown as SyncUnitRow);
    await Promise.resolve();
  });
});
afterEach(() => opened.close());

const codes = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === "fulfilled" ? "ok" : String((result.reason as { readonly code?: string }).code))).sort();
const count = async () => (await opened.database.read(scope, ({ records }) => records.get(SYNC_UNITS, [UNIT])))?.mappers;
const items = async () =>
  (await opened.database.read(scope, ({ records }) => records.range(SYNC_MAPPERS_BY_ITEM, { prefix: [UNIT], limit: 100 }))).map(
    ({ key }) => `${String(key[1])} ${String(key[2])}`,
  );

it("M1 of many who map the same item at once one does, and nothing of the others is there", async () => {
  const all = Array.from({ length: 8 }, (_, i) => mappers.create(scope, UNIT, { external_ids: ["e"], targets: [`t${i}`] }));
  expect(codes(await Promise.allSettled(all))).toEqual([...Array.from({ length: 7 }, () => "SyncItemMapped"), "ok"]);
  expect(await count()).toBe(1);
  const { id, targets } = await mappers.find(scope, UNIT, { side: "external", item: "e" });
  expect(await items()).toEqual(["external e", `target ${targets[0]}`]);
  await expect(mappers.create(scope, UNIT, { external_ids: ["e"], targets: ["x"] })).rejects.toThrow(id);
});

it("M1 an update takes no item of another mapping, and changes nothing then", async () => {
  const one = await mappers.create(scope, UNIT, { external_ids: ["e1"], targets: ["t1"] });
  const other = await mappers.create(scope, UNIT, { external_ids: ["e2"], targets: ["t2"] });
  const steal = { id: other.id, status: "changed", external_ids: { add: ["e3", "e1"] }, targets: ["t9"] };
  await expect(mappers.update(scope, UNIT, steal)).rejects.toMatchObject({ code: "SyncItemMapped" });
  expect(await mappers.find(scope, UNIT, { side: "target", item: "t2" })).toEqual(other);
  expect(await items()).toEqual(["external e1", "external e2", "target t1", "target t2"]);
  // What a mapping gives away another may take.
  await mappers.update(scope, UNIT, { id: one.id, external_ids: ["e4"] });
  expect((await mappers.update(scope, UNIT, steal)).externalIds).toEqual(["e2", "e3", "e1"]);
  expect(await items()).toEqual(["external e1", "external e2", "external e3", "external e4", "target t1", "target t9"]);
});

it("M2 additions at once add up", async () => {
  const { id } = await mappers.create(scope, UNIT, { external_ids: ["e"], targets: ["t"] });
  const all = Array.from({ length: 6 }, (_, i) => mappers.update(scope, UNIT, { id, external_ids: { add: [`e${i}`] } }));
  expect(codes(await Promise.allSettled(all))).toEqual(Array.from({ length: 6 }, () => "ok"));
  const { externalIds } = await mappers.find(scope, UNIT, { side: "external", item: "e3" });
  expect([...externalIds].sort()).toEqual(["e", "e0", "e1", "e2", "e3", "e4", "e5"]);
});

it("M3 a creation that is sent again is the same mapping", async () => {
  const one = await mappers.create(scope, UNIT, { external_ids: ["e1", "e2"], targets: ["t1"], status: "operational" });
  const again = await mappers.create(scope, UNIT, { external_ids: ["e2", "e1"], targets: ["t1"], status: "failed" });
  expect(again.id).toBe(one.id);
  expect(await mappers.find(scope, UNIT, { side: "target", item: "t1" })).toMatchObject({ id: one.id, status: "failed" });
  expect(await count()).toBe(1);
  await expect(mappers.create(scope, UNIT, { external_ids: ["e1"], targets: ["t1"] })).rejects.toMatchObject({ code: "SyncItemMapped" });
});
