/** Agent skills, from the official MCP client to the event that a package's function gets. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { at } from "../../packages/server/src/doors/test/test-host.ts";
import { startCalledHost, type CalledHost } from "../snap-ins/test-callers.ts";

const USER = "don:identity:plinth:devo/default:devu/7";

const FILES = {
  "manifest.yaml": `version: "2"
name: desk
description: For tests.
service_account:
  display_name: Desk
  scopes:
    self:
      - scope: ticket:read
    impersonate:
      - act_as: all_devusers
        scopes:
          - scope: ticket:read
functions:
  - name: operate
    description: All operations.
operations:
  - name: look_up
    display_name: Look up
    description: Looks a customer up.
    slug: look_up
    function: operate
    metadata: {is_agent_skill: true}
    inputs:
      fields:
        - {name: name, description: Who., field_type: text, is_required: true}
    outputs:
      fields:
        - {name: event, description: What came., field_type: json_value}
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
exports.functionFactory = { operate: async ([event]) => {
  console.log("token", event.context.secrets.access_token);
  const own = event.context.secrets.access_token === event.context.secrets.service_account_token;
  delete event.context.secrets;
  return { output: { values: [{ event: { ...event, own } }] } };
} };`,
};

let host: CalledHost;
const clients: Client[] = [];
beforeAll(async () => {
  host = await startCalledHost();
  await host.bring("desk", FILES);
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await host.remove();
});

async function connect(headers: Record<string, string>) {
  const transport = new StreamableHTTPClientTransport(new URL(`${host.url}/mcp`), { requestInit: { headers } });
  const client = new Client({ name: "test", version: "1" });
  clients.push(client);
  // The library's own types do not agree where optional properties are exact.
  await client.connect(transport as unknown as Parameters<Client["connect"]>[0]);
  return { client, sessionId: String(transport.sessionId) };
}

async function lookUp(client: Client) {
  const result = await client.callTool({ name: "look_up", arguments: { name: "Ada" } });
  const { event } = (result.structuredContent ?? {}) as { event?: Record<string, Record<string, unknown>> };
  if (event === undefined) throw new Error(JSON.stringify(result));
  return { event, invocation: String(result._meta?.["plinth/invocation"]) };
}

it("S2 a function sees the agent's session, the call and the user for whom the agent acts", { timeout: 60_000 }, async () => {
  const { client, sessionId } = await connect({ authorization: `Bearer ${host.adminKey}`, "x-plinth-user": USER });
  const { event, invocation } = await lookUp(client);
  expect(event).toMatchObject({
    payload: { metadata: { slug: "look_up", namespace: "desk" }, data: { name: "Ada" } },
    context: { user_id: USER, agent_session_id: sessionId, skill_call_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
    execution_metadata: { event_type: "operation:execute", operation_slug: "look_up", function_name: "operate" },
    own: false,
  });
  const again = await lookUp(client);
  expect(again.event["context"]).toMatchObject({ agent_session_id: sessionId });
  expect(again.event["context"]?.["skill_call_id"]).not.toBe(event["context"]?.["skill_call_id"]);
  await expect.poll(async () => at(await host.send(`/v1/invocations/${invocation}`), "source")).toBe("agentSkill");
});

it("who names no user acts for none, in a session of its own", { timeout: 60_000 }, async () => {
  const first = await connect({ authorization: `Bearer ${host.adminKey}`, "x-plinth-user": USER });
  const { client, sessionId } = await connect({ authorization: `Bearer ${host.adminKey}` });
  const { event } = await lookUp(client);
  expect(sessionId).not.toBe(first.sessionId);
  expect(event).toMatchObject({ context: { user_id: "", agent_session_id: sessionId }, own: true });
});

it("other ways to execute an operation bring no agent", { timeout: 60_000 }, async () => {
  const answer = await host.send("/v1/operations/look_up/execute", { body: { input: { name: "Ada" } } });
  const context = at(answer, "result", "output", "values", 0, "event", "context");
  expect(context, answer.text).toMatchObject({ user_id: "" });
  expect(context).not.toHaveProperty("agent_session_id");
});
