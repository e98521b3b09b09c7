/** Flows that run flows: on a real host, killed in between. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployFolder, startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;

beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
  await deployFolder(host.local.connection, join(import.meta.dirname, "functions", "convex"));
}, 60_000);
afterAll(() => host.local.stop());

type Json = Readonly<Record<string, unknown>>;

interface Run extends Json {
  readonly id: string;
  readonly status: string;
  readonly parent: { readonly run: string; readonly node: string } | null;
  readonly children: readonly string[];
  readonly reason: { readonly code: string; readonly text: string } | null;
}

async function publish(name: string, start: string, nodes: Json, more: Json = {}): Promise<unknown> {
  const definition = { format: 1, name, trigger: { type: "api", data: { callable: true } }, start, nodes, ...more };
  const { json } = await succeed(host.send("/v1/flows", { body: { definition } }));
  return json["version"] === null ? json["findings"] : null;
}

async function start(name: string, input: unknown = {}): Promise<string> {
  return String((await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input } }))).json["id"]);
}

async function show(id: string): Promise<Run> {
  return (await succeed(host.send(`/v1/flow-runs/${id}`))).json as unknown as Run;
}

async function ended(id: string): Promise<Run> {
  return await eventually(async () => {
    const run = await show(id);
    return run["endedMs"] === null ? undefined : run;
  }, "the end of the run");
}

/** The child that a step waits for. */
async function childOf(id: string): Promise<string> {
  return await eventually(async () => {
    const { reason, children } = await show(id);
    return reason?.code === "awaiting_subflow" ? children[0] : undefined;
  }, "the child");
}

const call = (flow: string, input: Json = {}, more: Json = {}) => ({ type: "subflow", data: { flow, input }, ...more });

test("a flow gets the output of another, and an error of it", { timeout: 60_000 }, async () => {
  expect(await publish("double", "give", { give: { type: "return", data: { output: "=trigger.n * 2.0" } } })).toBeNull();
  expect(
    await publish("broken", "fail", { fail: { type: "invoke", data: { function: "notes:fail" }, retry: { attempts: 1 } } }),
  ).toBeNull();
  await publish("both", "one", {
    one: call("double", { n: "=trigger.n" }, { next: "two" }),
    two: call("broken", {}, { onError: "give" }),
    give: { type: "return", data: { output: { twice: "=steps.one.output", code: "=steps.two.error.message" } } },
  });
  // A start that waits does not end with a wait for a run below.
  const { json } = await succeed(host.send("/v1/flows/both/runs", { body: { input: { n: 21 }, waitMs: 30_000 } }));
  expect(json).toMatchObject({ status: "completed", output: { twice: 42 } });
  const { children } = await show(String(json["id"]));
  expect(children).toHaveLength(2);
  const broken = await show(children[0] ?? "");
  expect(broken).toMatchObject({ status: "failed", parent: { run: json["id"], node: "two" } });
  expect(JSON.stringify(json["output"])).toContain(`the flow broken, run ${broken.id}`);
});

test("B1 B2 a host is killed while a run waits for another: it began once, and its end is told", { timeout: 60_000 }, async () => {
  await publish("slow", "nap", {
    nap: { type: "wait", data: { for: "signal", signal: "wake", deadline: "1h" }, next: "add" },
    add: { type: "invoke", data: { function: "notes:add", input: { text: "slow" } }, next: "give" },
    give: { type: "return", data: { output: "slept" } },
  });
  await publish("patient", "child", { child: call("slow") });
  const id = await start("patient");
  const child = await childOf(id);
  expect((await show(id)).reason?.text).toContain(`the flow slow, run ${child}`);
  host = eventHost(await host.local.crash());
  await succeed(host.send(`/v1/flow-runs/${child}/signal`, { body: { name: "wake" } }));
  expect(await ended(id)).toMatchObject({ status: "completed", output: "slept", children: [child] });
  expect(await host.run("notes:list", {})).toEqual(["slow"]);
});

test("a run that is cancelled cancels what it waits for, down to the last", { timeout: 60_000 }, async () => {
  await publish("forever", "wait", { wait: { type: "wait", data: { for: "callback", deadline: "1d" } } });
  await publish("middle", "child", { child: call("forever") });
  await publish("top", "child", { child: call("middle") });
  const top = await start("top");
  const middle = await childOf(top);
  const bottom = await childOf(middle);
  await succeed(host.send(`/v1/flow-runs/${top}/cancel`, { body: { reason: "enough" } }));
  for (const id of [top, middle, bottom]) expect(await ended(id)).toMatchObject({ status: "cancelled" });
});

test("B3 a flow that runs itself comes to an end with a named error", { timeout: 60_000 }, async () => {
  expect(await publish("endless", "again", { again: call("endless") })).toBeNull();
  const run = await ended(await start("endless"));
  expect(run).toMatchObject({ status: "failed", error: { code: "FlowTooDeep" } });
});

test("only flows that say so can be run by others", { timeout: 60_000 }, async () => {
  expect(await publish("lost", "child", { child: call("nothing_here") })).toMatchObject([{ path: "nodes.child.data.flow" }]);
});
