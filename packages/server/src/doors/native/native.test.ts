/** The native API of a real host. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { archiveOf } from "../../packages/test-packages.ts";
import { at, bundleApp, deployApp, startTestHost, textAt, type TestHost } from "../test/test-host.ts";

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
  await deployApp(host);
  await host.send("/v1/tenants", { body: { name: "acme" } });
});

afterAll(async () => await host.remove());

const execute = (path: string) => `/v1/functions/${encodeURIComponent(path)}/execute`;

describe("inline code", () => {
  it.each([
    [{}, "`code` must be a text"],
    [{ code: 1 }, "`code` must be a text"],
    [{ code: "1", language: "cobol" }, "`language` must be one of python"],
    [{ code: "1", timeoutMs: 600_000 }, "`timeoutMs` must be a number from 1 to 180000"],
    [{ code: "1", keyrings: "all" }, "`keyrings` must be an array"],
    [{ code: "1", keyrings: [{}] }, "`keyrings` must be a list of names"],
  ])("refuses the request %j as the caller's mistake", async (body, message) => {
    expect(await host.send("/v1/code/execute", { body })).toMatchObject({
      status: 400,
      json: { code: "BadRequest", message: expect.stringContaining(message) },
    });
  });
});

describe("functions", () => {
  it("are listed and resolved; internal ones for admins only", async () => {
    const reader = await host.key(["read"]);
    expect(await host.send("/v1/functions", { key: reader.key })).toMatchObject({
      status: 200,
      json: { branch: "main", version: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect((await host.send("/v1/functions", { key: reader.key })).text).not.toContain("messages:hidden");
    expect((await host.send("/v1/functions")).text).toContain("messages:hidden");
    expect(await host.send("/v1/functions/messages:send/resolve", { method: "POST", key: reader.key })).toMatchObject({
      json: { path: "messages:send", kind: "mutation", visibility: "public", args: { type: "object" }, returns: null },
    });
    expect(await host.send("/v1/functions/messages:hidden/resolve", { method: "POST", key: reader.key })).toMatchObject({
      status: 404,
      json: { code: "FunctionNotFound" },
    });
  });

  it("run and answer with value, logs and usage", async () => {
    const done = await host.send(execute("messages:send"), { body: { args: { author: "Ada", text: "x" } } });
    expect(done).toMatchObject({
      status: 200,
      json: {
        status: "succeeded",
        function: "messages:send",
        logs: [{ level: "log", text: expect.stringContaining("sending") }],
        usage: { attempts: 1 },
      },
    });
    expect(textAt(done, "value")).toHaveLength(32);
  });

  it("fail as results, with code, exit code and stack", async () => {
    expect(await host.send(execute("messages:fail"), { body: {} })).toMatchObject({
      status: 200,
      json: {
        status: "failed",
        error: {
          code: "FunctionError",
          message: "Uncaught Error: the secret plan failed",
          exitCode: 1,
          fault: "function",
          stack: expect.stringContaining("messages.ts"),
        },
      },
    });
    expect(at(await host.send(execute("messages:refuse"), { body: { args: { text: "x" } } }), "error", "data")).toEqual({
      reason: "refused",
      big: { $integer: "BwAAAAAAAAA=" },
    });
  });

  it("do not run when the call is wrong", async () => {
    expect(await host.send(execute("messages:nothing"), { body: {} })).toMatchObject({
      status: 404,
      json: { code: "FunctionNotFound", next: expect.any(String) },
    });
    expect(await host.send(execute("messages:send"), { body: { args: { author: 1 } } })).toMatchObject({
      status: 400,
      json: { code: "ArgumentValidation" },
    });
    const invoker = await host.key(["invoke"]);
    expect(await host.send(execute("messages:hidden"), { key: invoker.key, body: {} })).toMatchObject({
      status: 404,
      json: { code: "FunctionNotFound" },
    });
  });

  it("run later, once per idempotency key, and are cancelled", async () => {
    const headers = { "idempotency-key": "once", prefer: "respond-async" };
    const body = { args: { author: "Async", text: "x" } };
    const first = await host.send(execute("messages:send"), { body, headers });
    expect([first.status, first.headers.get("location")]).toEqual([202, `/v1/invocations/${textAt(first, "id")}`]);
    const again = await host.send(execute("messages:send"), { body, headers });
    expect(textAt(again, "id")).toBe(textAt(first, "id"));
    expect(await host.send(execute("messages:send"), { body: { args: { author: "Other", text: "x" } }, headers })).toMatchObject({
      status: 409,
      json: { code: "IdempotencyConflict" },
    });
    const events = await host.send(`/v1/invocations/${textAt(first, "id")}`, { headers: { accept: "text/event-stream" } });
    expect(events.text).toMatch(/event: done\ndata: \{.*"status":"succeeded"/);
    expect(await host.send(`/v1/invocations/${textAt(first, "id")}`)).toMatchObject({
      json: { state: "succeeded", status: "succeeded", function: "messages:send" },
    });
    const slow = textAt(await host.send(execute("messages:pause"), { body: { args: { ms: 60_000 }, mode: "async" } }), "id");
    while (at(await host.send(`/v1/invocations/${slow}`), "state") !== "running") await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await host.send(`/v1/invocations/${slow}`, { method: "DELETE" })).toMatchObject({ status: 200, json: { cancelled: true } });
    const end = await host.send(`/v1/invocations/${slow}`, { headers: { accept: "text/event-stream" } });
    expect(end.text).toContain("event: done");
    await expect.poll(async () => at(await host.send(`/v1/invocations/${slow}`), "state")).toBe("cancelled");
  });

  it("tell what happens while it happens", async () => {
    const events = await host.send(execute("messages:pause"), { body: { args: { ms: 1 } }, headers: { accept: "text/event-stream" } });
    expect(events.headers.get("content-type")).toContain("text/event-stream");
    expect(events.text.match(/^event: \w+/gm)).toEqual(expect.arrayContaining(["event: state", "event: log", "event: done"]));
    const lines = await host.send(execute("messages:nothing"), { body: {}, headers: { accept: "application/x-ndjson" } });
    expect(JSON.parse(lines.text)).toMatchObject({ event: "error", data: { code: "FunctionNotFound" } });
  });
});

describe("keys and tenants", () => {
  it("keys do what their scopes say and nothing else", async () => {
    const keys = {
      read: await host.key(["read"]),
      invoke: await host.key(["invoke"]),
      deploy: await host.key(["deploy"]),
      admin: await host.key(["admin"]),
    };
    const statusOf = async (name: keyof typeof keys, path: string, body?: unknown) =>
      (await host.send(path, { key: keys[name].key, ...(body === undefined ? {} : { body }) })).status;
    expect(await statusOf("read", execute("messages:count"), {})).toBe(403);
    expect(await statusOf("invoke", execute("messages:count"), {})).toBe(200);
    expect(await statusOf("invoke", "/v1/deploy", { script: "x" })).toBe(403);
    expect(await statusOf("invoke", "/v1/environment")).toBe(403);
    expect(await statusOf("read", "/v1/environment")).toBe(403);
    expect(await statusOf("deploy", "/v1/environment")).toBe(200);
    expect(await statusOf("deploy", "/v1/keys")).toBe(403);
    expect(await statusOf("admin", "/v1/keys")).toBe(200);
    expect(await statusOf("admin", "/v1/tenants")).toBe(403);
    expect(await statusOf("admin", "/metrics")).toBe(403);
    expect(await statusOf("admin", "/v1/backup", {})).toBe(403);
    expect(await statusOf("admin", "/api/function", { path: "messages:hidden", args: {} })).toBe(200);
    expect(await statusOf("invoke", "/api/function", { path: "messages:count", args: {} })).toBe(403);
  });

  it("a key never reaches another tenant, and does not learn which there are", async () => {
    const own = await host.key(["admin"], { tenant: "acme" });
    expect(await host.send("/v1/functions", { key: own.key })).toMatchObject({ status: 200, json: { functions: [], version: null } });
    expect((await host.send("/t/acme/v1/functions", { key: own.key })).status).toBe(200);
    const foreign = await host.send("/t/default/v1/functions", { key: own.key });
    const absent = await host.send("/t/nobody/v1/functions", { key: own.key });
    expect([foreign.status, absent.status]).toEqual([404, 404]);
    expect(foreign.text.replace("default", "nobody")).toBe(absent.text);
    const id = textAt(await host.send(execute("messages:count"), { body: { mode: "async" } }), "id");
    expect((await host.send(`/v1/invocations/${id}`, { key: own.key })).status).toBe(404);
    expect((await host.send(`/v1/invocations/${id}`, { method: "DELETE", key: own.key })).status).toBe(404);
    const defaultKey = await host.key(["invoke"]);
    expect((await host.send(`/v1/keys/${defaultKey.id}`, { method: "DELETE", key: own.key })).status).toBe(404);
    expect((await host.send(execute("messages:count"), { key: defaultKey.key, body: {} })).status).toBe(200);
  });

  it("K09: a revoked key is refused at once and its streams end", async () => {
    const { key, id } = await host.key(["invoke", "read"]);
    const stream = host.send("/v1/logs?follow=true", { key, headers: { accept: "text/event-stream" } });
    expect((await host.send(execute("messages:count"), { key, body: {} })).status).toBe(200);
    expect((await host.send(`/v1/keys/${id}`, { method: "DELETE" })).status).toBe(200);
    expect(await host.send(execute("messages:count"), { key, body: {} })).toMatchObject({ status: 401, json: { code: "Unauthenticated" } });
    expect((await host.send("/api/query", { key, body: { path: "messages:count", args: {} } })).status).toBe(401);
    expect((await stream).status).toBe(200);
  });

  it("an expired key is refused", async () => {
    const { key } = await host.key(["invoke"], { expiresInDays: 0 });
    expect((await host.send(execute("messages:count"), { key, body: {} })).status).toBe(401);
  });

  it("tenants have code, data and settings of their own, and end", async () => {
    await host.send("/v1/tenants", { body: { name: "shop", requireKey: true } });
    await deployApp(host, "shop");
    const invoker = await host.key(["invoke"], { tenant: "shop" });
    await host.send("/t/shop/api/mutation", { key: invoker.key, body: { path: "messages:send", args: { author: "shop", text: "x" } } });
    expect(at(await host.send("/api/query", { key: invoker.key, body: { path: "messages:count", args: {} } }), "value")).toBe(1);
    expect((await host.send("/api/query", { body: { path: "messages:list", args: {} } })).text).not.toContain("shop");
    expect(await host.send("/t/shop/api/query", { key: null, body: { path: "messages:count", args: {} } })).toMatchObject({ status: 401 });
    await host.send("/v1/tenants/shop", { method: "PUT", body: { requireKey: false } });
    expect((await host.send("/t/shop/api/query", { key: null, body: { path: "messages:count", args: {} } })).status).toBe(200);
    expect(await host.send("/v1/tenants", { body: { name: "shop" } })).toMatchObject({ status: 409, json: { code: "AlreadyExists" } });
    expect((await host.send("/v1/tenants/shop", { method: "DELETE" })).status).toBe(200);
    expect((await host.send("/t/shop/api/query", { key: null, body: { path: "messages:count", args: {} } })).status).toBe(404);
    expect((await host.send("/api/query", { key: invoker.key, body: { path: "messages:count", args: {} } })).status).toBe(401);
  });
});

describe("deploys", () => {
  it("tell what they do, do it once, and change nothing on a dry run or a failure", async () => {
    const { script, sourceMap } = await bundleApp();
    const before = textAt(await host.send("/v1/functions"), "version");
    expect(await host.send("/v1/deploy", { body: { script, sourceMap } })).toMatchObject({
      status: 200,
      json: { changed: false, version: before },
    });
    const next = `${script}\n// next`;
    expect(await host.send("/v1/deploy", { body: { script: next, sourceMap, dryRun: true } })).toMatchObject({
      status: 200,
      json: { changed: true },
    });
    expect(await host.send("/v1/deploy", { body: { script: "throw new Error('no')", sourceMap: null } })).toMatchObject({
      status: 400,
      json: { code: "InvalidPackage" },
    });
    expect(textAt(await host.send("/v1/functions"), "version")).toBe(before);
    const events = await host.send("/v1/deploy", { body: { script: next, sourceMap }, headers: { accept: "text/event-stream" } });
    expect(events.text).toContain("event: progress");
    expect(events.text).toMatch(/event: done\ndata: \{"version":"[0-9a-f]{64}","changed":true/);
    expect(textAt(await host.send("/v1/functions"), "version")).not.toBe(before);
    expect(at(await host.send("/api/query", { body: { path: "messages:count", args: {} } }), "status")).toBe("success");
  });

  it("serve without a gap while a new version comes", async () => {
    const { script, sourceMap } = await bundleApp();
    let going = true;
    const calls = (async () => {
      const statuses: unknown[] = [];
      while (going) statuses.push(at(await host.send("/api/query", { body: { path: "messages:count", args: {} } }), "status"));
      return statuses;
    })();
    for (const name of ["a", "b", "c"])
      expect((await host.send("/v1/deploy", { body: { script: `${script}\n// gap ${name}`, sourceMap } })).status).toBe(200);
    going = false;
    expect(new Set(await calls)).toEqual(new Set(["success"]));
  });

  it("keep the environment", async () => {
    expect((await host.send("/v1/environment", { body: { changes: { GREETING: "hi" } } })).status).toBe(200);
    const variable = async (name: string) =>
      at(await host.send("/api/query", { body: { path: "messages:variable", args: { name } } }), "value");
    expect(await variable("GREETING")).toBe("hi");
    expect(await variable("CONVEX_SITE_URL")).toBe(host.siteUrl);
    await host.send("/v1/environment", { body: { changes: { GREETING: null } } });
    expect(await variable("GREETING")).toBeNull();
    expect(await host.send("/v1/environment", { body: { changes: { "not a name": "x" } } })).toMatchObject({ status: 400 });
    expect(await host.send("/v1/environment", { body: { changes: { BIG: "x".repeat(9000) } } })).toMatchObject({ status: 413 });
    expect(await host.send("/v1/environment", { body: { changes: { GREETING: 1 } } })).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining("changes.GREETING") },
    });
  });
});

describe("the host", () => {
  it("says how it is", async () => {
    expect(await host.send("/healthz", { key: null })).toMatchObject({ status: 200, json: { status: "ok", tier: expect.any(Number) } });
    expect((await host.send("/metrics", { key: null })).status).toBe(401);
    expect((await host.send("/metrics")).text).toContain("plinth_invocations_total");
  });

  it("streams log lines and errors, past ones first", async () => {
    await host.send("/api/query", { key: null, body: { path: "messages:fail", args: {} } });
    const stop = new AbortController();
    const response = await fetch(`${host.url}/v1/logs?follow=true`, {
      headers: { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream" },
      signal: stop.signal,
    });
    let text = "";
    const decoder = new TextDecoder();
    await host.send("/api/mutation", { key: null, body: { path: "messages:send", args: { author: "Follower", text: "x" } } });
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes("Follower")) break;
    }
    stop.abort();
    expect(text).toContain('"functionPath":"messages:send","level":"log"');
  });

  it("writes a backup", async () => {
    expect(await host.send("/v1/backup", { body: { path: "relative" } })).toMatchObject({ status: 400 });
    expect(await host.send("/v1/backup", { body: { path: `${host.dataDir}/copy` } })).toMatchObject({
      status: 200,
      json: { path: `${host.dataDir}/copy` },
    });
  });
});

describe("a tenant that is deleted", () => {
  it("leaves no address behind that others send events to", async () => {
    await host.send("/v1/tenants", { body: { name: "brief" } });
    const manifest = `version: "2"
name: brief
description: For a test.
event_sources:
  organization:
    - name: hook
      description: A hook.
      display_name: Hook
      type: flow-custom-webhook
      config:
        policy: |
          package rego
          output := {}
functions:
  - name: run
    description: Runs.
`;
    const files = {
      "manifest.yaml": manifest,
      "code/package.json": "{}",
      "code/index.js": "exports.functionFactory = { run: async () => 1 };",
    };
    const uploaded = await host.send("/t/brief/v1/packages/brief/versions", {
      body: archiveOf(files),
      headers: { "content-type": "application/gzip" },
    });
    expect(uploaded.status, uploaded.text).toBe(200);
    const id = textAt(await host.send("/t/brief/v1/snap-ins", { body: { package: "brief" } }), "id");
    const active = await host.send(`/t/brief/v1/snap-ins/${id}/activate`, { method: "POST" });
    const token = /\/v1\/events\/([A-Za-z0-9_-]+)/.exec(active.text)?.[1] ?? "none";
    expect(storedKeysWith(token)).toBe(1);
    expect((await host.send("/v1/tenants/brief", { method: "DELETE" })).status).toBe(200);
    expect(storedKeysWith(token)).toBe(0);
  });
});

function storedKeysWith(text: string): number {
  const database = new DatabaseSync(join(host.dataDir, "plinth.db"), { readOnly: true });
  try {
    const rows = database.prepare("select key from current").all();
    return rows.filter(({ key }) => key instanceof Uint8Array && Buffer.from(key).includes(text)).length;
  } finally {
    database.close();
  }
}
