/**
 * R1 and R3 of branches, against a real host: `main`, `dev` and the `dev` of another tenant have code, data and variables of
 * their own. Every route of the tables and both doors of HTTP actions are tried with everything that must not open a branch,
 * and every answer that comes from one is searched for words of the others. A route without a case fails the first test.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBundler } from "../../packages/cli/src/bundle/bundle.ts";
import { at, startTestHost, textAt, type Answer, type SendOptions, type TestHost } from "../../packages/server/src/doors/test/test-host.ts";
import { CASES, call, MAIN, DEV, OTHER, ACME, PLACES, ROUTES, type Place, type Sent } from "./branch-cases.ts";

let host: TestHost;
let script: string;

beforeAll(async () => {
  host = await startTestHost();
  const bundler = createBundler(join(import.meta.dirname, "branch-functions", "convex"));
  ({ script } = await bundler.bundle());
  await bundler.dispose();
  await host.send("/v1/tenants", { body: { name: "acme" } });
  for (const place of PLACES) {
    if (place.branch !== "main") {
      const made = await host.send(`${place.prefix}/v1/branches`, { body: { name: place.branch } });
      place.headers = { "x-plinth-branch": place.branch, "x-plinth-branch-key": textAt(made, "key") };
    }
    expect((await deploy(place, place.word)).status).toBe(200);
    await request(place, "/v1/environment", { body: { changes: { WHERE: `variable-${place.word}` } } });
    await run(place, "notes:add", { text: `note-${place.word}` });
  }
});

afterAll(async () => await host.remove());

async function request(place: Place, path: string, options: SendOptions = {}): Promise<Answer> {
  return await host.send(place.prefix + path, { ...options, headers: { ...place.headers, ...options.headers } });
}

async function deploy(place: Place, word: string): Promise<Answer> {
  return await request(place, "/v1/deploy", { body: { script: script.replaceAll("code-of-nobody", `code-${word}`), sourceMap: null } });
}

async function run(place: Place, path: string, args: object, headers = {}): Promise<Answer> {
  return await request(place, `/v1/functions/${encodeURIComponent(path)}/execute`, { body: { args }, headers });
}

function expectOnly(place: Place, answer: Answer): void {
  for (const other of PLACES)
    if (other !== place) expect(answer.text, `${place.word} is answered with words of another`).not.toContain(other.word);
}

/** The routes about a branch, each with its request. */
const BRANCHED = Object.keys(ROUTES).flatMap((name) => {
  const sent = CASES[name];
  return sent === undefined || sent === "about no branch"
    ? []
    : [{ name, made: (place: Place): Promise<Sent> => sent(place, { request, script }) }];
});

/** Names and keys that open nothing, as headers and query. */
function refusals(): readonly { readonly what: string; readonly headers?: Readonly<Record<string, string>>; readonly query?: string }[] {
  const key = (place: Place) => ({ "x-plinth-branch-key": place.headers["x-plinth-branch-key"] ?? "" });
  const dev = { "x-plinth-branch": "dev" };
  const names = [
    "Dev",
    "DEV",
    "dev ",
    "unknown",
    "Main",
    "MAIN",
    "main.",
    "main/",
    "..",
    "$platform",
    "dev\0",
    "dev/../main",
    "dev,main",
    "main,dev",
    "",
    "dév",
    "d".repeat(64),
  ];
  return [
    { what: "no key", headers: dev },
    { what: "an empty key", headers: { ...dev, "x-plinth-branch-key": "" } },
    { what: "a wrong key", headers: { ...dev, "x-plinth-branch-key": `plb_${"0".repeat(16)}_${"A".repeat(43)}` } },
    { what: "another branch's key", headers: { ...dev, ...key(OTHER) } },
    { what: "the key of another tenant's branch of this name", headers: { ...dev, ...key(ACME) } },
    { what: "the key in lower case", headers: { ...dev, "x-plinth-branch-key": key(DEV)["x-plinth-branch-key"].toLowerCase() } },
    { what: "the operator's key as the branch's", headers: { ...dev, "x-plinth-branch-key": host.adminKey } },
    { what: "no key, in the query", query: "branch=dev" },
    { what: "no key, the name encoded", query: "branch=%64%65%76" },
    { what: "no key, the parameter encoded", query: "%62ranch=dev" },
    { what: "the key in the query", query: `branch=dev&X-Plinth-Branch-Key=${key(DEV)["x-plinth-branch-key"]}` },
    { what: "two headers", headers: { "x-plinth-branch": "dev, main", ...key(DEV) } },
    ...names.map((name) => ({ what: `the name ${JSON.stringify(name)}`, query: `branch=${encodeURIComponent(name)}`, headers: key(DEV) })),
    ...names
      .filter((name) => /^[\x21-\x7e]+$/.test(name))
      .map((name) => ({ what: `the name ${name} in the header`, headers: { "x-plinth-branch": name, ...key(DEV) } })),
  ];
}

/** Answered as one that may ask, whatever it found. */
function expectGood(answer: Answer, refused = false): void {
  expect(answer.status, answer.text).toBeLessThan(refused ? 600 : 300);
  expect(answer.text).not.toContain("BranchAccessDenied");
}

const withQuery = (path: string, query: string | undefined) =>
  query === undefined ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`;

describe("every route", () => {
  it("has a case here, and says whether it is about a branch", () => {
    expect(Object.keys(ROUTES).filter((name) => CASES[name] === undefined)).toEqual([]);
    for (const [name, route] of Object.entries(ROUTES))
      expect(route.branchless === true || route.access === "open", name).toBe(CASES[name] === "about no branch");
  });

  it.each(BRANCHED)("$name answers from the branch that is named, in whichever way", async ({ made }) => {
    for (const place of PLACES) {
      const { path, options, tells, refused } = await made(place);
      const inHeader = await request(place, path, options);
      expectGood(inHeader, refused);
      expectOnly(place, inHeader);
      if (tells === true) expect(inHeader.text).toContain(place.word);
      const again = await made(place);
      const { "x-plinth-branch": branch, ...key } = { "x-plinth-branch": "main", ...place.headers };
      const inQuery = await host.send(place.prefix + withQuery(again.path, `branch=${branch}`), { ...again.options, headers: key });
      expectGood(inQuery, refused);
      if (place !== MAIN) expect(inQuery.headers.get("cache-control")).toContain("no-store");
      expectOnly(place, inQuery);
    }
  });

  it.each(BRANCHED)("$name opens no branch to what is not its key, with one answer for all of it", async ({ made }) => {
    const { path, options } = await made(DEV);
    for (const prefix of ["", "/t/default"]) {
      for (const { what, headers = {}, query } of refusals()) {
        const answer = await host.send(prefix + withQuery(path, query), { ...options, headers });
        expect({ what, status: answer.status, json: answer.json }).toEqual({
          what,
          status: 403,
          json: { code: "BranchAccessDenied", message: "Branch access denied", next: expect.any(String) },
        });
      }
    }
    const both = await host.send(withQuery(path, "branch=main"), { ...options, headers: DEV.headers });
    expect(both).toMatchObject({ status: 400, json: { code: "BadRequest" } });
    const twice = await host.send(withQuery(path, "branch=dev&branch=main"), { ...options, headers: DEV.headers });
    expect(twice.status).toBe(400);
  });

  it.each(BRANCHED)("$name takes main with any key, and a branch that is named twice", async ({ made }) => {
    const ofMain = await made(MAIN);
    const answer = await host.send(withQuery(ofMain.path, "branch=main"), {
      ...ofMain.options,
      headers: { "x-plinth-branch": "main", "x-plinth-branch-key": "plb_any" },
    });
    expectGood(answer, ofMain.refused);
    expectOnly(MAIN, answer);
    const ofDev = await made(DEV);
    expectOnly(DEV, await host.send(withQuery(ofDev.path, "branch=dev"), { ...ofDev.options, headers: DEV.headers }));
  });

  it("asks a tenant's admin and nobody in particular for the branch's key too", async () => {
    const { key } = await host.key(["admin"]);
    for (const who of [key, null]) {
      const answer = await host.send("/api/query?branch=dev", { body: call("notes:list"), key: who });
      expect(answer).toMatchObject({ status: 403, json: { code: "BranchAccessDenied" } });
      expect((await request(DEV, "/api/query", { body: call("notes:list"), key: who })).text).toContain("code-of-dev");
    }
    const acme = await host.key(["admin"], { tenant: "acme" });
    expect((await request(DEV, "/v1/functions", { key: acme.key })).status).toBe(403);
  });

  it("asks for the key of the branch that a version of a package comes from", async () => {
    const from = async (fromBranch: string, fromBranchKey?: string) => {
      const body = { version: "0".repeat(64), fromBranch, ...(fromBranchKey === undefined ? {} : { fromBranchKey }) };
      return await host.send("/v1/packages/none/promote", { body });
    };
    const wrong = [await from("dev"), await from("dev", OTHER.headers["x-plinth-branch-key"]), await from("unknown"), await from("DEV")];
    for (const answer of wrong) expect(answer).toMatchObject({ status: 403, json: { code: "BranchAccessDenied" } });
    expect(await from("dev", DEV.headers["x-plinth-branch-key"])).toMatchObject({ status: 404 });
  });

  it("lets the admin of a tenant manage that tenant's branches only", async () => {
    const acme = await host.key(["admin"], { tenant: "acme" });
    expect((await host.send("/v1/branches", { key: acme.key })).text).not.toContain("other");
    for (const [method, path] of [
      ["DELETE", "/v1/branches/other"],
      ["POST", "/v1/branches/other/key"],
      ["GET", "/v1/branches/other/snapshots"],
    ] as const)
      expect(await host.send(path, { key: acme.key, method }), path).toMatchObject({ status: 404, json: { code: "NotFound" } });
    expect(await host.send("/v1/branches", { key: acme.key, body: { name: "copy", from: "other" } })).toMatchObject({ status: 404 });
  });

  it("lets browsers send the headers", async () => {
    const preflight = await host.send("/api/query", {
      method: "OPTIONS",
      key: null,
      headers: { origin: "https://app.example", "access-control-request-headers": "x-plinth-branch, x-plinth-branch-key" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("x-plinth-branch-key");
  });
});

describe.each([
  { origin: "site", root: "" },
  { origin: "api", root: "/http" },
] as const)("HTTP actions at the $origin", ({ origin, root }) => {
  const path = `${root}/notes`;

  it("run in the branch of the header, and see none of the platform's headers", async () => {
    for (const place of PLACES) {
      const answer = await request(place, path, { origin, key: null, headers: { "x-plinth-branch-keyring": "x" } });
      expect(answer.text).toContain(`code-${place.word}`);
      expectOnly(place, answer);
      expect(answer.text).not.toMatch(/x-plinth|plb_/i);
      // A cache on the way knows the address only, which is the one of main.
      expect(answer.headers.get("cache-control")).toBe(place === MAIN ? "public, max-age=60" : "no-store");
    }
  });

  it("refuse what is not the branch's key", async () => {
    for (const { what, headers = {} } of refusals().filter(({ query }) => query === undefined))
      expect(await host.send(path, { origin, key: null, headers }), what).toMatchObject({
        status: 403,
        json: { code: "BranchAccessDenied" },
      });
  });

  it("take `branch` of the query only beside a key: otherwise it is the application's own", async () => {
    const key = { "x-plinth-branch-key": DEV.headers["x-plinth-branch-key"] ?? "" };
    expectOnly(DEV, await host.send(`${path}?branch=dev`, { origin, key: null, headers: key }));
    expect((await host.send(`${path}?branch=dev`, { origin, key: null, headers: key })).text).toContain("code-of-dev");
    const own = await host.send(`${path}?branch=dev`, { origin, key: null });
    expect(own.text).toContain("code-of-main");
    expect(own.text).toContain("?branch=dev");
    expect((await host.send(`${path}?branch=oslo`, { origin, key: null, headers: DEV.headers })).text).toContain("code-of-dev");
    expect(await host.send(`${path}?branch=other`, { origin, key: null, headers: key })).toMatchObject({ status: 403 });
  });
});

describe("doors without a table", () => {
  const ACCEPT = { accept: "application/json, text/event-stream" };
  const notes = { operation: "list_note", input: {} };

  /** One call of a tool, in a session of its own. */
  async function tool(place: Place, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const rpc = (id: number, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params });
    const client = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    const begun = await host.send(`${place.prefix}/mcp`, { body: rpc(1, "initialize", client), headers: { ...ACCEPT, ...headers } });
    const session = begun.headers.get("mcp-session-id");
    if (session === null) return begun;
    return await host.send(`${place.prefix}/mcp`, {
      body: rpc(2, "tools/call", { name: "list_note", arguments: {} }),
      headers: { ...ACCEPT, ...headers, "mcp-session-id": session },
    });
  }

  it("answer from the branch that is named: the service's JSON form, and tools of MCP", async () => {
    for (const place of PLACES) {
      const byService = await request(place, "/plinth.v1.FunctionService/ExecuteOperation", { body: notes });
      const byTool = await tool(place, place.headers);
      for (const answer of [byService, byTool]) {
        expectGood(answer);
        expect(answer.text).toContain(`note-${place.word}`);
        expectOnly(place, answer);
      }
    }
  });

  it("refuse what is not the branch's key", async () => {
    for (const { what, headers = {} } of refusals().filter(({ query }) => query === undefined)) {
      const byService = await host.send("/plinth.v1.FunctionService/ExecuteOperation", { body: notes, headers });
      expect([what, byService.status, byService.text.includes("BranchAccessDenied")]).toEqual([what, 403, true]);
      const byTool = await tool(MAIN, headers);
      expect([what, byTool.status, byTool.text.includes("BranchAccessDenied")]).toEqual([what, 403, true]);
    }
  });

  it("know a session of MCP in its own branch and tenant only", async () => {
    const begun = await host.send("/mcp", {
      body: {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
      },
      headers: { ...ACCEPT, ...DEV.headers },
    });
    const session = { "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
    const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
    for (const place of PLACES) {
      const answer = await request(place, "/mcp", { body: list, headers: { ...ACCEPT, ...session } });
      expect([place.word, answer.status]).toEqual([place.word, place === DEV ? 200 : 404]);
    }
  });
});

describe("what is kept in memory", () => {
  it("is not shared: results of queries, versions and variables", async () => {
    for (let round = 0; round < 2; round++) {
      for (const place of PLACES) {
        const answer = await run(place, "notes:list", {});
        expect(answer.text).toContain(`variable-${place.word}`);
        expectOnly(place, answer);
      }
    }
    const versions = await Promise.all(PLACES.map(async (place) => at(await request(place, "/v1/functions"), "version")));
    expect(new Set(versions).size).toBe(PLACES.length);
  });

  it("is not shared between branches with the same version either", async () => {
    const made = await host.send("/v1/branches", {
      body: { name: "twin", from: "dev", copyEnvironment: true },
      headers: DEV.headers,
    });
    const twin: Place = {
      prefix: "",
      branch: "twin",
      word: "of-twin",
      headers: { "x-plinth-branch": "twin", "x-plinth-branch-key": textAt(made, "key") },
    };
    await run(DEV, "notes:list", {});
    await run(twin, "notes:add", { text: "note-of-twin" });
    expect((await run(DEV, "notes:list", {})).text).not.toContain("of-twin");
    expect((await run(twin, "notes:list", {})).text).toContain("note-of-twin");
    await host.send("/v1/branches/twin", { method: "DELETE" });
  });

  it("knows an invocation by its id in its own branch only, running or ended", async () => {
    const queued = await request(DEV, "/v1/functions/notes:pause/execute", { body: { args: { ms: 1500 }, mode: "async" } });
    const path = `/v1/invocations/${textAt(queued, "id")}`;
    expect(textAt(queued, "location")).toBe(`${path}?branch=dev`);
    const tryOthers = async () => {
      for (const place of [MAIN, OTHER, ACME]) {
        for (const options of [{}, { headers: { accept: "text/event-stream" } }, { method: "DELETE" }])
          expect(await request(place, path, options)).toMatchObject({ status: 404, json: { code: "NotFound" } });
      }
    };
    await waitUntil(async () => at(await request(DEV, path), "status") === "running");
    await tryOthers();
    expect((await request(DEV, path, { headers: { accept: "text/event-stream" } })).text).toContain("code-of-dev");
    await tryOthers();
    expect(await request(DEV, path)).toMatchObject({ status: 200, json: { status: "succeeded" } });
  });

  it("keeps idempotency keys apart", async () => {
    for (const place of PLACES) {
      const answer = await run(place, "notes:add", { text: `keyed-${place.word}` }, { "idempotency-key": "the same" });
      expect(answer.text).toContain(`code-${place.word}`);
      expect((await run(place, "notes:list", {})).text).toContain(`keyed-${place.word}`);
    }
  });

  it("resolves a handle of a function in the branch where it is used", async () => {
    const handle = textAt(await run(DEV, "notes:handle", {}), "value");
    const answer = await run(MAIN, "notes:callHandle", { handle });
    expect(answer.text).toContain("code-of-main");
    expectOnly(MAIN, answer);
  });
});

describe("what goes on in time", () => {
  it("sends followers of logs the lines of their branch", async () => {
    const stop = new AbortController();
    const followed = PLACES.map(async (place) => {
      const response = await fetch(`${host.url}${place.prefix}/v1/logs?follow=true`, {
        headers: { authorization: `Bearer ${host.adminKey}`, accept: "text/event-stream", ...place.headers },
        signal: stop.signal,
      });
      let text = "";
      try {
        for await (const chunk of response.body ?? []) {
          text += Buffer.from(chunk).toString();
          if (text.includes("followed-")) break;
        }
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
      return text;
    });
    for (const place of PLACES) await run(place, "notes:add", { text: `followed-${place.word}` });
    const texts = await Promise.all(followed);
    stop.abort();
    PLACES.forEach((place, index) => {
      expect(texts[index]).toContain(`followed-${place.word}`);
      for (const other of PLACES) if (other !== place) expect(texts[index]).not.toContain(other.word);
    });
  });

  it("runs scheduled functions where they were scheduled, and not after the branch's end", async () => {
    for (const place of PLACES) await run(place, "notes:addLater", { text: `later-${place.word}`, delayMs: 1 });
    for (const place of PLACES) {
      await waitUntil(async () => (await run(place, "notes:list", {})).text.includes(`later-${place.word}`));
      expectOnly(place, await run(place, "notes:list", {}));
    }
    await run(OTHER, "notes:addLater", { text: "after-the-end", delayMs: 300 });
    expect((await host.send("/v1/branches/other", { method: "DELETE" })).status).toBe(200);
    for (const { made } of BRANCHED) {
      const { path, options } = await made(DEV);
      expect(await host.send(path, { ...options, headers: OTHER.headers })).toMatchObject({
        status: 403,
        json: { code: "BranchAccessDenied" },
      });
    }
    let key = "";
    await waitUntil(async () => {
      const made = await host.send("/v1/branches", { body: { name: "other" } });
      key = made.status === 201 ? textAt(made, "key") : "";
      return key !== "";
    });
    const renewed: Place = { ...OTHER, headers: { ...OTHER.headers, "x-plinth-branch-key": key } };
    expect(at(await request(renewed, "/v1/functions"), "version")).toBeNull();
    await deploy(renewed, "of-other");
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(at(await run(renewed, "notes:list", {}), "value")).toEqual({ code: "code-of-other", variable: null, texts: [] });
    expect((await request(renewed, "/v1/logs")).text).not.toContain("note-of-other");
  });

  it("counts calls by branch", async () => {
    const { text } = await host.send("/metrics");
    expect(text).toMatch(/plinth_invocations_total\{function="notes:list",branch="dev"/);
    expect(text).toMatch(/plinth_invocations_total\{function="notes:list",branch="main"/);
  });
});

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error("it did not come about in 20 seconds");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
