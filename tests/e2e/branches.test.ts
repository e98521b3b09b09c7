/** Branches of a real host: their life, their keys, what they begin with and what ends with them. */
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  at,
  bundleApp,
  deployApp,
  startTestHost,
  textAt,
  type Answer,
  type TestHost,
} from "../../packages/server/src/doors/test/test-host.ts";

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
  await deployApp(host);
  await host.send("/v1/environment", { body: { changes: { SECRET: "of main" } } });
  await send("main first");
});

afterAll(async () => await host.remove());

function onBranch(branch: string, key?: string): Readonly<Record<string, string>> {
  return { "x-plinth-branch": branch, ...(key === undefined ? {} : { "x-plinth-branch-key": key }) };
}

async function create(body: object): Promise<{ readonly key: string; readonly headers: Readonly<Record<string, string>> }> {
  const made = await host.send("/v1/branches", { body });
  expect(made.status, made.text).toBe(201);
  const key = textAt(made, "key");
  return { key, headers: onBranch(textAt(made, "name"), key) };
}

/** As `create`, when the data of an earlier branch of this name is gone. */
async function createWhenFree(body: { readonly name: string; readonly from?: string }): ReturnType<typeof create> {
  let made: Answer | undefined;
  await waitUntil(async () => (made = await host.send("/v1/branches", { body })).status === 201);
  if (made === undefined) throw new Error("nothing was made");
  const key = textAt(made, "key");
  return { key, headers: onBranch(body.name, key) };
}

async function send(text: string, headers = {}): Promise<Answer> {
  return await host.send("/api/mutation", { body: { path: "messages:send", args: { author: "Ada", text }, format: "json" }, headers });
}

async function texts(headers = {}): Promise<readonly string[]> {
  const answer = await host.send("/api/query", { body: { path: "messages:list", args: {}, format: "json" }, headers });
  return (at(answer, "value") as readonly { readonly text: string }[]).map((message) => message.text);
}

async function variable(name: string, headers = {}): Promise<unknown> {
  const answer = await host.send("/api/query", { body: { path: "messages:variable", args: { name }, format: "json" }, headers });
  return at(answer, "value");
}

describe("a branch", () => {
  it("is made with a key that is shown once, listed without it, and refuses names that are none", async () => {
    const { key } = await create({ name: "listed" });
    expect(key).toMatch(/^plb_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const list = await host.send("/v1/branches");
    expect(list.text).toContain('"listed"');
    expect(list.text).not.toContain("plb_");
    expect(list.text).not.toContain("sha256");
    expect(await host.send("/v1/branches", { body: { name: "listed" } })).toMatchObject({ status: 409, json: { code: "AlreadyExists" } });
    expect(await host.send("/v1/branches", { body: { name: "main" } })).toMatchObject({ status: 409 });
    for (const name of ["", "Upper", "-a", "a/b", "$platform", "a".repeat(64), "a b"])
      expect(await host.send("/v1/branches", { body: { name } }), name).toMatchObject({ status: 400, json: { code: "BadRequest" } });
    const deployer = await host.key(["deploy", "invoke", "read"]);
    expect(await host.send("/v1/branches", { key: deployer.key, body: { name: "mine" } })).toMatchObject({ status: 403 });
  });

  it("begins empty without `from`", async () => {
    const { headers } = await create({ name: "empty" });
    expect(at(await host.send("/v1/functions", { headers }), "version")).toBeNull();
    expect((await send("x", headers)).text).toContain("Could not find public function");
  });

  it("begins with its base's functions, and with its environment only when that is asked for", async () => {
    const plain = await create({ name: "plain", from: "main" });
    expect(at(await host.send("/v1/functions", { headers: plain.headers }), "version")).toBe(
      at(await host.send("/v1/functions"), "version"),
    );
    expect(await variable("SECRET", plain.headers)).toBeNull();
    const full = await create({ name: "full", from: "main", copyEnvironment: true });
    expect(await variable("SECRET", full.headers)).toBe("of main");
    await host.send("/v1/environment", { body: { changes: { SECRET: "of full" } }, headers: full.headers });
    expect(await variable("SECRET", full.headers)).toBe("of full");
    expect(await variable("SECRET")).toBe("of main");
  });

  it("keeps what it writes to itself", async () => {
    const { headers } = await create({ name: "apart", from: "main" });
    expect(await texts(headers)).toEqual(await texts());
    await send("apart only", headers);
    expect(await texts(headers)).toContain("apart only");
    expect(await texts()).not.toContain("apart only");
    await send("main second");
    expect(await texts(headers)).not.toContain("main second");
  });

  it("begins as of a moment, which must be one that is kept", async () => {
    expect(await host.send("/v1/branches", { body: { name: "past", from: "main", at: "2999-01-01T00:00:00Z" } })).toMatchObject({
      status: 400,
      json: { code: "SnapshotTooOld" },
    });
    expect(await host.send("/v1/branches", { body: { name: "past", at: 1 } })).toMatchObject({ status: 400 });
    expect(await host.send("/v1/branches", { body: { name: "past", from: "main", at: "yesterday" } })).toMatchObject({ status: 400 });
    expect(await host.send("/v1/branches", { body: { name: "past", from: "nothing" } })).toMatchObject({ status: 404 });
    // A name whose creation failed is free again.
    const atMs = Date.now();
    const before = await texts();
    await waitUntil(async () => Promise.resolve(Date.now() > atMs + 1));
    await send("after the moment");
    const { headers } = await create({ name: "past", from: "main", at: new Date(atMs + 1).toISOString() });
    expect(await texts(headers)).toEqual(before);
  });

  it("gets a new key, and the old one ends with the streams that it opened", async () => {
    const { key, headers } = await create({ name: "rotated", from: "main" });
    const logs = await fetch(`${host.url}/v1/logs?follow=true`, {
      headers: { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream", ...headers },
    });
    const renewed = textAt(await host.send("/v1/branches/rotated/key", { method: "POST" }), "key");
    expect(renewed).not.toBe(key);
    await logs.text();
    expect(await host.send("/v1/functions", { headers })).toMatchObject({ status: 403, json: { code: "BranchAccessDenied" } });
    expect((await host.send("/v1/functions", { headers: onBranch("rotated", renewed) })).status).toBe(200);
  });

  it("ends with its streams and its running calls, and its name is free when its data is gone", async () => {
    const { headers } = await create({ name: "ending", from: "main" });
    await send("left behind", headers);
    const logs = await fetch(`${host.url}/v1/logs?follow=true`, {
      headers: { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream", ...headers },
    });
    const pausing = host.send("/v1/functions/messages:pause/execute", { body: { args: { ms: 60_000 } }, headers });
    await waitUntil(async () => (await host.send("/v1/logs", { headers })).status === 200);
    expect(await host.send("/v1/branches/ending", { method: "DELETE" })).toMatchObject({ status: 200, json: { deleted: true } });
    expect(await host.send("/v1/functions", { headers })).toMatchObject({ status: 403, json: { code: "BranchAccessDenied" } });
    await logs.text();
    expect((await pausing).text).toMatch(/Cancelled|RunnerLost|no tenant/);
    await waitUntil(async () => (await host.send("/v1/branches", { body: { name: "ending" } })).status === 201);
    const again = textAt(await host.send("/v1/branches/ending/key", { method: "POST" }), "key");
    await deployOn("ending", again);
    expect(await texts(onBranch("ending", again))).toEqual([]);
    expect(await host.send("/v1/logs", { headers: onBranch("ending", again) })).not.toMatchObject({
      text: expect.stringContaining("pausing"),
    });
  });

  it("leaves nothing to the next branch of its name, whatever ran when it ended", async () => {
    for (let round = 0; round < 3; round++) {
      const { headers } = await createWhenFree({ name: "again", from: "main" });
      const before = await texts();
      expect(await texts(headers)).toEqual(before);
      const ended = new AbortController();
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; !ended.signal.aborted; i++) {
          await send(`of round ${round}, ${writer} ${i}`, headers);
          await host.send("/v1/functions/messages:send/execute", {
            body: { args: { author: "x", text: "async" }, mode: "async" },
            headers,
          });
        }
      });
      const deploying = bundleApp().then(({ script }) =>
        host.send("/v1/deploy", { body: { script: `${script}\n// ${round}`, sourceMap: null }, headers }),
      );
      await waitUntil(async () => (await texts(headers)).length > before.length + 8);
      expect((await host.send("/v1/branches/again", { method: "DELETE" })).status).toBe(200);
      ended.abort();
      await Promise.all([...writers, deploying]);
      const { key, headers: renewed } = await createWhenFree({ name: "again" });
      expect(at(await host.send("/v1/functions", { headers: renewed }), "version")).toBeNull();
      expect((await host.send("/v1/logs", { headers: renewed })).json).toEqual({ entries: [] });
      await deployOn("again", key);
      expect(await texts(renewed)).toEqual([]);
      await host.send("/v1/branches/again", { method: "DELETE" });
    }
  });

  it("is reached by a Convex client with a fetch of its own", async () => {
    const { headers } = await create({ name: "client", from: "main" });
    await send("seen by the client", headers);
    const onBranch: typeof fetch = (input, init) => {
      const merged = new Headers(init?.headers);
      for (const [name, value] of Object.entries(headers)) merged.set(name, value);
      return fetch(input, { ...init, headers: merged });
    };
    const client = new ConvexHttpClient(host.url, { fetch: onBranch, logger: false });
    const list = makeFunctionReference<"query", Record<string, never>, readonly { readonly text: string }[]>("messages:list");
    expect((await client.query(list, {})).map(({ text }) => text)).toContain("seen by the client");
    expect((await new ConvexHttpClient(host.url, { logger: false }).query(list, {})).map(({ text }) => text)).not.toContain(
      "seen by the client",
    );
  });

  it("main is always there: not made, not deleted, without a key", async () => {
    expect((await host.send("/v1/branches/main", { method: "DELETE" })).status).toBe(400);
    expect((await host.send("/v1/branches/main/key", { method: "POST" })).status).toBe(400);
    expect((await host.send("/v1/functions?branch=main", { headers: onBranch("main", "plb_wrong") })).status).toBe(200);
  });

  it("survives a restart of the host, its data and key with it", async () => {
    const { headers } = await create({ name: "durable", from: "main" });
    await send("stays", headers);
    await host.stop();
    host = await startTestHost({ dataDir: host.dataDir });
    expect(await texts(headers)).toContain("stays");
  });
});

async function deployOn(branch: string, key: string): Promise<void> {
  expect((await host.send("/v1/deploy", { body: await bundleApp(), headers: onBranch(branch, key) })).status).toBe(200);
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error("it did not come about in 20 seconds");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
