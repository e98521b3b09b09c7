/** Hostile use of flows: other tenants, keys of few rights, tokens that are used up, and floods. On a real host. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

type Json = Readonly<Record<string, unknown>>;

let host: EventHost;
beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 60_000);
afterAll(() => host.local.stop());

async function publish(definition: Json): Promise<void> {
  const { json } = await succeed(host.send("/v1/flows", { body: { definition: { format: 1, trigger: { type: "api" }, ...definition } } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
}

async function start(name: string, body: Json = {}): Promise<Json> {
  return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { waitMs: 30_000, ...body } }))).json;
}

async function keyOf(scopes: readonly string[]): Promise<string> {
  return String((await succeed(host.send("/v1/keys", { body: { scopes } }))).json["key"]);
}

const WAITS = {
  start: "ask",
  nodes: {
    ask: { type: "wait", data: { for: "callback" }, next: "give" },
    give: { type: "return", data: { output: "=steps.ask.output" } },
  },
};

/** A run that waits for a callback. */
async function waiting(name: string): Promise<{ readonly id: string; readonly token: string; readonly url: string }> {
  await publish({ name, ...WAITS });
  const { id, answers } = await start(name);
  const [answer] = answers as readonly { readonly token: string; readonly url: string }[];
  return { id: String(id), token: String(answer?.token), url: String(answer?.url) };
}

const post = (url: string, body: unknown) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

describe("other tenants", () => {
  test("find nothing of a run, a flow or an answer, whatever they ask for by its name", { timeout: 60_000 }, async () => {
    const { id, token } = await waiting("private");
    await succeed(host.send("/v1/tenants", { body: { name: "stranger" } }));
    const stranger = eventHost(host.local, "stranger");
    const run = `/v1/flow-runs/${id}`;
    const reads = [run, `${run}/history`, `${run}/logs`, `${run}/state`, `${run}/values/${"0".repeat(64)}`];
    for (const path of [...reads, "/v1/flows/private", "/v1/flows/private/export", "/v1/flows/private/address", "/v1/flows/private/tests"])
      expect((await stranger.send(path)).status, path).toBe(404);
    const changes: readonly (readonly [string, Json])[] = [
      [`${run}/signal`, { name: "x" }],
      [`${run}/cancel`, {}],
      [`${run}/pause`, {}],
      [`${run}/resume`, {}],
      [`${run}/retry`, { node: "ask" }],
      [`${run}/move`, { to: "head" }],
      [`${run}/rerun`, {}],
      ["/v1/flows/private/runs", {}],
      ["/v1/flow-answers", { token, output: 1 }],
    ];
    for (const [path, body] of changes) expect((await stranger.send(path, { body })).status, path).toBe(404);
    expect((await stranger.send("/v1/flow-runs")).json).toEqual({ runs: [], next: null });
    expect((await stranger.send("/v1/flows")).json).toEqual({ flows: [] });
    const all = { filter: { flow: "private" }, action: { kind: "cancel" } };
    expect((await stranger.send("/v1/flow-runs/changes", { body: all })).json).toMatchObject({ seen: 0, matched: 0 });
    const { json } = await succeed(host.send(run));
    expect(json).toMatchObject({ status: "waiting", refusedAnswers: [] });
  });
});

describe("keys of few rights", () => {
  test("one that reads changes nothing and gets no token", { timeout: 60_000 }, async () => {
    const { id, token } = await waiting("readable");
    const key = await keyOf(["read"]);
    const run = `/v1/flow-runs/${id}`;
    for (const path of ["/state", "/history", "/logs"]) {
      const shown = await host.send(run + path, { key });
      expect(shown.status, path).toBe(200);
      expect(JSON.stringify(shown.json), path).not.toContain(token);
    }
    expect(JSON.stringify((await host.send(`/v1/flows/readable/export?run=${id}`, { key })).json)).not.toContain(token);
    for (const path of [run, `${run}/values/${"0".repeat(64)}`, "/v1/flows/readable/address"])
      expect((await host.send(path, { key })).status, path).toBe(403);
    for (const path of ["signal", "cancel", "pause", "resume", "retry", "move", "rerun"])
      expect((await host.send(`${run}/${path}`, { key, body: { name: "x", node: "ask", to: "head" } })).status, path).toBe(403);
    for (const path of ["/v1/flows", "/v1/flows/import", "/v1/flows/dry-run", "/v1/flow-runs/changes", "/v1/flow-answers"])
      expect((await host.send(path, { key, body: {} })).status, path).toBe(403);
  });

  test("one that starts runs runs no code of its own, and gives no step another input", { timeout: 60_000 }, async () => {
    const key = await keyOf(["invoke"]);
    const nodes = {
      check: { type: "decision", data: { when: "trigger.amount < 100", else: "no" }, next: "note" },
      note: { type: "assignment", data: { values: { paid: "=trigger.amount" } }, next: "pay" },
      pay: { type: "script", data: { code: "throw new Error('paid ' + inputs.amount)", input: { amount: "=vars.paid" } } },
      no: { type: "return", data: { output: "no" } },
    };
    const definition = {
      format: 1,
      name: "pays",
      trigger: { type: "api", output: { record: { amount: "number" } } },
      start: "check",
      nodes,
    };
    await publish({ ...definition, variables: { paid: { type: "number", initial: 0 } } });
    const { id } = await start("pays", { input: { amount: 5 } });
    await eventually(async () => {
      const { json } = await succeed(host.send(`/v1/flow-runs/${String(id)}`));
      return json["status"] === "failed" ? json : undefined;
    }, "the failure");
    const retry = (body: Json) => host.send(`/v1/flow-runs/${String(id)}/retry`, { key, body });
    expect((await retry({ node: "pay", input: { amount: 1_000_000 } })).status).toBe(403);
    expect((await retry({ node: "note" })).status).toBe(403);
    const bulk = (action: Json) => host.send("/v1/flow-runs/changes", { key, body: { filter: { flow: "pays" }, action } });
    expect((await bulk({ kind: "retry", node: "note" })).status).toBe(403);
    expect((await bulk({ kind: "retry", input: { amount: 7 } })).status).toBe(403);
    expect((await bulk({ kind: "move", to: "head" })).status).toBe(403);
    expect((await retry({ node: "pay" })).status).toBe(200);
    const own = {
      format: 1,
      name: "own",
      trigger: { type: "api" },
      start: "a",
      nodes: { a: { type: "script", data: { code: "return 1;" } } },
    };
    const dryRun = (body: Json) => host.send("/v1/flows/dry-run", { key, body });
    expect((await dryRun({ definition: own, mocks: { a: { real: true } } })).status).toBe(403);
    expect((await dryRun({ flow: "pays", input: { amount: 500 } })).status).toBe(200);
    for (const path of ["/v1/flows", "/v1/flows/import"])
      expect((await host.send(path, { key, body: { definition: own } })).status).toBe(403);
  });

  test("a key of a start takes the place of no webhook that is still to come", { timeout: 60_000 }, async () => {
    await publish({ name: "hooked", trigger: { type: "webhook" }, start: "a", nodes: { a: { type: "return", data: { output: 1 } } } });
    const { url } = (await succeed(host.send("/v1/flows/hooked/address"))).json;
    const first = await start("hooked", { idempotencyKey: "webhook order-7" });
    const headers = { "content-type": "application/json", "idempotency-key": "order-7" };
    const hook = await fetch(String(url), { method: "POST", headers, body: "{}" });
    expect(hook.status).toBe(202);
    expect(((await hook.json()) as Json)["run"]).not.toBe(first["id"]);
    const long = async (end: string) =>
      (await fetch(String(url), { method: "POST", headers: { ...headers, "idempotency-key": "k".repeat(300) + end }, body: "{}" })).json();
    expect(await long("a")).not.toEqual(await long("b"));
    expect((await host.send("/v1/flows/hooked/runs", { body: { idempotencyKey: "k".repeat(5000) } })).status).toBe(400);
  });
});

describe("tokens and floods", () => {
  test("what comes with a token that is used up stores nothing, and only so much of it is looked at", { timeout: 60_000 }, async () => {
    const { id, url } = await waiting("answered");
    expect((await post(url, { output: "first" })).status).toBe(200);
    const blobs = () =>
      readdirSync(join(host.local.dataDir, "blobs"), { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).length;
    const before = blobs();
    const refused = await post(url, { output: "x".repeat(500_000) });
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("answered already");
    expect(blobs()).toBe(before);
    const flood = await Promise.all(Array.from({ length: 200 }, async (_, i) => (await post(url, { output: i })).status));
    expect(new Set(flood)).toEqual(new Set([409, 429]));
    const { json } = await succeed(host.send(`/v1/flow-runs/${id}`));
    expect((json["refusedAnswers"] as unknown[]).length).toBeLessThanOrEqual(50);
    expect(json).toMatchObject({ status: "completed", output: "first" });
  });

  test("texts that are kept and listed are short", { timeout: 60_000 }, async () => {
    const { id, token, url } = await waiting("texts");
    const long = "x".repeat(1_000_000);
    for (const [path, body] of [
      ["signal", { name: long }],
      ["cancel", { reason: long }],
      ["pause", { reason: long }],
    ] as const) {
      const answer = await host.send(`/v1/flow-runs/${id}/${path}`, { body });
      expect(answer.status, path).toBe(400);
      expect(JSON.stringify(answer.json).length).toBeLessThan(1000);
    }
    expect((await host.send("/v1/flows", { body: { definition: { format: 1, name: "texts", ...WAITS }, note: long } })).status).toBe(400);
    const form = await fetch(url, { method: "POST", body: new URLSearchParams({ decision: "approve", more: long }) });
    expect(form.status).toBe(413);
    await succeed(host.send("/v1/flow-answers", { body: { token, error: { code: "bad", message: long } } }));
    const journal = JSON.stringify((await succeed(host.send(`/v1/flows/texts/export?run=${id}`))).json);
    expect(journal.length).toBeLessThan(50_000);
  });
});
