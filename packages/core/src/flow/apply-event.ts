/** What each event does to a run. What an event cannot do is refused before anything changes. */
import { assert, must } from "../assert.ts";
import { limit } from "../limits.ts";
import { appended, EMPTY_LIST, itemsOf } from "./chunked-list.ts";
import { commandsOf, commandsToEnd, RUN_TIMER } from "./commands.ts";
import { momentText } from "./durations.ts";
import { beginUndoing, goOnUndoing, lastCompensation, setUndoing, undone } from "./ending.ts";
import type { FlowEvent, Refusal, StepError } from "./events.ts";
import { type FlowError, failure, stepError } from "./flow-error.ts";
import { MAIN_CHAIN } from "./layout.ts";
import { retryDelayMs, retries } from "./retries.ts";
import { goOnAtEnd } from "./containers.ts";
import { withLoaded } from "./load.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import { failStep, prepareUndo, settleCall, settleStep } from "./settle.ts";
import type { Frame, Outcome, Wait } from "./state.ts";
import { DEFAULT_RETRY } from "./definition.ts";
import { retryRun, whyNotRetry } from "./retry-run.ts";
import { bytesOf } from "./value.ts";

type CallWait = Wait & { readonly kind: "call" | "deferred" | "retry" };
type EventOf<Kind extends FlowEvent["kind"]> = FlowEvent & { readonly kind: Kind };

const PENDING_MAX = limit("flowPendingEventsMax");
const PENDING_BYTES_MAX = limit("flowPendingBytesMax");

/** Null when the event can be applied. */
export function refusalOf(draft: RunDraft, event: FlowEvent): Refusal | null {
  const { status } = draft;
  if (event.kind === "started") return status.kind === "new" ? null : refuse("startedAlready", "The run has started already.");
  if (status.kind === "new") return refuse("notStarted", "The run has not started.");
  if (event.kind === "retried") return whyNotRetry(draft, event);
  if (event.kind === "moved") return refuse("notPossible", "A run is moved between two versions, not within one.");
  if (status.kind === "ended") return refuse("ended", `The run has ended at ${momentText(status.endedMs)}.`);
  const pending = draft.held.length + draft.signals.length;
  if (status.kind === "paused" && isHeld(event)) {
    if (isHeldAlready(draft, event)) return refuse("notPossible", "The same has come already, and waits until the run is resumed.");
  }
  switch (event.kind) {
    case "completed":
    case "failed":
    case "deferred":
      return refusalOfResult(draft, event);
    case "timerFired":
      return refusalOfTimer(draft, event);
    case "signalled":
      if (status.kind === "undoing") return refuse("notPossible", "The run is being undone; signals have no effect any longer.");
      if (pending >= PENDING_MAX) return tooManyPending();
      return hasRoomFor(draft, event) ? null : tooLargePending();
    case "continued":
      return status.kind === "undoing" ? refuse("notPossible", "Nothing is left to continue.") : null;
    case "paused":
      return status.kind === "running" ? null : refuse("notPossible", "Only a run that is running can be paused.");
    case "resumed":
      return status.kind === "paused" ? null : refuse("notPossible", "Only a run that is paused can be resumed.");
    case "cancelled":
      return status.kind === "undoing" ? refuse("notPossible", "The run is being undone already.") : null;
  }
}

function refuse(code: Refusal["code"], message: string): Refusal {
  return { code, message };
}

function tooManyPending(): Refusal {
  return refuse("tooManyPending", `${PENDING_MAX} events wait in the run already; let it take them first.`);
}

function tooLargePending(): Refusal {
  const mib = PENDING_BYTES_MAX / 1_048_576;
  return refuse("tooManyPending", `The signals that wait in the run have ${mib} MiB together; let it take them first.`);
}

/** A snapshot holds them all. */
function hasRoomFor({ signals, held }: RunDraft, { payload }: EventOf<"signalled">): boolean {
  let left = PENDING_BYTES_MAX - bytesOf(payload, PENDING_BYTES_MAX);
  for (const waiting of signals) left -= bytesOf(waiting.payload, PENDING_BYTES_MAX);
  for (const event of itemsOf(held)) if (event?.kind === "signalled") left -= bytesOf(event.payload, PENDING_BYTES_MAX);
  return left >= 0;
}

function refusalOfResult(draft: RunDraft, { key, attempt }: EventOf<"completed" | "failed" | "deferred">): Refusal | null {
  const wait = openWait(draft, key);
  if (wait === null) return refuse("unknownStep", `No open step has the key ${key}: it has ended, was given up, or never was.`);
  if (wait.kind === "retry") return refuse("oldAttempt", `Attempt ${attempt} of ${key} has failed already.`);
  if ("attempt" in wait && wait.attempt !== attempt)
    return refuse("oldAttempt", `Attempt ${wait.attempt} of ${key} is under way, not ${attempt}.`);
  return null;
}

function refusalOfTimer(draft: RunDraft, { timer, atMs }: EventOf<"timerFired">): Refusal | null {
  const untilMs = timer === RUN_TIMER && draft.status.kind !== "undoing" ? draft.deadlineMs : timerEnd(draft, timer);
  if (untilMs === null) return refuse("unknownTimer", `No timer ${timer} runs.`);
  return atMs < untilMs ? refuse("tooEarly", `The timer ${timer} ends at ${momentText(untilMs)}.`) : null;
}

/** The wait of the open step with this key: of a frame, or of the compensation that runs. */
function openWait(draft: RunDraft, key: string): (Wait & { readonly key: string }) | null {
  for (const frame of draft.frames) if (frame !== null && hasKey(frame.wait) && frame.wait.key === key) return frame.wait;
  const undo = draft.status.kind === "undoing" ? draft.status.undoing.wait : null;
  return undo?.key === key ? undo : null;
}

function hasKey(wait: Wait | null): wait is Wait & { readonly key: string } {
  return wait !== null && "key" in wait;
}

function timerEnd(draft: RunDraft, timer: string): number | null {
  for (const frame of draft.frames) {
    const wait = frame?.wait ?? null;
    if (wait !== null && "timer" in wait && wait.timer === timer) return wait.untilMs;
  }
  const undo = draft.status.kind === "undoing" ? draft.status.undoing.wait : null;
  return undo !== null && "timer" in undo && undo.timer === timer ? undo.untilMs : null;
}

/** While a run is paused these wait. */
function isHeld(event: FlowEvent): boolean {
  switch (event.kind) {
    case "completed":
    case "failed":
    case "deferred":
    case "signalled":
    case "continued":
      return true;
    case "timerFired":
      return event.timer !== RUN_TIMER;
    default:
      return false;
  }
}

/** Of a step only `deferred` may be followed by another event. */
function isHeldAlready(draft: RunDraft, event: FlowEvent): boolean {
  return itemsOf(draft.held).some((held) => {
    if (held === null) return false;
    if (event.kind === "timerFired") return held.kind === "timerFired" && held.timer === event.timer;
    if (event.kind === "continued") return held.kind === "continued";
    if (event.kind !== "completed" && event.kind !== "failed" && event.kind !== "deferred") return false;
    return (
      (held.kind === "completed" || held.kind === "failed" || (held.kind === "deferred" && event.kind === "deferred")) &&
      held.key === event.key
    );
  });
}

export function applyEvent(draft: RunDraft, event: FlowEvent): void {
  if (draft.status.kind === "paused" && isHeld(event)) {
    draft.held = appended(draft.held, event);
    return;
  }
  switch (event.kind) {
    case "started":
      start(draft, event);
      return;
    case "completed":
      complete(draft, event);
      return;
    case "failed":
      fail(draft, event.key, event.error);
      return;
    case "deferred":
      defer(draft, event);
      return;
    case "timerFired":
      fire(draft, event.timer);
      return;
    case "signalled":
      signal(draft, event);
      return;
    case "continued":
      draft.resumeAll();
      return;
    case "paused":
      draft.status = { kind: "paused", by: event.by, reason: event.reason, sinceMs: draft.nowMs };
      return;
    case "resumed":
      draft.status = { kind: "running" };
      releaseHeld(draft);
      draft.resumeAll();
      return;
    case "cancelled":
      stop(draft, { kind: "cancelled", by: event.by, reason: event.reason });
      return;
    case "retried":
      retryRun(draft, event);
      return;
    case "moved":
      // Always refused.
      return;
  }
}

function start(draft: RunDraft, { run, trigger }: EventOf<"started">): void {
  const { definition, timeoutMs } = draft.program;
  draft.info = run;
  draft.status = { kind: "running" };
  draft.startedMs = draft.nowMs;
  draft.deadlineMs = draft.nowMs + timeoutMs;
  draft.trigger = trigger;
  draft.setVariables(Object.fromEntries(Object.entries(definition.variables).map(([name, { initial }]) => [name, { json: initial }])));
  draft.commands.push({ kind: "startTimer", timer: RUN_TIMER, atMs: draft.deadlineMs });
  draft.ready.push(draft.open({ chain: MAIN_CHAIN, parent: null, place: 0, item: null }).id);
}

/** What came while it was paused counts first: what was done is undone, or is there for a retry; what failed may have ended the run. */
function stop(draft: RunDraft, outcome: Outcome): void {
  draft.status = { kind: "running" };
  releaseHeld(draft);
  if (!isRunning(draft)) return;
  draft.keepFailure();
  beginUndoing(draft, outcome);
}

function isRunning({ status }: RunDraft): boolean {
  return status.kind === "running";
}

/** Events that came while it was paused; those that no longer fit are dropped. */
function releaseHeld(draft: RunDraft): void {
  const held = itemsOf(draft.held);
  draft.held = EMPTY_LIST;
  for (const event of held) if (event !== null && refusalOf(draft, event) === null) applyEvent(draft, event);
}

function frameWith(draft: RunDraft, fits: (wait: Wait) => boolean): Frame | null {
  return draft.frames.find((frame) => frame !== null && frame.wait !== null && fits(frame.wait)) ?? null;
}

function withKey(draft: RunDraft, key: string): Frame | null {
  return frameWith(draft, (wait) => "key" in wait && wait.key === key);
}

function complete(draft: RunDraft, { key, output }: EventOf<"completed">): void {
  const frame = withKey(draft, key);
  if (frame === null) {
    undone(draft, null);
    return;
  }
  const wait = must(frame.wait, "a step with a key waits");
  if ("timer" in wait) draft.commands.push({ kind: "cancelTimer", timer: wait.timer });
  const node = draft.nodeAt(frame);
  const done = { frame, node, key, output };
  if (wait.kind === "call" && wait.call.kind === "load") {
    if (frame.isDetached) endDetached(draft, frame, null);
    else goOnWithLoaded(draft, withLoaded(draft, frame, node, output), node);
  } else if (frame.isDetached) endDetached(draft, frame, prepareUndo(draft, done));
  else if (wait.kind === "answer") settleStep(draft, frame, node, output);
  else settleCall(draft, done);
}

/** The node, or the loop around the end of the chain, is decided again. */
function goOnWithLoaded(draft: RunDraft, frame: Frame | null, node: ProgramNode): void {
  if (frame === null) return;
  if (frame.node === null) goOnAtEnd(draft, frame, node);
  else draft.resume(frame);
}

/** A detached frame has nothing more to do than to end its call. `error`: what it did cannot be undone. */
function endDetached(draft: RunDraft, { id }: Frame, error: FlowError | null): void {
  const { status } = draft;
  if (error !== null && status.kind === "undoing") {
    setUndoing(draft, status, { ...status.undoing, failures: [...status.undoing.failures, error] });
  }
  draft.close({ ...draft.frame(id), wait: null });
  goOnUndoing(draft);
}

function fail(draft: RunDraft, key: string, error: StepError): void {
  const frame = withKey(draft, key);
  if (frame === null) {
    failUndoing(draft, error);
    return;
  }
  const wait = must(frame.wait, "a step with a key waits");
  const node = draft.nodeAt(frame);
  const failed = stepError(node, error.code, error.message, error.retryable);
  if ("timer" in wait) draft.commands.push({ kind: "cancelTimer", timer: wait.timer });
  if (frame.isDetached) {
    endDetached(draft, frame, null);
  } else if ((wait.kind === "call" || wait.kind === "deferred") && retries(node.retry, wait.attempt, error.retryable)) {
    draft.note(frame, { kind: "retrying", node: node.id, key, attempt: wait.attempt, value: null, error: failed });
    const untilMs = draft.nowMs + retryDelayMs(node.retry, wait.attempt, error.retryAfterMs ?? 0);
    draft.wait(frame, retryWait(wait, { sinceMs: draft.nowMs, untilMs, error: failed }));
  } else {
    failStep(draft, frame, failed);
  }
}

function retryWait(
  wait: CallWait,
  { sinceMs, untilMs, error }: Pick<Wait & { kind: "retry" }, "sinceMs" | "untilMs" | "error">,
): Wait & { kind: "retry" } {
  const { key, attempt, call, timeoutMs } = wait;
  return { kind: "retry", key, attempt, call, timeoutMs, sinceMs, untilMs, timer: `${key}/retry/${attempt}`, error };
}

function failUndoing(draft: RunDraft, error: StepError): void {
  const { status } = draft;
  assert(status.kind === "undoing" && status.undoing.wait !== null, "a compensation runs");
  const { wait } = status.undoing;
  const last = must(lastCompensation(draft), "a compensation runs");
  const failed = failure(error.code, `What undoes the step \`${last.node}\` failed: ${error.message}`, last.node, error.retryable);
  if (wait.kind === "deferred") draft.commands.push({ kind: "cancelTimer", timer: wait.timer });
  // What was done stands until it is undone, so exceptions of code are tried again as well.
  if (!retries({ ...DEFAULT_RETRY, on: "any" }, wait.attempt, error.retryable)) {
    undone(draft, failed);
    return;
  }
  const untilMs = draft.nowMs + retryDelayMs(DEFAULT_RETRY, wait.attempt, error.retryAfterMs ?? 0);
  const next = retryWait(wait, { sinceMs: draft.nowMs, untilMs, error: failed });
  setUndoing(draft, status, { ...status.undoing, wait: next });
  draft.commands.push(...commandsOf(next, last.node, true));
}

function defer(draft: RunDraft, { key, deadlineMs, child }: EventOf<"deferred">): void {
  const frame = withKey(draft, key);
  const { status } = draft;
  const wait = frame?.wait ?? (status.kind === "undoing" ? status.undoing.wait : null);
  if (wait?.kind !== "call") return;
  const latestMs = draft.nowMs + limit("flowWaitMsMax");
  const untilMs = Math.min(deadlineMs ?? draft.nowMs + limit("flowLaterMs"), latestMs);
  const deferred = {
    ...({ ...wait, kind: "deferred", sinceMs: draft.nowMs, untilMs, timer: `${key}/deadline/${wait.attempt}` } as const),
    ...(child === undefined ? {} : { child }),
  };
  if (frame !== null) {
    draft.wait(frame, deferred);
  } else if (status.kind === "undoing") {
    setUndoing(draft, status, { ...status.undoing, wait: deferred });
    draft.commands.push(...commandsOf(deferred, must(lastCompensation(draft), "a compensation runs").node, true));
  }
}

function fire(draft: RunDraft, timer: string): void {
  if (timer === RUN_TIMER) {
    const message = `The run has not ended within ${Math.round(draft.program.timeoutMs / 1000)} s; give the flow a longer \`timeoutMs\`, or deadlines to its waits.`;
    stop(draft, { kind: "failed", error: failure("run_timeout", message, null) });
    return;
  }
  const frame = frameWith(draft, (wait) => "timer" in wait && wait.timer === timer);
  if (frame === null) fireUndoing(draft);
  else fireInFrame(draft, frame);
}

const NO_COMPLETION: StepError = { code: "timeout", message: "its completion did not come in time.", retryable: true };

function fireUndoing(draft: RunDraft): void {
  const { status } = draft;
  if (status.kind !== "undoing" || status.undoing.wait === null) return;
  const { wait } = status.undoing;
  if (wait.kind === "deferred") {
    draft.commands.push({ kind: "cancelCall", key: wait.key });
    failUndoing(draft, NO_COMPLETION);
    return;
  }
  const next = callAgain(wait, draft.nowMs);
  setUndoing(draft, status, { ...status.undoing, wait: next });
  draft.commands.push(...commandsOf(next, must(lastCompensation(draft), "a compensation runs").node, true));
}

function callAgain({ key, attempt, call, timeoutMs }: CallWait, nowMs: number): Wait & { kind: "call" } {
  return { kind: "call", key, attempt: attempt + 1, call, timeoutMs, sinceMs: nowMs };
}

function fireInFrame(draft: RunDraft, frame: Frame): void {
  const { wait } = frame;
  const node = draft.nodeAt(frame);
  switch (wait?.kind) {
    case "retry":
      draft.wait(frame, callAgain(wait, draft.nowMs));
      return;
    case "sleep":
      settleStep(draft, frame, node, { json: { until: momentText(wait.untilMs) } });
      return;
    case "deferred":
      draft.commands.push({ kind: "cancelCall", key: wait.key });
      fail(draft, wait.key, NO_COMPLETION);
      return;
    case "answer": {
      draft.commands.push(...commandsToEnd(wait).filter(({ kind }) => kind === "closeWait"));
      const error = stepError(
        node,
        "deadline",
        `nobody answered before ${momentText(wait.untilMs)}; ask again, or give it a longer \`deadline\`.`,
      );
      if (wait.late === null) {
        failStep(draft, frame, error);
        return;
      }
      draft.note(frame, { kind: "failed", node: node.id, key: wait.key, attempt: 1, value: null, error });
      draft.resume({ ...draft.record(frame, node, { output: null, error }), wait: null, node: wait.late });
      return;
    }
    default:
      assert(false, "only these waits have timers");
  }
}

/** The step that has waited for it the longest takes it; else it is kept for the next one. */
function signal(draft: RunDraft, { name, payload }: EventOf<"signalled">): void {
  let oldest: (Frame & { readonly wait: Wait & { readonly kind: "answer" } }) | null = null;
  for (const frame of draft.openFrames()) {
    const { wait } = frame;
    if (wait?.kind !== "answer" || wait.wait.kind !== "signal" || wait.wait.name !== name) continue;
    if (oldest === null || wait.sinceMs < oldest.wait.sinceMs) oldest = { ...frame, wait };
  }
  if (oldest === null) {
    draft.signals = [...draft.signals, { name, payload }];
    return;
  }
  draft.commands.push({ kind: "cancelTimer", timer: oldest.wait.timer });
  settleStep(draft, oldest, draft.node(must(oldest.node, "a wait has a node")), payload);
}
