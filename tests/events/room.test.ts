/** How many events may wait: who is refused when automations are behind, and what comes of those that were taken. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventHost, eventually, listen, startEventHost, succeed, tellingPackage, type EventHost, type Listener } from "./event-host.ts";

const MAX = 3;

let host: EventHost;
let listener: Listener;

const FILES = (port: number) =>
  tellingPackage({
    name: "teller",
    port,
    sources: `    - name: flow
      type: flow-events
    - name: changes
      type: devrev-webhook
      config:
        event_types: [account_created]
`,
    automations: `  - name: published
    source: flow
    event_types: [custom:go]
    function: tell
  - name: created
    source: changes
    event_types: [account_created]
    function: tell
`,
  });

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener, undefined, ["--events-waiting-max", String(MAX)]);
  await host.bring("teller", FILES(listener.port));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});

const publish = (number: number) =>
  host.send("/v1/events", { body: { snapIn: "teller", source: "flow", type: "go", payload: { number } } });
const backlog = async () => (await host.send("/v1/events/waiting")).json["events"];

test("while automations are behind new events are refused, and none that was taken is lost", { timeout: 90_000 }, async () => {
  let release: (text: string) => void = () => undefined;
  const held = new Promise<string>((resolve) => (release = resolve));
  listener.answer = () => held;
  for (let i = 1; i <= MAX; i++) await succeed(publish(i));
  const refused = await publish(99);
  expect(refused).toMatchObject({ status: 429, json: { code: "TooManyEventsWaiting" }, headers: { "retry-after": "10" } });
  // Changes of the application go on for longer; what is refused is not half done.
  for (let i = 1; i <= MAX; i++) await host.run("accounts:create", { name: `taken ${i}`, revenue: 1 });
  expect(await backlog()).toEqual({ count: 2 * MAX, max: MAX });
  await expect(host.run("accounts:create", { name: "refused", revenue: 1 })).rejects.toThrow("events of this branch wait");
  // What no automation listens to makes no event.
  await host.run("accounts:nothing", {});
  expect(await backlog()).toEqual({ count: 2 * MAX, max: MAX });

  host = eventHost(await host.local.crash());
  await eventually(async () => ((await backlog()) as { readonly count: number }).count === 2 * MAX || undefined, "the count");
  expect((await publish(99)).status).toBe(429);
  release("ok");
  await eventually(async () => ((await backlog()) as { readonly count: number }).count === 0 || undefined, "the end of all");
  const told = listener.received.map(({ payload }) => JSON.stringify(payload["number"] ?? nameIn(payload)));
  expect([...new Set(told)].sort()).toEqual(['"taken 1"', '"taken 2"', '"taken 3"', "1", "2", "3"]);
  await succeed(publish(4));
  await host.run("accounts:create", { name: "taken 4", revenue: 1 });
  await eventually(() => listener.received.some(({ payload }) => nameIn(payload) === "taken 4") || undefined, "what is taken again");
});

function nameIn(payload: Readonly<Record<string, unknown>>): unknown {
  return (payload["account_created"] as { readonly account: { readonly name: string } } | undefined)?.account.name;
}
