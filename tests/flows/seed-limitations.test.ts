/**
 * The limitations that were published of a script component much like this one, each with a test that shows it gone. There a script was
 * a function of a cloud, which reported by a callback whose address was written into its code.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { reportFor, ScriptHost } from "../../packages/server/src/flows/scripts/test-script-host.ts";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

type Json = Readonly<Record<string, unknown>>;

describe("a real host", { timeout: 60_000 }, () => {
  let host: EventHost;
  beforeAll(async () => {
    host = eventHost(await startLocalHost(["--warm-runners", "1"]));
  }, 60_000);
  afterAll(() => host.local.stop());

  const script = (code: string, more: Json = {}) => ({ type: "script", data: { code, ...more } });

  async function publish(name: string, nodes: Json): Promise<void> {
    const definition = { format: 1, name, trigger: { type: "api" }, start: Object.keys(nodes)[0], nodes };
    const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
    if (json["version"] === null) throw new Error(JSON.stringify(json["findings"]));
  }

  async function run(name: string, input: unknown = {}): Promise<Json> {
    return (await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input, waitMs: 30_000 } }))).json;
  }

  test("cold starts: a script needs no function of its own; a new one runs in the runner that is warm", async () => {
    await publish("cold1", { a: script("return 1") });
    await run("cold1");
    const started = await runnerStarts();
    for (const name of ["cold2", "cold3", "cold4"]) {
      await publish(name, { a: script(`return "${name}"`) });
      expect(await run(name)).toMatchObject({ status: "completed", output: name });
    }
    expect(await runnerStarts()).toBe(started);
  });

  async function runnerStarts(): Promise<number> {
    const { url, key } = host.local.connection;
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
    const counts = [...text.matchAll(/^plinth_cold_starts\S* (\d+)$/gm)].map(([, count]) => Number(count));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  test("error message quality: a failure shows the author's own line and column, and the line", async () => {
    await publish("quality", {
      a: { ...script("const customer = workflow.lookups.customer;\n\nreturn customer.tier;"), retry: { attempts: 1 } },
    });
    const { error } = await run("quality");
    expect((error as Json)["message"]).toContain("reading 'tier') (line 3, column 17: `return customer.tier;`)");
  });

  test("synchronous engine: a run whose script takes long holds no place, and others go on", async () => {
    await publish("long", { a: script("await new Promise((done) => setTimeout(done, 2000)); return 'long'", { mode: "async" }) });
    await publish("short", { a: script("return 'short'") });
    const runs = await Promise.all(Array.from({ length: 3 }, () => run("long")));
    for (const { status, reason } of runs)
      expect({ status, reason }).toMatchObject({ status: "waiting", reason: { code: "awaiting_completion" } });
    expect(await run("short")).toMatchObject({ status: "completed", output: "short" });
    for (const { id } of runs)
      await eventually(async () => {
        const { json } = await succeed(host.send(`/v1/flow-runs/${String(id)}`));
        return json["output"] === "long" ? json : undefined;
      }, "the result");
  });

  test("payload limit: a context of more than 256 KB reaches a script that runs apart", async () => {
    await publish("payload", {
      a: { ...script("return 'x'.repeat(300_000)"), next: "b" },
      b: script("return inputs.text.length", { mode: "async", input: { text: "=steps.a.output" } }),
    });
    const { id } = await run("payload");
    await eventually(
      async () => ((await succeed(host.send(`/v1/flow-runs/${String(id)}`))).json["output"] === 300_000 ? true : undefined),
      "the length",
    );
  });

  test("forbidden patterns: words in texts and names of one's own are allowed, and disguises are found", async () => {
    await publish("words", { a: script("const process = { exit: 'import x from y; eval(1); require(2)' }; return process.exit") });
    expect(await run("words")).toMatchObject({ output: "import x from y; eval(1); require(2)" });
    for (const code of [
      "return \\u0065val('1')",
      "return (0, globalThis['ev' + 'al'])('1')",
      "return inputs[`__proto__`]",
      "return Function\n('')",
    ])
      await expect(publish("disguised", { a: script(code) })).rejects.toThrow(
        "makes code|changes what".split("|")[code.includes("proto") ? 1 : 0],
      );
  });

  test("save to redeploy: a script needs no function to be made or updated; a new version runs at once, and a run keeps its own", async () => {
    await publish("versions", { w: { type: "wait", data: { for: "signal", signal: "go" }, next: "a" }, a: script("return 'old'") });
    const { id } = await run("versions");
    await publish("versions", { a: script("return 'new'") });
    expect(await run("versions")).toMatchObject({ output: "new" });
    await succeed(host.send(`/v1/flow-runs/${String(id)}/signal`, { body: { name: "go" } }));
    await eventually(
      async () => ((await succeed(host.send(`/v1/flow-runs/${String(id)}`))).json["output"] === "old" ? true : undefined),
      "the old result",
    );
  });
});

describe("an engine that ends at any point", { timeout: 60_000 }, () => {
  let host: ScriptHost;
  beforeEach(async () => {
    host = await ScriptHost.open();
  }, 60_000);
  afterEach(() => host.close());

  test("context cleanup: no context outlives its step, whether it was reported, cancelled or lost", async () => {
    const reported = await host.waiting();
    await host.report(host.token(), reportFor(await host.only()));
    await host.ended(reported);
    expect([await host.rows(), await host.kept(reported)]).toEqual([[], 0]);
    const cancelled = await host.start();
    await host.untilWaiting(cancelled);
    expect(await host.kept(cancelled)).toBe(1);
    await host.flows.cancel(host.scope, cancelled, { by: "me", reason: "" });
    await host.sweep();
    expect([await host.rows(), await host.kept(cancelled)]).toEqual([[], 0]);
  });

  test("callback retry: a report that could not be delivered is delivered later", async () => {
    const id = await host.waiting();
    const report = JSON.stringify(reportFor(await host.only(), { result: "late" }));
    await host.restart();
    host.records.set("i1", { state: "succeeded", valueText: JSON.stringify(report) });
    await host.sweep();
    expect(await host.ended(id)).toMatchObject({ status: "completed", output: "late" });
  });

  test("stuck in paused: a script that is lost runs again, and its run fails by a named reason in the end", async () => {
    const id = await host.waiting();
    for (const invocation of ["i1", "i2", "i3"]) {
      host.records.set(invocation, { state: "failed", error: { code: "RunnerLost", message: "the runner was lost" } });
      await host.sweep();
    }
    expect(await host.ended(id)).toMatchObject({ status: "failed", error: { code: "script_lost", node: "a" } });
  });

  test("paused indefinitely: a wait says why it waits and until when, and ends then", async () => {
    const id = await host.waiting();
    const { reason } = await host.run(id);
    expect(reason).toMatchObject({ code: "awaiting_completion", node: "a" });
    host.offsetMs = (reason?.untilMs ?? 0) - Date.now() + 120_000;
    await host.sweep();
    expect(await host.ended(id)).toMatchObject({ status: "failed", error: { code: "timeout", node: "a" } });
  });

  test("callback address in the code: neither the code nor its context nor the invocation has one", async () => {
    await host.waiting();
    expect(JSON.stringify([[...host.asked.values()], await host.rows()])).not.toMatch(/https?:|localhost|127\.0\.0\.1/);
  });

  test("credentials in the code: a script is given no credentials; the token is good for its own report alone, once", async () => {
    const id = await host.waiting();
    const other = await host.start();
    await host.untilWaiting(other);
    const [row, otherRow] = [...(await host.rows())].sort((a) => (a.run === id ? -1 : 1));
    if (row === undefined || otherRow === undefined) throw new Error("two scripts run");
    await expect(host.report(host.token("i1"), reportFor(otherRow))).rejects.toMatchObject({ code: "AnswerRefused" });
    await host.report(host.token("i1"), reportFor(row));
    await expect(host.report(host.token("i1"), reportFor(row))).rejects.toMatchObject({ code: "AnswerRefused" });
    expect((await host.run(other)).status).toBe("waiting");
  });
});
