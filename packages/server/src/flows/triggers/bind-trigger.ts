/** Binds the trigger of a flow's head, in the transaction that changes the head (G1). */
import type { FlowTrigger } from "@plinth/core/flow/definition.ts";
import type { Transaction } from "../../database/database.ts";
import { FLOW_TRIGGERS } from "../../database/record-tables.ts";
import { changeFlowSubscriptions } from "../../events/subscriptions.ts";
import { triggerKind } from "./table.ts";
import type { FlowTriggerRow } from "./trigger-records.ts";

export interface Head {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly isOn: boolean;
  readonly trigger: FlowTrigger;
}

export interface BindOptions {
  readonly nowMs: number;
  /** Taken where the flow has none yet. */
  readonly newSecret: string;
}

export async function bindTrigger(transaction: Transaction, head: Head, { nowMs, newSecret }: BindOptions): Promise<void> {
  const { records } = transaction;
  const { name, description, version, isOn, trigger } = head;
  const before = await records.get(FLOW_TRIGGERS, [name]);
  const kind = triggerKind(trigger.type);
  const eventTypes = isOn ? (kind?.eventTypes?.(trigger.data) ?? []) : [];
  const secret = before?.secret ?? newSecret;
  const row: FlowTriggerRow = { ...trigger, flow: name, description, version, isOn, eventTypes, secret };
  records.put(FLOW_TRIGGERS, [name], row);
  if (before !== undefined && before.type !== trigger.type)
    await triggerKind(before.type)?.set?.(transaction, name, { trigger: null, nowMs });
  await kind?.set?.(transaction, name, { trigger: isOn ? trigger : null, nowMs });
  const listener = { name, trigger: trigger.type, filter: trigger.filter };
  await changeFlowSubscriptions(transaction, listener, { before: before?.eventTypes ?? [], next: eventTypes });
}

/** The flow is on or off from now on, with the trigger that it has. */
export async function switchTrigger(
  transaction: Transaction,
  flow: string,
  change: BindOptions & { readonly isOn: boolean },
): Promise<void> {
  const row = await transaction.records.get(FLOW_TRIGGERS, [flow]);
  if (row === undefined || row.isOn === change.isOn) return;
  const { description, version, type, filter, data, output } = row;
  const trigger = { type, filter, data, output };
  await bindTrigger(transaction, { name: flow, description, version, isOn: change.isOn, trigger }, change);
}

/** Nothing starts the flow any more, and nothing of its trigger is left. */
export async function unbindTrigger(transaction: Transaction, flow: string, nowMs: number): Promise<void> {
  const { records } = transaction;
  const before = await records.get(FLOW_TRIGGERS, [flow]);
  if (before === undefined) return;
  records.delete(FLOW_TRIGGERS, [flow]);
  await triggerKind(before.type)?.set?.(transaction, flow, { trigger: null, nowMs });
  const listener = { name: flow, trigger: before.type, filter: null };
  await changeFlowSubscriptions(transaction, listener, { before: before.eventTypes, next: [] });
}
