/** A call of a package fails at each point of its life: what it held is given back, its end is known, and the next call works. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InvocationOutcome, InvocationRequest } from "../../packages/server/src/engine/invocation.ts";
import type { InvocationResult, ResultSink } from "../../packages/server/src/engine/result-sink.ts";
import { SCOPE, startSnapInHost, type SnapInHost } from "./snap-in-host.ts";

const ended: InvocationResult[] = [];
const collecting: ResultSink = { name: "collecting", finished: (result) => void ended.push(result), flush: () => Promise.resolve() };
let failing = false;
const broken: ResultSink = {
  name: "broken",
  finished: () => {
    if (failing) throw new Error("the sink is broken");
  },
  flush: () => Promise.resolve(),
};
let host: SnapInHost;

const FILES = {
  "manifest.yaml": `version: "2"
name: life
description: For tests.
keyrings:
  organization:
    - name: remote
      description: A secret.
      display_name: Remote
      types: [snap_in_secret]
functions:
  - name: work
    description: Works.
  - name: again
    description: Asks to be run again.
    config:
      runtime:
        max_retries: 2
        min_interval: 0
  - name: short
    description: Has little time.
    config:
      runtime:
        timeout_seconds: 1
        memory_mb: 96
`,
  "code/package.json": '{"main":"./dist/index.js"}',
  "code/dist/index.js": `
let runs = 0;
const work = async (events) => {
  const { what } = events[0].payload;
  console.log("working", what, events[0].input_data.keyrings.remote ?? "");
  switch (what) {
    case "throw": throw new Error("broken with " + (events[0].input_data.keyrings.remote ?? ""));
    case "exit": process.exit(0);
    case "abort": process.abort();
    case "spin": for (;;);
    case "wait": await new Promise((resolve) => setTimeout(resolve, 1e8));
    case "fill": { const all = []; for (;;) all.push(new Array(1e6).fill(1.5)); }
    case "cyclic": { const value = {}; value.value = value; return value; }
    case "large": return "x".repeat(400_000);
  }
  return "done";
};
exports.functionFactory = { work, short: work, again: async () => {
  runs++;
  const error = new Error("not yet"); error.name = "FunctionExecutionError"; error.retry = true; error.refresh = true;
  if (runs < 3) throw error;
  return runs;
} };`,
};

beforeAll(async () => {
  host = await startSnapInHost({ sinks: [broken, collecting] });
  await host.keyrings.create(SCOPE, { name: "remote", type: "snap_in_secret", fields: { secret: "s3cr3t-value" } });
  await host.upload("life", FILES);
  const { id } = await host.snapIns.install(SCOPE, { package: "life" });
  await host.snapIns.activate(SCOPE, id);
}, 30_000);
afterAll(async () => {
  await host.stop();
  await host.remove();
});

function request(what: string, changes: Partial<InvocationRequest> = {}): InvocationRequest {
  return {
    ...SCOPE,
    actor: { kind: "key", keyId: "test", scopes: ["admin"] },
    source: "native",
    path: "@life/work",
    internalAllowed: true,
    argsText: JSON.stringify({ what }),
    priority: "normal",
    ...changes,
  };
}

/** Nothing of a call is left, its end went to the sinks once, and the next call succeeds. */
async function expectClean(id: string): Promise<void> {
  expect(ended.filter(({ outcome }) => outcome.id === id)).toHaveLength(1);
  for (let tries = 0; host.sandbox.status().busy > 0 && tries < 2000; tries++) await host.runtime.sleep(10);
  expect(host.sandbox.status().busy).toBe(0);
  const next = await host.engine.invoke(request("fine"));
  expect(next).toMatchObject({ status: "succeeded", valueText: '"done"' });
}

async function failed(wanted: InvocationRequest): Promise<Extract<InvocationOutcome, { status: "failed" }>> {
  const outcome = await host.engine.invoke(wanted);
  if (outcome.status !== "failed") throw new Error(`it succeeded: ${outcome.valueText.slice(0, 100)}`);
  return outcome;
}

describe("what user code does wrong ends as its failure", () => {
  test.each([
    ["throw", "@life/work", "FunctionError", 1],
    ["cyclic", "@life/work", "FunctionError", 1],
    ["spin", "@life/short", "FunctionTimeout", 2],
    ["wait", "@life/short", "FunctionTimeout", 2],
    ["fill", "@life/short", "FunctionOutOfMemory", 5],
  ])("%s", { timeout: 20_000 }, async (what, path, code, exitCode) => {
    const outcome = await failed(request(what, { path }));
    expect([code, ...(what === "fill" ? ["FunctionTimeout", "RunnerLost"] : [])]).toContain(outcome.error.code);
    if (outcome.error.code === code) expect(outcome.error.spec.exitCode).toBe(exitCode);
    expect(JSON.stringify(outcome)).not.toContain("s3cr3t");
    await expectClean(outcome.id);
  });

  test.each(["exit", "abort"])("a process that ends itself (%s) is no success", async (what) => {
    const outcome = await failed(request(what));
    expect(["FunctionError", "RunnerLost"]).toContain(outcome.error.code);
    await expectClean(outcome.id);
  });
});

test("before: a keyring that is gone ends the call before it runs", async () => {
  const [keyring] = await host.keyrings.list(SCOPE);
  await host.keyrings.revoke(SCOPE, keyring?.id ?? "");
  const without = await host.engine.invoke(request("fine"));
  expect(without).toMatchObject({ status: "succeeded" });
  await host.keyrings.create(SCOPE, { name: "remote", type: "snap_in_secret", fields: { secret: "s3cr3t-value" } });
  await expectClean(without.id);
});

test("before: files of a version that cannot be had end the call; nothing waits for them", async () => {
  await host.upload("lost", { ...FILES, "manifest.yaml": FILES["manifest.yaml"].replace("name: life", "name: lost") });
  const version = await host.packages.version(SCOPE, "lost");
  await host.sandbox.evict(SCOPE.tenant, SCOPE.branch);
  await host.folders.keepOnly([]);
  await host.blobs.delete(SCOPE.tenant, version?.version ?? "");
  const rejected = await host.engine.invoke(request("fine", { path: "@lost/work" })).catch((error: unknown) => error);
  expect(rejected).toMatchObject({ code: expect.stringMatching(/StoreFailure/) as string });
  const record = ended.at(-1);
  expect(record?.outcome).toMatchObject({ status: "failed", functionPath: "@lost/work" });
  await expectClean(record?.outcome.id ?? "");
});

test("during: a call that its caller cancels ends, and its process with it", async () => {
  const caller = new AbortController();
  const running = host.engine.invoke(request("wait"), {
    signal: caller.signal,
    onEvent: (event) => void (event.type === "log" && caller.abort()),
  });
  const outcome = await running;
  expect(outcome).toMatchObject({ status: "failed" });
  await expectClean(outcome.id);
});

test("during: a process that is killed from outside is lost, not silent", async () => {
  const outcome = await host.engine.invoke(request("wait"), {
    onEvent: (event) => void (event.type === "log" && void host.sandbox.evict(SCOPE.tenant, SCOPE.branch)),
  });
  expect(outcome).toMatchObject({ status: "failed" });
  await expectClean(outcome.id);
});

test("during: a watcher that throws harms nobody", async () => {
  const outcome = await host.engine.invoke(request("fine"), {
    onEvent: () => {
      throw new Error("the watcher is broken");
    },
  });
  expect(outcome.status).toBe("succeeded");
  await expectClean(outcome.id);
});

test("after: a sink that throws harms neither the call nor the other sinks", async () => {
  failing = true;
  try {
    const outcome = await host.engine.invoke(request("fine"));
    expect(outcome.status).toBe("succeeded");
    await expectClean(outcome.id);
    expect(await host.telemetry.metricsText()).toMatch(/plinth_hook_failures_total\{hook="sink:broken"\} [1-9]/);
  } finally {
    failing = false;
  }
});

test("a handler that asks for it is run again with a new event, as often as its manifest allows", async () => {
  const outcome = await host.engine.invoke(request("x", { path: "@life/again" }));
  expect(outcome).toMatchObject({ status: "succeeded", valueText: "3", usage: { attempts: 3 } });
});

test("a stored call keeps its result, as a blob when it is large, and its secret is in no record", async () => {
  const { id } = await host.engine.enqueue(request("large"));
  for await (const event of host.engine.watch(SCOPE, id, new AbortController().signal)) if (event.type === "done") break;
  const record = await host.engine.get(SCOPE, id);
  expect(record).toMatchObject({ state: "succeeded" });
  expect(record?.valueText).toHaveLength(400_002);
  const blobs = [];
  for await (const blob of host.blobs.list(`${SCOPE.tenant}/results`)) blobs.push(blob);
  expect(blobs).toMatchObject([{ bytes: 400_002 }]);
  expect(JSON.stringify(record)).not.toContain("s3cr3t");
  await expectClean(id);
});
