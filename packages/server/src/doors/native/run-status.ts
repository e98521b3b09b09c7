/** Reads the status of a run that is asked for. */
import type { RunSummary } from "../../flows/flows.ts";
import { wrongField } from "../fields.ts";

const STATUSES = ["running", "waiting", "paused", "undoing", "completed", "failed", "cancelled"] as const;

export function statusField(value: unknown): RunSummary["status"] {
  const status = STATUSES.find((known) => known === value);
  if (status === undefined) throw wrongField("status", `a list of ${STATUSES.join(", ")}`, value);
  return status;
}
