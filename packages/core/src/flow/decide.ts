/** Asks a node what has to happen. */
import { type FlowError, stepError, StepFailure, StoredValueNeeded } from "./flow-error.ts";
import type { Decision } from "./node-type.ts";
import type { ProgramNode } from "./program.ts";
import type { RunDraft } from "./run-draft.ts";
import type { Frame } from "./state.ts";
import { lenientResolverOf, resolverOf } from "./step-context.ts";
import type { StoredValue } from "./value.ts";

export type Decided =
  | { readonly ok: true; readonly decision: Decision }
  /** `needed`: with these it could be decided. */
  | { readonly ok: false; readonly error: FlowError; readonly needed: readonly StoredValue[] };

export function decide(draft: RunDraft, frame: Frame, node: ProgramNode): Decided {
  // Of an edited call only what is not input counts, so its own input need not resolve.
  const resolver = frame.edited === null ? resolverOf(draft, frame) : lenientResolverOf(draft, frame);
  try {
    return { ok: true, decision: node.decide(resolver, { node: node.id, nowMs: draft.nowMs }) };
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const needed = error instanceof StoredValueNeeded ? error.values : [];
    return { ok: false, error: stepError(node, error.code, error.message), needed };
  }
}
