/** Nodes with chains inside: how these begin, end and fail. */
import { assert, must } from "../assert.ts";
import { limit } from "../limits.ts";
import { EMPTY_LIST, withItem } from "./chunked-list.ts";
import { decide } from "./decide.ts";
import { endRun, failRun, giveUpInside } from "./ending.ts";
import { stepError, StepFailure, StoredValueNeeded } from "./flow-error.ts";
import { load, withoutLoaded } from "./load.ts";
import type { Decision } from "./node-type.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import { failStep, goOnWithEach, settleStep } from "./settle.ts";
import type { Frame, Wait } from "./state.ts";
import { resolverOf } from "./step-context.ts";
import { bytesOf, type FlowValue, NOTHING, recordValue } from "./value.ts";

const BYTES_MAX = limit("flowContextBytesMax");

interface Opening<Kind extends Decision["kind"]> {
  readonly frame: Frame;
  readonly node: ProgramNode;
  readonly decision: Decision & { readonly kind: Kind };
}

type Each = Wait & { readonly kind: "each" };
type Branches = Wait & { readonly kind: "branches" };

export function openEach(draft: RunDraft, { frame, node, decision }: Opening<"each">): void {
  const { items, concurrency, stopsAtFailure } = decision;
  const bytes = bytesOf(items, BYTES_MAX);
  draft.bytes += bytes;
  const wait: Each = {
    kind: "each",
    sinceMs: draft.nowMs,
    items,
    concurrency,
    stopsAtFailure,
    next: 0,
    running: 0,
    results: EMPTY_LIST,
    failed: EMPTY_LIST,
    bytes,
  };
  goOnWithEach(draft, draft.set({ ...frame, wait }), node, wait);
}

export function openBranches(draft: RunDraft, { frame, node, decision }: Opening<"branches">): void {
  if (draft.openFrames().length + node.inner.length > limit("flowFramesMax")) {
    failStep(
      draft,
      frame,
      stepError(node, "limit", `the run has ${limit("flowFramesMax")} open branches; lower the concurrency of its loops.`),
    );
    return;
  }
  const wait: Branches = { kind: "branches", sinceMs: draft.nowMs, join: decision.join, running: node.inner.length, outputs: {}, bytes: 0 };
  draft.set({ ...frame, wait });
  for (const chain of node.inner) draft.ready.push(draft.open({ chain: chain.id, parent: frame.id, place: chain.place, item: null }).id);
}

/** A frame has come to the end of its chain. */
export function chainEnded(draft: RunDraft, frame: Frame): void {
  if (frame.parent === null) {
    endRun(draft, { kind: "completed", output: frame.last });
    return;
  }
  const around = draft.frame(frame.parent);
  const { wait } = around;
  assert(wait !== null, "a frame around others waits for them");
  switch (wait.kind) {
    case "handler":
      failRun(draft, wait.error);
      return;
    case "while":
      iterate(draft, { ...frame, place: frame.place + 1 }, draft.node(must(around.node, "it is at its loop")));
      return;
    case "each":
      itemEnded(draft, { frame, around, wait });
      return;
    case "branches":
      branchEnded(draft, { frame, around, wait });
      return;
    default:
      assert(false, "only containers have frames inside");
  }
}

function itemEnded(draft: RunDraft, { frame, around, wait }: { readonly frame: Frame; readonly around: Frame; readonly wait: Each }): void {
  const node = draft.node(must(around.node, "it is at its loop"));
  let result: FlowValue;
  try {
    result = node.collect === null ? frame.last : node.collect(resolverOf(draft, frame));
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    if (error instanceof StoredValueNeeded && load(draft, frame, node, error.values)) return;
    failStep(draft, withoutLoaded(draft, frame), stepError(node, error.code, error.message));
    return;
  }
  draft.close(withoutLoaded(draft, frame));
  const bytes = bytesOf(result, BYTES_MAX);
  draft.bytes += bytes;
  const results = withItem(wait.results, frame.place, result);
  goOnWithEach(draft, around, node, { ...wait, results, running: wait.running - 1, bytes: wait.bytes + bytes });
}

function branchEnded(
  draft: RunDraft,
  { frame, around, wait }: { readonly frame: Frame; readonly around: Frame; readonly wait: Branches },
): void {
  const node = draft.node(must(around.node, "it is at its branches"));
  const name = must(draft.program.chains.get(frame.chain), "a frame is in a chain").name;
  draft.close(frame);
  const bytes = wait.bytes + bytesOf(frame.last, BYTES_MAX);
  draft.bytes += bytes - wait.bytes;
  const outputs = { ...wait.outputs, [name]: frame.last };
  const running = wait.running - 1;
  const isDone = running === 0 || wait.join === "any";
  const next = draft.set({ ...around, wait: { ...wait, outputs, running, bytes } });
  if (!isDone) return;
  giveUpInside(draft, next);
  const all = Object.fromEntries(node.inner.map((chain) => [chain.name, outputs[chain.name] ?? NOTHING]));
  settleStep(draft, next, node, recordValue(all));
}

/** What the loop around needs of stored values, to decide how the frame goes on, was read. */
export function goOnAtEnd(draft: RunDraft, frame: Frame, node: ProgramNode): void {
  const around = draft.frame(must(frame.parent, "a loop is around it"));
  if (around.wait?.kind === "each") itemEnded(draft, { frame, around, wait: around.wait });
  else iterate(draft, frame, node);
}

/** Before each iteration of a while node: `frame` is the one of its body. */
export function iterate(draft: RunDraft, body: Frame, node: ProgramNode): void {
  const standing = draft.set({ ...body, node: null });
  const decided = decide(draft, standing, node);
  if (!decided.ok && load(draft, standing, node, decided.needed)) return;
  const frame = withoutLoaded(draft, standing);
  if (!decided.ok) {
    failStep(draft, frame, decided.error);
    return;
  }
  const { decision } = decided;
  if (decision.kind !== "while" || frame.parent === null) return;
  const around = draft.frame(frame.parent);
  if (!decision.again) {
    draft.close(frame);
    settleStep(draft, around, node, { json: { iterations: frame.place } });
  } else if (frame.place >= decision.iterationsMax) {
    const message = `it has made ${decision.iterationsMax} iterations; correct its condition, or allow more with \`iterationsMax\`.`;
    failStep(draft, frame, stepError(node, "loop_bound", message));
  } else {
    draft.set({ ...around, wait: { kind: "while", sinceMs: draft.nowMs, iterations: frame.place + 1 } });
    draft.resume({ ...frame, node: draft.program.chains.get(frame.chain)?.start ?? null });
  }
}
