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
    if (url === undefined) told.push(JSON.parse(body) as Told);
    else told.push({ idempotencyKey: String(key), callback: { url: String(url), token: String(token) } });
    response.statusCode = request.url === "/busy" ? 503 : 202;
    response.end();
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
