/** Category Z of the abuse suite for packages: many first calls at once, and a host that restarts under load. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Files } from "../../packages/server/src/packages/test-packages.ts";
import {
  eventHost,
  eventually,
  listen,
  startEventHost,
  succeed,
  tellingPackage,
  type EventHost,
  type Listener,
} from "../events/event-host.ts";
import { limit } from "@plinth/core/limits.ts";

const PACKAGES = 10;
const USER = "don:identity:plinth:devo/default:devu/7";
const TICKET = "don:core:plinth:devo/default:ticket/1";

let host: EventHost;
let listener: Listener;

/** A package with a command and an automation, both of which tell the listener. */
function chatting(name: string): Files {
  const files = tellingPackage({
    name,
    port: listener.port,
    sources: "    - name: flow\n      type: flow-events\n",
    automations: `  - name: ${name}\n    source: flow\n    event_types: ["custom:go"]\n    function: tell\n`,
  });
  const command = `commands:
  - name: say
    namespace: ${name}
    description: Says.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    usage_hint: ""
    function: tell
`;
  return { ...files, "manifest.yaml": `${files["manifest.yaml"]}`.replace("automations:\n", `${command}automations:\n`) };
}

beforeAll(async () => {
  listener = await listen();
  host = await startEventHost(listener);
  for (let n = 0; n < PACKAGES; n++) await host.bring(`chat${n}`, chatting(`chat${n}`));
  await succeed(host.send("/v1/tenants", { body: { name: "other" } }));
}, 120_000);
afterAll(async () => {
  await host.local.stop();
  await listener.close();
});

const publish = (n: number, payload: object) =>
  host.send("/v1/events", { body: { snapIn: `chat${n % PACKAGES}`, source: "flow", type: "go", payload } });
const command = (n: number) =>
  host.send(`/v1/commands/chat${n % PACKAGES}/say`, { body: { object: TICKET, user: USER, parameters: `${n}` } });
const tokensOf = () => new Set(listener.received.map(({ payload }) => payload["token"]));

/** Runs until `state.isOver`, and tells the longest wait. */
async function otherTenant(state: { isOver: boolean }): Promise<number> {
  const other = eventHost(host.local, "other");
  let slowestMs = 0;
  while (!state.isOver) {
    const fromMs = performance.now();
    await succeed(other.send("/v1/operations/http/execute", { body: { input: { url: "http://10.0.0.1/" } } }));
    slowestMs = Math.max(slowestMs, performance.now() - fromMs);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return slowestMs;
}

/** Processes below this one, without those that ended and wait to be buried. */
function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    try {
      const [state, parent] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      if (state !== "Z") parents.set(Number(parent), [...(parents.get(Number(parent)) ?? []), Number(name)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (of: number): readonly number[] => (parents.get(of) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test(
  "Z03 first calls of many packages by events and commands: a few processes at a time, and all are answered",
  { timeout: 120_000 },
  async () => {
    const state = { isOver: false, most: 0 };
    const other = otherTenant(state);
    const counting = (async () => {
      while (!state.isOver) {
        const headers = { authorization: `Bearer ${host.local.connection.key ?? ""}` };
        const text = await (await fetch(`${host.local.connection.url}/metrics`, { headers })).text();
        state.most = Math.max(state.most, Number(/^plinth_runners (\d+)$/m.exec(text)?.[1]));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      const published = Promise.all(Array.from({ length: 100 }, (_, n) => succeed(publish(n, { token: `first${n}` }))));
      const commands = await Promise.all(Array.from({ length: 100 }, (_, n) => command(n)));
      await published;
      // All run, or are told that there is no place for so long; nothing hangs or fails inside.
      const answers = Object.groupBy(commands, ({ status, json }) => `${status} ${JSON.stringify(json["status"] ?? json["code"])}`);
      expect(Object.keys(answers)).toEqual(['200 "succeeded"']);
      await eventually(() => (tokensOf().size >= 100 ? true : undefined), "the deliveries");
    } finally {
      state.isOver = true;
      await counting;
    }
    expect(await other).toBeLessThan(15_000);
    expect(state.most).toBeGreaterThan(0);
    // Those of packages, of functions, and the spare ones.
    expect(state.most).toBeLessThanOrEqual(limit("packageProcessesPerTenantMax") + limit("runnersPerTenantMax") + 3);
  },
);

test("Z08 a restart under load of deliveries, commands and agents", { timeout: 120_000 }, async () => {
  const accept = { accept: "application/json, text/event-stream", "content-type": "application/json" };
  const rpc = async (method: string, params: object, session?: string) =>
    await fetch(`${host.local.connection.url}/mcp`, {
      method: "POST",
      headers: {
        ...accept,
        authorization: `Bearer ${host.local.connection.key ?? ""}`,
        ...(session === undefined ? {} : { "mcp-session-id": session }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
  const begin = async (): Promise<string> => {
    const begun = await rpc("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    });
    await begun.text();
    return begun.headers.get("mcp-session-id") ?? "";
  };
  const call = (session: string) =>
    rpc(
      "tools/call",
      { name: "http", arguments: { url: `http://127.0.0.1:${listener.port}/`, method: "POST", body: '{"payload":{}}' } },
      session,
    );
  const session = await begin();
  listener.answer = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return "ok";
  };
  const acknowledged = new Set<string>();
  const odd: string[] = [];
  const state = { isOver: false };
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let n = lane; !state.isOver; n += 4) {
      const done = await Promise.allSettled([
        publish(n, { token: `load${n}` }).then(({ status, json }) => {
          if (status < 300) acknowledged.add(`load${n}`);
          return JSON.stringify([status, json["code"]]);
        }),
        command(n).then(({ status, json }) =>
          JSON.stringify([status, json["status"] ?? json["code"], (json["error"] as { code?: string } | undefined)?.code]),
        ),
        call(session).then(async (answer) =>
          JSON.stringify([answer.status, (await answer.text()).match(/InternalError|"isError":true/)?.[0]]),
        ),
      ]);
      // A connection that ends is what a client sees of a host that stops; what is answered has a type.
      for (const each of done) if (each.status === "fulfilled" && /InternalError|\[500/.test(each.value)) odd.push(each.value);
      if (done.every(({ status }) => status === "rejected")) return;
    }
  });
  await eventually(() => (acknowledged.size >= 20 ? true : undefined), "the load");
  const below = descendants(host.local.process.ready.pid);
  expect(below.length).toBeGreaterThan(0);
  const restarting = host.local.restart();
  const restarted = await restarting;
  state.isOver = true;
  await Promise.all(load);
  expect(odd).toEqual([]);
  expect(below.filter(isAlive)).toEqual([]);
  host = eventHost(restarted);
  // Nothing that was acknowledged is lost, and everything is served as before.
  await eventually(() => (acknowledged.isSubsetOf(tokensOf()) ? true : undefined), "each acknowledged event");
  expect((await succeed(command(1))).json["status"]).toBe("succeeded");
  expect((await call(session)).status).toBe(404);
  expect(await (await call(await begin())).text()).toContain("ok");
  expect((await host.send("/v1/events/dead-letters")).json["deadLetters"]).toEqual([]);
});
