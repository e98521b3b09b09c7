/** Checks of keyrings: the host's own requests and functions of packages, on the one path, with no secret in what is recorded. */
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INVOCATIONS } from "../../packages/server/src/database/record-tables.ts";
import { Provider } from "../../packages/server/src/keyrings/test-keyrings.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";

const SECRET = "s3cret-of-a-test";

const FILES = {
  "manifest.yaml": `version: "2"
name: checked
description: For tests.
service_account:
  display_name: Bot
developer_keyrings:
  - name: app
    description: The client.
    display_name: App
keyring_types:
  - id: asked
    name: Asked
    description: Verified by a request.
    kind: secret
    is_subdomain: false
    external_system_name: Other
    secret_config:
      secret_transform: .token
      fields:
        - id: token
          name: Token
          description: A token.
      token_verification:
        url: https://other.invalid/me
        method: GET
        headers:
          authorization: "Bearer [API_KEY]"
  - id: run
    name: Run
    description: Verified by a function.
    kind: secret
    is_subdomain: false
    external_system_name: Other
    verify_function: verify
    secret_config:
      fields:
        - id: token
          name: Token
          description: A token.
  - id: renewed
    name: Renewed
    description: Refreshed by a function.
    kind: oauth2
    is_subdomain: false
    external_system_name: Other
    scope_delimiter: " "
    scopes: []
    oauth_secret: app
    refresh_function: refresh
    authorize:
      type: config
      auth_url: https://other.invalid/authorize
      token_url: https://other.invalid/token
      grant_type: authorization_code
      auth_query_parameters:
        client_id: "[CLIENT_ID]"
      token_query_parameters:
        client_id: "[CLIENT_ID]"
keyrings:
  organization:
    - name: renewed
      description: Delivered.
      display_name: Renewed
      types: [renewed]
functions:
  - name: verify
    description: Verifies.
  - name: refresh
    description: Refreshes.
  - name: show
    description: Shows what it got.
commands:
  - name: show
    namespace: checked
    description: Shows.
    surfaces:
      - surface: discussions
        object_types: [ticket]
    function: show
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
exports.functionFactory = {
  verify: async ([event]) => {
    const { credential, keyring } = event.payload;
    console.log("checking", credential.secret, "of", keyring.name);
    if (credential.fields.token === "throw") throw new Error("cannot check " + credential.secret);
    return { valid: credential.secret.startsWith("s3"), message: credential.secret, organizations: [{ id: "o1", name: "One" }] };
  },
  refresh: async ([event]) => ({ access_token: "new-" + event.payload.credential.refresh_token, refresh_token: "r2-of-a-test", expires_in: 3600 }),
  show: async ([event]) => event.input_data.keyrings.renewed ?? null,
};`,
};

let host: SnapInHost;
const provider = new Provider();

beforeAll(async () => {
  await provider.start();
  host = await startSnapInHost({ allowedPrivate: [provider.hostPort] });
  const { version } = await host.upload("checked", FILES);
  const stored = await host.packages.version(SCOPE, "checked", version);
  // Manifests name systems by https; the one of this test speaks http.
  const types = JSON.parse(
    JSON.stringify(stored?.manifest.keyringTypes).replaceAll("https://other.invalid", provider.url),
  ) as KeyringTypeSpec[];
  await host.keyrings.defineTypes(SCOPE, "checked", types);
}, 60_000);
afterAll(async () => {
  await host.stop();
  await host.remove();
  await provider.stop();
});

const create = (name: string, type: string, fields: Record<string, string>) =>
  host.keyrings.create(SCOPE, { name, type: `checked/${type}`, fields });

/** All that is kept of calls, and all that was logged. */
async function kept(): Promise<string> {
  const rows = await host.database.read(SCOPE, ({ records }) => records.range(INVOCATIONS, { prefix: [], limit: 1000 }));
  return JSON.stringify(rows.map(({ value }) => value)) + host.logLines.join("\n");
}

describe("verification", () => {
  it("by a request is a call of native code, sent once", { timeout: 30_000 }, async () => {
    provider.on(
      "/me",
      ({ headers }, response) => void response.writeHead(headers.authorization === `Bearer ${SECRET}` ? 200 : 401).end("{}"),
    );
    expect(await create("good", "asked", { token: SECRET })).toMatchObject({ state: "active" });
    expect(provider.requests("/me")).toHaveLength(1);
    await expect(create("bad", "asked", { token: "wrong-of-a-test" })).rejects.toMatchObject({ code: "KeyringRefused" });
    await expect.poll(kept, { timeout: 10_000 }).toContain("$operation/keyring_verify");
    expect(await kept()).not.toContain("wrong-of-a-test");
  });

  it("by a function sees the credential, and nothing that is kept does", { timeout: 30_000 }, async () => {
    expect(await create("run", "run", { token: SECRET })).toMatchObject({ state: "active", organization: { id: "o1", name: "One" } });
    const refused = create("bad", "run", { token: "other-of-a-test" });
    await expect(refused).rejects.toMatchObject({ code: "KeyringRefused" });
    await expect(refused).rejects.not.toThrow("other-of-a-test");
    await expect(create("thrown", "run", { token: "throw" })).rejects.toMatchObject({ code: "KeyringUnavailable" });
    await expect.poll(kept, { timeout: 10_000 }).toContain("checking [credential] of run");
    expect(await kept()).not.toContain(SECRET);
    expect(await kept()).not.toContain("other-of-a-test");
    expect((await host.keyrings.list(SCOPE)).map(({ name }) => name)).toEqual(expect.not.arrayContaining(["bad", "thrown"]));
  });

  it("cannot be called by those who have nothing to check", async () => {
    const call = host.engine.invoke({
      ...SCOPE,
      actor: { kind: "key", keyId: "k", scopes: ["admin"] },
      source: "native",
      path: "$operation/keyring_verify",
      internalAllowed: true,
      argsText: JSON.stringify({ ticket: "0".repeat(32) }),
      priority: "normal",
    });
    await expect(call).rejects.toMatchObject({ code: "NotFound" });
  });
});

describe("refresh", () => {
  it("by a function gives the new token to all who wait for it", { timeout: 60_000 }, async () => {
    const client = { client_id: "c", client_secret: "cs-of-a-test" };
    await host.keyrings.create(SCOPE, { name: "app", type: "oauth-secret", fields: client });
    // The first token ends at once.
    provider.json("/token", { access_token: "old-of-a-test", refresh_token: "r1-of-a-test", expires_in: 1 });
    const { state } = await host.keyrings.startOauth(SCOPE, {
      name: "renewed",
      type: "checked/renewed",
      redirectUri: "https://plinth.invalid/back",
    });
    await host.keyrings.finishOauth({ state, code: "c" });
    const delivered = await Promise.all([1, 2, 3].map(() => host.keyrings.deliver(SCOPE, ["renewed"])));
    for (const { renewed } of delivered) expect(renewed?.secret).toBe("new-r1-of-a-test");
    expect(provider.requests("/token")).toHaveLength(1);
    for (const secret of ["old-of-a-test", "r1-of-a-test", "r2-of-a-test"]) expect(await kept()).not.toContain(secret);
  });
});
