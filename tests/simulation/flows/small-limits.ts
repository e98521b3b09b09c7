/** Limits so small that random flows meet them. Imported before anything else: some limits are read when a module is loaded. */
import { LIMITS, type LimitName } from "../../../packages/core/src/limits.ts";

export function setLimit(name: LimitName, value: number): void {
  Object.assign(LIMITS[name], { value });
}

setLimit("flowMovesMax", 3);
setLimit("flowPendingEventsMax", 8);
setLimit("flowRecoveriesMax", 2);
