/** OAuth keyrings: signing in, refreshing, revoking, with another system that misbehaves in every way. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import { KEYRINGS, OAUTH_STATES } from "../database/record-tables.ts";
import { newScope } from "../database/test-database.ts";
import type { Keyrings } from "./keyrings.ts";
import { call, field, openTestKeyrings, typeSpec, type Handler, type TestKeyrings } from "./test-keyrings.ts";

const HOUR_MS = 3_600_000;
const REDIRECT = "http://host.example/v1/keyrings/oauth/callback";

let test: TestKeyrings;
let scope: Scope;
let issued = 0;

beforeAll(async () => {
  test = await openTestKeyrings();
});
afterAll(async () => await test.close());
beforeEach(async () => {
  scope = newScope();
  test.provider.received.length = 0;
  test.provider.routes.clear();
  test.provider.on("/token", tokens({ expires_in: 3600 }));
  await test.keyrings.create(scope, {
    name: "client",
    type: "oauth-secret",
    fields: { client_id: "the id", client_secret: "client&secret" },
  });
  await define();
});

/** A token endpoint: each answer has tokens of its own. */
function tokens(more: Readonly<Record<string, unknown>>): Handler {
  return (_, response) => {
    issued++;
    response.end(JSON.stringify({ access_token: `access-${issued}`, refresh_token: `refresh-${issued}`, token_type: "bearer", ...more }));
  };
}

async function define(changes: Partial<KeyringTypeSpec> = {}): Promise<void> {
  const { url } = test.provider;
  const authorize = {
    authUrl: `${url}/authorize`,
    tokenUrl: `${url}/token`,
    grantType: "authorization_code",
    authQueryParameters: {},
    tokenQueryParameters: {},
  };
  const type = {
    id: "oauth",
    kind: "oauth2",
    oauthSecret: "client",
    authorize,
    scopes: [scopeOf("read"), scopeOf("write")],
    scopeDelimiter: ",",
    ...changes,
  } as const;
  await test.keyrings.defineTypes(scope, "crm", [typeSpec(type)]);
}

const scopeOf = (value: string) => ({ name: value, description: "", value });
const start = (name = "main", more = {}) => test.keyrings.startOauth(scope, { name, type: "crm/oauth", redirectUri: REDIRECT, ...more });

async function connect(name = "main"): Promise<string> {
  const { id, state } = await start(name);
  await test.keyrings.finishOauth({ state, code: "the code" });
  return id;
}

const deliver = async (keyrings: Keyrings = test.keyrings) => (await keyrings.deliver(scope, ["main"]))["main"]?.secret;
const refreshes = () => test.provider.requests("/token").filter(({ form }) => form.get("grant_type") === "refresh_token");

describe("signing in", () => {
  it("sends the browser away with a state, and trades the code for tokens", async () => {
    const { id, authorizeUrl, state } = await start("main", { scopes: ["write"] });
    expect(await test.keyrings.get(scope, id)).toMatchObject({ state: "pending", kind: "oauth2" });
    expect(await test.keyrings.deliver(scope, ["main"])).toEqual({});
    const parameters = Object.fromEntries(new URL(authorizeUrl).searchParams);
    expect(parameters).toEqual({ response_type: "code", client_id: "the id", redirect_uri: REDIRECT, scope: "write", state });
    expect(await test.keyrings.finishOauth({ state, code: "a&b" })).toMatchObject({ id, state: "active", expiresMs: expect.any(Number) });
    const [request] = test.provider.requests("/token");
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: "authorization_code",
      client_id: "the id",
      client_secret: "client&secret",
      code: "a&b",
      redirect_uri: REDIRECT,
    });
    expect(request?.url.search).toBe("");
    expect(await deliver()).toBe(`access-${issued}`);
  });

  it("uses the parameters and placeholders of the type, PKCE among them", async () => {
    const authorize = {
      authUrl: `${test.provider.url}/[SUBDOMAIN]/authorize`,
      tokenUrl: `${test.provider.url}/token`,
      grantType: "authorization_code",
      authQueryParameters: { code_challenge_method: "S256", scope: "[SCOPES] offline", state: "mine", redirect_uri: "http://evil.example" },
      tokenQueryParameters: { audience: "[SUBDOMAIN]", code: "mine" },
    };
    await define({ isSubdomain: true, authorize });
    await expect(start()).rejects.toMatchObject({ code: "BadRequest" });
    const { authorizeUrl, state } = await start("main", { fields: { SUBDOMAIN: "acme" } });
    const url = new URL(authorizeUrl);
    expect(url.pathname).toBe("/acme/authorize");
    expect(url.searchParams.get("scope")).toBe("read,write offline");
    expect([url.searchParams.get("state"), url.searchParams.get("redirect_uri")]).toEqual([state, REDIRECT]);
    expect(authorizeUrl).not.toContain("secret");
    expect(await test.keyrings.finishOauth({ state, code: "c" })).toMatchObject({ organization: { id: "acme" } });
    const form = test.provider.requests("/token")[0]?.form;
    expect([form?.get("audience"), form?.get("code")]).toEqual(["acme", "c"]);
    const challenge = createHash("sha256")
      .update(form?.get("code_verifier") ?? "")
      .digest("base64url");
    expect(url.searchParams.get("code_challenge")).toBe(challenge);
  });

  it("takes a state once, for some time, and none that is made up; a newer sign-in ends an older one", async () => {
    const unknown = { code: "BadRequest", message: expect.stringContaining("start it again") };
    await expect(test.keyrings.finishOauth({ state: "made-up", code: "c" })).rejects.toMatchObject(unknown);
    const first = await start();
    const second = await start();
    expect(second.id).toBe(first.id);
    await expect(test.keyrings.finishOauth({ state: first.state, code: "c" })).rejects.toMatchObject(unknown);
    const both = await Promise.allSettled([1, 2].map(() => test.keyrings.finishOauth({ state: second.state, code: "c" })));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(test.provider.requests("/token")).toHaveLength(1);
    const late = await start("late");
    test.runtime.advance(600_001);
    await expect(test.keyrings.finishOauth({ state: late.state, code: "c" })).rejects.toMatchObject(unknown);
    const revoked = await start("revoked");
    await test.keyrings.revoke(scope, revoked.id);
    await expect(test.keyrings.finishOauth({ state: revoked.state, code: "c" })).rejects.toMatchObject(unknown);
    const left = await test.test.database.read(scope, ({ records }) => records.range(OAUTH_STATES, { prefix: [], limit: 100 }));
    expect(left.filter(({ value }) => value.tenant === scope.tenant)).toEqual([]);
  });

  it("connects again, and serves with the old token until then", async () => {
    const id = await connect();
    const before = await deliver();
    const { state } = await start();
    expect(await deliver()).toBe(before);
    expect(await test.keyrings.finishOauth({ state, code: "c" })).toMatchObject({ id, state: "active" });
    expect(await deliver()).not.toBe(before);
  });

  it.each([
    ["a refusal", 400, '{"error":"invalid_grant","error_description":"hush"}'],
    ["an error with status 200", 200, '{"error":"bad_verification_code"}'],
    ["no JSON", 200, "<html>hush</html>"],
    ["no token", 200, "{}"],
    ["a token of another type", 200, '{"access_token":{"a":"hush"}}'],
    ["a token with line breaks", 200, '{"access_token":"a\\r\\nX-Hush: 1"}'],
    ["inherited tokens", 200, '{"__proto__":{"access_token":"hush"}}'],
    ["a list", 200, '["access_token"]'],
    ["deep nesting", 200, `{"access_token":"x","deep":${"[".repeat(2000)}${"]".repeat(2000)}}`],
    ["a huge answer", 200, JSON.stringify({ access_token: "x", filler: "hush".repeat(500_000) })],
  ])("bears %s of the token endpoint", async (_, status, text) => {
    test.provider.on("/token", (_request, response) => void response.writeHead(status).end(text));
    const { id, state } = await start();
    const failure = await test.keyrings.finishOauth({ state, code: "the-code" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^Keyring(Refused|Unavailable)$/) });
    expect(String(failure)).not.toMatch(/hush|the-code|client&secret/i);
    expect(await test.keyrings.get(scope, id)).toMatchObject({ state: "pending" });
  });

  it("Y4 N19 does not follow a token endpoint that redirects, nor ask a private one", async () => {
    test.provider.on("/token", (_, response) => void response.writeHead(307, { location: `${test.provider.url}/elsewhere` }).end());
    await expect(connect("a")).rejects.toMatchObject({ code: expect.stringMatching(/^Keyring/) });
    expect(test.provider.requests("/elsewhere")).toHaveLength(0);
    await define({
      authorize: {
        authUrl: "https://a.example/",
        tokenUrl: "http://127.0.0.1:9/token",
        grantType: "",
        authQueryParameters: {},
        tokenQueryParameters: {},
      },
    });
    await expect(connect("b")).rejects.toMatchObject({ code: "KeyringTypeWrong" });
    await define({
      authorize: {
        authUrl: "javascript:alert(1)",
        tokenUrl: "http://a.example",
        grantType: "",
        authQueryParameters: {},
        tokenQueryParameters: {},
      },
    });
    await expect(start("c")).rejects.toMatchObject({ code: "KeyringTypeWrong" });
  });
});

describe("refreshing", () => {
  it("Y3 F1 happens a minute before the end, once for a hundred who wait", async () => {
    await connect();
    const before = await deliver();
    test.runtime.advance(HOUR_MS - 62_000);
    expect(await deliver()).toBe(before);
    test.runtime.advance(3000);
    const got = await Promise.all(Array.from({ length: 100 }, async () => await deliver()));
    expect(new Set(got)).toEqual(new Set([`access-${issued}`]));
    expect(refreshes()).toHaveLength(1);
    expect(Object.fromEntries(refreshes()[0]?.form ?? [])).toEqual({
      grant_type: "refresh_token",
      refresh_token: `refresh-${issued - 1}`,
      client_id: "the id",
      client_secret: "client&secret",
    });
    test.runtime.advance(HOUR_MS);
    await deliver();
    expect(refreshes()[1]?.form.get("refresh_token")).toBe(`refresh-${issued - 1}`);
  });

  it("Y3 F1 happens once over several hosts", async () => {
    await connect();
    const other = await test.again();
    test.runtime.advance(HOUR_MS);
    let answering = 0;
    test.provider.on("/token", async (request, response) => {
      answering++;
      expect(answering).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      answering--;
      await tokens({ expires_in: 3600 })(request, response);
    });
    const got = deliver();
    await expect.poll(() => refreshes().length).toBe(1);
    const waits = deliver(other);
    expect(await got).toBe(`access-${issued}`);
    await expect(waits).resolves.toBe(`access-${issued}`);
    expect(refreshes()).toHaveLength(1);
  });

  it("Y3 goes on after the host died between the answer and the commit", async () => {
    const id = await connect();
    test.runtime.advance(HOUR_MS);
    // What the dead host left: its claim, and a row with the older token.
    const untilMs = test.runtime.nowMs() + 15_000;
    await test.test.database.update(scope, async ({ records }) => {
      const row = await records.get(KEYRINGS, [id]);
      if (row !== undefined) records.put(KEYRINGS, [id], { ...row, refresh: { owner: "dead", untilMs } });
    });
    test.runtime.advance(14_900);
    expect(refreshes()).toHaveLength(0);
    const restarted = await test.again();
    expect(await deliver(restarted)).toBe(`access-${issued}`);
    expect(test.runtime.nowMs()).toBeGreaterThanOrEqual(untilMs);
    expect(refreshes()).toHaveLength(1);
  });

  it("F2 does not lose what arrived when the store fails: it tries again, and later too", async () => {
    await connect();
    let failures = 0;
    const failing = new Proxy(test.test.database, {
      get: (target, name) => {
        if (name === "update" && failures > 0) return () => ((failures -= 1), Promise.reject(new Error("the disk is full")));
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    const keyrings = await test.again(undefined, failing);
    const failSaves = (count: number): Handler => {
      return (request, response) => {
        failures = count;
        return tokens({ expires_in: 3600 })(request, response);
      };
    };
    test.provider.on("/token", failSaves(2));
    test.runtime.advance(HOUR_MS);
    expect(await deliver(keyrings)).toBe(`access-${issued}`);
    expect(refreshes()).toHaveLength(1);
    test.provider.on("/token", failSaves(5));
    test.runtime.advance(HOUR_MS);
    await expect(deliver(keyrings)).rejects.toThrow("disk");
    expect(await deliver(keyrings)).toBe(`access-${issued}`);
    expect(refreshes()).toHaveLength(2);
  });

  it("delivers the current token while another host's claim stands, as long as it is valid", async () => {
    const id = await connect();
    const before = await deliver();
    test.runtime.advance(HOUR_MS - 30_000);
    await test.test.database.update(scope, async ({ records }) => {
      const row = await records.get(KEYRINGS, [id]);
      if (row !== undefined) records.put(KEYRINGS, [id], { ...row, refresh: { owner: "other", untilMs: test.runtime.nowMs() + 15_000 } });
    });
    expect(await deliver()).toBe(before);
    expect(refreshes()).toHaveLength(0);
  });

  it("keeps the refresh token when none comes back, and knows tokens without an end", async () => {
    await connect();
    const kept = `refresh-${issued}`;
    test.provider.on("/token", tokens({ expires_in: "3600", refresh_token: undefined }));
    test.runtime.advance(HOUR_MS);
    await deliver();
    test.provider.on("/token", tokens({}));
    test.runtime.advance(HOUR_MS);
    await deliver();
    expect(refreshes().map(({ form }) => form.get("refresh_token"))).toEqual([kept, kept]);
    test.runtime.advance(1000 * HOUR_MS);
    await deliver();
    expect(refreshes()).toHaveLength(2);
  });

  it("asks as the type says", async () => {
    const refresh = {
      url: `${test.provider.url}/renew/[REFRESH_TOKEN]`,
      method: "PUT",
      headers: { authorization: "Basic [CLIENT_ID]", "content-type": "application/json" },
      queryParameters: { s: "[SCOPE]" },
    };
    await define({ refresh });
    await connect();
    const path = `/renew/refresh-${issued}`;
    test.provider.on(path, tokens({ expires_in: 60 * 60 }));
    test.runtime.advance(HOUR_MS);
    await deliver();
    const [request] = test.provider.requests(path);
    expect(request).toMatchObject({ method: "PUT", body: '{"s":"read,write"}', headers: { authorization: "Basic the id" } });
  });

  it.each([
    ["invalid_grant", 400, { error: "invalid_grant" }],
    ["a plain 401", 401, {}],
  ])("ends the keyring on %s: it asks no more, and says which keyring it is", async (_, status, json) => {
    const id = await connect();
    const hidden = await deliver();
    test.provider.json("/token", json, status);
    test.runtime.advance(HOUR_MS);
    for (let i = 0; i < 2; i++) {
      const failure = await deliver().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "KeyringExpired", message: expect.stringContaining("'main'") });
      expect(String(failure)).not.toContain(hidden);
    }
    expect(await test.keyrings.get(scope, id)).toMatchObject({ state: "expired" });
    expect(refreshes()).toHaveLength(1);
    test.provider.on("/token", tokens({ expires_in: 3600 }));
    expect(await connect()).toBe(id);
    expect(await deliver()).toBe(`access-${issued}`);
  });

  it.each([
    ["is down", (_request, response) => void response.socket?.destroy()],
    ["answers 503", (_request, response) => void response.writeHead(503).end()],
    ["refuses for now", (_request, response) => void response.writeHead(429).end('{"error":"slow_down"}')],
    ["forgot the client", (_request, response) => void response.writeHead(401).end('{"error":"invalid_client"}')],
    ["talks nonsense", (_request, response) => void response.end("[[[[")],
  ] satisfies [string, Handler][])("F3 bears a system that %s: the token serves to its end, later tries succeed", async (_, handler) => {
    const id = await connect();
    const before = await deliver();
    test.provider.on("/token", handler);
    test.runtime.advance(HOUR_MS - 30_000);
    expect(await deliver()).toBe(before);
    test.runtime.advance(30_000);
    for (let i = 0; i < 3; i++) await expect(deliver()).rejects.toMatchObject({ code: "KeyringUnavailable" });
    // One for the token that was still valid, one for the one that was not: those who come right after a failure do not ask.
    expect(refreshes()).toHaveLength(2);
    test.runtime.advance(1000);
    expect(await test.keyrings.get(scope, id)).toMatchObject({ state: "active" });
    test.provider.on("/token", tokens({ expires_in: 3600 }));
    expect(await deliver()).toBe(`access-${issued}`);
  });

  it("expires a keyring that has no refresh token, at its very end", async () => {
    test.provider.on("/token", tokens({ expires_in: 3600, refresh_token: undefined }));
    await connect();
    test.runtime.advance(HOUR_MS - 10_000);
    expect(await deliver()).toBe(`access-${issued}`);
    test.runtime.advance(10_000);
    await expect(deliver()).rejects.toMatchObject({ code: "KeyringExpired" });
  });

  it("bears a system that never answers", async () => {
    await connect();
    test.provider.on("/token", () => undefined);
    test.runtime.advance(HOUR_MS);
    await expect(deliver()).rejects.toMatchObject({ code: "KeyringUnavailable", message: expect.stringContaining("within") });
  });

  it("does not bring back what was revoked or connected anew meanwhile", async () => {
    const id = await connect();
    test.runtime.advance(HOUR_MS);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    test.provider.on("/token", async (request, response) => {
      if (request.form.get("grant_type") === "refresh_token") await held;
      await tokens({ expires_in: 3600 })(request, response);
    });
    const waiting = deliver();
    await expect.poll(() => refreshes().length).toBe(1);
    await connect();
    const anew = `access-${issued}`;
    release();
    expect(await waiting).toBe(anew);
    expect(await deliver()).toBe(anew);
    await test.keyrings.revoke(scope, id);
    expect(await deliver()).toBeUndefined();
  });
});

describe("revoking", () => {
  const revoke = () => ({ ...call(`${test.provider.url}/revoke`, { method: "POST" }), queryParameters: { token: "[ACCESS_TOKEN]" } });

  it("tells the other system, then deletes", async () => {
    test.provider.json("/revoke", {});
    await define({ revoke: revoke() });
    const id = await connect();
    const token = await deliver();
    await test.keyrings.revoke(scope, id);
    expect(test.provider.requests("/revoke")[0]?.form.get("token")).toBe(token);
    expect(await test.keyrings.list(scope)).toHaveLength(1);
    expect(await deliver()).toBeUndefined();
    await expect(test.keyrings.revoke(scope, id)).rejects.toMatchObject({ code: "NotFound" });
    await connect();
  });

  it("delivers no more from then on, also while the other system is down; the second time it deletes", async () => {
    test.provider.json("/revoke", {}, 503);
    await define({ revoke: revoke() });
    const id = await connect();
    await expect(test.keyrings.revoke(scope, id)).rejects.toMatchObject({ code: "KeyringUnavailable" });
    expect(await deliver()).toBeUndefined();
    expect(await test.keyrings.get(scope, id)).toMatchObject({ state: "revoked" });
    await test.keyrings.revoke(scope, id);
    expect(await test.keyrings.get(scope, id)).toBeUndefined();
  });
});

it("Y2 has secrets in no listing and no log", async () => {
  await define({ secretConfig: { secretTransform: null, fields: [field("extra")], tokenVerification: null } });
  const { id, state } = await start("main", { fields: { extra: "hush-extra" } });
  const made = await test.keyrings.finishOauth({ state, code: "hush-code" });
  test.runtime.advance(HOUR_MS);
  await deliver();
  await test.keyrings.rotate();
  const everything = JSON.stringify([made, await test.keyrings.list(scope), await test.keyrings.get(scope, id), test.logged]);
  expect(everything).not.toMatch(/hush|access-|refresh-|client&secret/);
  expect(everything).not.toContain(state);
});
