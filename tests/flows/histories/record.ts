/** Records a scenario as a history. */
import { must } from "../../../packages/core/src/assert.ts";
import { type Command, outstanding, RUN_TIMER } from "../../../packages/core/src/flow/commands.ts";
import type { FlowEvent, RunInfo } from "../../../packages/core/src/flow/events.ts";
import { snapshotOf } from "../../../packages/core/src/flow/fold.ts";
import { NEW_RUN, type RunState } from "../../../packages/core/src/flow/state.ts";
import type { JsonObject } from "../../../packages/core/src/operations/operation.ts";
import { finalOf, follow, followsOf, type History, programsOf, type RecordedEvent } from "./history.ts";
import type { Act, Scenario } from "./scenarios.ts";

const RUN: RunInfo = { id: "r1", flow: "recorded", version: "v1", company: { id: "acme", name: "Acme" }, environment: "main" };
const START_MS = 1_800_000_000_000;
const BETWEEN_MS = 250;

export function record({ flow, trigger = {}, acts }: Scenario, release: string): History {
  const definition: JsonObject = { format: 1, name: "recorded", trigger: { type: "api" }, ...flow };
  const definitions: Record<string, JsonObject> = { v1: definition };
  for (const act of acts)
    if (act.do === "move") definitions[`v${Object.keys(definitions).length + 1}`] = { ...definition, nodes: act.nodes };
  const programOf = programsOf(definitions);
  const journal: RecordedEvent[] = [];
  let [state, snapshot] = [NEW_RUN, { events: 0, text: "" }];
  const send = (event: FlowEvent): void => {
    const step = follow(programOf, state, event);
    ({ state } = step);
    journal.push({ event, follows: followsOf(step) });
  };
  send({ kind: "started", atMs: START_MS, run: RUN, trigger: { json: trigger } });
  for (const [index, act] of acts.entries()) {
    if (index === acts.length >> 1) snapshot = { events: journal.length, text: snapshotOf(state) };
    send(eventOf(state, act));
  }
  return { format: 1, release, definitions, journal, snapshot, final: finalOf(state) };
}

function eventOf(state: RunState, act: Act): FlowEvent {
  const atMs = state.nowMs + BETWEEN_MS;
  const by = "anna";
  switch (act.do) {
    case "complete": {
      const stored = act.stored === undefined ? {} : { stored: act.stored };
      const output = { json: act.output ?? null, ...stored };
      return { kind: "completed", atMs, ...openStep(state, act.on), output, ...(act.by === undefined ? {} : { by: act.by }) };
    }
    case "fail": {
      const { code = "unavailable", retryable = code === "unavailable", retryAfterMs } = act;
      const later = retryAfterMs === undefined ? {} : { retryAfterMs };
      return { kind: "failed", atMs, ...openStep(state, act.on), error: { code, message: `it is ${code}.`, retryable, ...later } };
    }
    case "defer": {
      const deadlineMs = act.forMs === undefined ? null : atMs + act.forMs;
      return { kind: "deferred", atMs, ...openStep(state, act.on), deadlineMs, ...(act.child === undefined ? {} : { child: act.child }) };
    }
    case "fire": {
      const timer = openTimer(state, act.on);
      return { kind: "timerFired", atMs: Math.max(atMs, timer.atMs), timer: timer.timer };
    }
    case "signal":
      return { kind: "signalled", atMs, name: act.name, payload: { json: act.payload ?? null }, by };
    case "pause":
      return { kind: "paused", atMs, by, reason: "to look at it" };
    case "resume":
      return { kind: "resumed", atMs, by };
    case "cancel":
      return { kind: "cancelled", atMs, by, reason: "not needed" };
    case "continue":
      return { kind: "continued", atMs };
    case "retry": {
      const input = act.input === undefined ? null : { json: act.input };
      return { kind: "retried", atMs, node: act.on, input, by, ...(act.request === undefined ? {} : { request: act.request }) };
    }
    case "move":
      return { kind: "moved", atMs, version: `v${Number((state.info?.version ?? "v1").slice(1)) + 1}`, by };
  }
}

/** Of a call, a result that comes later, or a wait for an answer. */
function openStep(state: RunState, node: string): { readonly key: string; readonly attempt: number } {
  const undo = state.status.kind === "undoing" ? state.status.undoing.wait : null;
  const waits = [...state.frames.flatMap((frame) => (frame?.node === node ? [frame.wait] : [])), undo];
  const wait = waits.find((open) => open !== null && "key" in open && open.key.includes(`/${node}/`));
  const open = must(wait, `a step of ${node} is open`);
  return { key: "key" in open ? open.key : "", attempt: "attempt" in open ? open.attempt : 1 };
}

function openTimer(state: RunState, on: string): Command & { readonly kind: "startTimer" } {
  const timers = outstanding(state).filter((command) => command.kind === "startTimer");
  return must(
    timers.find(({ timer }) => (on === RUN_TIMER ? timer === RUN_TIMER : timer.includes(`/${on}/`))),
    `a timer of ${on} runs`,
  );
}
