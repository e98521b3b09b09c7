/** The unmodified client of the `convex` package against a real host. */
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, deployApp, startTestHost, textAt, type TestHost } from "../test/test-host.ts";

/** Without generated types: the names are what the client sends. */
const functions = {
  send: makeFunctionReference<"mutation">("messages:send"),
  refuse: makeFunctionReference<"mutation">("messages:refuse"),
  list: makeFunctionReference<"query">("messages:list"),
  count: makeFunctionReference<"query", Record<string, never>, number>("messages:count"),
  echo: makeFunctionReference<"query">("messages:echo"),
  fail: makeFunctionReference<"query">("messages:fail"),
  whoami: makeFunctionReference<"query">("messages:whoami"),
  pause: makeFunctionReference<"action">("messages:pause"),
};
let host: TestHost;
let client: ConvexHttpClient;

beforeAll(async () => {
  host = await startTestHost();
  expect((await deployApp(host)).status).toBe(200);
  client = new ConvexHttpClient(host.url, { logger: false });
});

afterAll(async () => await host.remove());

describe("ConvexHttpClient", () => {
  it("queries, mutates and acts", async () => {
    const id = await client.mutation(functions.send, { author: "Ada", text: "hello" });
    expect(id).toMatch(/^[0-9a-z]{32}$/);
    expect(await client.query(functions.list, {})).toMatchObject([{ _id: id, author: "Ada", text: "hello" }]);
    expect(await client.action(functions.pause, { ms: 1 })).toBe("rested");
  });

  it("carries every kind of value both ways", async () => {
    const value = {
      big: 2n ** 62n,
      float: Number.NEGATIVE_INFINITY,
      zero: -0,
      bytes: new Uint8Array([1, 2]).buffer,
      list: [null, true, "ü"],
      nested: { a: {} },
    };
    expect(await client.query(functions.echo, { value })).toEqual(value);
  });

  it("throws what the function threw, with its data and a stack in the author's source", async () => {
    await expect(client.query(functions.fail, {})).rejects.toThrow(
      /^\[Request ID: \w+\] Server Error\nUncaught Error: the secret plan failed\n {4}at .*messages\.ts:\d+/,
    );
    const refused = await client.mutation(functions.refuse, { text: "never stored" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConvexError);
    expect((refused as ConvexError<{ reason: string }>).data).toEqual({ reason: "refused", big: 7n });
    expect(JSON.stringify(await client.query(functions.list, {}))).not.toContain("never stored");
  });

  it.each([
    ["messages:nothing", "Could not find public function for 'messages:nothing'"],
    ["messages:hidden", "Could not find public function for 'messages:hidden'"],
    ["messages:send", "Trying to execute messages:send as Query, but it is defined as Mutation."],
    ["messages:echo", "ArgumentValidationError"],
  ])("says what is wrong with a call of %s", async (path, message) => {
    await expect(client.query(path as never, {} as never)).rejects.toThrow(message);
  });

  it("reads one moment with consistentQuery", async () => {
    const reader = new ConvexHttpClient(host.url, { logger: false });
    const before = await reader.consistentQuery(functions.count, {});
    await client.mutation(functions.send, { author: "Bob", text: "later" });
    expect(await reader.consistentQuery(functions.count, {})).toBe(before);
    expect(await client.query(functions.count, {})).toBe(before + 1);
  });

  it("calls internal functions and acts as somebody with the admin key only", async () => {
    const admin = new ConvexHttpClient(host.url, { logger: false });
    const setAdminAuth = Reflect.get(admin, "setAdminAuth").bind(admin) as (key: string, identity?: object) => void;
    setAdminAuth(host.adminKey, { subject: "user-1", issuer: "https://id.example", name: "Ada" });
    const callAny = Reflect.get(admin, "function").bind(admin) as (path: string, component: undefined, args: object) => Promise<unknown>;
    expect(await callAny("messages:hidden", undefined, {})).toBe("internal");
    expect(await admin.query(functions.whoami, {})).toMatchObject({
      subject: "user-1",
      tokenIdentifier: "https://id.example|user-1",
      name: "Ada",
    });
    expect(await client.query(functions.whoami, {})).toBeNull();
    setAdminAuth("pla_not-the-key-of-this-host");
    await expect(admin.query(functions.whoami, {})).rejects.toThrow("Unauthenticated");
  });
});

describe("Convex's HTTP API", () => {
  it("answers GET, run, batch and clean JSON", async () => {
    const args = encodeURIComponent(JSON.stringify({ value: { $integer: "BwAAAAAAAAA=" } }));
    expect((await host.send(`/api/query?path=messages:echo&args=${args}&format=json`, { key: null })).json).toEqual({
      status: "success",
      value: "7",
      logLines: [],
    });
    expect((await host.send("/api/run/messages/echo", { key: null, body: { args: { value: 1 } } })).json).toMatchObject({ value: 1 });
    const batch = await host.send("/api/query_batch", {
      key: null,
      body: {
        queries: [
          { path: "messages:echo", args: [{ value: 1 }] },
          { path: "messages:fail", args: [{}] },
        ],
      },
    });
    expect(batch.json).toMatchObject({ results: [{ status: "success", value: 1 }, { status: "error" }] });
  });

  it("tells log lines as Convex prints them", async () => {
    expect(
      at(await host.send("/api/mutation", { key: null, body: { path: "messages:send", args: { author: "Ada", text: "x" } } }), "logLines"),
    ).toEqual([expect.stringMatching(/^\[LOG\] '?sending'? '?Ada'?$/)]);
    expect(at(await host.send("/api/query", { key: null, body: { path: "messages:fail", args: {} } }), "logLines")).toEqual([
      expect.stringMatching(/^\[WARN\] '?about to fail'?$/),
    ]);
  });

  it("lets browsers of any origin call, and answers their preflights", async () => {
    const preflight = await host.send("/api/query", {
      method: "OPTIONS",
      key: null,
      headers: { origin: "https://app.example", "access-control-request-headers": "convex-client" },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-headers": "convex-client",
      "access-control-max-age": "86400",
    });
    const refused = await host.send("/api/query", { key: null, body: "{", headers: { origin: "https://app.example" } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, "https://app.example"]);
  });

  it("refuses moments that nobody gave", async () => {
    expect(await host.send("/api/query_at_ts", { key: null, body: { path: "messages:list", args: {}, ts: "AAAA" } })).toMatchObject({
      status: 400,
      json: { code: "BadRequest" },
    });
    const future = Buffer.alloc(8);
    future.writeBigUInt64LE(BigInt(Date.now() + 3_600_000) * 1_000_000n);
    expect(
      await host.send("/api/query_at_ts", { key: null, body: { path: "messages:list", args: {}, ts: future.toString("base64") } }),
    ).toMatchObject({ status: 400, json: { code: "SnapshotTooOld" } });
  });

  it("says its name and version", async () => {
    expect((await host.send("/instance_name", { key: null })).text).toBe("plinth");
    expect((await host.send("/version", { key: null })).text).toMatch(/^plinth-/);
  });
});

describe("O06: errors towards callers who do not own the code", () => {
  it("are an id only, where the host redacts", async () => {
    const strict = await startTestHost({ redactErrors: "always" });
    try {
      await deployApp(strict);
      const anonymous = await strict.send("/api/query", { key: null, body: { path: "messages:fail", args: {} } });
      expect(anonymous.text).not.toContain("secret");
      expect(textAt(anonymous, "errorMessage")).toMatch(/^\[Request ID: \w+\] Server Error$/);
      expect(at(anonymous, "logLines")).toEqual([]);
      const data = await strict.send("/api/mutation", {
        key: null,
        body: { path: "messages:refuse", args: { text: "x" }, format: "convex_encoded_json" },
      });
      expect(at(data, "errorData", "reason")).toBe("refused");
      const invoker = await strict.key(["invoke"]);
      expect((await strict.send("/v1/functions/messages:fail/execute", { key: invoker.key, body: {} })).text).not.toContain("secret");
      expect((await strict.send("/boom", { key: null, origin: "site" })).text).not.toContain("secret");
      expect((await strict.send("/api/query", { body: { path: "messages:fail", args: {} } })).text).toContain("the secret plan failed");
    } finally {
      await strict.remove();
    }
  });

  it("are so behind a proxy too, which reaches the host at the loopback address", async () => {
    const proxied = await startTestHost({ publicSiteUrl: "https://apps.example.com" });
    try {
      await deployApp(proxied);
      const anonymous = await proxied.send("/api/query", { key: null, body: { path: "messages:fail", args: {} } });
      expect(textAt(anonymous, "errorMessage")).toMatch(/^\[Request ID: \w+\] Server Error$/);
    } finally {
      await proxied.remove();
    }
  });
});
