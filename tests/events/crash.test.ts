/** The host is killed between the commit of events and their delivery: nothing that was acknowledged is lost. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventHost, eventually, listen, startEventHost, succeed, tellingPackage, type EventHost, type Listener } from "./event-host.ts";

let host: EventHost;
let listener: Listener;

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
  const sources = `    - name: changes
      type: devrev-webhook
      config:
        event_types: [account_created]
      filter:
        jq_query: .account_created.account.revenue >= 0
    - name: flow
      type: flow-events
`;
  const automations = `  - name: changes
    source: changes
    event_types: [account_created]
    function: tell
  - name: flow
    source: flow
    event_types: ["custom:later", "custom:slow"]
    function: tell
`;
  const functionFields = "    supports_synchronization: true\n";
  await host.bring("teller", tellingPackage({ name: "teller", port: listener.port, sources, automations, functionFields }));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});

async function crash(): Promise<void> {
  host = eventHost(await host.local.crash());
}

function namesOf(): readonly string[] {
  return listener.received.flatMap(({ payload }) => {
    const change = payload["account_created"] as { readonly account: { readonly name: string } } | undefined;
    return change === undefined ? [] : [change.account.name];
  });
}

/** Until nothing is left that a crash would have done again. */
async function untilSettled(): Promise<void> {
  await eventually(async () => {
    const { json } = await host.send("/v1/events/waiting");
    return (json["waiting"] as readonly unknown[]).length === 0 ? true : undefined;
  }, "the end of the deliveries");
}

test("V1 V2 every change that was acknowledged comes to its automation", { timeout: 120_000 }, async () => {
  const acknowledged = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const state = { isKilled: false };
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; !state.isKilled; n++) {
        const name = `${round}.${writer}.${n}`;
        const written = await host.run("accounts:create", { name, revenue: n }).then(
          () => true,
          () => false,
        );
        if (written) acknowledged.add(name);
        else return;
      }
    });
    // Killed while events are written, filtered, delivered and settled.
    await eventually(() => (acknowledged.size >= (round + 1) * 15 ? true : undefined), "acknowledged changes");
    const crashing = crash();
    state.isKilled = true;
    await Promise.all([crashing, ...writers]);
  }
  await eventually(() => (acknowledged.isSubsetOf(new Set(namesOf())) ? true : undefined), "each acknowledged change");
  await untilSettled();
  expect((await host.send("/v1/events/dead-letters")).json["deadLetters"]).toEqual([]);
});

test("V2 a delivery that was cut is done again; V3 the next of its group waits for it", { timeout: 120_000 }, async () => {
  listener.received.length = 0;
  let isHanging = true;
  listener.answer = async ({ payload }) => {
    if (payload["n"] === 1 && isHanging) await new Promise(() => undefined);
    return "ok";
  };
  for (const n of [1, 2])
    await succeed(host.send("/v1/events", { body: { snapIn: "teller", source: "flow", type: "slow", payload: { n }, syncId: "s" } }));
  await eventually(() => (listener.received.length === 1 ? true : undefined), "the first call");
  isHanging = false;
  await crash();
  await eventually(() => (listener.received.length === 3 ? true : undefined), "the calls after the crash");
  await untilSettled();
  expect(listener.received.map(({ payload }) => payload["n"])).toEqual([1, 1, 2]);
});

test("V4 a delivery that was under way at each end of a host is given up", { timeout: 120_000 }, async () => {
  listener.received.length = 0;
  listener.answer = async ({ payload }) => {
    if (payload["n"] === "deadly") await new Promise(() => undefined);
    return "ok";
  };
  const event = (n: string) => ({ body: { snapIn: "teller", source: "flow", type: "slow", payload: { n }, syncId: "deadly" } });
  for (const n of ["deadly", "behind"]) await succeed(host.send("/v1/events", event(n)));
  for (let calls = 1; calls <= 5; calls++) {
    await eventually(() => (listener.received.length === calls ? true : undefined), `call ${calls}`);
    await crash();
  }
  await eventually(() => (listener.received.length === 6 ? true : undefined), "the next of the group");
  await untilSettled();
  expect(listener.received.map(({ payload }) => payload["n"])).toEqual([...Array.from({ length: 5 }, () => "deadly"), "behind"]);
  const { json } = await host.send("/v1/events/dead-letters");
  expect(json["deadLetters"]).toMatchObject([{ attempts: 5, error: { code: "RunnerLost" } }]);
});

test("V5 an event whose time comes while no host runs is published at the next start", { timeout: 120_000 }, async () => {
  listener.received.length = 0;
  const publishAt = new Date(Date.now() + 1500).toISOString();
  await succeed(host.send("/v1/events", { body: { snapIn: "teller", source: "flow", type: "later", payload: { late: true }, publishAt } }));
  await crash();
  await eventually(() => listener.received.find(({ payload }) => payload["late"] === true), "the late event");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(listener.received).toHaveLength(1);
});
