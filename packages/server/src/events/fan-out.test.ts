import { expect, test } from "vitest";
import { DELIVERIES, DELIVERY_QUEUE, EVENTS, PLATFORM_SCOPE, SUBSCRIPTIONS } from "../database/record-tables.ts";
import { newScope, openTestDatabase } from "../database/test-database.ts";
import { deliveryKeyOf, endDelivery } from "./delivery-rows.ts";
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

test("an event goes with the last of its deliveries", async () => {
  const opened = await openTestDatabase();
  const { database, runtime } = opened;
  const tools = { run: () => Promise.reject(new Error("there is no filter")) };
  const flows = { judge: () => "yes" as const };
  const parts = { database, tools, runtime, flows, updates: new GroupedUpdates({ database, runtime }), fresh: new FreshDeliveries() };
  try {
    for (const automations of [["a"], ["a", "b"]]) {
      const scope = newScope();
      const listener = { type: "custom:go", snapInId: "s", function: "f", sourceId: "evs_1", user: null, ordered: false, filterJq: null };
      await database.update(scope, async (transaction) => {
        for (const automation of automations)
          transaction.records.put(SUBSCRIPTIONS, ["custom:go", "evs_1", automation], { ...listener, automation });
        await publishEvent(transaction, { type: "custom:go", sourceId: "evs_1", payload: {}, syncId: null }, runtime.nowMs());
      });
      await fanOut(parts, scope);
      const left: number[] = [];
      for (const _ of automations) {
        await database.update(scope, async ({ records }) => {
          const [first] = await records.range(DELIVERIES, { prefix: [], limit: 1 });
          if (first !== undefined) await endDelivery({ records, scope }, deliveryKeyOf(first.key), first.value);
        });
        left.push((await database.read(scope, ({ records }) => records.range(EVENTS, { prefix: [], limit: 2 }))).length);
      }
      expect(left).toEqual(automations.map((_, index) => (index === automations.length - 1 ? 0 : 1)));
    }
  } finally {
    await opened.close();
  }
});
