/** Flows that somebody calls: webhooks, the API, commands, agents. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, succeed } from "../../events/event-host.ts";
import { ECHO, startFlowHost, type FlowHost } from "./flow-host.ts";

let host: FlowHost;
beforeAll(async () => {
  host = await startFlowHost();
}, 60_000);
afterAll(() => host.local.stop());

async function addressOf(name: string): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${name}/address`))).json["url"]);
}

async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const isText = typeof body === "string";
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": isText ? "text/plain" : "application/json", ...headers },
    body: isText ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("H1 H3 a request to its address starts a flow and gets what its run says", { timeout: 60_000 }, async () => {
  await host.publish(
    "quote",
    {
      type: "webhook",
      data: { reply: "sync" },
      filter: "has(trigger.seats) && trigger.seats > 0",
      output: { record: { seats: "number" } },
    },
    {
      price: { type: "script", data: { code: "return { price: workflow.trigger.seats * 8 };" }, next: "give" },
      give: {
        type: "return",
        data: { output: { status: 201, headers: { "x-price": "=string(steps.price.output.price)" }, body: "=steps.price.output" } },
      },
    },
  );
  const url = await addressOf("quote");
  expect(await post(url, { seats: 3 })).toMatchObject({ status: 201, text: '{"price":24}' });
  expect((await post(url, { seats: 3 })).headers.get("x-price")).toBe("24");
  expect(await post(url, { seats: 0 })).toMatchObject({ status: 204, text: "" });
  expect(await host.runs("quote")).toHaveLength(2);
  // Wrong, off, renewed: no address.
  expect((await post(`${url.slice(0, -1)}${url.endsWith("A") ? "B" : "A"}`, { seats: 1 })).status).toBe(404);
  expect((await post(url.replace(/flow-hooks\/.*/, "flow-hooks/x.y"), {})).status).toBe(404);
  await host.setOn("quote", false);
  expect((await post(url, { seats: 1 })).status).toBe(404);
  await host.setOn("quote", true);
  expect((await post(url, { seats: 1 })).status).toBe(201);
  await succeed(host.send("/v1/flows/quote/address", { method: "POST" }));
  expect((await post(url, { seats: 1 })).status).toBe(404);
  expect((await post(await addressOf("quote"), { seats: 1 })).status).toBe(201);
});

test("a request is answered with its run's id; the same key is the same run", { timeout: 60_000 }, async () => {
  await host.publish("inbox", { type: "webhook", data: { context: "request" } });
  const url = await addressOf("inbox");
  const first = await post(`${url}?a=1&a=2`, "hello", { "idempotency-key": "k1", "x-own": "yes" });
  expect(first.status).toBe(202);
  expect(await post(url, "other", { "idempotency-key": "k1" })).toMatchObject({ status: 202, text: first.text });
  const [run, ...others] = await host.ended("inbox", 1);
  expect(others).toEqual([]);
  expect(run).toMatchObject({ output: { method: "POST", query: { a: ["1", "2"] }, body: "hello", headers: { "x-own": "yes" } } });
  await host.publish(
    "broken",
    { type: "webhook", data: { reply: "sync" } },
    { a: { type: "script", data: { code: "throw new Error('secret');" } } },
  );
  // Larger than what lies in a journal.
  const large = { a: { type: "script", data: { code: 'return { text: "x".repeat(200_000) };' } } };
  await host.publish("large", { type: "webhook", data: { reply: "sync" } }, large);
  expect(await post(await addressOf("large"), {})).toMatchObject({ status: 200, text: JSON.stringify({ text: "x".repeat(200_000) }) });
  await host.publish("echo", { type: "webhook", data: { reply: "sync" } });
  expect((await post(await addressOf("echo"), { text: "y".repeat(1_000_000) })).text).toHaveLength(1_000_011);
  const failed = await post(await addressOf("broken"), {});
  expect(failed.status).toBe(560);
  expect(failed.text).not.toContain("secret");
});

test("H2 a policy says who is let in, and what the context is", { timeout: 60_000 }, async () => {
  const policy = `package rego
output = {"response": {"body": input.request.body.challenge}} { input.request.body.challenge }
else = {"event": {"name": input.request.body.name}, "event_key": "named", "idempotency_key": input.request.body.id} {
  crypto.hmac.equal(crypto.hmac.sha256(base64.decode(input.request.body_raw), input.parameters.secret), input.request.headers["X-Signature"])
}`;
  await host.publish("signed", { type: "webhook", data: { policy, parameters: { secret: "s3cret" } } });
  const url = await addressOf("signed");
  const body = { id: "1", name: "Ada" };
  const { createHmac } = await import("node:crypto");
  const signature = createHmac("sha256", "s3cret").update(JSON.stringify(body)).digest("hex");
  const answer = await post(url, body, { "x-signature": signature });
  expect(answer).toMatchObject({ status: 202 });
  expect(await post(url, body, { "x-signature": signature })).toMatchObject({ text: answer.text });
  expect((await post(url, body, { "x-signature": signature.replace(/./, "0") })).status).toBe(403);
  expect(await post(url, { challenge: "c1" })).toMatchObject({ status: 200, text: "c1" });
  expect((await host.ended("signed", 1)).map(({ output }) => output)).toEqual([{ name: "Ada" }]);
});

test("the API waits where the trigger says so, and its filter counts", { timeout: 60_000 }, async () => {
  await host.publish("ask", { type: "api", data: { reply: "sync" }, filter: 'trigger.name != ""' });
  const start = (name: string) => host.send("/v1/flows/ask/runs", { body: { input: { name } } });
  expect(await start("Ada")).toMatchObject({ status: 200, json: { status: "completed", output: { name: "Ada" } } });
  expect(await start("")).toMatchObject({ status: 409, json: { code: "FlowFiltered" } });
});

test("users type a command and get the result of its flow", { timeout: 60_000 }, async () => {
  const data = { name: "shout", usageHint: "<text>", surfaces: [{ surface: "discussions", objectTypes: ["ticket"] }] };
  await host.publish("shouting", { type: "command", data, filter: 'trigger.parameters != ""' });
  const type = (body: object) =>
    host.send("/v1/commands/flows/shout", { body: { object: "ticket/1", user: "ada", parameters: "hey", ...body } });
  const { json: listed } = await host.send("/v1/commands");
  expect(listed["commands"]).toMatchObject([{ namespace: "flows", name: "shout", usageHint: "<text>", flow: "shouting", snapIn: null }]);
  expect(await type({})).toMatchObject({
    status: 200,
    json: { status: "succeeded", value: { object: "ticket/1", parameters: "hey", surface: "discussions", user: "ada" } },
  });
  expect((await type({ object: "account/1" })).status).toBe(400);
  expect((await type({ parameters: "" })).status).toBe(409);
  await host.publish("shouting", { type: "command", data }, { nap: { type: "delay", data: { for: 600_000 } } });
  expect(await type({})).toMatchObject({ json: { status: "succeeded", value: { status: "waiting" } } });
  await host.publish("shouting", { type: "command", data }, { a: { type: "script", data: { code: "throw new Error('no');" } } });
  expect(await type({})).toMatchObject({ json: { status: "failed", error: { code: "FlowRunFailed" } } });
  await host.setOn("shouting", false);
  expect((await type({})).status).toBe(404);
});

test("agents find a flow as a tool, and get what it says before it ends", { timeout: 60_000 }, async () => {
  await host.publish(
    "tier_of",
    {
      type: "agentSkill",
      data: {
        description: "Says the tier of a customer.",
        input: { type: "object", properties: { name: { type: "string", description: "Of the customer." } }, required: ["name"] },
        output: { type: "object", properties: { tier: { type: "string" } }, required: ["tier"] },
      },
    },
    {
      say: { type: "set_ai_agent_skill_output", data: { output: { tier: '=trigger.name == "Ada" ? "gold" : "none"' } }, next: "nap" },
      nap: { type: "delay", data: { for: 1 }, next: "note" },
      note: { type: "invoke", data: { function: "notes:add", input: { text: "after the answer" } } },
    },
  );
  await host.publish(
    "slow",
    { type: "agentSkill", data: {} },
    {
      say: { type: "set_ai_agent_skill_output", data: { output: { said: true } }, next: "work" },
      work: { type: "invoke", data: { function: "notes:pause", input: { ms: 50_000 } } },
    },
  );
  const client = new Client({ name: "test", version: "1" });
  const headers = { authorization: `Bearer ${host.local.connection.key ?? ""}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${host.local.connection.url}/mcp`), { requestInit: { headers } }));
  try {
    const tool = (await client.listTools()).tools.find(({ name }) => name === "tier_of");
    expect(tool).toMatchObject({ description: "Says the tier of a customer.", inputSchema: { required: ["name"] } });
    const answer = await client.callTool({ name: "tier_of", arguments: { name: "Ada" } });
    expect(answer).toMatchObject({ structuredContent: { tier: "gold" } });
    expect(await client.callTool({ name: "slow", arguments: {} })).toMatchObject({ structuredContent: { said: true } });
    const [slow] = await host.runs("slow");
    expect(slow).toMatchObject({ endedMs: null });
    await succeed(host.send(`/v1/flow-runs/${String(slow?.["id"])}/cancel`, { body: {} }));
    expect(await host.ended("tier_of", 1)).toMatchObject([{ status: "completed", reply: { tier: "gold" } }]);
  } finally {
    await client.close();
  }
  const executed = await succeed(host.send("/v1/operations/flows%2Ftier_of/execute", { body: { input: { name: "Bob" } } }));
  expect(JSON.stringify(executed.json)).toContain('"tier":"none"');
});

test("a wrong policy and an unknown object are told when a flow is saved", { timeout: 60_000 }, async () => {
  const findings = async (trigger: object) => {
    const definition = { format: 1, name: "told", trigger, start: "give", nodes: ECHO };
    return (await succeed(host.send("/v1/flows/check", { body: { definition } }))).json["findings"];
  };
  expect(await findings({ type: "webhook", data: { policy: "package rego\noutput = {" } })).toMatchObject([
    { path: "trigger.data.policy", severity: "error", position: { line: expect.any(Number) as unknown } },
  ]);
  expect(await findings({ type: "object", data: { event: "nota_created" } })).toMatchObject([
    { path: "trigger.data.event", severity: "warning", message: expect.stringContaining("note_created") as unknown },
  ]);
});

test("nothing starts the flows of a branch that is gone", { timeout: 60_000 }, async () => {
  const { json: made } = await succeed(host.send("/v1/branches", { body: { name: "short" } }));
  const headers = { "x-plinth-branch": "short", "x-plinth-branch-key": String(made["key"]) };
  const onBranch = async (path: string, body?: unknown) => {
    const response = await fetch(`${host.local.connection.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...headers, authorization: `Bearer ${host.local.connection.key ?? ""}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const trigger = { type: "webhook", data: { reply: "sync" } };
  const definition = { format: 1, name: "hook", trigger, start: "give", nodes: ECHO };
  const timer = { ...definition, name: "tick", trigger: { type: "timer", data: { intervalMs: 1000 } } };
  for (const each of [definition, timer]) await succeed(onBranch("/v1/flows", { definition: each }));
  const url = String((await succeed(onBranch("/v1/flows/hook/address"))).json["url"]);
  expect(await post(url, { on: "short" })).toMatchObject({ status: 200, text: '{"on":"short"}' });
  await succeed(host.send("/v1/branches/short", { method: "DELETE" }));
  expect((await post(url, {})).status).toBe(404);
  // One of the same name has none of it.
  const again = await eventually(async () => {
    const answer = await host.send("/v1/branches", { body: { name: "short" } });
    return answer.status < 300 ? answer.json : undefined;
  }, "the name of the branch");
  headers["x-plinth-branch-key"] = String(again["key"]);
  expect((await succeed(onBranch("/v1/flows"))).json["flows"]).toEqual([]);
  expect((await succeed(onBranch("/v1/flow-runs"))).json["runs"]).toEqual([]);
  expect((await post(url, {})).status).toBe(404);
});
