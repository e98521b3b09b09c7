/**
 * Stored values that a node reads in its expressions: read by a call before the node is decided, and forgotten when it is.
 *
 * O1 What is read for one step is bounded (`flowLoadedBytesMax`), and counts among the values of the run as long as it is there.
 */
import { limit } from "../limits.ts";
import { stepError } from "./flow-error.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import { failStep } from "./settle.ts";
import type { Frame, LoadedValue } from "./state.ts";
import { type FlowValue, isList, listValue, type StoredValue } from "./value.ts";

/** False when there is nothing to read, or too much. */
export function load(draft: RunDraft, frame: Frame, node: ProgramNode, needed: readonly StoredValue[]): boolean {
  const before = (frame.loaded ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = needed.reduce((sum, value) => sum + value.bytes, before);
  if (needed.length === 0 || bytes > limit("flowLoadedBytesMax")) return false;
  const input = listValue(needed.map((value) => ({ json: null, stored: [{ path: [], value }] })));
  const timeoutMs = limit("flowStepMs");
  // At the end of a chain nothing else has counted a step, and the keys of two calls differ by it.
  if (frame.node === null) draft.steps += 1;
  draft.wait(frame, {
    kind: "call",
    key: draft.newKey(node.id),
    attempt: 1,
    call: { kind: "load", input },
    timeoutMs,
    sinceMs: draft.nowMs,
  });
  return true;
}

/** The frame with what was read, whose node can be decided again; null when that is too much. */
export function withLoaded(draft: RunDraft, frame: Frame, node: ProgramNode, output: FlowValue): Frame | null {
  const { wait } = frame;
  const stored = wait?.kind === "call" ? (wait.call.input.stored ?? []) : [];
  const items = isList(output.json) ? output.json : [];
  const loaded = stored.map(({ value }, i): LoadedValue => ({ digest: value.digest, bytes: value.bytes, json: items[i] ?? null }));
  const bytes = loaded.reduce((sum, value) => sum + value.bytes, 0);
  draft.bytes += bytes;
  const next = { ...frame, wait: null, bytes: frame.bytes + bytes, loaded: [...(frame.loaded ?? []), ...loaded] };
  if (!draft.isTooLarge) return draft.set(next);
  const mib = limit("flowContextBytesMax") / 1_048_576;
  const message = `the values of the run have more than ${mib} MiB together; read less at the same time.`;
  failStep(draft, withoutLoaded(draft, draft.set(next)), stepError(node, "limit", message));
  return null;
}

/** The node is decided. */
export function withoutLoaded(draft: RunDraft, frame: Frame): Frame {
  const { loaded, ...rest } = frame;
  if (loaded === undefined) return frame;
  const bytes = loaded.reduce((sum, value) => sum + value.bytes, 0);
  draft.bytes -= bytes;
  return draft.set({ ...rest, bytes: rest.bytes - bytes });
}
