import { expect, test } from "vitest";
import { DELIVERY_QUEUE, PLATFORM_SCOPE, SUBSCRIPTIONS } from "../database/record-tables.ts";
import { newScope, openTestDatabase } from "../database/test-database.ts";
import type { SubscriptionRow } from "./event-records.ts";
import { fanOut } from "./fan-out.ts";
import { FreshDeliveries } from "./fresh-deliveries.ts";
import { GroupedUpdates } from "./grouped-updates.ts";
import { publishEvent } from "./publish.ts";

test("Z07 an event of before the clock was moved back is delivered now", async () => {
  const opened = await openTestDatabase();
  const { database, runtime } = opened;
  try {
    const scope = newScope();
    const nowMs = runtime.nowMs();
    const listener: SubscriptionRow = {
      type: "custom:go",
      snapInId: "s",
      automation: "a",
      function: "f",
      sourceId: "evs_1",
      user: null,
      ordered: false,
      filterJq: null,
    };
    await database.update(scope, async (transaction) => {
      transaction.records.put(SUBSCRIPTIONS, ["custom:go", "evs_1", "a"], listener);
      await publishEvent(transaction, { type: "custom:go", sourceId: "evs_1", payload: {}, syncId: null }, nowMs + 3_600_000);
    });
    const tools = {
      run: () => Promise.reject(new Error("there is no filter")),
    };
    const flows = { judge: () => "yes" as const };
    const parts = { database, tools, runtime, flows, updates: new GroupedUpdates({ database, runtime }), fresh: new FreshDeliveries() };
    expect(await fanOut(parts, scope)).toBe(false);
    const marks = await database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(DELIVERY_QUEUE, { prefix: [scope.tenant, scope.branch], limit: 10 }),
    );
    expect(marks).toHaveLength(1);
    expect(Number(marks[0]?.key[2])).toBeLessThanOrEqual(runtime.nowMs());
  } finally {
    await opened.close();
  }
});
