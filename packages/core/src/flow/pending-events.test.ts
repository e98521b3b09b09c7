import { expect, test } from "vitest";
import { limit } from "../limits.ts";
import { checkFlow } from "./check-definition.ts";
import type { FlowEvent, Refusal } from "./events.ts";
import { snapshotOf } from "./fold.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";

const checked = checkFlow(
  {
    format: 1,
    name: "waits",
    trigger: { type: "manual" },
    start: "w",
    nodes: { w: { type: "wait", data: { for: "signal", signal: "go" } } },
  },
  null,
);
if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
const { program } = checked;
const company = { id: "t", name: "t" };
const STARTED: FlowEvent = {
  kind: "started",
  atMs: 1,
  run: { id: "r", flow: "waits", version: "v", company, environment: "main" },
  trigger: { json: null },
};

/** Signals that nobody takes, until one is refused. */
function flood(
  payload: string,
  countMax: number,
  begin: readonly FlowEvent[],
): { count: number; refusal: Refusal | null; state: RunState } {
  let state = NEW_RUN;
  for (const event of begin) ({ state } = transition(program, state, event));
  for (let count = 0; count < countMax; count += 1) {
    const next = transition(program, state, { kind: "signalled", atMs: 3, name: "other", payload: { json: payload } });
    if (next.refusal !== null) return { count, refusal: next.refusal, state };
    ({ state } = next);
  }
  return { count: countMax, refusal: null, state };
}

const PAUSED: FlowEvent = { kind: "paused", atMs: 2, by: "anna", reason: "" };

test("so many signals may wait in a run, and so many bytes, also while it is paused", { timeout: 60_000 }, () => {
  const max = limit("flowPendingEventsMax");
  expect(flood("", max + 1, [STARTED])).toMatchObject({ count: max, refusal: { code: "tooManyPending" } });
  for (const begin of [[STARTED], [STARTED, PAUSED]]) {
    const { count, refusal, state } = flood("x".repeat(60_000), 1000, begin);
    expect(refusal).toMatchObject({ code: "tooManyPending" });
    expect(count).toBeGreaterThan(100);
    expect(snapshotOf(state).length).toBeLessThan(limit("flowPendingBytesMax") + 65_536);
  }
});
