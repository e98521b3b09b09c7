/** Events of documents, from the mutation that causes them to the automation that gets them. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, listen, startEventHost, tellingPackage, type EventHost, type HandlerEvent, type Listener } from "./event-host.ts";

let host: EventHost;
let listener: Listener;
let snapIn: string;

const FILES = (port: number) =>
  tellingPackage({
    name: "teller",
    port,
    sources: `    - name: changes
      type: devrev-webhook
      config:
        event_types: [account_created, account_updated, account_deleted]
    - name: large
      type: devrev-webhook
      config:
        event_types: [account_created]
      filter:
        jq_query: .account_created.account.revenue > 1000
`,
    automations: `  - name: all
    source: changes
    event_types: [account_created, account_updated, account_deleted]
    function: tell
  - name: large-only
    source: large
    event_types: [account_created]
    function: tell
`,
  });

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
  snapIn = await host.bring("teller", FILES(listener.port));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});
beforeEach(() => {
  listener.received.length = 0;
});

function got(count: number): Promise<readonly HandlerEvent[]> {
  return eventually(() => (listener.received.length >= count ? [...listener.received] : undefined), `event ${count}`);
}

test("V1 a mutation's changes come with what they changed", { timeout: 60_000 }, async () => {
  const id = await host.run("accounts:create", { name: "Ada", revenue: 1 });
  const [created] = await got(1);
  expect(created).toMatchObject({
    payload: { type: "account_created", account_created: { id, account: { _id: id, name: "Ada", revenue: 1 } } },
    context: { snap_in_id: expect.stringContaining(snapIn) as unknown },
    execution_metadata: { event_type: "account_created", function_name: "tell" },
  });
  expect(Object.keys(created?.payload ?? {}).sort()).toEqual(["account_created", "id", "timestamp", "type", "unique_key", "webhook_id"]);
  await host.run("accounts:update", { id, name: "Ada", revenue: 2 });
  await got(2);
  await host.run("accounts:remove", { id });
  const [, updated, deleted] = await got(3);
  expect(updated?.payload["account_updated"]).toMatchObject({ id, account: { revenue: 2 }, old_account: { revenue: 1 } });
  expect(deleted?.payload["account_deleted"]).toMatchObject({ id, old_account: { revenue: 2 } });
  expect(deleted?.payload["account_deleted"]).not.toHaveProperty("account");
});

test("V1 what was not committed is no event; V2 a source's filter decides for its automations", { timeout: 60_000 }, async () => {
  await expect(host.run("accounts:fail", { name: "Never", revenue: 5000 })).rejects.toThrow("no");
  await host.run("accounts:nothing", {});
  await host.run("accounts:create", { name: "Small", revenue: 10 });
  await host.run("accounts:create", { name: "Large", revenue: 2000 });
  const events = await got(3);
  const names = events.map(({ payload }) => (payload["account_created"] as { account: { name: string } }).account.name);
  expect(names.sort()).toEqual(["Large", "Large", "Small"]);
  // Two sources, one event: each delivery names its own.
  expect(new Set(events.map(({ payload }) => payload["webhook_id"])).size).toBe(2);
  expect(new Set(events.map(({ payload }) => payload["id"])).size).toBe(2);
});

test("B2 a change of the budget's stage is an event, and so are refusals by limits, together", { timeout: 90_000 }, async () => {
  const sources = `    - name: limits
      type: devrev-webhook
      config:
        event_types: [budget_stage_changed, limit_refused]
`;
  const automations = `  - name: limits
    source: limits
    event_types: [budget_stage_changed, limit_refused]
    function: tell
`;
  await host.bring("watcher", tellingPackage({ name: "watcher", port: listener.port, sources, automations }));
  // One call spends it all.
  const budget = { period: "day", amount: 0.000001, whenSpent: "degrade" };
  const functions = [{ function: "accounts:create", rate: { perSecond: 0.01, burst: 1 } }];
  const limits = await host.send("/v1/limits", { method: "PUT", body: { budget, functions } });
  expect(limits.status, JSON.stringify(limits.json)).toBe(200);
  await host.run("accounts:create", { name: "one", revenue: 1 });
  const change = await eventually(() => listener.received.find(({ payload }) => payload["type"] === "budget_stage_changed"), "the stage");
  expect(change.payload["budget_stage_changed"]).toMatchObject({ from: "ok", period: "day" });
  for (let i = 0; i < 3; i++) await expect(host.run("accounts:create", { name: "more", revenue: 1 })).rejects.toThrow();
  const refused = await eventually(() => listener.received.find(({ payload }) => payload["type"] === "limit_refused"), "the refusals");
  expect(refused.payload["limit_refused"]).toMatchObject({ function: "accounts:create", code: "RateLimited", count: 3 });
});

test("deliveries of a tenant whose budget is spent wait", { timeout: 60_000 }, async () => {
  const budget = { period: "day", amount: 0.000001, whenSpent: "refuse" };
  expect((await host.send("/v1/limits", { method: "PUT", body: { budget, functions: [] } })).status).toBe(200);
  const reasonOf = async () => {
    const { json } = await host.send("/v1/events/waiting");
    return (json["waiting"] as readonly { readonly automation: string; readonly reason: string }[]).find(
      ({ automation, reason }) => automation === "limits" && reason.includes("budget"),
    );
  };
  // The change of the stage is itself an event.
  await eventually(reasonOf, "the reason");
  expect((await host.send("/v1/events/dead-letters")).json["deadLetters"]).toEqual([]);
});
