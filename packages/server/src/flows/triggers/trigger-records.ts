/** The row of a flow's trigger, and its reader. */
import { assert } from "@plinth/core/assert.ts";
import type { FlowTrigger } from "@plinth/core/flow/definition.ts";

/** The trigger of a flow's head. It stays while the flow is off, with nothing that starts it. */
export interface FlowTriggerRow extends FlowTrigger {
  readonly flow: string;
  readonly description: string;
  readonly version: string;
  readonly isOn: boolean;
  /** What it listens to; nothing while it is off. */
  readonly eventTypes: readonly string[];
  /** What makes its address unguessable. The same for all versions. */
  readonly secret: string;
}

export function parseFlowTrigger(json: unknown): FlowTriggerRow {
  const row = json as FlowTriggerRow;
  assert(typeof row.flow === "string" && typeof row.type === "string" && Array.isArray(row.eventTypes), "a stored trigger has its fields");
  return row;
}
