/** The CRM example as a newcomer has it: its operations, and what follows when an object is created. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { deployFolder } from "../../tools/local-host.ts";
import { startCalledHost, succeed, type CalledHost } from "../snap-ins/test-callers.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples");

let host: CalledHost;
beforeAll(async () => {
  host = await startCalledHost();
  await deployFolder({ url: host.url, key: host.adminKey }, join(EXAMPLES, "crm", "convex"));
  await plinth("package", "push", join(EXAMPLES, "triage"));
  await plinth("snap-ins", "install", "triage");
  await plinth("snap-ins", "activate", "triage");
}, 120_000);
afterAll(() => host.remove());

function plinth(...args: readonly string[]): Promise<string> {
  const program = join(EXAMPLES, "..", "packages", "cli", "bin", "plinth.mjs");
  const env = { ...process.env, PLINTH_URL: host.url, PLINTH_ADMIN_KEY: host.adminKey };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], { env, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr + stdout));
    });
  });
}

async function names(query = ""): Promise<readonly string[]> {
  const answer = await succeed(host.send(`/v1/operations${query}`));
  return (at(answer, "operations") as readonly { readonly name: string }[]).map(({ name }) => name);
}

/** A tag as the table wants it, whole. */
const tag = (number: number, name: string) => ({
  id: `don:core:plinth:devo/default:tag/${number}`,
  display_id: `TAG-${number}`,
  seq: number,
  created_by: { id: "ada" },
  created_date: "2026-01-01T00:00:00.000Z",
  modified_by: { id: "ada" },
  modified_date: "2026-01-01T00:00:00.000Z",
  name,
});

it("has at least 180 operations: five for each table, three triggers, and those of host and packages", async () => {
  const all = await names();
  expect(all.length).toBeGreaterThanOrEqual(180);
  expect(new Set(all).size).toBe(all.length);
  for (const verb of ["create", "get", "update", "delete", "list"]) expect(all).toContain(`objects/${verb}_conversation`);
  for (const end of ["created", "updated", "deleted"]) expect(all).toContain(`objects/conversation_${end}`);
  expect(all).toEqual(expect.arrayContaining(["plinth/http", "plinth/ask_ai", "plinth/hybrid_search", "triage/suggest_priority"]));
});

it.each([
  ["create account", "objects/create_account"],
  ["account created", "objects/account_created"],
  ["delete tag", "objects/delete_tag"],
  ["suggest priority", "triage/suggest_priority"],
  ["how urgent is a text", "triage/suggest_priority"],
  ["run python code", "plinth/execute_code"],
  ["sentiment", "plinth/evaluate_sentiment"],
  ["send a request to another system", "plinth/http"],
  ["update conversation", "objects/update_conversation"],
])("a search for '%s' begins with %s", async (text, wanted) => {
  expect((await names(`?text=${encodeURIComponent(text)}`))[0]).toBe(wanted);
});

it("create_x, x_created, automation: each an invocation of its own", { timeout: 60_000 }, async () => {
  await host.bring("listener", LISTENER);
  const created = await host.send("/v1/operations/create_tag/execute", { body: { input: tag(900, "urgent") } });
  expect(created.status, created.text).toBe(200);
  const id = textAt(created, "result", "output", "values", 0, "_id");
  const heard = async () => {
    const listed = await host.send("/timeline-entries.list?object=heard/1");
    return (at(listed, "timeline_entries") as readonly { readonly body: string }[]).map(({ body }) => JSON.parse(body) as unknown);
  };
  await expect.poll(heard, { timeout: 30_000 }).toHaveLength(1);
  expect((await heard())[0]).toMatchObject({
    payload: { type: "tag_created", tag_created: { id, tag: { _id: id, name: "urgent" } } },
    execution_metadata: { event_type: "tag_created", function_name: "hear" },
  });
  // The filter lets nothing else through.
  await succeed(host.send("/v1/operations/create_tag/execute", { body: { input: tag(901, "quiet") } }));
  await succeed(host.send("/v1/operations/create_tag/execute", { body: { input: tag(902, "urgent") } }));
  await expect.poll(heard, { timeout: 30_000 }).toHaveLength(2);
});

it("the tour's automation answers a ticket, and its operation runs from the command line", { timeout: 60_000 }, async () => {
  const ticket = await succeed(host.send("/works.create", { body: { type: "ticket", title: "The site is down" } }));
  await succeed(host.send("/works.create", { body: { type: "issue", title: "It is down as well" } }));
  const object = textAt(ticket, "work", "id");
  const bodies = async () =>
    (at(await host.send(`/timeline-entries.list?object=${object}`), "timeline_entries") as readonly { body: string }[]).map(
      ({ body }) => body,
    );
  await expect.poll(bodies, { timeout: 30_000 }).toEqual(["We look at it now (down)."]);
  const said = await plinth("operations", "run", "suggest_priority", '{"text": "It is urgent"}');
  expect(said).toContain('{"priority":"p0","words":["urgent"]}');
});

const LISTENER = {
  "manifest.yaml": `version: "2"
name: listener
description: For tests.
service_account:
  display_name: Listener
event_sources:
  organization:
    - name: tags
      type: devrev-webhook
      config:
        event_types: [tag_created]
      filter:
        jq_query: .tag_created.tag.name == "urgent"
functions:
  - name: hear
    description: Writes down what it hears.
automations:
  - name: hear
    source: tags
    event_types: [tag_created]
    function: hear
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
exports.functionFactory = { hear: async ([event]) => {
  const { payload, context, execution_metadata } = event;
  await fetch(execution_metadata.devrev_endpoint + "/timeline-entries.create", {
    method: "POST",
    headers: { authorization: context.secrets.service_account_token, "content-type": "application/json" },
    body: JSON.stringify({ object: "heard/1", body: JSON.stringify({ payload, execution_metadata }) }),
  });
} };`,
};
