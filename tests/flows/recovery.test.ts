/** What was under way when the host was killed. */
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

const RUNS = 20;

let host: EventHost;
let isAnswering = false;
let port = 0;
/** By the key of the step: how often it was asked for. */
const requests = new Map<string, number>();
const world = createServer((request, response) => {
  const key = String(request.headers["idempotency-key"]);
  requests.set(key, (requests.get(key) ?? 0) + 1);
  request.resume();
  if (isAnswering) response.end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => world.listen(0, "127.0.0.1", resolve));
  const address = world.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  host = eventHost(await startLocalHost(["--egress-allow-private", `127.0.0.1:${port}`, "--warm-runners", "1"]));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  world.closeAllConnections();
  world.close();
});

test("W3 requests that were under way are made again with their keys, and the crash is no attempt", { timeout: 60_000 }, async () => {
  const nodes = { tell: { type: "webhook", data: { url: `http://127.0.0.1:${port}/` }, retry: { attempts: 1 } } };
  const definition = { format: 1, name: "tell", trigger: { type: "api" }, start: "tell", nodes };
  await succeed(host.send("/v1/flows", { body: { definition } }));
  const ids: string[] = [];
  for (let i = 0; i < RUNS; i += 1) ids.push(String((await succeed(host.send("/v1/flows/tell/runs", { body: {} }))).json["id"]));
  await eventually(() => Promise.resolve(requests.size > 0 ? true : undefined), "the first request");
  isAnswering = true;
  host = eventHost(await host.local.crash());
  for (const id of ids) {
    const ended = await eventually(async () => {
      const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
      return json["endedMs"] === null ? undefined : json;
    }, "the end of the run");
    expect(ended).toMatchObject({ status: "completed" });
  }
  expect(requests.size).toBe(RUNS);
  expect(Math.max(...requests.values())).toBe(2);
});
