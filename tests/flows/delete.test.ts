/** Flows are deleted, on a real host. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { succeed } from "../events/event-host.ts";
import { type FlowHost, startFlowHost } from "./triggers/flow-host.ts";

let host: FlowHost;

beforeAll(async () => {
  host = await startFlowHost();
}, 60_000);
afterAll(() => host.local.stop());

const WAIT = {
  ask: { type: "wait", data: { for: "signal", signal: "go" }, next: "give" },
  give: { type: "return", data: { output: "=steps.ask.output" } },
};

test("a flow is deleted once its runs have ended, and its name may be used again", { timeout: 60_000 }, async () => {
  await host.publish("gone", { type: "webhook" }, WAIT);
  const hook = String((await succeed(host.send("/v1/flows/gone/address"))).json["url"]);
  const start = async (): Promise<string> =>
    String((await succeed(host.send("/v1/flows/gone/runs", { body: { idempotencyKey: "once" } }))).json["id"]);
  const first = await start();
  expect(await host.send("/v1/flows/gone", { method: "DELETE" })).toMatchObject({
    status: 409,
    json: { code: "FlowHasRuns", message: expect.stringContaining("1 of its runs"), next: expect.stringContaining("--flow gone") },
  });
  const bulk = { filter: { flow: "gone", status: ["running", "waiting", "paused"] }, action: { kind: "cancel", reason: "" } };
  expect((await succeed(host.send("/v1/flow-runs/changes", { body: bulk }))).json["done"]).toEqual([first]);
  await succeed(host.send("/v1/flows/gone", { method: "DELETE" }));
  for (const path of ["/v1/flows/gone", "/v1/flows/gone/tests", `/v1/flow-runs/${first}`])
    expect(await host.send(path)).toMatchObject({ status: 404 });
  expect(await host.send("/v1/flows/gone", { method: "DELETE" })).toMatchObject({ status: 404 });
  expect(await host.send("/v1/flows/gone/runs", { body: {} })).toMatchObject({ status: 404 });
  expect((await fetch(hook, { method: "POST", body: "{}" })).status).toBe(404);
  expect(await host.runs("gone")).toEqual([]);
  await host.publish("gone", { type: "webhook" }, WAIT);
  expect((await succeed(host.send("/v1/flows/gone"))).json["versions"]).toMatchObject([{ seq: 1 }]);
  expect((await fetch(hook, { method: "POST", body: "{}" })).status).toBe(404);
  expect(await start()).not.toBe(first);
});
