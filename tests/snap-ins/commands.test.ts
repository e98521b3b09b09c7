/** Commands and snap-kit through the API of a real host, with functions in real jails. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { startCalledHost, type CalledHost } from "./test-callers.ts";

const USER = "don:identity:plinth:devo/default:devu/7";
const TICKET = "don:core:plinth:devo/default:ticket/1";

const FILES = {
  "manifest.yaml": `version: "2"
name: chat
description: For tests.
service_account:
  display_name: Bot
  scopes:
    self:
      - scope: timeline_entry:all
    impersonate:
      - act_as: all_devusers
        scopes:
          - scope: ticket:read
functions:
  - name: echo
    description: Answers with its event.
  - name: show
    description: Answers with a body.
commands:
  - name: greet
    namespace: chat
    description: Greets.
    surfaces:
      - surface: discussions
        object_types: [ticket, issue]
      - surface: customer_chat
        object_types: [conversation, part, rev_user, rev_org]
    usage_hint: "[name]"
    function: echo
snap_kit_actions:
  - name: press
    description: A button.
    function: echo
snap_components:
  - name: panel
    display_name: Panel
    surface: issue
    snap_kit_action_name: press
    initializer: show
  - name: fixed
    display_name: Fixed
    surface: issue
    snap_kit_action_name: press
    snap_kit_body:
      body:
        snaps:
          - type: divider
configuration_handler:
  organization:
    initializer: show
    snap_kit_action_name: press
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
exports.functionFactory = {
  echo: async ([event]) => { console.log("token", event.context.secrets.actor_session_token); return event; },
  show: async ([event]) => event.payload.context.object_id === "bad"
    ? { snap_kit_body: { body: { snaps: [{ type: "script" }] } } }
    : { snap_kit_body: { body: { snaps: [{ type: "plain_text", text: event.payload.actor_id }] } } },
};`,
};

let host: CalledHost;
let snapIn: string;
beforeAll(async () => {
  host = await startCalledHost();
  snapIn = await host.bring("chat", FILES);
}, 60_000);
afterAll(() => host.remove());

describe("commands", () => {
  it("run at once with the documented payload and a token for the user", { timeout: 30_000 }, async () => {
    const answer = await host.send("/v1/commands/chat/greet", { body: { object: TICKET, parameters: "Ada --loud", user: USER } });
    expect(answer.status, answer.text).toBe(200);
    const source = `don:integration:plinth:devo/default:snap_in/${snapIn}:command/chat.greet`;
    expect(at(answer, "value")).toMatchObject({
      payload: {
        actor_id: USER,
        command_id: source,
        dev_org: "don:identity:plinth:devo/default",
        parameters: "Ada --loud",
        parent_id: `don:integration:plinth:devo/default:snap_in/${snapIn}`,
        source_id: TICKET,
        surface: "display:discussions",
      },
      context: { source_id: source, user_id: USER },
      execution_metadata: { function_name: "echo", event_type: "command" },
    });
    const secrets = at(answer, "value", "context", "secrets") as Record<string, string>;
    expect(secrets["actor_session_token"]).toMatch(/^pls_sa_/);
    expect(secrets["actor_session_token"]).not.toBe(secrets["service_account_token"]);
    expect(JSON.stringify(at(answer, "logs"))).toContain("[actor session token]");
    const stored = await host.send(`/v1/invocations/${textAt(answer, "id")}`);
    expect(at(stored, "source")).toBe("command");
  });

  it("are listed, and run on the objects of their surfaces only", async () => {
    const listed = await host.send("/v1/commands");
    expect(at(listed, "commands", 0)).toMatchObject({ namespace: "chat", name: "greet", package: "chat", snapIn, usageHint: "[name]" });
    const send = (body: unknown, name = "greet") => host.send(`/v1/commands/chat/${name}`, { body });
    expect((await send({ object: "article/1", user: USER })).status).toBe(400);
    expect((await send({ object: TICKET, user: USER, surface: "customer_chat" })).status).toBe(400);
    expect((await send({ object: "no object", user: USER })).status).toBe(400);
    expect((await send({ object: TICKET })).status).toBe(400);
    // Manifests have other names for some kinds of ids.
    for (const kind of ["product", "enhancement", "revu", "revo"])
      expect((await send({ object: `don:core:plinth:devo/default:${kind}/1`, user: USER })).status, kind).toBe(200);
    expect((await send({ object: "devu/1", user: USER })).status).toBe(400);
    expect((await send({ object: TICKET, user: USER, parameters: "x".repeat(10_001) })).status).toBe(413);
    expect((await send({ object: TICKET, user: USER }, "other")).status).toBe(404);
    const { key } = await host.key(["read"]);
    expect((await host.send("/v1/commands/chat/greet", { key, body: { object: TICKET, user: USER } })).status).toBe(403);
  });
});

describe("snap-kit", () => {
  const element = { id: "go", type: "button", value: "1", block_id: "b" };

  it("runs actions with what the user did", async () => {
    const body = { snapIn, action: "press", element, body: { snaps: [{ type: "divider" }] }, context: { entry_id: "e" }, user: USER };
    const answer = await host.send("/v1/snap-kit/actions", { body });
    expect(at(answer, "value", "payload"), answer.text).toMatchObject({
      action: { id: "go", type: "BUTTON", value: "1", block_id: "b" },
      action_id: `don:integration:plinth:devo/default:snap_in/${snapIn}:snap_kit_action/press`,
      actor_id: USER,
      body: { snaps: [{ type: "divider" }] },
      context: { entry_id: "e" },
    });
    expect((await host.send("/v1/snap-kit/actions", { body: { ...body, body: { snaps: [{ type: "iframe" }] } } })).status).toBe(400);
    expect((await host.send("/v1/snap-kit/actions", { body: { ...body, action: "other" } })).status).toBe(404);
  });

  it("stores deferred actions, five at most", async () => {
    const send = (elements: readonly unknown[]) =>
      host.send("/v1/snap-kit/actions", { body: { snapIn, action: "press", elements, user: USER } });
    expect((await send(Array.from({ length: 6 }, () => element))).status).toBe(400);
    const stored = await send([element, element]);
    expect(stored.status, stored.text).toBe(202);
    const [id] = at(stored, "invocations") as string[];
    await expect.poll(async () => at(await host.send(`/v1/invocations/${id}`), "status"), { timeout: 20_000 }).toBe("succeeded");
  });

  it("asks initializers, and refuses bodies with unknown elements", async () => {
    const ask = (body: object) => host.send("/v1/snap-kit/initialize", { body: { snapIn, user: USER, ...body } });
    const shown = { snap_kit_body: { body: { snaps: [{ type: "plain_text", text: USER }] } }, snap_kit_action_name: "press" };
    expect((await ask({ component: "panel" })).json).toEqual(shown);
    expect((await ask({ configuration: "organization" })).json).toEqual(shown);
    expect((await ask({ component: "fixed" })).json).toEqual({
      snap_kit_body: { body: { snaps: [{ type: "divider" }] } },
      snap_kit_action_name: "press",
    });
    const bad = await ask({ component: "panel", object: "bad" });
    expect(bad.status).toBe(560);
    expect(textAt(bad, "message")).toContain("`script`");
    expect((await ask({ configuration: "user" })).status).toBe(404);
  });
});
