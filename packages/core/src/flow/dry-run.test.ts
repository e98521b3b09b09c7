import { expect, it } from "vitest";
import { checkFlow } from "./check-definition.ts";
import { dryRun } from "./dry-run.ts";
import type { MockAnswer } from "./mocks.ts";
import type { FlowProgram } from "./program.ts";
import { RUN } from "./test-driver.ts";

const APPROVAL: FlowProgram = programOf({
  order: {
    type: "invoke",
    data: { function: "orders:reserve" },
    compensate: { type: "invoke", data: { function: "orders:release" } },
    next: "ask",
  },
  ask: { type: "wait", data: { for: "approval", title: "Pay?", deadline: "3d" }, next: "rest" },
  rest: { type: "delay", data: { for: "1h" }, next: "done" },
  done: { type: "return", data: { output: "=steps.ask.output.approved" } },
});

function programOf(nodes: Readonly<Record<string, unknown>>): FlowProgram {
  const checked = checkFlow({ format: 1, name: "test", trigger: { type: "manual" }, start: "order", nodes }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

function run(mocks: Readonly<Record<string, readonly MockAnswer[]>>): ReturnType<typeof dryRun> {
  return dryRun(APPROVAL, { run: RUN, trigger: { json: {} }, atMs: 1_000_000, mocks });
}

const output = (json: { readonly approved?: boolean }): MockAnswer => ({ kind: "output", output: { json } });
const away: MockAnswer = { kind: "error", error: { code: "unavailable", message: "it was away.", retryable: true } };

it("answers calls and waits, and lets the time of timers pass", () => {
  const { state, notes, unanswered } = run({ order: [away, output({})], ask: [output({ approved: true })] });
  expect(state.status).toMatchObject({
    kind: "ended",
    outcome: { kind: "completed", output: { json: true } },
    endedMs: 1_000_000 + 5000 + 3_600_000,
  });
  expect(notes.map(({ kind, node }) => `${kind} ${node}`)).toEqual([
    "begun order",
    "retrying order",
    "ended order",
    "begun ask",
    "ended ask",
    "begun rest",
    "ended rest",
    "ended done",
  ]);
  expect(unanswered).toBeNull();
});

it("lets a deadline pass, and undoes what was done", () => {
  const { state } = run({ order: [output({})], ask: [{ kind: "late" }], "order/undo": [output({})] });
  expect(state.status).toMatchObject({ kind: "ended", outcome: { kind: "failed", error: { code: "deadline", node: "ask" } }, undone: 1 });
});

it("lets a call run into its timeout each time", () => {
  const { state } = run({ order: [{ kind: "late" }] });
  expect(state.status).toMatchObject({ outcome: { error: { code: "timeout" } }, endedMs: 1_000_000 + 3 * 180_000 + 5000 + 10_000 });
});

it("names the step that has no answer", () => {
  const { state, unanswered } = run({ order: [output({})] });
  expect(state.status.kind).toBe("running");
  expect(unanswered).toMatchObject({ node: "ask", call: null });
});
