/** What fixtures cannot show: sharing, and bounds. What a transition costs is measured by `bench/`. */
import { expect, it } from "vitest";
import type { JsonObject } from "../operations/operation.ts";
import { limit } from "../limits.ts";
import { checkFlow } from "./check-definition.ts";
import type { Command } from "./commands.ts";
import { snapshotOf } from "./fold.ts";
import type { FlowProgram } from "./program.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { RUN, TestDriver } from "./test-driver.ts";
import { transition } from "./transition.ts";

function program(nodes: JsonObject, start: string): FlowProgram {
  const checked = checkFlow({ format: 1, name: "test", trigger: { type: "manual" }, start, nodes }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

function chainOf(steps: number): FlowProgram {
  const node = (i: number): JsonObject => ({
    type: "script",
    data: { code: "return fibonacci(10)", input: { n: i === 0 ? 1 : `=steps.s${i - 1}.output.n + 1` } },
    next: i < steps - 1 ? `s${i + 1}` : null,
  });
  return program(Object.fromEntries(Array.from({ length: steps }, (_, i) => [`s${i}`, node(i)])), "s0");
}

function callOf(commands: readonly Command[]): string | null {
  const last = commands.at(-1);
  return last?.kind === "call" ? last.key : null;
}

it("a state shares what an event does not touch", () => {
  const driver = new TestDriver(chainOf(3));
  driver.start({ json: { large: "x".repeat(1000) } });
  const before = driver.state;
  driver.send({ kind: "completed", atMs: 1_000_001, key: "r1/s0/1", attempt: 1, output: { json: { n: 1 } } });
  expect(driver.state.trigger).toBe(before.trigger);
  expect(driver.state.variables).toBe(before.variables);
});

it("states stay small", () => {
  const driver = new TestDriver(program({ d: { type: "delay", data: { for: "3d" } } }, "d"));
  driver.start();
  expect(snapshotOf(driver.state).length).toBeLessThan(900);
});

it("a run fails when its values have too many bytes", () => {
  const driver = new TestDriver(chainOf(400), { isStrict: false });
  driver.start();
  const output = { json: { n: 1, text: "x".repeat(limit("flowValueBytesMax") - 100) } };
  for (let key = callOf(driver.commands); driver.state.status.kind === "running" && key !== null; key = callOf(driver.commands)) {
    driver.send({ kind: "completed", atMs: 1_000_001, key, attempt: 1, output });
  }
  expect(driver.state.status).toMatchObject({ kind: "ended", outcome: { kind: "failed", error: { code: "limit" } } });
  expect(driver.journal.length).toBeLessThan(140);
});

it("signals that nobody takes are bounded, also of a paused run; results and timers are never refused for it", () => {
  const flow = program({ w: { type: "wait", data: { for: "callback" } } }, "w");
  const { state } = transition(flow, NEW_RUN, { kind: "started", atMs: 1, run: RUN, trigger: { json: {} } });
  const max = limit("flowPendingEventsMax");
  const full: RunState = { ...state, signals: Array.from({ length: max }, () => ({ name: "x", payload: { json: 1 } })) };
  const signal = { kind: "signalled", atMs: 3, name: "x", payload: { json: 1 } } as const;
  expect(transition(flow, full, signal).refusal?.code).toBe("tooManyPending");
  const paused = transition(flow, full, { kind: "paused", atMs: 2, by: "anna", reason: "" }).state;
  expect(transition(flow, paused, signal).refusal?.code).toBe("tooManyPending");
  expect(transition(flow, paused, { kind: "completed", atMs: 3, key: "r1/w/1", attempt: 1, output: { json: 1 } }).refusal).toBeNull();
  expect(transition(flow, paused, { kind: "cancelled", atMs: 3, by: "anna", reason: "" }).refusal).toBeNull();
});

it("what came while a run was paused counts when it is cancelled: a retry does not do it again", () => {
  const call = { type: "action", data: { operation: "charge", input: { input: 1 } } };
  const branches = [
    { name: "a", start: "a" },
    { name: "b", start: "b" },
  ];
  const driver = new TestDriver(program({ both: { type: "parallel", data: { branches } }, a: call, b: call }, "both"));
  driver.start();
  driver.send({ kind: "paused", atMs: 2_000_000, by: "anna", reason: "" });
  const [done] = [...driver.open.values()].filter((command) => command.kind === "call");
  driver.send({ kind: "completed", atMs: 2_000_001, key: done?.key ?? "", attempt: 1, output: { json: 1 } });
  driver.send({ kind: "cancelled", atMs: 2_000_002, by: "anna", reason: "" });
  expect(done?.node).toBe("a");
  expect(driver.send({ kind: "retried", atMs: 2_000_003, node: "b", input: null, by: "anna" }).refusal).toBeNull();
  expect([...driver.open.values()].flatMap((command) => (command.kind === "call" ? [command.node] : []))).toEqual(["b"]);
});

it("branches of a run are bounded: a loop waits for room, or fails where there is none", () => {
  const nodes: JsonObject = {
    outer: { type: "for_each", data: { items: Array.from({ length: 100 }, (_, i) => i), body: "inner", concurrency: 100 } },
    inner: { type: "for_each", data: { items: Array.from({ length: 100 }, (_, i) => i), body: "call", concurrency: 100 } },
    call: { type: "lookup", data: { operation: "get_thing" } },
  };
  const driver = new TestDriver(program(nodes, "outer"), { isStrict: false });
  driver.start();
  while (driver.open.has("continue")) driver.send({ kind: "continued", atMs: 1_000_000 });
  expect(driver.state.frames.length).toBeLessThanOrEqual(limit("flowFramesMax"));
  expect(driver.state.status).toMatchObject({ kind: "ended", outcome: { kind: "failed", error: { code: "limit" } } });
});

it("the clock of a run never goes back", () => {
  const driver = new TestDriver(chainOf(2));
  driver.start();
  driver.send({ kind: "completed", atMs: 5, key: "r1/s0/1", attempt: 1, output: { json: { n: 1 } } });
  expect(driver.state.nowMs).toBe(1_000_000);
});

it("A1 one step may not take long either, however many expressions it has", () => {
  const heavy = "=trigger.list.map(a, trigger.list.map(b, a + b)).size()";
  const output = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`e${i}`, heavy]));
  const driver = new TestDriver(program({ r: { type: "return", data: { output } } }, "r"), { isStrict: false });
  const startedCpu = process.cpuUsage();
  driver.start({ json: { list: Array.from({ length: 100 }, (_, i) => i) } });
  expect(process.cpuUsage(startedCpu).user / 1000).toBeLessThan(6000);
  expect(driver.state.status).toMatchObject({ kind: "ended", outcome: { kind: "failed", error: { code: "expression" } } });
});
