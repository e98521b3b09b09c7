/** Timers, events that packages publish, sources of users, order, retries and dead letters, over the API of a real host. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  eventually,
  listen,
  startEventHost,
  succeed,
  tellingPackage,
  type EventHost,
  type HandlerEvent,
  type Listener,
} from "./event-host.ts";

let host: EventHost;
let listener: Listener;
let snapIn: string;

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
  snapIn = await host.bring(
    "flows",
    tellingPackage({
      name: "flows",
      port: listener.port,
      sources: `    - name: flow
      type: flow-events
    - name: picky
      type: flow-events
      filter:
        jq_query: if .n == 1 then true elif .n == 2 then false elif .n == 4 then last(range(1e12)) else error("what is this") end
  user:
    - name: mine
      type: devrev-webhook
      config:
        event_types: [account_created]
      filter:
        jq_query: .account_created.account.name == $user.id
`,
      functionFields: "    supports_synchronization: true\n",
      automations: `  - name: flow
    source: flow
    event_types: ["custom:hello", "custom:fail", "custom:order"]
    function: tell
  - name: picky
    source: picky
    event_types: ["custom:hello"]
    function: tell
  - name: mine
    source: mine
    event_types: [account_created]
    function: tell
`,
    }),
  );
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});
beforeEach(() => {
  listener.received.length = 0;
  listener.answer = () => "ok";
});

function got(count: number): Promise<readonly HandlerEvent[]> {
  return eventually(() => (listener.received.length >= count ? [...listener.received] : undefined), `event ${count}`);
}

function publish(type: string, more: Record<string, unknown> = {}) {
  return host.send("/v1/events", { body: { snapIn: "flows", source: "flow", type, ...more } });
}

async function deadLetters(): Promise<
  readonly { readonly id: string; readonly error: { readonly code: string; readonly message: string } }[]
> {
  const { json } = await host.send("/v1/events/dead-letters");
  return json["deadLetters"] as readonly { id: string; error: { code: string; message: string } }[];
}

test("an event of a flow comes at once, or at its time", { timeout: 60_000 }, async () => {
  expect((await publish("hello", { payload: { n: 1 } })).status).toBe(202);
  const [first] = await got(1);
  expect(first).toMatchObject({ payload: { n: 1 }, execution_metadata: { event_type: "custom:hello" } });
  const publishAt = new Date(Date.now() + 4000).toISOString();
  await succeed(publish("hello", { payload: { n: 2 }, publishAt, key: "later" }));
  expect((await publish("hello", { publishAt, key: "later" })).status).toBe(409);
  await succeed(publish("hello", { payload: { n: 3 }, publishAt, key: "later", updateIfExists: true }));
  await succeed(publish("hello", { payload: { n: 4 }, publishAt, key: "never" }));
  expect((await host.send("/v1/events?snapIn=flows&source=flow&key=never", { method: "DELETE" })).status).toBe(200);
  expect((await host.send("/v1/events?snapIn=flows&source=flow&key=never", { method: "DELETE" })).status).toBe(404);
  const [, second] = await got(2);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(publishAt));
  expect(second?.payload).toEqual({ n: 3 });
  // Its key is free again.
  await succeed(publish("hello", { payload: { n: 5 }, key: "later" }));
  expect((await got(3))[2]?.payload).toEqual({ n: 5 });
});

test("what is asked wrongly is refused", async () => {
  expect((await publish("hello", { source: "none" })).status).toBe(404);
  expect((await publish("hello", { snapIn: "none" })).status).toBe(404);
  expect((await publish("has space")).status).toBe(400);
  expect((await publish("hello", { publishAt: "tomorrow" })).status).toBe(400);
  expect((await publish("hello", { payload: "x".repeat(300_000) })).status).toBe(413);
  expect((await host.send("/v1/events/dead-letters?limit=0")).status).toBe(400);
  expect((await host.send("/v1/events/dead-letters/dlv_none")).status).toBe(404);
  expect((await host.send("/v1/events/dead-letters/dlv_none/replay", { method: "POST" })).status).toBe(404);
});

test("V3 events with one sync id come one after the other and in order, others beside them", { timeout: 60_000 }, async () => {
  let running = 0;
  let most = 0;
  const runningOf = new Map<string, number>();
  listener.answer = async ({ payload }) => {
    const group = String(payload["group"]);
    const ofGroup = (runningOf.get(group) ?? 0) + 1;
    runningOf.set(group, ofGroup);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 30));
    running--;
    runningOf.set(group, ofGroup - 1);
    return ofGroup > 1 ? "two of one group at a time" : "ok";
  };
  for (let n = 0; n < 8; n++)
    await Promise.all(["a", "b", "c"].map((group) => succeed(publish("order", { payload: { group, n }, syncId: group }))));
  const events = await got(24);
  for (const group of ["a", "b", "c"]) {
    const order = events.filter(({ payload }) => payload["group"] === group).map(({ payload }) => payload["n"]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  }
  expect(most).toBeGreaterThan(1);
  expect(await deadLetters()).toEqual([]);
});

test("V4 what fails for good is a dead letter; those behind it go on; it can be replayed and discarded", { timeout: 60_000 }, async () => {
  listener.answer = ({ payload }) => (payload["n"] === 1 ? "no good" : "ok");
  for (const n of [1, 2]) await succeed(publish("fail", { payload: { n }, syncId: "x" }));
  expect((await got(2)).map(({ payload }) => payload["n"])).toEqual([1, 2]);
  const letter = await eventually(async () => (await deadLetters())[0], "the dead letter");
  expect(letter).toMatchObject({ snapInId: snapIn, automation: "flow", attempts: 1, error: { code: "FunctionError" } });
  expect(letter.error.message).toContain("no good");
  const { json } = await host.send(`/v1/events/dead-letters/${letter.id}`);
  expect(json["event"]).toMatchObject({ type: "custom:fail", payload: { n: 1 } });
  const record = await host.send(`/v1/invocations/${String(json["invocation"])}`);
  expect(record.json).toMatchObject({ status: "failed", source: "automation" });

  await succeed(host.send(`/v1/events/dead-letters/${letter.id}/replay`, { method: "POST" }));
  await got(3);
  const again = await eventually(async () => (await deadLetters())[0], "the dead letter again");
  expect(again.id).not.toBe(letter.id);
  listener.answer = () => "ok";
  await succeed(host.send(`/v1/events/dead-letters/${again.id}/replay`, { method: "POST" }));
  await got(4);
  expect(await deadLetters()).toEqual([]);
  listener.answer = () => "no good";
  await succeed(publish("fail"));
  const last = await eventually(async () => (await deadLetters())[0], "the last dead letter");
  await succeed(host.send(`/v1/events/dead-letters/${last.id}`, { method: "DELETE" }));
  expect(await deadLetters()).toEqual([]);
});

test("a filter that fails makes dead letters of its own events only", { timeout: 60_000 }, async () => {
  await Promise.all([1, 3, 2, 1].map((n) => succeed(publish("hello", { source: "picky", payload: { n } }))));
  expect((await got(2)).map(({ payload }) => payload["n"])).toEqual([1, 1]);
  const letter = await eventually(async () => (await deadLetters())[0], "the dead letter");
  expect(letter.error.message).toContain("what is this");
  await succeed(host.send(`/v1/events/dead-letters/${letter.id}`, { method: "DELETE" }));
});

test("a filter that never ends holds the branch up for some seconds, and only events of its source die", { timeout: 90_000 }, async () => {
  await Promise.all([4, 4, 1].map((n) => succeed(publish("hello", { source: "picky", payload: { n } }))));
  await succeed(publish("hello", { payload: { n: 9 } }));
  await eventually(() => listener.received.find(({ payload }) => payload["n"] === 9), "the event of the other source");
  const letters = await eventually(async () => {
    const found = await deadLetters();
    return found.length >= 2 ? found : undefined;
  }, "the dead letters");
  expect(new Set(letters.map(({ error }) => error.code))).toEqual(new Set(["FunctionTimeout"]));
  for (const { id } of letters) await succeed(host.send(`/v1/events/dead-letters/${id}`, { method: "DELETE" }));
});

test("a source of a user hears what its filter lets through for that user", { timeout: 60_000 }, async () => {
  const users = `/v1/snap-ins/${snapIn}/users`;
  for (const user of ["ada", "bob"]) await succeed(host.send(users, { body: { user } }));
  for (const name of ["carl", "bob", "ada"]) await host.run("accounts:create", { name, revenue: 1 });
  const events = await got(2);
  expect(new Set(events.map(({ context }) => context["user_id"]))).toEqual(new Set(["ada", "bob"]));
  for (const user of ["ada", "bob"]) await succeed(host.send(`${users}?user=${user}`, { method: "DELETE" }));
  expect((await host.send(`${users}?user=ada`, { method: "DELETE" })).status).toBe(404);
});

test("timers tick, and stop with their snap-in", { timeout: 60_000 }, async () => {
  const id = await host.bring(
    "ticker",
    tellingPackage({
      name: "ticker",
      port: listener.port,
      sources: `    - name: clock
      type: timer-events
      config:
        interval_seconds: 1
        metadata:
          of: clock
`,
      automations: `  - name: tick
    source: clock
    event_types: [timer.tick]
    function: tell
`,
    }),
  );
  const [first, second] = await got(2);
  expect(first?.payload).toMatchObject({ metadata: { of: "clock" }, event_source_id: expect.stringMatching(/^evs_/) as unknown });
  expect(Number(second?.payload["scheduled_time"]) - Number(first?.payload["scheduled_time"])).toBe(1000);
  await succeed(host.send(`/v1/snap-ins/${id}/deactivate`, { method: "POST" }));
  listener.received.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(listener.received).toEqual([]);
});

test("plinth events publishes, and shows, replays and discards dead letters", { timeout: 60_000 }, async () => {
  listener.answer = () => "no good";
  expect(await plinth("publish", "flows", "flow", "fail", '{"n":7}')).toContain("is published");
  const letter = await eventually(async () => (await deadLetters())[0], "the dead letter");
  expect(await plinth("dead-letters", "list")).toMatch(new RegExp(`${letter.id}.*flow.*custom:fail.*no good`));
  expect(await plinth("dead-letters", "show", letter.id)).toMatch(/"payload":\s*\{\s*"n":\s*7/);
  expect(await plinth("dead-letters", "discard")).toContain("Name one dead letter");
  listener.answer = () => "ok";
  expect(await plinth("dead-letters", "replay", "--all")).toContain("is delivered again");
  await got(2);
  expect(await plinth("publish", "flows", "flow", "hello", "{}", "--at", "2100-01-01T00:00:00Z", "--event-key", "far")).toContain(
    "five years",
  );
  const at = new Date(Date.now() + 3_600_000).toISOString();
  expect(await plinth("publish", "flows", "flow", "hello", "{}", "--at", at, "--event-key", "far")).toContain("far is published at");
  expect(await plinth("publish", "flows", "flow", "hello", "{}", "--at", at, "--event-key", "far")).toContain("exists already");
  expect(await plinth("unschedule", "flows", "flow", "far")).toContain("is taken back");
  expect(await plinth("waiting")).toContain("WAITS FOR");
});

function plinth(...args: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, "../../packages/cli/bin/plinth.mjs");
  const { url, key } = host.local.connection;
  const env = { ...process.env, PLINTH_URL: url, PLINTH_ADMIN_KEY: key ?? "" };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, "events", ...args], { env, encoding: "utf8" }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}
