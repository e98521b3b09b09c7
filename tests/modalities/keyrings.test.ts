/**
 * Keyring checks from the request that connects an account to the function that decides, and from there to a command that uses it.
 * Refreshes are in `tests/snap-ins/keyring-checks.test.ts`: manifests name systems by https, and the one of a test speaks http.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { at, textAt } from "../../packages/server/src/doors/test/test-host.ts";
import { archiveOf } from "../../packages/server/src/packages/test-packages.ts";
import { startCalledHost, succeed, type CalledHost } from "../snap-ins/test-callers.ts";

const SECRET = "s3cret-of-a-test";

const FILES = {
  "manifest.yaml": `version: "2"
name: shop
description: For tests.
service_account:
  display_name: Shop
keyring_types:
  - id: token
    name: Token
    description: Verified by a function.
    kind: secret
    is_subdomain: false
    external_system_name: Other
    verify_function: verify
    secret_config:
      secret_transform: .token
      fields:
        - {id: token, name: Token, description: A token.}
keyrings:
  organization:
    - name: account
      description: The account.
      display_name: Account
      types: [token]
functions:
  - name: verify
    description: Verifies.
  - name: show
    description: Shows what verify saw.
commands:
  - name: show
    namespace: shop
    description: Shows.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    function: show
plinth:
  runtime: node
  reuse: true
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
exports.functionFactory = {
  verify: async ([event]) => {
    const { payload, execution_metadata } = event;
    console.log("saw", JSON.stringify({ payload, execution_metadata }));
    return { valid: payload.credential.secret.startsWith("s3"), message: "the shop does not know it", organizations: [{ id: "o1", name: "One" }] };
  },
  show: async ([event]) => event.input_data.keyrings.account.length,
};`,
};

let host: CalledHost;
let snapIn: string;
beforeAll(async () => {
  host = await startCalledHost();
  await succeed(
    host.send("/v1/packages/shop/versions", {
      method: "POST",
      body: archiveOf(FILES),
      headers: { "content-type": "application/gzip" },
    }),
  );
  snapIn = textAt(await succeed(host.send("/v1/snap-ins", { body: { package: "shop" } })), "id");
}, 60_000);
afterAll(() => host.remove());

const connect = (token: string) => host.send("/v1/keyrings", { body: { name: "account", type: "shop/token", fields: { token } } });

it("a function verifies a credential before it is kept, and packages get it afterwards", { timeout: 60_000 }, async () => {
  const refused = await connect("wrong-of-a-test");
  expect([refused.status, at(refused, "code")], refused.text).toEqual([422, "KeyringRefused"]);
  expect(at(await host.send("/v1/keyrings"), "keyrings")).toEqual([]);

  const kept = await connect(SECRET);
  expect(kept.status, kept.text).toBe(201);
  expect(kept.json).toMatchObject({ name: "account", state: "active", organization: { id: "o1", name: "One" } });
  expect(kept.text).not.toContain(SECRET);

  const saw = async () => (await host.send("/v1/logs")).text.replaceAll("\\", "");
  await expect.poll(saw, { timeout: 10_000 }).toContain('"credential":{"secret":"[credential]"');
  expect(await saw()).toContain('"event_type":"keyring:verify"');
  expect(await saw()).not.toContain(SECRET);

  await succeed(host.send(`/v1/snap-ins/${snapIn}/activate`, { method: "POST" }));
  const shown = await host.send("/v1/commands/shop/show", { body: { object: "ticket/1", user: "ada" } });
  expect(at(shown, "value"), shown.text).toBe(SECRET.length);
});
