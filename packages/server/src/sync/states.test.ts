import { limit } from "@plinth/core/limits.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SYNC_BLUEPRINTS } from "../database/record-tables.ts";
import { openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { SyncStates } from "./states.ts";

const SCOPE = { tenant: "default", branch: "main" };

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

it("first mappings are bounded for each snap-in, whatever slugs it makes up", async () => {
  const { database, runtime } = opened;
  const states = new SyncStates({ database, runtime });
  const max = limit("syncBlueprintsMax");
  for (let i = 0; i < max + 5; i += 1) await states.keepBlueprint(SCOPE, { snapInId: "one", slug: `slug-${i}` }, "{}");
  await states.keepBlueprint(SCOPE, { snapInId: "other", slug: "slug" }, "{}");
  const kept = async (snapIn: string) =>
    await database.read(SCOPE, async ({ records }) => (await records.range(SYNC_BLUEPRINTS, { prefix: [snapIn], limit: 1000 })).length);
  expect(await kept("one")).toBe(max);
  expect(await kept("other")).toBe(1);
});
