/** Steps that ask an agent, on a real host with a model server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ModelServer } from "../../packages/server/src/operations/native/test-model-server.ts";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;
let model: ModelServer;

beforeAll(async () => {
  model = await ModelServer.start();
  const url = `http://${model.origin}/v1`;
  host = eventHost(await startLocalHost(["--egress-allow-private", model.origin, "--ai-base-url", url, "--ai-model", "tiny"]));
}, 60_000);
afterAll(async () => {
  await host.local.stop();
  model.stop();
});

test("an agent answers with what it is given, and its failure is the step's", { timeout: 60_000 }, async () => {
  const data = {
    agent: "support",
    message: "=trigger.question",
    instructions: "Be short.",
    context: { plan: "gold" },
    schema: { type: "object", properties: { refund: { type: "boolean" } }, required: ["refund"] },
    session: "s1",
  };
  const nodes = { ask: { type: "talk_to_agent", data, retry: { attempts: 1 } } };
  const definition = { format: 1, name: "support", trigger: { type: "api" }, start: "ask", nodes };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  expect(json["findings"]).toEqual([]);
  const run = async () =>
    (await succeed(host.send("/v1/flows/support/runs", { body: { input: { question: "A refund?" }, waitMs: 30_000 } }))).json;
  model.answer = () => ({ text: '{"refund": true}' });
  expect(await run()).toMatchObject({ status: "completed", output: { session: "s1", output: { refund: true } } });
  const asked = JSON.stringify(model.last?.body);
  for (const part of ["A refund?", "Be short.", "gold", "support", "<data>"]) expect(asked).toContain(part);
  model.answer = () => ({ status: 400, raw: '{"error":{"message":"no"}}' });
  expect(await run()).toMatchObject({ status: "failed", error: { node: "ask" } });
});
