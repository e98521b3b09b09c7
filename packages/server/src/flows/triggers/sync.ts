/** Starts and ends of sync runs: `{on: "ended"}`, and the result with `status`. */
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { syncEventType } from "../../sync/run-events.ts";
import { toldBy } from "./event.ts";
import type { TriggerKind } from "./trigger.ts";

export const syncTrigger: TriggerKind = { type: "sync", source: "sync", eventTypes: typesOf, context: toldBy };

function typesOf({ on }: JsonObject): readonly string[] {
  return [syncEventType(on === "started" ? "started" : "ended")];
}
