/** Keyrings with a secret: fields, transforms, verification, organisations, delivery. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import { newScope } from "../database/test-database.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { createSandbox } from "../sandbox/pool.ts";
import { call, field, openTestKeyrings, typeSpec, type TestKeyrings } from "./test-keyrings.ts";

let sandbox: Awaited<ReturnType<typeof createSandbox>>;
let test: TestKeyrings;
let scope: Scope;

beforeAll(async () => {
  sandbox = await createSandbox({ runtime: createSystemRuntime(), warmRunners: 0 });
  test = await openTestKeyrings(sandbox.tools);
});
beforeEach(() => {
  scope = newScope();
  test.provider.received.length = 0;
});
afterAll(async () => {
  await test.close();
  await sandbox.close();
});

async function define(type: Partial<KeyringTypeSpec>): Promise<void> {
  await test.keyrings.defineTypes(scope, "crm", [typeSpec({ id: "token", kind: "secret", ...type })]);
}

const secretConfig = (changes: Partial<NonNullable<KeyringTypeSpec["secretConfig"]>>) => ({
  secretTransform: null,
  fields: [field("token")],
  tokenVerification: null,
  ...changes,
});

const create = (fields: Readonly<Record<string, string>>, name = "main") =>
  test.keyrings.create(scope, { name, type: "crm/token", fields });

async function delivered(name = "main"): Promise<string | undefined> {
  return (await test.keyrings.deliver(scope, [name]))[name]?.secret;
}

describe("built-in types", () => {
  it.each(["snap_in_secret", "snap-in-secret", "devrev-snap-in-secret", "devrev-pat", "devrev-github-pat"])(
    "%s keeps one secret",
    async (type) => {
      const made = await test.keyrings.create(scope, { name: "main", type, fields: { secret: "s3cr3t" } });
      expect(made).toMatchObject({ name: "main", type, kind: "secret", state: "active", expiresMs: null });
      expect(await test.keyrings.deliver(scope, ["main"])).toEqual({
        main: { id: made.id, secret: "s3cr3t", typeId: type, organization: null },
      });
    },
  );

  it("says what is missing, without what was given", async () => {
    await expect(test.keyrings.create(scope, { name: "a", type: "oauth-secret", fields: { client_id: "x" } })).rejects.toThrow(
      "client_secret",
    );
    await expect(test.keyrings.create(scope, { name: "a", type: "devrev-pat", fields: { secret: "s", other: "hush" } })).rejects.toThrow(
      /^(?!.*hush).*no field 'other'/,
    );
    await expect(test.keyrings.create(scope, { name: "a", type: "nothing", fields: {} })).rejects.toMatchObject({ code: "NotFound" });
    await expect(test.keyrings.create(scope, { name: "../a", type: "devrev-pat", fields: { secret: "s" } })).rejects.toThrow("`name`");
  });
});

describe("types of packages", () => {
  it("join several fields as JSON, without optional ones that are absent", async () => {
    await define({ secretConfig: secretConfig({ fields: [field("user"), field("key"), field("note", true)] }) });
    await create({ user: "ada", key: 'k"1' });
    expect(JSON.parse((await delivered()) ?? "")).toEqual({ user: "ada", key: 'k"1' });
  });

  it("transform fields with jq", async () => {
    await define({
      secretConfig: secretConfig({ fields: [field("user"), field("key")], secretTransform: '.user + ":" + .key | @base64' }),
    });
    await create({ user: "ada", key: "k1" });
    expect(await delivered()).toBe(Buffer.from("ada:k1").toString("base64"));
  });

  it.each([".user", "empty", ".token, .token", ".token | error", "}{"])(
    "refuse the transform %s without telling the secret",
    async (secretTransform) => {
      await define({ secretConfig: secretConfig({ secretTransform }) });
      const failure = await create({ token: "hushhush" }).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "KeyringTypeWrong" });
      expect(String(failure)).not.toContain("hush");
      expect(await test.keyrings.list(scope)).toEqual([]);
    },
  );

  it("verify the token, with placeholders in address, headers and parameters", async () => {
    test.provider.json("/t/a%2Fb%3Fc", {});
    await define({
      secretConfig: secretConfig({
        fields: [field("token"), field("site")],
        secretTransform: '"Bearer " + .token',
        tokenVerification: {
          ...call(`${test.provider.url}/t/[site]?k=[token]`, { headers: { Authorization: "[API_KEY]" } }),
          queryParameters: { q: "[token]&x=1" },
        },
      }),
    });
    await create({ token: "a&b=c", site: "a/b?c" });
    const [request] = test.provider.received;
    expect(request?.url.pathname).toBe("/t/a%2Fb%3Fc");
    expect(Object.fromEntries(request?.url.searchParams ?? [])).toEqual({ k: "a&b=c", q: "a&b=c&x=1" });
    expect(request?.headers.authorization).toBe("Bearer a&b=c");
  });

  it("store nothing when the other system refuses, and tell its status, not its words", async () => {
    test.provider.json("/me", { message: "the body tells hushhush" }, 401);
    await define({ secretConfig: secretConfig({ tokenVerification: call(`${test.provider.url}/me?key=[token]`) }) });
    const failure = await create({ token: "hushhush" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "KeyringRefused", message: expect.stringContaining("401") });
    expect(String(failure)).not.toContain("hush");
    test.provider.json("/me", {}, 503);
    await expect(create({ token: "x" })).rejects.toMatchObject({ code: "KeyringUnavailable" });
    expect(await test.keyrings.list(scope)).toEqual([]);
  });

  it("Y4 N19 send nothing to private addresses, directly or by a redirect", async () => {
    test.provider.on("/away", (_, response) => void response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end());
    for (const url of [
      "http://169.254.169.254/x",
      "http://127.0.0.1:1/",
      `${test.provider.url}/away`,
      "file:///etc/passwd",
      "http://[::1]/",
    ]) {
      await define({ secretConfig: secretConfig({ tokenVerification: call(url) }) });
      await expect(create({ token: "x" })).rejects.toMatchObject({ code: "KeyringTypeWrong" });
    }
  });

  it("refuse values that would leave their place", async () => {
    await define({ secretConfig: secretConfig({ tokenVerification: call(test.provider.url, { headers: { "X-Key": "[token]" } }) }) });
    for (const token of ["a\r\nHost: evil", "a\nb", "a\0b"])
      await expect(create({ token })).rejects.toMatchObject({ code: "KeyringTypeWrong" });
    await define({ secretConfig: secretConfig({ tokenVerification: call("https://[token].example.com/") }) });
    for (const token of ["evil.com/", "evil.com#", "a@b", "a:1", "evil.com\\"])
      await expect(create({ token })).rejects.toMatchObject({ code: "KeyringTypeWrong" });
    await define({ isSubdomain: true });
    for (const SUBDOMAIN of ["", "a/b", "-a", "a b"])
      await expect(create({ secret: "x", SUBDOMAIN })).rejects.toMatchObject({ code: "BadRequest" });
    expect(test.provider.received).toEqual([]);
  });

  it("know the organisation: one, one of several, or the subdomain", async () => {
    test.provider.json("/orgs", {
      orgs: [
        { key: 1, title: "One" },
        { key: 2, title: "Two" },
      ],
    });
    const organizationData = { ...call(`${test.provider.url}/orgs`), responseJq: ".orgs[] | {id: (.key | tostring), name: .title}" };
    await define({ organizationData });
    const several = await create({ secret: "x" }, "several");
    expect(several).toMatchObject({
      organization: null,
      organizations: [
        { id: "1", name: "One" },
        { id: "2", name: "Two" },
      ],
    });
    expect(await test.keyrings.chooseOrganization(scope, several.id, "2")).toMatchObject({ organization: { id: "2", name: "Two" } });
    await expect(test.keyrings.chooseOrganization(scope, several.id, "3")).rejects.toMatchObject({ code: "NotFound" });
    await define({ organizationData: { ...organizationData, responseJq: ".orgs[0] | {id: .key, name: .title}" } });
    expect(await create({ secret: "x" }, "one")).toMatchObject({ organization: { id: "1", name: "One" } });
    await define({ isSubdomain: true });
    expect(await create({ secret: "x", SUBDOMAIN: "acme" }, "sub")).toMatchObject({ organization: { id: "acme", name: "acme" } });
    expect((await test.keyrings.deliver(scope, ["several"]))["several"]?.organization).toEqual({ id: "2", name: "Two" });
  });

  it.each([
    ["a number", "7"],
    ["no JSON", "<html>"],
    ["deep nesting", `${"[".repeat(5000)}${"]".repeat(5000)}`],
    ["other types", '{"id":{"a":1},"name":[]}'],
    ["keys of prototypes", '{"__proto__":{"id":"1","name":"x"}}'],
    ["too many", JSON.stringify(Array.from({ length: 1001 }, (_, i) => ({ id: String(i), name: "x" })))],
    ["a huge answer", JSON.stringify({ id: "1", name: "x", filler: "y".repeat(2 * 1024 * 1024) })],
  ])("bear %s as organisation data", async (_, text) => {
    test.provider.on("/orgs", (_request, response) => void response.end(text));
    await define({ organizationData: { ...call(`${test.provider.url}/orgs`), responseJq: "." } });
    await expect(create({ secret: "x" })).rejects.toMatchObject({ code: expect.stringMatching(/^Keyring/) });
    expect(({} as { id?: string }).id).toBeUndefined();
  });
});

it("are revoked at the other system where the type says how, and deleted when the type is gone", async () => {
  test.provider.json("/revoke", {});
  await define({ revoke: { ...call(`${test.provider.url}/revoke`, { method: "DELETE" }), queryParameters: { key: "[API_KEY]" } } });
  const [told, quiet] = [await create({ secret: "a&b" }), await create({ secret: "c" }, "other")];
  await test.keyrings.revoke(scope, told.id);
  expect(test.provider.requests("/revoke").map(({ method, url }) => [method, url.search])).toEqual([["DELETE", "?key=a%26b"]]);
  await test.keyrings.defineTypes(scope, "crm", []);
  await test.keyrings.revoke(scope, quiet.id);
  expect(await test.keyrings.list(scope)).toEqual([]);
});

describe("delivery", () => {
  it("O09 O10 gives the names that are asked for, of this branch and owner, and nothing by other spellings", async () => {
    const make = (name: string, user?: string) =>
      test.keyrings.create(scope, {
        name,
        type: "devrev-pat",
        fields: { secret: `s-${name}-${user ?? "org"}` },
        ...(user === undefined ? {} : { owner: { user } }),
      });
    await make("one");
    await make("two");
    await make("one", "ada");
    const secrets = async (where: Scope, names: readonly string[], user?: string) =>
      Object.fromEntries(
        Object.entries(await test.keyrings.deliver(where, names, user === undefined ? {} : { user })).map(([k, v]) => [k, v.secret]),
      );
    expect(await secrets(scope, ["one"])).toEqual({ one: "s-one-org" });
    expect(await secrets(scope, ["one", "two"], "ada")).toEqual({ one: "s-one-ada" });
    expect(await secrets(scope, ["*", "", "o%", "ONE", "one ", "__proto__", "constructor", "one\0"])).toEqual({});
    expect(await secrets({ ...scope, branch: "dev" }, ["one"])).toEqual({});
    expect(await secrets(newScope(), ["one"])).toEqual({});
    expect(test.logged.filter(({ message }) => message.includes("not delivered")).length).toBeGreaterThan(0);
  });

  it("Y2 shows no secret in listings, logs and errors", async () => {
    test.logged.length = 0;
    await define({ secretConfig: secretConfig({ fields: [field("user"), field("key")] }) });
    const made = await create({ user: "hush-user", key: "hush-key" });
    await expect(create({ user: "hush-user", key: "hush-key" })).rejects.toMatchObject({ code: "AlreadyExists" });
    const everything = JSON.stringify([made, await test.keyrings.list(scope), await test.keyrings.get(scope, made.id), test.logged]);
    expect(everything).not.toContain("hush");
    expect(Object.keys(made)).not.toContain("secret");
  });

  it("redacts a secret in the forms that code gives it", async () => {
    await define({ secretConfig: secretConfig({ fields: [field("user"), field("key")] }) });
    await create({ user: "ada", key: 'k/ey+"with\nall?' });
    const got = await test.keyrings.deliver(scope, ["main"]);
    const key = 'k/ey+"with\nall?';
    const forms = [key, JSON.stringify(key), encodeURIComponent(key), new URLSearchParams({ key }).toString(), got["main"]?.secret ?? ""];
    const encoded = ["", "a", "ab", "abc", "ada:"].map((prefix) => Buffer.from(`${prefix}${key}`).toString("base64"));
    for (const form of [...forms, ...encoded, Buffer.from(key).toString("base64url"), Buffer.from(key).toString("hex")]) {
      const text = test.keyrings.redact(`Error: failed with ${form} there`, got);
      expect(text).toContain("[redacted]");
      for (const piece of ["with", "d2l0", "dpdG", "2l0a", "77697468"]) expect(text.replace("failed with", "").includes(piece)).toBe(false);
    }
    expect(test.keyrings.redact("nothing to hide", got)).toBe("nothing to hide");
  });
});
