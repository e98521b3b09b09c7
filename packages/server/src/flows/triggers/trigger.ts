/**
 * What starts flows: one file a type of trigger, listed in `table.ts`. A newcomer is one file and one line there; its type stands in
 * core/flow/definition.ts, and what its data has to say in core/flow/check-trigger.ts.
 *
 * G1 A trigger is bound in the transaction that moves its flow's head or turns the flow on or off: from that commit on the version
 *    that is the head is started, and nothing else.
 * G2 An event starts a flow once, however often it is delivered: its id is the key of the start.
 */
import type { FlowFinding, FlowTrigger, TriggerType } from "@plinth/core/flow/definition.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope, Transaction } from "../../database/database.ts";
import type { InvocationSource } from "../../engine/invocation.ts";
import type { EventRow } from "../../events/event-records.ts";
import type { Operations } from "../../operations/operations.ts";
import type { JailTools } from "../../sandbox/tools.ts";

export interface TriggerKind {
  readonly type: TriggerType;
  /** What starts the runs, as their calls are recorded. */
  readonly source: InvocationSource;
  /** Types of the events that start the flow. Those that a trigger makes for its flow alone come from `flowSource`. */
  readonly eventTypes?: (data: JsonObject) => readonly string[];
  /** The first context that an event gives; what its filter sees as `trigger`. */
  readonly context?: (event: EventRow) => Json;
  /** Makes what else it has in the store that of the trigger; null: nothing. In the transaction of G1. */
  readonly set?: (transaction: Transaction, flow: string, change: TriggerChange) => Promise<void>;
  /** What is wrong with it on this host and branch. */
  readonly findings?: (trigger: FlowTrigger, place: TriggerPlace) => readonly FlowFinding[] | Promise<readonly FlowFinding[]>;
}

/** Where a trigger is to be bound. */
export interface TriggerPlace {
  readonly scope: Scope;
  readonly nowMs: number;
  readonly operations: Pick<Operations, "list">;
  /** User text is read in a jail; nothing is said about it where these are absent. */
  readonly tools?: Pick<JailTools, "run">;
}

export interface TriggerChange {
  readonly trigger: Pick<FlowTrigger, "data"> | null;
  readonly nowMs: number;
}
