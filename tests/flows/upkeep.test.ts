/** Upkeep of flows on a real host: versions compared and moved to, runs watched and changed together, dry runs, documents. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEvents } from "../../packages/cli/src/event-stream.ts";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;

beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "functions", "convex"));
}, 60_000);
afterAll(() => host.local.stop());

type Json = Readonly<Record<string, unknown>>;

function definitionOf(name: string, start: string, nodes: Json): Json {
  return { format: 1, name, trigger: { type: "api" }, start, nodes };
}

async function publish(definition: Json): Promise<string> {
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
  return String((json["version"] as Json)["version"]);
}

async function start(flow: string, input: unknown = {}): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${flow}/runs`, { body: { input, waitMs: 20_000 } }))).json["id"]);
}

async function send(path: string, body?: unknown): Promise<Record<string, unknown>> {
  return (await succeed(host.send(path, body === undefined ? {} : { body }))).json;
}

async function hasStatus(id: string, status: string): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const run = await send(`/v1/flow-runs/${id}`);
    return run["status"] === status ? run : undefined;
  }, `the run to be ${status}`);
}

const ASK = { type: "wait", data: { for: "signal", signal: "go" } };
const RETURN = (output: unknown) => ({ type: "return", data: { output } });

test("W6 a run that waits is moved to a version that fits, and goes on with it from the store", { timeout: 60_000 }, async () => {
  const first = {
    add: { ...RETURN(1), type: "script", data: { code: "return 20" }, next: "ask" },
    ask: { ...ASK, next: "end" },
    end: RETURN("=steps.add.output"),
  };
  await publish(definitionOf("moved", "add", first));
  const id = await start("moved");
  const without = { ...first, add: { ...first.add, next: "end" }, ask: undefined };
  const unfit = await publish(definitionOf("moved", "add", { add: without.add, end: first.end }));
  const refused = await host.send(`/v1/flow-runs/${id}/move`, { body: { to: unfit } });
  expect([refused.status, refused.json["message"]]).toEqual([
    409,
    "The version does not fit the run: The run is at the step `ask`, which the new version does not have.",
  ]);
  const version = await publish(
    definitionOf("moved", "add", {
      ...first,
      ask: { ...ASK, next: "more" },
      more: { type: "script", data: { code: "return 22", input: {} }, next: "end" },
      end: RETURN("=steps.add.output + steps.more.output"),
    }),
  );
  expect(await send(`/v1/flow-runs/${id}/move`, { to: version.slice(0, 10), dryRun: true })).toMatchObject({ moved: false, findings: [] });
  expect(await send(`/v1/flow-runs/${id}`)).not.toMatchObject({ version });
  expect(await send(`/v1/flow-runs/${id}/move`, { to: "head" })).toMatchObject({ moved: true, version });
  expect((await host.send(`/v1/flow-runs/${id}/move`, { body: { to: "head" } })).status).toBe(409);
  expect((await host.send(`/v1/flow-runs/${id}/move`, { body: { to: "1234567" } })).status).toBe(404);
  await send(`/v1/flow-runs/${id}/signal`, { name: "go" });
  expect(await hasStatus(id, "completed")).toMatchObject({ version, output: 42 });
  const { steps } = (await send(`/v1/flow-runs/${id}/history`)) as { steps: readonly { readonly node: string; readonly kind: string }[] };
  expect(steps.map(({ node, kind }) => `${kind} ${node}`)).toEqual([
    ...["begun add", "ended add", "begun ask", "ended ask", "begun more", "ended more", "ended end"],
  ]);
});

test("a run that failed is moved to a corrected version, and retried", { timeout: 60_000 }, async () => {
  await publish(definitionOf("wrong", "work", { work: { type: "script", data: { code: "throw new Error('no')" } } }));
  const id = await start("wrong");
  await publish(definitionOf("wrong", "work", { work: { type: "script", data: { code: "return 'yes'" } } }));
  expect(await send(`/v1/flow-runs/${id}/state`)).toMatchObject({ status: "failed", retryFrom: ["work"] });
  await send(`/v1/flow-runs/${id}/move`, { to: "head" });
  await send(`/v1/flow-runs/${id}/retry`, { node: "work" });
  expect(await hasStatus(id, "completed")).toMatchObject({ output: "yes" });
});

test("a definition is compared with recorded runs before it is published", { timeout: 60_000 }, async () => {
  const nodes = (text: string) => ({ add: { type: "invoke", data: { function: "notes:add", input: { text } }, next: "ask" }, ask: ASK });
  await publish(definitionOf("compared", "add", nodes("before")));
  const id = await start("compared");
  const same = await send("/v1/flows/compare", { definition: definitionOf("compared", "add", nodes("before")) });
  expect(same).toMatchObject({ findings: [], runs: [{ id, misfits: [], differences: [] }], isCut: false });
  const other = await send("/v1/flows/compare", {
    definition: definitionOf("compared", "add", { add: { ...nodes("after").add, next: null } }),
  });
  const [run] = other["runs"] as readonly { readonly differences: readonly Json[]; readonly misfits: readonly Json[] }[];
  expect(run?.differences[0]).toMatchObject({
    node: "add",
    before: { value: { json: { text: "before" } } },
    after: { value: { json: { text: "after" } } },
  });
  expect(run?.misfits[0]).toMatchObject({ node: "ask" });
  const wrong = await send("/v1/flows/compare", { definition: definitionOf("compared", "x", {}) });
  expect(wrong["runs"]).toEqual([]);
  expect((wrong["findings"] as readonly unknown[]).length).toBeGreaterThan(0);
});

test("a dry run calls nothing but code whose mock says so, and names what has no mock", { timeout: 60_000 }, async () => {
  const nodes = {
    price: {
      type: "script",
      data: { code: "console.log('hm'); return workflow.trigger.seats * inputs.each", input: { each: 8 } },
      next: "tell",
    },
    tell: { type: "invoke", data: { function: "notes:add", input: { text: "=string(steps.price.output)" } }, next: "nap" },
    nap: { type: "delay", data: { for: "30d" }, next: "end" },
    end: RETURN({ price: "=steps.price.output" }),
  };
  const definition = definitionOf("dry", "price", nodes);
  const before = await host.run("notes:list", {});
  const good = await send("/v1/flows/dry-run", { definition, input: { seats: 5 }, mocks: { price: "run", tell: { output: "n1" } } });
  expect(good).toMatchObject({
    findings: [],
    report: {
      status: "failed",
      error: { code: "run_timeout" },
      path: ["price", "tell", "nap"],
      calls: [{ node: "price" }, { node: "tell", input: { text: "40" } }],
    },
    logs: [{ text: "hm" }],
  });
  const none = await send("/v1/flows/dry-run", { definition, mocks: {} });
  expect(none).toMatchObject({ report: { status: "unanswered", unanswered: { node: "price", isReal: false } } });
  const real = await send("/v1/flows/dry-run", { definition, mocks: { price: { output: 1 }, tell: "run" } });
  expect(real).toMatchObject({ report: { status: "failed", error: { code: "mock", node: "tell" } } });
  const misspelt = await send("/v1/flows/dry-run", { definition, mocks: { pirce: { output: 1 }, x: 7 } });
  expect(misspelt).toMatchObject({ report: null, findings: [{ path: "mocks.x" }] });
  expect(await host.run("notes:list", {})).toEqual(before);
});

test("a run is watched live, and again from where a watcher was", { timeout: 60_000 }, async () => {
  await publish(
    definitionOf("watched", "one", {
      one: { type: "script", data: { code: "return 1" }, next: "ask" },
      ask: { ...ASK, next: "end" },
      end: RETURN(2),
    }),
  );
  const id = await start("watched");
  const watch = async function* (after: number) {
    const { url, key } = host.local.connection;
    const headers = { accept: "text/event-stream", authorization: `Bearer ${key ?? ""}` };
    const response = await fetch(`${url}/v1/flow-runs/${id}/state?after=${after}`, { headers });
    for await (const { event, data } of readEvents(response)) {
      const { cursor, step, run } = JSON.parse(data) as { cursor: number; step?: { kind: string; node: string }; run?: { status: string } };
      yield { cursor, text: `${event} ${step === undefined ? (run?.status ?? "") : `${step.kind} ${step.node}`}` };
    }
  };
  const seen: string[] = [];
  let cursor = 0;
  for await (const news of watch(0)) {
    seen.push(news.text);
    cursor = news.cursor;
    if (news.text === "run waiting") break;
  }
  expect(seen).toEqual(["step begun one", "step ended one", "step begun ask", "run waiting"]);
  const rest: string[] = [];
  const watching = (async () => {
    for await (const news of watch(cursor)) rest.push(news.text);
  })();
  await eventually(() => (rest.includes("run waiting") ? true : undefined), "the watcher");
  await send(`/v1/flow-runs/${id}/signal`, { name: "go" });
  await watching;
  expect(rest.filter((text) => !text.startsWith("run "))).toEqual(["step ended ask", "step ended end", "end completed"]);
  expect((await host.send(`/v1/flow-runs/${id}/state?after=x`)).status).toBe(200);
});

test("what code prints is told while it runs, among its steps, and again to whoever comes later", { timeout: 60_000 }, async () => {
  const code = 'import time\nprint("one")\ntime.sleep(3)\nprint("two")\n1';
  await publish(
    definitionOf("printing", "count", {
      count: { type: "code", data: { code }, next: "end" },
      end: RETURN(2),
    }),
  );
  const { id } = await send("/v1/flows/printing/runs", {});
  const { url, key } = host.local.connection;
  const watch = async () => {
    const headers = { accept: "text/event-stream", authorization: `Bearer ${key ?? ""}` };
    const response = await fetch(`${url}/v1/flow-runs/${String(id)}/state`, { headers });
    const seen: string[] = [];
    for await (const { event, data } of readEvents(response)) {
      const { step, print } = JSON.parse(data) as {
        step?: { kind: string; node: string };
        print?: { node: string; from: number; lines: readonly { text: string }[] };
      };
      if (step !== undefined) seen.push(`${step.kind} ${step.node}`);
      for (const [place, line] of (print?.lines ?? []).entries())
        seen.push(`${print?.node ?? ""} ${(print?.from ?? 0) + place} ${line.text}`);
      if (event === "print") seen.push("print");
      if (event === "end") seen.push("end");
    }
    return seen;
  };
  const others = await Promise.all([watch(), watch()]);
  // Two events: the first line is told before the second one is printed.
  const live = ["begun count", "count 0 one", "print", "count 1 two", "print", "ended count", "ended end", "end"];
  expect(others).toEqual([live, live]);
  expect(await watch()).toEqual(live.filter((text, place) => text !== "print" || place > 2));
});

test("U3 many runs are changed in slices, once each however often it is asked for", { timeout: 60_000 }, async () => {
  await publish(definitionOf("many", "ask", { ask: { ...ASK, next: "end" }, end: RETURN("=steps.ask.output") }));
  const ids = await Promise.all(Array.from({ length: 7 }, (_, n) => start("many", { n })));
  const filter = { flow: "many", status: ["waiting"], reason: "awaiting_signal" };
  const change = (body: Json) => send("/v1/flow-runs/changes", { filter, ...body });
  const signal = { kind: "signal", name: "go", payload: "gone" };
  const { version } = await send(`/v1/flow-runs/${ids[0] ?? ""}`);
  const ofVersion = (beginning: string) => change({ filter: { ...filter, version: beginning }, action: signal, dryRun: true });
  expect(await ofVersion("0".repeat(12))).toMatchObject({ matched: 0 });
  expect(await ofVersion(String(version).slice(0, 12))).toMatchObject({ matched: 7 });
  const count = await change({ action: signal, dryRun: true });
  expect(count).toMatchObject({ matched: 7, refused: [], next: null });
  const first = await change({ action: signal, id: count["id"], max: 4 });
  expect(first).toMatchObject({ matched: 4, already: [] });
  expect(first["done"]).toHaveLength(4);
  for (const id of first["done"] as readonly string[]) await hasStatus(id, "completed");
  const second = await change({ action: signal, id: count["id"], after: first["next"] });
  expect(second).toMatchObject({ matched: 3, next: null });
  for (const id of ids) expect(await hasStatus(id, "completed")).toMatchObject({ output: "gone" });

  // As after a crash in which the answer was lost.
  const again = { filter: { flow: "many", status: ["completed"] }, action: { kind: "rerun", input: 1 }, id: count["id"] };
  await send("/v1/flow-runs/changes", again);
  host = eventHost(await host.local.crash());
  const waiting = { flow: "many", status: ["waiting"] };
  expect(await send("/v1/flow-runs/changes", again)).toMatchObject({ matched: 7 });
  const paused = {
    filter: waiting,
    action: { kind: "pause", reason: "x" },
    id: (await change({ action: { kind: "resume" }, dryRun: true }))["id"],
  };
  expect(await send("/v1/flow-runs/changes", paused)).toMatchObject({ matched: 7, refused: [] });
  const repeated = await send("/v1/flow-runs/changes", { ...paused, filter: { flow: "many", status: ["waiting", "paused"] } });
  expect([repeated["done"], (repeated["already"] as readonly string[]).length]).toEqual([[], 7]);
  const refused = await send("/v1/flow-runs/changes", { filter: { flow: "many" }, action: { kind: "retry" } });
  expect(refused["refused"]).toHaveLength(14);
  for (const wrong of [
    { filter: { flwo: "many" }, action: signal },
    { filter: {}, action: { kind: "x" } },
    { filter: {}, action: signal, id: "x" },
  ])
    expect((await host.send("/v1/flow-runs/changes", { body: wrong })).status).toBe(400);
});

test("who may run flows alone neither moves runs nor exports flows", async () => {
  const { json: made } = await succeed(host.send("/v1/keys", { body: { scopes: ["invoke"] } }));
  const key = String(made["key"]);
  const status = async (path: string, body?: unknown) => (await host.send(path, body === undefined ? { key } : { key, body })).status;
  const move = { filter: { flow: "none" }, action: { kind: "move", to: "head" }, dryRun: true };
  expect(await status("/v1/flow-runs/changes", move)).toBe(403);
  expect(await status("/v1/flow-runs/changes", { ...move, action: { kind: "cancel" } })).toBe(200);
  expect(await status("/v1/flow-runs/x/move", { to: "head" })).toBe(403);
  expect(await status("/v1/flows/none/export")).toBe(403);
  expect(await status("/v1/flows/import", { document: {} })).toBe(403);
});

test("a flow is exported with its tests, and imported after all of it was checked", { timeout: 60_000 }, async () => {
  await publish(definitionOf("carried", "ask", { ask: { ...ASK, next: "end" }, end: RETURN("=steps.ask.output") }));
  const id = await start("carried");
  const tests = { format: 1, cases: [{ name: "goes", mocks: { ask: { output: 7 } }, expect: { output: 7 } }] };
  const put = (body: unknown) => host.send("/v1/flows/carried/tests", { method: "PUT", body: { tests: body } });
  expect((await put({ format: 1 })).json["findings"]).toHaveLength(1);
  expect((await put(tests)).json["findings"]).toEqual([]);
  const document = await send(`/v1/flows/carried/export?run=${id}`);
  expect(document).toMatchObject({ name: "carried", tests, runs: [{ run: { id }, isCut: false }] });
  const imported = (changes: Json) => send("/v1/flows/import", { document: { ...document, ...changes } });
  expect(await imported({})).toMatchObject({ imported: true, findings: [] });
  expect(await send("/v1/flows/import", { document, dryRun: true })).toMatchObject({ imported: false, version: null, findings: [] });
  const changed = { ...(document["definition"] as Json), description: "another" };
  expect(await imported({ definition: changed })).toMatchObject({ imported: false, findings: [{ path: "version" }] });
  const failing = { format: 1, cases: [{ name: "goes", mocks: { ask: { output: 7 } }, expect: { output: 8 } }] };
  expect(await imported({ tests: failing })).toMatchObject({ imported: false, findings: [{ path: "tests.cases[0]" }] });
  expect(await imported({ kind: "x" })).toMatchObject({ imported: false });
});
