/** Triggers as they are bound, and their secrets. */
import { plinthError } from "@plinth/core/errors.ts";
import type { TriggerType } from "@plinth/core/flow/definition.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../../database/database.ts";
import { FLOW_TRIGGERS } from "../../database/record-tables.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { newSecret } from "./flow-address.ts";
import type { FlowTriggerRow } from "./trigger-records.ts";

type Reads = Pick<Database, "read">;

/** Those of a type, of flows that are on. */
export async function triggersOf(database: Reads, scope: Scope, type: TriggerType): Promise<readonly FlowTriggerRow[]> {
  const rows = await database.read(scope, ({ records }) => records.range(FLOW_TRIGGERS, { prefix: [], limit: limit("flowsMax") }));
  return rows.map(({ value }) => value).filter((row) => row.type === type && row.isOn);
}

/** That of a flow's head. Rejects with NotFound. */
export async function triggerOf(database: Reads, scope: Scope, flow: string): Promise<FlowTriggerRow> {
  const row = await database.read(scope, ({ records }) => records.get(FLOW_TRIGGERS, [flow]));
  return found(row, flow);
}

/** Gives it another secret. Rejects with NotFound. */
export async function renewTrigger(
  { database, runtime }: { readonly database: Pick<Database, "update">; readonly runtime: Pick<Runtime, "randomBytes"> },
  scope: Scope,
  flow: string,
): Promise<FlowTriggerRow> {
  const secret = newSecret(runtime);
  return await database.update(scope, async ({ records }) => {
    const row = { ...found(await records.get(FLOW_TRIGGERS, [flow]), flow), secret };
    records.put(FLOW_TRIGGERS, [flow], row);
    return row;
  });
}

function found(row: FlowTriggerRow | undefined, flow: string): FlowTriggerRow {
  if (row === undefined) throw plinthError("NotFound", { what: `flow '${flow.slice(0, 64)}'` });
  return row;
}
