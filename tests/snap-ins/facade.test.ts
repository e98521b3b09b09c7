/** The interface that snap-ins call back: a real host with the example CRM, and functions in real jails that call it. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, textAt, type Answer } from "../../packages/server/src/doors/test/test-host.ts";
import { deployFolder } from "../../tools/local-host.ts";
import { startCalledHost, succeed, type CalledHost } from "./test-callers.ts";

const USER = "don:identity:plinth:devo/default:devu/1";

const CODE = `
async function call(event, name, body, token) {
  const { secrets } = event.context;
  const response = await fetch(event.execution_metadata.devrev_endpoint + "/" + name, {
    method: "POST",
    headers: { authorization: token ?? secrets.service_account_token, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
exports.functionFactory = {
  comment: async ([event]) => await call(event, "timeline-entries.create", {
    object: event.payload.source_id, type: "timeline_comment", body: "Hello " + event.payload.parameters,
  }, event.context.secrets.actor_session_token),
  tokens: async ([event]) => ({ ...event.context.secrets, sources: event.input_data.event_sources }),
  any: async ([event]) => { const { name, body } = JSON.parse(event.payload.parameters); return await call(event, name, body); },
  heard: async ([event]) => await call(event, "timeline-entries.create", {
    object: "heard/1", body: event.execution_metadata.event_type + " " + JSON.stringify(event.payload),
  }),
  greet: async ([event]) => {
    const { work } = event.payload.work_created ?? {};
    const { entry } = event.payload.timeline_entry_created ?? {};
    // What the account itself wrote is not answered.
    if (entry?.created_by.id === event.context.service_account_id) return;
    if (work) await call(event, "timeline-entries.create", { object: work.id, body: event.input_data.global_values.greeting + " " + work.title });
    if (entry && entry.body === "ping") await call(event, "timeline-entries.create", { object: entry.object, body: "pong" });
  },
  form: async ([event]) => ({ snap_kit_body: { body: { snaps: [{ type: "plain_text", text: event.input_data.global_values.greeting }] } } }),
  save: async ([event]) => await call(event, "snap-ins.update", {
    id: event.context.snap_in_id, inputs_values: { greeting: event.payload.action.value },
  }),
  fail: async () => { throw new Error("it is broken"); },
};`;

function manifest(name: string, scopes: string): string {
  return `version: "2"
name: ${name}
description: For tests.
service_account:
  display_name: Bot
${scopes}
event_sources:
  organization:
    - name: own
      display_name: Own
      type: flow-events
    - name: changes
      display_name: Changes
      type: devrev-webhook
      config:
        event_types: [work_created, timeline_entry_created]
inputs:
  organization:
    - name: greeting
      description: How to greet.
      field_type: text
      default_value: Hello
  user:
    - name: away
      description: Whether the user is away.
      field_type: bool
      default_value: false
    - name: note
      description: What others are told.
      field_type: text
snap_kit_actions:
  - name: save
    description: Saves the form.
    function: save
configuration_handler:
  organization:
    initializer: form
    snap_kit_action_name: save
functions:
${["comment", "tokens", "any", "heard", "greet", "form", "save", "fail"].map((each) => `  - name: ${each}\n    description: For tests.`).join("\n")}
automations:
  - name: hear
    source: own
    event_types: ["custom:reminder"]
    function: heard
  - name: greet
    source: changes
    event_types: [work_created, timeline_entry_created]
    function: greet
commands:
${["comment", "tokens", "any"]
  .map(
    (each) => `  - name: ${each}
    namespace: ${name}
    description: For tests.
    surfaces:
      - surface: discussions
        object_types: [issue, ticket]
    function: ${each}`,
  )
  .join("\n")}
`;
}

const SCOPED = `  scopes:
    self:
      - scope: ticket:read
      - scope: timeline_entry:all
    impersonate:
      - act_as: all_devusers
        scopes:
          - scope: timeline_entry:write`;

let host: CalledHost;
let openId: string;
let ticket: string;

beforeAll(async () => {
  host = await startCalledHost();
  await deployFolder({ url: host.url, key: host.adminKey }, join(import.meta.dirname, "..", "..", "examples", "crm", "convex"));
  openId = await host.bring("open", files("open", ""));
  await host.bring("bounded", files("bounded", SCOPED));
  await succeed(post("dev-users.create", { display_name: "Ada", email: "ada@example.com" }));
  await succeed(post("parts.create", { type: "product", name: "Engine" }));
  ticket = textAt(
    await succeed(post("works.create", { type: "ticket", title: "Broken", applies_to_part: "PROD-1", owned_by: ["DEVU-1"] })),
    "work",
    "id",
  );
}, 120_000);
afterAll(() => host.remove());

function files(name: string, scopes: string) {
  return { "manifest.yaml": manifest(name, scopes), "code/package.json": '{"main":"./dist/index.js"}', "code/dist/index.js": CODE };
}

function post(name: string, body: unknown, key?: string): Promise<Answer> {
  return host.send(`/${name}`, { body, ...(key === undefined ? {} : { headers: { authorization: key }, key: null }) });
}

async function command(name: string, parameters = "", namespace = "open"): Promise<unknown> {
  const answer = await host.send(`/v1/commands/${namespace}/${name}`, { body: { object: ticket, parameters, user: USER } });
  expect(answer.status, answer.text).toBe(200);
  return at(answer, "value");
}

async function tokens(namespace = "open"): Promise<Record<string, string>> {
  return (await command("tokens", "", namespace)) as Record<string, string>;
}

describe("objects of the CRM", () => {
  it("a command comments on its object as the user who typed it", { timeout: 30_000 }, async () => {
    expect(await command("comment", "Ada")).toMatchObject({
      status: 201,
      body: {
        timeline_entry: {
          object: ticket,
          object_type: "ticket",
          body: "Hello Ada",
          visibility: "external",
          created_by: { id: USER, display_name: "Ada" },
        },
      },
    });
    const listed = await host.send(`/timeline-entries.list?object=${encodeURIComponent(ticket)}`);
    expect(at(listed, "timeline_entries")).toContainEqual(expect.objectContaining({ object: ticket, body: "Hello Ada" }));
  });

  it("are created, found by both ids, changed, listed and deleted", async () => {
    expect(ticket).toBe("don:core:plinth:devo/default:ticket/1");
    const got = await succeed(host.send("/works.get?id=TKT-1"));
    expect(at(got, "work")).toMatchObject({
      id: ticket,
      display_id: "TKT-1",
      type: "ticket",
      applies_to_part: { name: "Engine", type: "product" },
    });
    expect(at(got, "work", "_id")).toBeUndefined();
    const tag = textAt(await succeed(post("tags.create", { name: "urgent" })), "tag", "id");
    const change = { id: ticket, stage: { name: "in_development" }, tags: { add: [{ id: tag }] }, owned_by: { set: [] } };
    const changed = await succeed(post("internal/works.update", change));
    expect(at(changed, "work")).toMatchObject({
      title: "Broken",
      stage: { name: "in_development" },
      tags: [{ tag: { name: "urgent" } }],
      owned_by: [],
    });
    const issues = await Promise.all([1, 2, 3].map((i) => post("works.create", { type: "issue", title: `Issue ${i}` })));
    expect(new Set(issues.map((issue) => textAt(issue, "work", "display_id"))).size).toBe(3);
    const first = await host.send('/works.list?type="issue","task"&limit=2');
    expect(at(first, "works")).toHaveLength(2);
    const second = await host.send(`/works.list?type=issue&limit=2&cursor=${textAt(first, "next_cursor")}`);
    expect(at(second, "works")).toHaveLength(1);
    expect(at(second, "next_cursor")).toBeUndefined();
    await succeed(post("works.delete", { id: textAt(second, "works", 0, "id") }));
    expect((await host.send("/works.count?type=issue")).json).toEqual({ count: 2 });
    expect(at(first, "works", 0, "stage")).toEqual({ name: "triage" });
    const survey = textAt(await succeed(post("surveys.create", { name: "csat" })), "survey", "id");
    expect((await post("surveys.submit", { survey, object: ticket, response: { rating: 5 } })).status).toBe(200);
    expect((await post("surveys.submit", { survey, object: ticket, response: { rating: 1 } })).status).toBe(409);
    const group = textAt(await succeed(post("groups.create", { name: "Team" })), "group", "id");
    await succeed(post("groups.members.add", { group, member: "DEVU-1" }));
    expect(at(await host.send(`/groups.members.list?group=${group}`), "members", 0, "member")).toMatchObject({
      id: USER,
      type: "dev_user",
    });
  });

  it("refuse what is wrong with the contract's errors", async () => {
    expect((await host.send("/works.get?id=TKT-99")).json).toMatchObject({ type: "not_found", message: expect.stringContaining("TKT-99") });
    expect((await post("works.create", { type: "ticket" })).json).toMatchObject({
      type: "bad_request",
      message: expect.stringContaining("title"),
    });
    expect((await post("works.create", { type: "nothing", title: "x" })).status).toBe(400);
    expect((await post("nothing.create", {})).json).toMatchObject({ type: "not_found" });
    expect((await post("rev-users.create", { email: "a@b.example" })).status).toBe(201);
    expect((await post("rev-users.create", { email: "a@b.example" })).json).toMatchObject({ type: "conflict" });
    expect((await host.send("/model/store.list")).status).toBe(404);
    expect((await host.send("/works.list?cursor=1%20or%201")).status).toBe(400);
  });
});

describe("tokens", () => {
  it("of an account come raw or with Bearer, and end with the snap-in", { timeout: 60_000 }, async () => {
    const id = await host.bring("short", files("short", ""));
    const { service_account_token: token = "" } = await tokens("short");
    for (const header of [token, `Bearer ${token}`]) expect((await post("works.get", { id: ticket }, header)).status).toBe(200);
    expect((await post("works.get", { id: ticket }, `${token.slice(0, -1)}A`)).status).toBe(401);
    expect((await host.send("/works.get?id=TKT-1", { key: null })).status).toBe(401);
    await succeed(host.send(`/v1/snap-ins/${id}/deactivate`, { method: "POST" }));
    expect((await post("works.get", { id: ticket }, token)).status).toBe(401);
  });

  it("open what their scopes say, of the account and of the user", { timeout: 30_000 }, async () => {
    const { service_account_token: token = "", actor_session_token: actor = "" } = await tokens("bounded");
    const issue = textAt(await succeed(post("works.create", { type: "issue", title: "Not for tickets" })), "work", "id");
    const status = async (name: string, body: unknown, key: string) => (await post(name, body, key)).status;
    expect(await status("works.get", { id: ticket }, token)).toBe(200);
    expect(await status("works.get", { id: issue }, token)).toBe(403);
    expect(await status("works.update", { id: ticket, title: "x" }, token)).toBe(403);
    expect(await status("accounts.list", {}, token)).toBe(403);
    expect(await status("timeline-entries.create", { object: ticket, body: "b" }, token)).toBe(201);
    expect(await status("works.get", { id: ticket }, actor)).toBe(403);
    expect(await status("timeline-entries.create", { object: ticket, body: "b" }, actor)).toBe(201);
    const listed = await post("works.list", {}, token);
    expect(new Set((at(listed, "works") as readonly { readonly type: string }[]).map(({ type }) => type))).toEqual(new Set(["ticket"]));
  });

  it("that act as a user are made by the account alone", { timeout: 30_000 }, async () => {
    const { service_account_token: token = "", actor_session_token: actor = "" } = await tokens("bounded");
    const wanted = {
      grant_type: "urn:devrev:params:oauth:grant-type:token-issue",
      requested_token_type: "urn:devrev:params:oauth:token-type:pat:act-as",
      act_as: USER,
      expires_in: 60,
    };
    const made = await post("auth-tokens.create", wanted, token);
    expect(made.json).toMatchObject({ token_type: "bearer", expires_in: 60 });
    expect((await post("dev-users.self", {}, textAt(made, "access_token"))).json).toMatchObject({
      dev_user: { id: USER, display_name: "Ada" },
    });
    expect((await post("auth-tokens.create", wanted, actor)).status).toBe(403);
    const short = textAt(await post("auth-tokens.create", { ...wanted, expires_in: 1 }, token), "access_token");
    await expect.poll(async () => (await post("dev-users.self", {}, short)).status, { timeout: 20_000 }).toBe(401);
  });
});

describe("what happens to objects", () => {
  it("starts automations, which answer through the interface", { timeout: 60_000 }, async () => {
    const issue = textAt(await succeed(post("works.create", { type: "issue", title: "Slow" })), "work", "id");
    const bodies = async () => {
      const listed = await host.send(`/timeline-entries.list?object=${issue}`);
      return (at(listed, "timeline_entries") as readonly { readonly body: string }[]).map(({ body }) => body);
    };
    // Two snap-ins listen.
    await expect.poll(bodies, { timeout: 30_000 }).toEqual(["Hello Slow", "Hello Slow"]);
    await succeed(post("timeline-entries.create", { object: issue, body: "ping" }));
    await expect.poll(async () => (await bodies()).slice(2).toSorted(), { timeout: 30_000 }).toEqual(["ping", "pong", "pong"]);
  });

  it("a form of the configuration is shown, filled in and saved", { timeout: 60_000 }, async () => {
    const show = () => host.send("/v1/snap-kit/initialize", { body: { snapIn: openId, configuration: "organization", user: USER } });
    const shown = await succeed(show());
    expect(at(shown, "snap_kit_body", "body", "snaps", 0)).toEqual({ type: "plain_text", text: "Hello" });
    const element = { id: "greeting", type: "plain_text_input", value: "Welcome" };
    const done = await host.send("/v1/snap-kit/actions", { body: { snapIn: openId, action: "save", element, user: USER } });
    expect(at(done, "value"), done.text).toMatchObject({ status: 200, body: { snap_in: { inputs_values: { greeting: "Welcome" } } } });
    expect(at(await show(), "snap_kit_body", "body", "snaps", 0)).toEqual({ type: "plain_text", text: "Welcome" });
    // The same, stored, as clients of the contract ask for it.
    const { actor_session_token: actor = "" } = await tokens();
    const id = `don:integration:plinth:devo/default:snap_in/${openId}:snap_kit_action/save`;
    const action = { ...element, value: "Good day" };
    expect((await post("snap-kit-action.execute.deferred", { id, actions: [action] }, actor)).json).toEqual({});
    const text = async () => at(await show(), "snap_kit_body", "body", "snaps", 0, "text");
    await expect.poll(text, { timeout: 30_000 }).toBe("Good day");
    expect((await post("snap-kit-action.execute.deferred", { id, actions: Array.from({ length: 6 }, () => action) }, actor)).status).toBe(
      400,
    );
  });
});

describe("the platform's own calls", () => {
  it("show and change the caller's snap-in and no other", { timeout: 30_000 }, async () => {
    const { service_account_token: token = "" } = await tokens();
    const got = await host.send(`/internal/snap-ins.get?id=${openId}`, { key: null, headers: { authorization: token } });
    expect(at(got, "snap_in"), got.text).toMatchObject({
      display_id: openId,
      state: "active",
      imports: [],
      snap_in_version: { slug: "open" },
    });
    const { service_account_token: other = "" } = await tokens("bounded");
    expect((await post("snap-ins.get", { id: openId }, other)).status).toBe(404);
    expect((await post("internal/snap-ins.system-update", { id: openId, status: "active" }, token)).status).toBe(200);
    expect((await post("internal/snap-ins.system-update", { id: openId, status: "inactive" }, token)).status).toBe(409);
    expect((await post("snap-ins.update", { id: openId, inputs_values: { none: 1 } }, token)).status).toBe(400);
    expect((await post("keyrings.list", {}, token)).json).toEqual({ keyrings: [] });
    expect((await post("commands.list", {}, token)).status).toBe(200);
  });

  it("schedule events of the snap-in's own source", { timeout: 60_000 }, async () => {
    const { sources, service_account_token: token } = (await tokens()) as unknown as {
      sources: Record<string, string>;
      service_account_token: string;
    };
    const event = { id: sources["own"], event_type: "reminder", payload: Buffer.from('{"n":1}').toString("base64") };
    const shown = at(await post("event-sources.get", { id: event.id }, token), "event_source");
    expect(shown).toMatchObject({ id: event.id, name: "own", type: "flow-events", status: "active", config: {} });
    expect(shown).not.toHaveProperty("trigger_url");
    const later = { ...event, publish_at: new Date(Date.now() + 86_400_000).toISOString(), event_key: "k" };
    expect((await post("event-sources.schedule", later, token)).json).toEqual({ event_key: "k" });
    expect((await post("event-sources.schedule", later, token)).status).toBe(409);
    expect((await post("event-sources.schedule", { ...later, update_if_exists: true }, token)).status).toBe(200);
    expect((await post("event-sources.unschedule", { id: event.id, event_key: "k" }, token)).status).toBe(200);
    expect((await post("event-sources.unschedule", { id: event.id, event_key: "k" }, token)).status).toBe(404);
    const { service_account_token: other = "" } = await tokens("bounded");
    expect((await post("event-sources.schedule", event, other)).status).toBe(404);
    expect((await post("event-sources.schedule", { ...event, payload: "%%" }, token)).status).toBe(400);
    await succeed(post("event-sources.schedule", event, token));
    const heard = async () => at(await host.send("/timeline-entries.list?object=heard/1"), "timeline_entries", 0, "body");
    await expect.poll(heard, { timeout: 30_000 }).toBe('custom:reminder {"n":1}');
  });
});

describe("what users fill in", () => {
  it("is told to the account by itself, checked, and gone with the user", { timeout: 60_000 }, async () => {
    const id = await host.bring("personal", files("personal", ""));
    const { service_account_token: token = "", actor_session_token: actor = "" } = await tokens("personal");
    const resources = (user: string, key = token) => post("snap-ins.resources", { id, user }, key);
    const setUp = (body: unknown) => host.send(`/v1/snap-ins/${id}/users`, { body });

    expect((await resources("ada")).status).toBe(404);
    await succeed(setUp({ user: "ada", inputs: { note: "Back on Monday" } }));
    expect((await resources("ada")).json).toMatchObject({ inputs: { away: false, note: "Back on Monday" } });
    expect((await resources("ben")).status).toBe(404);
    expect((await resources("ada", actor)).status).toBe(403);

    await succeed(setUp({ user: "ada", inputs: { away: true, note: null } }));
    expect(at(await resources("ada"), "inputs")).toEqual({ away: true });
    for (const inputs of [{ away: "yes" }, { other: 1 }, { greeting: "Hello" }, { note: "x".repeat(300_000) }])
      expect((await setUp({ user: "ada", inputs })).status, JSON.stringify(inputs).slice(0, 40)).toBeGreaterThanOrEqual(400);
    expect(at(await resources("ada"), "inputs")).toEqual({ away: true });

    await succeed(host.send(`/v1/snap-ins/${id}/users?user=ada`, { method: "DELETE" }));
    expect((await resources("ada")).status).toBe(404);
  });
});

describe("fragments of schemas", () => {
  const fragment = { type: "tenant_fragment", leaf_type: "conversation", fields: [{ name: "channel", field_type: "text" }] };

  it("are set, replaced, got and listed", { timeout: 30_000 }, async () => {
    const first = textAt(await succeed(post("schemas.custom.set", fragment)), "id");
    const fields = [{ name: "thread", field_type: "text", is_filterable: true }];
    expect(textAt(await succeed(post("schemas.custom.set", { ...fragment, fields })), "id")).toBe(first);
    const other = textAt(await succeed(post("schemas.custom.set", { ...fragment, leaf_type: "ticket", subtype: "bug" })), "id");
    expect(other).not.toBe(first);
    expect((await host.send(`/schemas.custom.get?id=${first}`)).json).toMatchObject({ fragment: { leaf_type: "conversation", fields } });
    const listed = await post("schemas.custom.list", { leaf_type: ["ticket"], types: ["tenant_fragment"] });
    expect(listed.json).toMatchObject({ result: [{ id: other, subtype: "bug" }] });
    expect((await post("schemas.custom.list", { types: ["app_fragment"] })).json).toEqual({ result: [] });
    expect((await post("schemas.custom.set", { ...fragment, fields: [{ field_type: "text" }] })).status).toBe(400);
    expect((await post("schemas.custom.set", { ...fragment, type: "stock" })).status).toBe(400);
  });

  it("need the scope of their kind", { timeout: 30_000 }, async () => {
    await host.bring("fragments", files("fragments", "  scopes:\n    self:\n      - scope: tenant_fragment:write"));
    const { service_account_token: token = "" } = await tokens("fragments");
    expect((await post("schemas.custom.set", fragment, token)).status).toBe(200);
    expect((await post("schemas.custom.set", { ...fragment, type: "app_fragment", app: "a" }, token)).status).toBe(403);
    const { service_account_token: bounded = "" } = await tokens("bounded");
    expect((await post("schemas.custom.set", fragment, bounded)).status).toBe(403);
    expect((await post("schemas.custom.list", {}, bounded)).status).toBe(403);
  });
});

describe("the wire form of functions", () => {
  const event = (name: string, payload: unknown = {}) => ({
    payload,
    context: {},
    execution_metadata: { function_name: name },
    input_data: {},
  });

  it("answers one event with its result or its error", { timeout: 30_000 }, async () => {
    const sync = (body: unknown, query = "?package=open") => host.send(`/handle/sync${query}`, { body });
    const echoed = await sync({ ...event("tokens"), context: { secrets: { a: "b" } }, input_data: { event_sources: {} } });
    expect(echoed.json).toEqual({ function_result: { a: "b", sources: {} } });
    expect((await sync(event("fail"))).json).toMatchObject({ error: { error: { message: expect.stringContaining("it is broken") } } });
    expect((await sync(event("none"))).json).toMatchObject({ error: { err_type: "FUNCTION_NOT_FOUND" } });
    expect((await sync({})).json).toMatchObject({ error: { err_type: "FUNCTION_NAME_NOT_PROVIDED" } });
    const malformed = await sync([]);
    expect([malformed.status, at(malformed, "error", "err_type")]).toEqual([400, "INVALID_REQUEST"]);
    expect((await sync(event("tokens"), "")).status).toBe(400);
    expect((await host.send("/handle/sync?package=open", { body: event("tokens"), key: null })).status).toBe(401);
  });

  it("stores an array of events, all or none", { timeout: 30_000 }, async () => {
    const send = (body: unknown) => host.send("/handle/async?package=open", { body });
    expect((await send([event("tokens"), {}])).json).toMatchObject({ error: { err_type: "FUNCTION_NAME_NOT_PROVIDED" } });
    expect((await send({})).status).toBe(400);
    const stored = await send([event("tokens"), event("tokens")]);
    expect([stored.status, stored.text]).toEqual([200, ""]);
  });
});
