/** How steps end: with an output, or for good with an error, which a handler takes over or the node around it. */
import { must } from "../assert.ts";
import { limit } from "../limits.ts";
import { appended, itemsOf } from "./chunked-list.ts";
import type { NodeId } from "./definition.ts";
import { failRun, giveUpAll, giveUpInside } from "./ending.ts";
import type { StepKey } from "./events.ts";
import { type FlowError, stepError, StepFailure } from "./flow-error.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import type { Frame, Wait } from "./state.ts";
import { resolverOf } from "./step-context.ts";
import { bytesOf, type FlowValue, isList, listValue, NOTHING, recordValue, valueAt } from "./value.ts";

const BYTES_MAX = limit("flowContextBytesMax");

type Each = Wait & { readonly kind: "each" };

/** The node has an output; its frame goes on with `next`, or with the node that follows. */
export function settleStep(draft: RunDraft, frame: Frame, node: ProgramNode, output: FlowValue, next?: NodeId | null): void {
  const recorded = draft.record(frame, node, { output, error: null });
  draft.note(frame, { kind: "ended", node: node.id, ...attemptOf(frame), value: output, error: null });
  if (draft.isTooLarge) {
    const mib = limit("flowContextBytesMax") / 1_048_576;
    failStep(
      draft,
      recorded,
      stepError(
        node,
        "limit",
        `the values of the run have more than ${mib} MiB together; keep less, or hand on large values by reference.`,
      ),
    );
    return;
  }
  draft.resume({ ...recorded, wait: null, last: output, node: next === undefined ? node.next : next });
}

interface DoneCall {
  readonly frame: Frame;
  readonly node: ProgramNode;
  readonly key: StepKey;
  readonly output: FlowValue;
}

/** A call has succeeded. */
export function settleCall(draft: RunDraft, done: DoneCall): void {
  const error = prepareUndo(draft, done);
  const frame = draft.frame(done.frame.id);
  if (error === null) settleStep(draft, frame, done.node, done.output);
  else failStep(draft, frame, error);
}

/** Prepares now what would undo the call, while all that it needs is at hand; gives why that failed. */
export function prepareUndo(draft: RunDraft, { frame, node, key, output }: DoneCall): FlowError | null {
  if (node.compensate === null) return null;
  const recorded = draft.record(frame, node, { output, error: null });
  try {
    const decision = node.compensate.decide(resolverOf(draft, recorded), { node: node.id, nowMs: draft.nowMs });
    if (decision.kind === "call") {
      draft.compensations = appended(draft.compensations, { node: node.id, key: `${key}/undo`, call: decision.call });
    }
    return null;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return stepError(node, "compensation", `it was done, and what would undo it cannot be prepared: ${error.message}`);
  }
}

/**
 * The node at which `frame` stands, or the loop that `frame` is an iteration of, has failed for good. Takes the way to the nearest
 * handler: of the node, of the nodes around it, of the flow.
 */
export function failStep(draft: RunDraft, frame: Frame, error: FlowError): void {
  if (frame.wait !== null && "bytes" in frame.wait) draft.bytes -= frame.wait.bytes;
  const open = draft.set({ ...frame, wait: null });
  draft.rememberFailure(open);
  draft.note(frame, { kind: "failed", node: error.node ?? frame.node ?? "", ...attemptOf(frame), value: null, error });
  failAt(draft, open, error);
}

/** The node at which `frame` stands fails with the error of a step inside it, or with its own. */
export function failAt(draft: RunDraft, frame: Frame, error: FlowError): void {
  const node = frame.node === null ? null : draft.node(frame.node);
  const failed = node === null ? frame : draft.record(frame, node, { output: null, error });
  if (node !== null && node.onError !== null) {
    const chain = draft.node(node.onError).chain;
    const target = draft.frameOfChain(failed, chain);
    giveUpInside(draft, target);
    draft.forgetFailure();
    draft.resume({ ...target, wait: null, node: node.onError });
    return;
  }
  if (failed.parent === null || draft.frame(failed.parent).wait?.kind === "handler") failRun(draft, error);
  else childFailed(draft, failed, error);
}

function attemptOf({ wait }: Frame): { readonly key: StepKey | null; readonly attempt: number } {
  return { key: wait !== null && "key" in wait ? wait.key : null, attempt: wait !== null && "attempt" in wait ? wait.attempt : 1 };
}

/** A step inside a container has failed and nothing inside took it over. */
function childFailed(draft: RunDraft, frame: Frame, error: FlowError): void {
  const around = draft.frame(must(frame.parent, "a child has a parent"));
  const { wait } = around;
  if (wait?.kind === "each" && !wait.stopsAtFailure) {
    const node = draft.node(must(around.node, "it is at its loop"));
    giveUpAll(draft, frame);
    draft.forgetFailure();
    const entry: FlowValue = { json: { index: frame.place, code: error.code, message: error.message } };
    const bytes = bytesOf(entry, BYTES_MAX);
    draft.bytes += bytes;
    goOnWithEach(draft, around, node, {
      ...wait,
      failed: appended(wait.failed, entry),
      running: wait.running - 1,
      bytes: wait.bytes + bytes,
    });
    return;
  }
  if (wait?.kind === "branches" && wait.join === "any" && wait.running > 1) {
    giveUpAll(draft, frame);
    draft.forgetFailure();
    draft.set({ ...around, wait: { ...wait, running: wait.running - 1 } });
    return;
  }
  failAt(draft, around, error);
}

/** Begins as many items as may run, or ends the node when all have ended. */
export function goOnWithEach(draft: RunDraft, frame: Frame, node: ProgramNode, wait: Each): void {
  const count = isList(wait.items.json) ? wait.items.json.length : 0;
  let { next, running } = wait;
  const chain = must(node.inner[0], "a loop has a body").id;
  while (next < count && running < wait.concurrency && draft.hasRoomForFrames) {
    const item = valueAt(wait.items, [next]) ?? NOTHING;
    draft.ready.push(draft.open({ chain, parent: frame.id, place: next, item }).id);
    next += 1;
    running += 1;
  }
  if (running > 0) {
    draft.set({ ...frame, wait: { ...wait, next, running } });
  } else if (next < count) {
    failStep(
      draft,
      frame,
      stepError(node, "limit", `the run has ${limit("flowFramesMax")} open branches; lower the concurrency of its loops.`),
    );
  } else {
    draft.bytes -= wait.bytes;
    const results = itemsOf(wait.results).map((result) => result ?? NOTHING);
    for (let i = results.length; i < count; i += 1) results.push(NOTHING);
    const failed = itemsOf(wait.failed).map((entry) => entry ?? NOTHING);
    settleStep(draft, frame, node, recordValue({ results: listValue(results), failed: listValue(failed), count: { json: count } }));
  }
}
