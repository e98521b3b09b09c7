/** Stored values that expressions read: what is small enough is read first, and what is not fails with a sentence. */
import { expect, test } from "vitest";
import type { Json } from "../operations/operation.ts";
import { limit } from "../limits.ts";
import { checkFlow } from "./check-definition.ts";
import { outstanding } from "./commands.ts";
import type { FlowEvent } from "./events.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";
import type { FlowValue, StoredPart } from "./value.ts";

const company = { id: "t", name: "t" };

/**
 * A run whose trigger is stored as a whole, or in its field `rows`; loads are answered with what `values` has, after `failures`, and other
 * calls with `given`, if that is a part.
 */
function run(
  nodes: object,
  trigger: FlowValue,
  values: Readonly<Record<string, Json>>,
  given?: StoredPart,
  failures = 0,
): { state: RunState; calls: readonly string[] } {
  const checked = checkFlow({ format: 1, name: "reads", trigger: { type: "manual" }, start: "first", nodes }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  const info = { id: "r", flow: "reads", version: "v", company, environment: "main" };
  let event: FlowEvent | undefined = { kind: "started", atMs: 1, run: info, trigger };
  let state = NEW_RUN;
  const calls: string[] = [];
  const apply = (next: FlowEvent): void => {
    const done = transition(checked.program, state, next);
    expect(done.refusal).toBeNull();
    ({ state } = done);
  };
  for (let atMs = 2; event !== undefined; atMs += 1) {
    apply(event);
    // Whoever stops it here changes nothing.
    if (state.status.kind === "running") {
      const before = outstanding(state);
      for (const kind of ["paused", "resumed"] as const) apply({ kind, atMs: state.nowMs, by: "anna", reason: "" });
      apply({ kind: "continued", atMs: state.nowMs });
      expect(outstanding(state)).toEqual(before);
    }
    const open = outstanding(state);
    const call = open.find((command) => command.kind === "call");
    event = undefined;
    const timer = open.find((command) => command.kind === "startTimer" && command.timer.includes("/retry/"));
    if (timer?.kind === "startTimer") event = { kind: "timerFired", atMs: timer.atMs, timer: timer.timer };
    if (call === undefined) continue;
    calls.push(`${call.call.kind} ${call.key} ${call.attempt}`);
    const stored = call.call.input.stored ?? [];
    const json = call.call.kind === "load" ? stored.map(({ value }) => values[value.digest] ?? null) : { text: "new", rows: null };
    const output = call.call.kind === "load" || given === undefined ? { json } : { json, stored: [given] };
    const isFailing = call.call.kind === "load" && call.attempt <= failures;
    const result = isFailing
      ? ({ kind: "failed", error: { code: "StoreFailure", message: "no disk", retryable: true } } as const)
      : ({ kind: "completed", output } as const);
    event = { ...result, atMs, key: call.key, attempt: call.attempt };
  }
  return { state, calls };
}

const ROWS = { path: ["rows"], value: { digest: "rows", bytes: 100_000, contentType: "application/json" } };
const TRIGGER: FlowValue = { json: { rows: null, name: "n" }, stored: [ROWS] };
const VALUES = { rows: [{ n: 1 }, { n: 2 }, { n: 3 }], whole: { name: "n", rows: [{ n: 7 }] } };

function outputOf({ status }: RunState): unknown {
  return status.kind === "ended" && status.outcome.kind === "completed" ? status.outcome.output : status;
}

test("an expression that reads a part of a stored value gets it, and the state does not keep it", () => {
  const { state, calls } = run({ first: { type: "return", data: { output: "=trigger.rows[1].n + size(trigger.rows)" } } }, TRIGGER, VALUES);
  expect(outputOf(state)).toEqual({ json: 5 });
  expect(calls).toEqual(["load r/first/1 1"]);
  expect(state.bytes).toBe(0);
});

test("a path into what is stored as a whole is read; a path to it hands it on", () => {
  const whole: FlowValue = {
    json: null,
    stored: [{ path: [], value: { digest: "whole", bytes: 70_000, contentType: "application/json" } }],
  };
  expect(outputOf(run({ first: { type: "return", data: { output: "=trigger.rows" } } }, whole, VALUES).state)).toEqual({
    json: [{ n: 7 }],
  });
  const handed = run({ first: { type: "return", data: { output: "=trigger" } } }, whole, VALUES);
  expect(outputOf(handed.state)).toEqual(whole);
  expect(handed.calls).toEqual([]);
});

test("a loop goes over a stored list, and its steps have keys of their own", () => {
  const nodes = {
    first: { type: "for_each", data: { items: "=trigger.rows", body: "call", collect: "=item.n" }, next: "give" },
    call: { type: "invoke", data: { function: "a:b", input: { n: "=item.n" } } },
    give: { type: "return", data: { output: "=steps.first.output.results" } },
  };
  const { state, calls } = run(nodes, TRIGGER, VALUES);
  expect(outputOf(state)).toEqual({ json: [1, 2, 3] });
  expect(new Set(calls).size).toBe(4);
  expect(state.bytes).toBeLessThan(100);
});

test("`collect` and the condition of a while read what steps of the body gave", () => {
  const got = { path: ["rows"], value: { digest: "rows", bytes: 90_000, contentType: "application/json" } };
  const nodes = {
    first: {
      type: "for_each",
      data: { items: [1, 2], body: "get", collect: "=size(steps.get.output.rows) + item", concurrency: 2 },
      next: "loop",
    },
    get: { type: "invoke", data: { function: "a:b" } },
    loop: { type: "while", data: { when: "index < 2 || size(steps.page.output.rows) > 3", body: "page" }, next: "give" },
    page: { type: "invoke", data: { function: "a:b" } },
    give: { type: "return", data: { output: { collected: "=steps.first.output.results", pages: "=steps.loop.output.iterations" } } },
  };
  const { state, calls } = run(nodes, { json: null }, VALUES, got);
  expect(outputOf(state)).toEqual({ json: { collected: [4, 5], pages: 2 } });
  expect(new Set(calls).size).toBe(calls.length);
  expect(calls.filter((call) => call.startsWith("load r/first/")).length).toBe(2);
  expect(calls.filter((call) => call.startsWith("load r/loop/")).length).toBe(2);
  expect(state.bytes).toBe(0);
});

test("a condition at the end of a chain may fail, be retried and be taken over like any other", () => {
  const large = { path: ["rows"], value: { digest: "rows", bytes: limit("flowLoadedBytesMax") + 1, contentType: "application/json" } };
  const nodes = (onError: string | null) => ({
    first: {
      type: "while",
      data: { when: "index < 1 || size(steps.page.output.rows) > 3", body: "page" },
      ...(onError === null ? {} : { onError }),
    },
    page: { type: "invoke", data: { function: "a:b" } },
    after: { type: "return", data: { output: "=steps.first.error.code" } },
  });
  const failed = run(nodes(null), { json: null }, VALUES, large);
  expect(failed.state.status).toMatchObject({ outcome: { kind: "failed", error: { code: "stored_value", node: "first" } } });
  expect(outputOf(run(nodes("after"), { json: null }, VALUES, large).state)).toEqual({ json: "stored_value" });
  // The store fails twice, and then it works.
  const small = { ...large, value: { ...large.value, bytes: 90_000 } };
  const again = run(nodes(null), { json: null }, VALUES, small, 2);
  expect(outputOf(again.state)).toMatchObject({ json: { iterations: 1 } });
  expect(again.calls.filter((call) => call.startsWith("load")).length).toBe(3);
});

test("what is larger than a step may read fails it with a sentence that names the node", () => {
  const value = { digest: "rows", bytes: limit("flowLoadedBytesMax") + 1, contentType: "application/json" };
  const nodes = { first: { type: "return", data: { output: "=size(trigger.rows)" } } };
  const { state, calls } = run(nodes, { json: { rows: null }, stored: [{ path: ["rows"], value }] }, VALUES);
  expect(calls).toEqual([]);
  expect(state.status).toMatchObject({ outcome: { kind: "failed", error: { code: "stored_value", node: "first" } } });
});

test("what a stored value is can be asked without reading it", () => {
  const output = "=run.stored['trigger.rows'].bytes > 5000 && run.stored['trigger.rows'].contentType == 'application/json'";
  const { state, calls } = run({ first: { type: "return", data: { output } } }, TRIGGER, VALUES);
  expect(outputOf(state)).toEqual({ json: true });
  expect(calls).toEqual([]);
});

test("what undoes a step is given stored values as its inputs, and reads none in its expressions", () => {
  const undoneWith = (input: object) => ({
    first: { type: "invoke", data: { function: "a:b" }, compensate: { type: "invoke", data: { function: "a:undo", input } }, next: "fail" },
    fail: { type: "return", data: { output: "=1 / 0" } },
  });
  const got = { path: ["rows"], value: { digest: "rows", bytes: 90_000, contentType: "application/json" } };
  const { state, calls } = run(undoneWith({ own: "=steps.first.output.rows", all: "=trigger.rows" }), TRIGGER, VALUES, got);
  expect(calls).toEqual(["function r/first/1 1", "function r/first/1/undo 1"]);
  expect(state.status).toMatchObject({ kind: "ended", undone: 1, undoFailures: [] });
  const reads = run(undoneWith({ count: "=size(steps.first.output.rows)" }), TRIGGER, VALUES, got);
  expect(reads.state.status).toMatchObject({ undone: 0, outcome: { kind: "failed", error: { code: "compensation", node: "first" } } });
});
