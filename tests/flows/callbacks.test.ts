/** Calls that answer later, and the ways by which their result comes: on a real host, killed in between. */
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

interface Told {
  readonly idempotencyKey: string;
  readonly callback: { readonly url: string; readonly token: string };
}

let host: EventHost;
let world = "";
/** What steps told the world. */
let told: Told[] = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const { "plinth-callback-url": url, "plinth-callback-token": token, "idempotency-key": key } = request.headers;
    const entry = url === undefined ? toldBy(body) : { idempotencyKey: String(key), callback: { url: String(url), token: String(token) } };
    told.push(entry);
    response.statusCode = request.url === "/refused" ? 422 : 202;
    // Faster than the answer of the call itself.
    const early = request.url === "/early" ? post(entry.callback.url, { output: "early" }) : Promise.resolve();
    if (request.url !== "/hang") void early.then(() => response.end());
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  world = `http://127.0.0.1:${port}/`;
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${port}`, "--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "callback-functions", "convex"));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  told = [];
});

async function publish(name: string, node: Readonly<Record<string, unknown>>): Promise<void> {
  const nodes = { call: { ...node, next: "give" }, give: { type: "return", data: { output: "=steps.call.output" } } };
  const definition = { format: 1, name, trigger: { type: "api" }, start: "call", nodes };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}

async function start(name: string): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input: {} } }))).json["id"]);
}

async function show(id: string): Promise<Record<string, unknown>> {
  return (await succeed(host.send(`/v1/flow-runs/${id}`))).json;
}

async function waiting(id: string): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const run = await show(id);
    return (run["reason"] as { readonly code: string } | null)?.code === "awaiting_completion" ? run : undefined;
  }, "the call to answer later");
}

async function ended(id: string): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const run = await show(id);
    return run["endedMs"] === null ? undefined : run;
  }, "the end of the run");
}

/** Without any key. */
async function post(url: string, body: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  return { status: response.status, text: await response.text() };
}

async function metrics(): Promise<string> {
  const { url, key } = host.local.connection;
  return await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key ?? ""}` } })).text();
}

/** What a function posted: its step, or the event of a handler. */
function toldBy(body: string): Told {
  const json = JSON.parse(body) as Told & { readonly execution_metadata?: Readonly<Record<string, string>> };
  const { idempotency_key: idempotencyKey = "", callback_url: url = "", callback_token: token = "" } = json.execution_metadata ?? {};
  return json.execution_metadata === undefined ? json : { idempotencyKey, callback: { url, token } };
}

function last(): Told {
  const entry = told.at(-1);
  if (entry === undefined) throw new Error("no step told anything");
  return entry;
}

test("an action answers later, the host is killed, and the callback resumes its step once", { timeout: 60_000 }, async () => {
  await publish("long", { type: "invoke", data: { function: "jobs:long", input: { world }, later: "2h" } });
  const id = await start("long");
  expect(await waiting(id)).toMatchObject({ status: "waiting", reason: { node: "call" } });
  const { callback, idempotencyKey } = last();
  expect(idempotencyKey).toContain("call");
  host = eventHost(await host.local.crash());
  const url = `${host.local.connection.url}${new URL(callback.url).pathname}`;
  const forged = `${url.slice(0, -4)}AAAA`;
  expect(await (await fetch(url)).json()).toMatchObject({ kind: "callback", node: "call" });
  expect((await post(forged, { output: 1 })).status).toBe(404);
  expect(await post(url, { output: { pages: 7 } })).toMatchObject({ status: 200 });
  expect(await ended(id)).toMatchObject({ status: "completed", output: { pages: 7 } });
  // Not the same one again, and nothing for a run that has ended.
  expect(await post(url, { output: { pages: 8 } })).toMatchObject({ status: 409 });
  const { refusedAnswers } = await show(id);
  expect(refusedAnswers).toMatchObject([
    { code: "forged", via: "http" },
    { code: "double", node: "call", via: "http" },
  ]);
  expect(await metrics()).toContain('plinth_flow_answers_refused_total{code="double"} 1');
});

test("a request answers later; an error that may pass is tried again with another token", { timeout: 60_000 }, async () => {
  const retry = { attempts: 2, delayMs: 1 };
  await publish("request", { type: "webhook", data: { url: world, later: "1h" }, retry });
  const id = await start("request");
  await waiting(id);
  const first = last();
  const error = { code: "busy", message: "later", retryable: true };
  expect((await post(first.callback.url, { error })).status).toBe(200);
  await eventually(() => (told.length === 2 ? true : undefined), "the second attempt");
  expect(last().idempotencyKey).toBe(first.idempotencyKey);
  await waiting(id);
  expect((await post(first.callback.url, { output: 1 })).status).toBe(409);
  // Other systems have one form only: it is the output.
  expect((await post(last().callback.url, { pages: 9 })).status).toBe(200);
  expect(await ended(id)).toMatchObject({ status: "completed", output: { pages: 9 } });
});

test("a host is killed while it sends a request: it is sent again, and the first callback counts", { timeout: 60_000 }, async () => {
  await publish("lost", { type: "webhook", data: { url: `${world}hang`, later: "1h" }, retry: { attempts: 1 } });
  const id = await start("lost");
  await eventually(() => told[0], "the request");
  const first = last();
  host = eventHost(await host.local.crash());
  await eventually(() => told[1], "the request again");
  expect(last()).toMatchObject({ idempotencyKey: first.idempotencyKey });
  const url = (callback: Told["callback"]) => `${host.local.connection.url}${new URL(callback.url).pathname}`;
  expect((await post(url(first.callback), { output: "done" })).status).toBe(200);
  expect(await ended(id)).toMatchObject({ status: "completed", output: "done" });
  expect((await post(url(last().callback), { output: "again" })).status).toBe(409);
});

test("a request that is not accepted fails its step", { timeout: 60_000 }, async () => {
  await publish("refused", { type: "webhook", data: { url: `${world}refused`, later: "1h" } });
  expect(await ended(await start("refused"))).toMatchObject({ status: "failed", error: { code: "http_status" } });
});

test("a completion that is faster than the answer of the call counts", { timeout: 60_000 }, async () => {
  await publish("early", { type: "invoke", data: { function: "jobs:long", input: { world: `${world}early` }, later: "1h" } });
  expect(await ended(await start("early"))).toMatchObject({ status: "completed", output: "early" });
});

test("an operation answers later, and is completed over gRPC's JSON", { timeout: 60_000 }, async () => {
  await publish("print", { type: "action", data: { operation: "print", input: { world }, later: "1h" } });
  const id = await start("print");
  await waiting(id);
  const { url } = host.local.connection;
  const complete = (body: unknown) => post(`${url}/plinth.v1.FunctionService/CompleteStep`, body);
  expect((await complete({ token: "pa_forged", output: 1 })).status).toBe(404);
  expect((await complete({ token: last().callback.token })).status).toBe(400);
  expect(await complete({ token: last().callback.token, output: { pages: 3 } })).toMatchObject({ status: 200 });
  expect(await ended(id)).toMatchObject({ status: "completed", output: { pages: 3 } });
  expect((await complete({ token: last().callback.token, error: { code: "no", message: "no" } })).text).toContain("AnswerRefused");
});

test("an operation that answers later where nobody waits for it has failed", { timeout: 60_000 }, async () => {
  await publish("impatient", { type: "action", data: { operation: "print", input: { world: `${world}` } } });
  expect(await ended(await start("impatient"))).toMatchObject({ status: "failed", error: { code: "ReturnsValidation" } });
});

test("a handler answers later, and an event that was sent completes it", { timeout: 60_000 }, async () => {
  const port = new URL(world).port;
  await host.bring("courier", {
    "manifest.yaml": `version: "2"
name: courier
description: Delivers.
service_account:
  display_name: Courier
event_sources:
  organization:
    - name: arrivals
      type: flow-events
functions:
  - name: deliver
    description: Delivers.
plinth:
  runtime: node
`,
    "code/package.json": '{"main":"./dist/index.js"}',
    "code/dist/index.js": `
exports.functionFactory = { deliver: async ([event]) => {
  await fetch("http://127.0.0.1:${port}/", { method: "POST", body: JSON.stringify(event) });
  return { later: true };
} };`,
  });
  await publish("deliver", { type: "invoke", data: { function: "@courier/deliver", later: "1h" } });
  const id = await start("deliver");
  await waiting(id);
  const { callback, idempotencyKey } = last();
  expect(idempotencyKey).toContain("call");
  const arrive = async (payload: unknown) => {
    const event = { snapIn: "courier", source: "arrivals", type: "plinth.complete_step", payload };
    await succeed(host.send("/v1/events", { body: event }));
  };
  await arrive({ token: callback.token, output: "there" });
  expect(await ended(id)).toMatchObject({ status: "completed", output: "there" });
  await arrive({ token: callback.token, output: "again" });
  const refused = await eventually(async () => ((await show(id))["refusedAnswers"] as readonly unknown[])[0], "the refusal");
  expect(refused).toMatchObject({ code: "double", via: "event" });
});

test("what comes after the deadline is too late", { timeout: 60_000 }, async () => {
  await publish("hasty", { type: "webhook", data: { url: world, later: 50 }, retry: { attempts: 1 } });
  const id = await start("hasty");
  expect(await ended(id)).toMatchObject({ status: "failed", error: { code: "timeout", node: "call" } });
  expect((await post(last().callback.url, { output: 1 })).status).toBe(409);
  expect((await show(id))["refusedAnswers"]).toMatchObject([{ code: "late", node: "call" }]);
});
