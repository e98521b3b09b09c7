/** Calls that are repeated with their idempotency key: by their caller, and by somebody else. */
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
functions:
  - name: echo
    description: Answers with its event.
commands:
  - name: greet
    namespace: chat
    description: Greets.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    usage_hint: "[name]"
    function: echo
snap_kit_actions:
  - name: press
    description: A button.
    function: echo
operations:
  - name: whoami
    slug: whoami
    description: Says who asks.
    function: echo
    type: action
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": "exports.functionFactory = { echo: async ([event]) => ({ user: event.context.user_id }) };",
};

let host: CalledHost;
let snapIn: string;
beforeAll(async () => {
  host = await startCalledHost();
  snapIn = await host.bring("chat", FILES);
}, 60_000);
afterAll(() => host.remove());

describe("a key", () => {
  const command = (fields: object) => host.send("/v1/commands/chat/greet", { body: { object: TICKET, user: USER, ...fields } });
  const action = (fields: object) =>
    host.send("/v1/snap-kit/actions", { body: { snapIn, action: "press", element: { id: "a", type: "button" }, user: USER, ...fields } });
  const operation = (fields: object) => host.send("/v1/operations/chat%2Fwhoami/execute", { body: { userId: USER, ...fields } });

  it.each([
    ["command", command],
    ["action", action],
    ["operation", operation],
  ] as const)("makes a %s once, however often it comes", { timeout: 30_000 }, async (name, send) => {
    const first = await send({ idempotencyKey: `once-${name}` });
    expect(first.status, first.text).toBe(200);
    // Seconds later some of what the host adds is another.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const again = await send({ idempotencyKey: `once-${name}` });
    expect(again.status, again.text).toBe(200);
    expect(textAt(again, "id")).toBe(textAt(first, "id"));
  });

  it("gives nobody what another user got", { timeout: 30_000 }, async () => {
    expect((await operation({ idempotencyKey: "shared" })).status).toBe(200);
    const other = await operation({ idempotencyKey: "shared", userId: `${USER}8` });
    expect(other.status, other.text).toBe(409);
    expect(at(other, "code")).toBe("IdempotencyConflict");
    expect(textAt(other, "message")).toContain("'shared'");
    expect((await command({ idempotencyKey: "greeted" })).status).toBe(200);
    expect((await command({ idempotencyKey: "greeted", user: `${USER}8` })).status).toBe(409);
  });

  it("is for one call: another text, object or element is a conflict", { timeout: 30_000 }, async () => {
    expect((await command({ idempotencyKey: "text", parameters: "a" })).status).toBe(200);
    expect((await command({ idempotencyKey: "text", parameters: "b" })).status).toBe(409);
    expect((await action({ idempotencyKey: "element" })).status).toBe(200);
    expect((await action({ idempotencyKey: "element", element: { id: "b", type: "button" } })).status).toBe(409);
  });
});
