/** Scripts that run apart and what looks after them, over a real store; the engine is played, so that it can end at any point. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openDiskBlobs } from "../../blobs/disk/disk-blobs.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_SCRIPTS, FLOW_VALUES, FLOW_VERSIONS, FLOWS, PLATFORM_SCOPE } from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import type { Engine, InvocationRecord, InvocationRequest } from "../../engine/invocation.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { createSystemRuntime } from "../../runtime/system-runtime.ts";
import type { RunDetail } from "../flows.ts";
import { type FlowsOptions, type OpenedFlows, openFlows } from "../open-flows.ts";
import { StepLogs } from "../step-logs.ts";
import { LargeValues } from "../values/large-values.ts";
import { AsyncScripts } from "./async-scripts.ts";
import { FlowReaper, type Reaped } from "./reaper.ts";
import { ScriptCallbacks } from "./script-callbacks.ts";
import { readContext } from "./script-contexts.ts";
import type { AsyncScriptRow } from "./script-records.ts";
import { type ScriptReport, signatureOf } from "./script-report.ts";

let test_: TestDatabase;
let blobs: Blobs;
let folder = "";
let offsetMs = 0;
const system = createSystemRuntime();
const runtime: Runtime = {
  ...system,
  nowMs: () => system.nowMs() + offsetMs,
  monotonicMs: () => system.monotonicMs(),
  timer: (ms, callback) => system.timer(ms, callback),
  sleep: (ms, signal) => system.sleep(ms, signal),
  random: () => system.random(),
  randomBytes: (length) => system.randomBytes(length),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-scripts-"));
  blobs = await openDiskBlobs({ folder, runtime });
});
afterAll(async () => {
  await blobs.close();
  await rm(folder, { recursive: true });
});

interface Host {
  readonly flows: OpenedFlows;
  readonly scripts: AsyncScripts;
  readonly callbacks: ScriptCallbacks;
  readonly stepLogs: StepLogs;
  readonly reaped: Reaped[];
  readonly sweep: () => Promise<void>;
}

let scope: Scope;
/** What the engine was given, by the id of the invocation. */
let asked: Map<string, InvocationRequest>;
let records: Map<string, Partial<InvocationRecord>>;
let cancelled: string[];
let isDead = false;
let host: Host;

const engine: Pick<Engine, "enqueue" | "get" | "cancel" | "invoke"> = {
  enqueue: async (request) => {
    if (isDead) return await new Promise(() => undefined);
    const known = [...asked].find(([, { idempotencyKey }]) => idempotencyKey === request.idempotencyKey);
    if (known !== undefined) return { id: known[0] };
    const id = `i${asked.size + 1}`;
    asked.set(id, request);
    records.set(id, { state: "running" });
    return { id };
  },
  get: async (_scope, id) => records.get(id) as InvocationRecord | undefined,
  cancel: async (_scope, id) => cancelled.push(id) > 0,
  invoke: () => new Promise(() => undefined),
};

function open(): Host {
  const { database } = test_;
  const reaped: Reaped[] = [];
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const stepLogs = new StepLogs({ database, runtime, log });
  const values = new LargeValues({ blobs });
  const parts = { database, blobs, values, stepLogs, runtime, log };
  const scripts: AsyncScripts = new AsyncScripts({ ...parts, engine: () => engine, callbacks: () => callbacks });
  const callbacks: ScriptCallbacks = new ScriptCallbacks({ database, stepLogs, flows: () => flows });
  let reaper: FlowReaper | undefined;
  const options = {
    ...parts,
    engine: () => engine,
    scripts: { check: () => Promise.resolve(), flowFindings: () => Promise.resolve([]) },
    asyncScripts: scripts,
    deploys: { version: () => Promise.resolve(undefined) },
    urls: Promise.resolve({ api: "" }),
    reaper: (given: Pick<ConstructorParameters<typeof FlowReaper>[0], "runs" | "timer">) =>
      (reaper = new FlowReaper({
        ...given,
        database,
        runtime,
        log,
        engine: () => engine,
        scripts,
        stepLogs,
        onReaped: (what) => reaped.push(what),
      })),
  };
  const flows = openFlows(options as unknown as FlowsOptions);
  return { flows, scripts, callbacks, stepLogs, reaped, sweep: async () => await reaper?.sweep() };
}

beforeEach(async () => {
  test_ = await openTestDatabase(runtime);
  scope = newScope();
  [asked, records, cancelled] = [new Map(), new Map(), []];
  isDead = false;
  offsetMs = 0;
  host = open();
});
afterEach(async () => {
  await host.flows.stop();
  await test_.close();
});

async function publish(node: Readonly<Record<string, unknown>>): Promise<void> {
  const definition = { format: 1, name: "f", trigger: { type: "api" }, start: "a", nodes: { a: { retry: { attempts: 1 }, ...node } } };
  await test_.database.update(scope, async ({ records: rows }) => {
    rows.put(FLOW_VERSIONS, ["f", "v1"], { definition } as never);
    rows.put(FLOWS, ["f"], { name: "f", description: "", trigger: "api", version: "v1", isOn: true, seq: 1 });
    await Promise.resolve();
  });
}

async function begin(): Promise<string> {
  await publish({ type: "script", data: { code: "return inputs.n", input: { n: "=trigger.n" }, mode: "async" } });
  const { id } = await start();
  await until(async () => (await run(id)).reason?.code === "awaiting_completion");
  return id;
}

async function start() {
  return await host.flows.start({ scope, actor: { kind: "key", scopes: ["invoke"] }, flow: "f", input: { n: 5 }, source: "native" });
}

async function run(id: string): Promise<RunDetail> {
  return await host.flows.run(scope, id);
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let look = 0; look < 2000; look += 1) {
    if (await holds()) return;
    await system.sleep(5);
  }
  throw new Error("it does not become so");
}

async function rows(): Promise<readonly AsyncScriptRow[]> {
  const found = await test_.database.read(PLATFORM_SCOPE, ({ records: all }) =>
    all.range(FLOW_SCRIPTS, { prefix: [scope.tenant, scope.branch], limit: 10 }),
  );
  return found.map(({ value }) => value);
}

async function keptBlobs(id: string): Promise<number> {
  return (await test_.database.read(scope, ({ records: all }) => all.range(FLOW_VALUES, { prefix: [id], limit: 10 }))).length;
}

function reportOf(row: AsyncScriptRow, more: Partial<ScriptReport> = {}): ScriptReport {
  const { run: id, node, name } = row;
  return {
    success: true,
    workflow_log_id: id,
    script_api_name: node,
    s3_key: name,
    result: 5,
    error: null,
    logs: [],
    execution_time_ms: 3,
    ...more,
  };
}

function tokenOf(request: InvocationRequest | undefined): string {
  return String((JSON.parse(request?.argsText ?? "{}") as { token: string }).token);
}

async function send(token: string, report: unknown, signature?: string): Promise<void> {
  const body = JSON.stringify(report);
  await host.callbacks.take({ token, body, signature: signature ?? signatureOf(token, body), via: "http" });
}

async function only(): Promise<AsyncScriptRow> {
  const [row] = await rows();
  if (row === undefined) throw new Error("no script runs");
  return row;
}

test("the context travels by reference, under the name of its run, and the invocation has its name only", async () => {
  const id = await begin();
  const row = await only();
  expect(row.name).toMatch(new RegExp(`^workflow-scripts/main/${scope.tenant}/${id}-a-\\d{8}T\\d{9}Z\\.json$`));
  expect(await readContext(blobs, scope, row)).toMatchObject({
    code: "return inputs.n",
    inputs: { n: 5, workflow: { trigger: { n: 5 } } },
  });
  expect(Object.keys(JSON.parse(asked.get("i1")?.argsText ?? "") as object)).toEqual(["run", "key", "attempt", "token"]);
  expect(await keptBlobs(id)).toBe(1);
});

test("a report resumes its run once: what comes late, twice, for another context, unsigned or forged is refused", async () => {
  const id = await begin();
  const row = await only();
  const token = tokenOf(asked.get("i1"));
  await expect(send(token, reportOf(row), "sha256=00")).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(send(token, reportOf(row), signatureOf(`${token}x`, JSON.stringify(reportOf(row))))).rejects.toMatchObject({
    code: "AnswerRefused",
  });
  await expect(send(token, reportOf(row, { s3_key: "workflow-scripts/x" }))).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(send(token, reportOf(row, { workflow_log_id: "0".repeat(32) }))).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(send(`${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`, reportOf(row))).rejects.toMatchObject({ code: "NotFound" });
  for (const wrong of [[], { success: "yes" }, { ...reportOf(row), success: false, error: 3 }, { ...reportOf(row), logs: "x" }])
    await expect(send(token, wrong)).rejects.toMatchObject({ code: "BadRequest" });
  expect((await run(id)).status).toBe("waiting");
  await send(token, reportOf(row, { logs: [{ level: "warn", text: "from afar", atMs: 1 }] }));
  await until(async () => (await run(id)).status === "completed");
  expect(await run(id)).toMatchObject({ output: 5 });
  expect(await host.flows.logs(scope, id, { limit: 10 })).toMatchObject([{ lines: [{ level: "warn", text: "from afar" }] }]);
  expect([await rows(), await keptBlobs(id)]).toEqual([[], 0]);
  await expect(send(token, reportOf(row))).rejects.toMatchObject({ code: "AnswerRefused" });
  const refused = await host.flows.refusedAnswers(scope, id);
  expect(refused.map(({ code }) => code)).toEqual(["forged", "forged", "forged", "forged", "forged", "double"]);
});

test("S1 a host that dies at any point of the begin leaves one context and one invocation", async () => {
  await publish({ type: "script", data: { code: "return 1", mode: "async" } });
  isDead = true;
  const { id } = await start();
  await until(async () => (await rows()).length === 1);
  await host.flows.stop();
  const { name } = await only();
  isDead = false;
  host = open();
  await host.flows.resumeAll();
  await until(async () => (await run(id)).reason?.code === "awaiting_completion");
  expect((await only()).name).toBe(name);
  expect(asked.size).toBe(1);
  // Stored by the engine, and the host dies before it writes down that it is.
  await test_.database.update(scope, async ({ records: all }) => {
    const [row] = await all.range(FLOW_SCRIPTS, { prefix: [scope.tenant, scope.branch], limit: 1 });
    if (row !== undefined) all.put(FLOW_SCRIPTS, row.key, { ...row.value, invocation: null });
  });
  await host.sweep();
  expect(asked.size).toBe(1);
  expect((await only()).invocation).toBe("i1");
});

test("S3 R1 a report that was never delivered is delivered by the reaper", async () => {
  const id = await begin();
  await host.sweep();
  expect(host.reaped).toEqual([]);
  const report = reportOf(await only(), { result: { found: true } });
  records.set("i1", { state: "succeeded", valueText: JSON.stringify(JSON.stringify(report)) });
  await host.sweep();
  await until(async () => (await run(id)).status === "completed");
  expect(await run(id)).toMatchObject({ output: { found: true } });
  expect(host.reaped).toEqual(["redelivered"]);
});

test("R1 a script that ends without a report runs again, and fails with a named reason in the end", async () => {
  const id = await begin();
  for (const [index, invocation] of ["i1", "i2", "i3"].entries()) {
    records.set(invocation, { state: "failed", error: { code: "RunnerLost", message: `it was lost ${index + 1}` } });
    await host.sweep();
  }
  await until(async () => (await run(id)).status === "failed");
  expect((await run(id)).error).toMatchObject({ code: "script_lost", node: "a" });
  expect((await run(id)).error?.message).toContain("3 times, the last time because it was lost 3");
  expect(host.reaped).toEqual(["rerun", "rerun", "failed"]);
  const logs = JSON.stringify(await host.flows.logs(scope, id, { limit: 10 }));
  expect(logs).toContain("it was lost 1); it runs again, 2 of 3");
  expect(await rows()).toEqual([]);
});

test("R2 what nobody waits for is ended and its context given up", async () => {
  const id = await begin();
  await host.flows.cancel(scope, id, { by: "me", reason: "" });
  await host.sweep();
  expect(cancelled).toEqual(["i1"]);
  expect(host.reaped).toEqual(["dropped"]);
  expect([await rows(), await keptBlobs(id)]).toEqual([[], 0]);
});

test("R3 a run that has something to do and was forgotten goes on", async () => {
  await publish({ type: "script", data: { code: "return 1", mode: "async" } });
  isDead = true;
  const { id } = await start();
  await until(async () => (await rows()).length === 1);
  await host.flows.stop();
  isDead = false;
  // Nobody resumes it.
  host = open();
  await host.sweep();
  expect(host.reaped).toEqual([]);
  await host.sweep();
  expect(host.reaped).toEqual(["resumed"]);
  await until(async () => (await run(id)).reason?.code === "awaiting_completion");
});

test("R4 a time that is past fires, so that no wait is without its end", async () => {
  const id = await begin();
  await host.sweep();
  expect((await run(id)).status).toBe("waiting");
  offsetMs = 3_600_000;
  await host.sweep();
  await until(async () => (await run(id)).status === "failed");
  expect((await run(id)).error).toMatchObject({ code: "timeout", node: "a" });
  expect(host.reaped).toContain("fired");
  await host.sweep();
  expect(host.reaped).toContain("dropped");
});
