/** Flows on a real host: published, started, killed in the middle, answered, undone. */
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";
import { rounds } from "../simulation/random.ts";

let host: EventHost;
let port = 0;
/** What the world was sent: keys of steps. Its first answer is a failure. */
const keys: string[] = [];
const world = createServer((request, response) => {
  keys.push(String(request.headers["idempotency-key"]));
  response.statusCode = keys.length === 1 ? 503 : 200;
  response.end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => world.listen(0, "127.0.0.1", resolve));
  const address = world.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${port}`, "--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "functions", "convex"));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  world.close();
});

type Nodes = Readonly<Record<string, unknown>>;

async function publish(name: string, start: string, nodes: Nodes, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const definition = { format: 1, name, trigger: { type: "api" }, start, nodes, ...more };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}

async function run(name: string, input: unknown = {}, waitMs = 30_000): Promise<Record<string, unknown>> {
  return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs } }))).json;
}

async function start(name: string, input: unknown = {}, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, ...more } }))).json["id"]);
}

async function ended(id: string): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    return json["endedMs"] === null ? undefined : json;
  }, "the end of the run");
}

async function notes(): Promise<readonly string[]> {
  return (await host.run("notes:list", {})) as readonly string[];
}

const add = (text: string, next?: string) => ({
  type: "invoke",
  data: { function: "notes:add", input: { text } },
  ...(next === undefined ? {} : { next }),
});

test("a run of scripts and decisions gives a result, and its history says what each step did", { timeout: 60_000 }, async () => {
  await publish(
    "price",
    "tier",
    {
      tier: { type: "decision", data: { when: "=trigger.seats > 10", else: "small" }, next: "large" },
      large: { type: "script", data: { code: "return { price: inputs.seats * 8 };", input: { seats: "=trigger.seats" } }, next: "give" },
      small: { type: "script", data: { code: "return { price: workflow.trigger.seats * workflow.variables.each };" }, next: "give" },
      give: { type: "return", data: { output: "=steps.large.output != null ? steps.large.output : steps.small.output" } },
    },
    { variables: { each: { type: "number", initial: 10 } } },
  );
  expect(await run("price", { seats: 2 })).toMatchObject({ status: "completed", output: { price: 20 } });
  const done = await run("price", { seats: 20 });
  expect(done).toMatchObject({ status: "completed", output: { price: 160 } });
  const { json } = await host.send(`/v1/flow-runs/${String(done["id"])}/history`);
  expect(JSON.stringify(json)).toContain('"node":"large"');
});

test("W3 three mutations happen exactly once, however often the host is killed", { timeout: 300_000 }, async () => {
  await publish("three", "a", { a: add('=trigger.n + "a"', "b"), b: add('=trigger.n + "b"', "c"), c: add('=trigger.n + "c"') });
  const started = new Map<string, string>();
  const kills = rounds({ ci: 2, long: 6 });
  for (let round = 0; round < kills; round++) {
    const before = started.size;
    const starts = Array.from({ length: 40 }, async (_, n) => {
      const name = `${round}.${n}.`;
      const id = await start("three", { n: name }).catch(() => null);
      if (id !== null) started.set(name, id);
    });
    // Killed while runs begin, go on and end.
    await eventually(() => (started.size >= before + 10 + (round % 3) * 10 ? true : undefined), "runs");
    const crashing = host.local.crash();
    await Promise.all(starts);
    host = eventHost(await crashing);
    // What was begun and not acknowledged has ended too.
    await eventually(async () => {
      const { json } = await host.send("/v1/flow-runs?flow=three");
      return (json["runs"] as readonly { readonly endedMs: number | null }[]).every(({ endedMs }) => endedMs !== null) ? true : undefined;
    });
  }
  for (const id of started.values()) expect(await ended(id)).toMatchObject({ status: "completed" });
  const texts = await notes();
  expect(texts.filter((text, i) => texts.indexOf(text) !== i)).toEqual([]);
  expect(new Set([...started.keys()].flatMap((name) => [`${name}a`, `${name}b`, `${name}c`])).isSubsetOf(new Set(texts))).toBe(true);
});

test("W4 a run sleeps while no host runs, and an idempotent start is one run", { timeout: 60_000 }, async () => {
  await publish("sleeper", "nap", {
    nap: { type: "delay", data: { for: 4000 }, next: "done" },
    done: { type: "return", data: { output: "awake" } },
  });
  const id = await start("sleeper", {}, { idempotencyKey: "once" });
  expect(await start("sleeper", {}, { idempotencyKey: "once" })).toBe(id);
  expect((await host.send(`/v1/flow-runs/${id}`)).json).toMatchObject({ status: "waiting", reason: { code: "sleeping", node: "nap" } });
  host = eventHost(await host.local.crash());
  expect(await ended(id)).toMatchObject({ status: "completed", output: "awake" });
});

test("an approval is answered once, by its token", { timeout: 60_000 }, async () => {
  await publish("approve", "ask", {
    ask: { type: "wait", data: { for: "approval", title: "May we?" }, next: "give" },
    give: { type: "return", data: { output: "=steps.ask.output" } },
  });
  const waiting = await run("approve");
  expect(waiting).toMatchObject({ status: "waiting", reason: { code: "awaiting_approval" } });
  const [open] = waiting["answers"] as readonly { readonly token: string }[];
  const answer = () => host.send("/v1/flow-answers", { body: { token: open?.token, output: { approved: true } } });
  expect((await host.send("/v1/flow-answers", { body: { token: "forged" } })).status).toBe(404);
  expect((await answer()).status).toBe(200);
  expect(await ended(String(waiting["id"]))).toMatchObject({ status: "completed" });
  expect((await answer()).status).toBe(409);
});

test("a run that fails undoes what its steps did", { timeout: 60_000 }, async () => {
  await publish("saga", "add", {
    add: {
      ...add('="saga"', "break"),
      compensate: { type: "invoke", data: { function: "notes:remove", input: { id: "=steps.add.output" } } },
    },
    break: { type: "invoke", data: { function: "notes:fail" }, retry: { attempts: 1 } },
  });
  const failed = await ended(String((await run("saga"))["id"]));
  expect(failed).toMatchObject({ status: "failed", error: { node: "break" } });
  expect(await notes()).not.toContain("saga");
});

test("a run that is paused goes on when it is resumed, and one that is cancelled ends", { timeout: 60_000 }, async () => {
  await publish("idle", "nap", { nap: { type: "delay", data: { for: 600_000 } } });
  const id = await start("idle");
  const change = (verb: string) => host.send(`/v1/flow-runs/${id}/${verb}`, { body: {} });
  expect((await change("pause")).status).toBe(200);
  expect((await host.send(`/v1/flow-runs/${id}`)).json["status"]).toBe("paused");
  expect((await change("resume")).status).toBe(200);
  expect((await change("cancel")).status).toBe(200);
  expect(await ended(id)).toMatchObject({ status: "cancelled" });
  expect((await change("cancel")).status).toBe(409);
});

test(
  "W3 operations on tables take part too, whoever starts the run; requests carry the keys of their steps",
  { timeout: 60_000 },
  async () => {
    await publish("outside", "note", {
      note: { type: "action", data: { operation: "create_note", input: { text: "by an operation" } }, next: "send" },
      send: { type: "webhook", data: { url: `http://127.0.0.1:${port}/`, statuses: "any" }, next: "look" },
      look: { type: "decision", data: { when: "steps.send.output.status == 503" }, next: "again" },
      again: { type: "webhook", data: { url: `http://127.0.0.1:${port}/`, method: "get" } },
    });
    // A flow is code of the branch: who may start it need not be allowed what it does.
    const { json: made } = await succeed(host.send("/v1/keys", { body: { scopes: ["invoke"] } }));
    const { json: done } = await succeed(host.send("/v1/flows/outside/runs", { body: { waitMs: 30_000 }, key: String(made["key"]) }));
    expect(done).toMatchObject({ error: null, status: "completed", output: { status: 200 } });
    expect(await notes()).toContain("by an operation");
    expect(keys.map((key) => key.split("/")[1])).toEqual(["send", "again"]);
  },
);

test("a connection that is not there is refused when the flow is saved", async () => {
  const definition = {
    format: 1,
    name: "later",
    trigger: { type: "api" },
    start: "a",
    nodes: { a: { type: "webhook", data: { url: "https://example.com", connection: "x" } } },
  };
  const { json } = await host.send("/v1/flows", { body: { definition } });
  expect(json["version"]).toBeNull();
  const paths = (json["findings"] as readonly { readonly path: string }[]).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["nodes.a.data.connection"]));
});

test("what a flow calls is looked for when it is saved", async () => {
  const nodes = {
    a: { type: "invoke", data: { function: "notes:ad", input: {} }, next: "b" },
    b: { type: "action", data: { operation: "create_nota", input: {} } },
  };
  const { json } = await host.send("/v1/flows/check", {
    body: { definition: { format: 1, name: "wrong", trigger: { type: "api" }, start: "a", nodes } },
  });
  const findings = json["findings"] as readonly { readonly path: string; readonly message: string }[];
  expect(findings.map(({ path }) => path)).toEqual(["nodes.a.data.function", "nodes.b.data.operation"]);
  expect(findings[0]?.message).toContain("notes:add");
});

test("a run that failed goes on from a step with another input", async () => {
  const code = 'if (inputs.ok !== true) throw new Error("not yet"); return "done";';
  await publish("again", "try_it", { try_it: { type: "script", data: { code, input: { ok: "=trigger.ok" } } } });
  const failed = await run("again", { ok: false });
  expect(failed).toMatchObject({ status: "failed", error: { node: "try_it" } });
  const path = `/v1/flow-runs/${String(failed["id"])}`;
  await succeed(host.send(`${path}/retry`, { body: { node: "try_it", input: { ok: true } } }));
  const done = await eventually(async () => {
    const { json } = await host.send(path);
    return json["status"] === "completed" ? json : undefined;
  });
  expect(done["output"]).toBe("done");
});
