/**
 * How runs end, and how parts of them are given up.
 *
 * E1 What is given up is cancelled, except calls that have a compensation: their frames stay, detached, until the calls end, since
 *    what they have done may have to be undone.
 * E2 A run that fails or is cancelled first lets such calls end, then undoes in reverse order what was done, then ends.
 * E3 A compensation that fails for good is noted, and the others go on.
 */
import { must } from "../assert.ts";
import { itemAt, withoutLast } from "./chunked-list.ts";
import { commandsOf, commandsToEnd, RUN_TIMER } from "./commands.ts";
import type { FlowError } from "./flow-error.ts";
import { ERROR_CHAIN } from "./layout.ts";
import type { RunDraft } from "./run-draft.ts";
import type { Compensation, Frame, Outcome, RunStatus, Undoing } from "./state.ts";
import { limit } from "../limits.ts";

/** All frames inside the node at which `frame` stands; it waits for them no longer. */
export function giveUpInside(draft: RunDraft, { id }: Frame): void {
  for (const inside of draft.framesInside(id).toReversed()) giveUp(draft, draft.frame(inside.id));
  const frame = draft.frame(id);
  if (frame.wait !== null && "bytes" in frame.wait) {
    draft.bytes -= frame.wait.bytes;
    draft.set({ ...frame, wait: null });
  }
}

/** One frame and all inside it. */
export function giveUpAll(draft: RunDraft, frame: Frame): void {
  giveUpInside(draft, frame);
  giveUp(draft, draft.frame(frame.id));
}

/** One frame that has none inside but detached ones. */
function giveUp(draft: RunDraft, frame: Frame): void {
  if (frame.isDetached) return;
  const { wait } = frame;
  if (mustEnd(draft, frame)) {
    draft.set({ ...frame, isDetached: true });
    return;
  }
  if (wait !== null && "bytes" in wait) draft.bytes -= wait.bytes;
  if (wait !== null) draft.commands.push(...commandsToEnd(wait));
  draft.close({ ...frame, wait: null });
}

function mustEnd(draft: RunDraft, { wait, node }: Frame): boolean {
  return (wait?.kind === "call" || wait?.kind === "deferred") && node !== null && draft.node(node).compensate !== null;
}

/** An error that no node took over: the flow's own handler, once, and then the end. */
export function failRun(draft: RunDraft, error: FlowError): void {
  const main = draft.frames[0] ?? null;
  if (main !== null && draft.program.definition.onError !== null && main.wait?.kind !== "handler") {
    draft.keepFailure();
    giveUpInside(draft, main);
    draft.set({ ...draft.frame(main.id), wait: { kind: "handler", sinceMs: draft.nowMs, error } });
    draft.ready.push(draft.open({ chain: ERROR_CHAIN, parent: main.id, place: 0, item: null }).id);
    return;
  }
  const first = main?.wait?.kind === "handler" ? main.wait.error : error;
  if (main?.wait?.kind !== "handler") draft.keepFailure();
  beginUndoing(draft, { kind: "failed", error: first });
}

/** Gives up all that runs, and undoes what was done. */
export function beginUndoing(draft: RunDraft, outcome: Outcome): void {
  draft.commands.push({ kind: "cancelTimer", timer: RUN_TIMER });
  const main = draft.frames[0] ?? null;
  if (main !== null) giveUpAll(draft, main);
  draft.status = { kind: "undoing", outcome, undoing: { wait: null, done: 0, failures: [] } };
  goOnUndoing(draft);
}

type UndoingStatus = RunStatus & { readonly kind: "undoing" };

/** The next compensation, or the end. */
export function goOnUndoing(draft: RunDraft): void {
  const { status } = draft;
  if (status.kind !== "undoing" || status.undoing.wait !== null || draft.openFrames().length > 0) return;
  const last = lastCompensation(draft);
  if (last === null) {
    const { done, failures } = status.undoing;
    end(draft, { outcome: status.outcome, undone: done, undoFailures: failures });
    return;
  }
  const wait = { kind: "call", key: last.key, attempt: 1, call: last.call, timeoutMs: limit("flowStepMs"), sinceMs: draft.nowMs } as const;
  setUndoing(draft, status, { ...status.undoing, wait });
  draft.commands.push(...commandsOf(wait, last.node, true));
}

export function lastCompensation(draft: RunDraft): Compensation | null {
  return draft.compensations.length === 0 ? null : itemAt(draft.compensations, draft.compensations.length - 1);
}

/** The compensation that runs has ended, with an error or well. */
export function undone(draft: RunDraft, error: FlowError | null): void {
  const { status } = draft;
  if (status.kind !== "undoing") return;
  const { node, key } = must(lastCompensation(draft), "the last compensation is the one that runs");
  draft.noteUndone(node, key, error);
  draft.compensations = withoutLast(draft.compensations);
  const { done, failures } = status.undoing;
  setUndoing(draft, status, {
    wait: null,
    done: error === null ? done + 1 : done,
    failures: error === null ? failures : [...failures, error],
  });
  goOnUndoing(draft);
}

export function setUndoing(draft: RunDraft, status: UndoingStatus, undoing: Undoing): void {
  draft.status = { ...status, undoing };
}

/** A result, from the end of the main chain or a return node. */
export function endRun(draft: RunDraft, outcome: Outcome): void {
  for (const frame of draft.openFrames()) if (frame.wait !== null) draft.commands.push(...commandsToEnd(frame.wait));
  draft.commands.push({ kind: "cancelTimer", timer: RUN_TIMER });
  draft.saved = null;
  end(draft, { outcome, undone: 0, undoFailures: [] });
}

function end(
  draft: RunDraft,
  result: { readonly outcome: Outcome; readonly undone: number; readonly undoFailures: readonly FlowError[] },
): void {
  draft.status = { kind: "ended", ...result, endedMs: draft.nowMs };
  draft.dropRemains(result.undone === 0 && result.undoFailures.length === 0);
  draft.commands.push({ kind: "end", outcome: result.outcome });
}
