/** What events have to know of flows that they start; `flows/triggers` makes it. */
import type { Scope } from "../database/database.ts";
import type { EventRow, SubscriptionRow } from "./event-records.ts";
import type { Verdict } from "./filters.ts";

/** A flow that listens, as its subscription and its deliveries carry it. */
export interface FlowListener {
  readonly name: string;
  /** Type of its trigger. */
  readonly trigger: string;
  /** CEL over the first context. */
  readonly filter: string | null;
}

export interface FlowListeners {
  judge(listener: FlowListener, event: EventRow): Verdict;
  /** Starts a run, once for each event, and gives its id; null where the flow is not started by such events any more. */
  start(scope: Scope, listener: FlowListener, event: EventRow): Promise<string | null>;
}

/** Type of the events that complete steps of flows, whatever source they are published to: `{token, output}` or `{token, error}`. */
export const COMPLETE_STEP = "custom:plinth.complete_step";

/** In place of the type of a trigger. */
export const STEP_ANSWERS = "$answers";

/** Who takes them, on every branch. */
export const ANSWER_LISTENER: SubscriptionRow = {
  ...{ type: COMPLETE_STEP, sourceId: "flow:$answers", automation: STEP_ANSWERS, snapInId: "", function: "" },
  ...{ ordered: false, filterJq: null, user: null },
  flow: { name: "", trigger: STEP_ANSWERS, filter: null },
};

const PREFIX = "flow:";

/** Under which a flow stands in the places of event sources and automations. Ids of these have no colon. */
export function flowSource(flow: string): string {
  return `${PREFIX}${flow}`;
}
