/** The reader of stored `_scheduled_functions` documents. */
import type { JobEnd } from "./scheduled-functions.ts";

/** A document without its system fields; the values are convex JSON. */
export interface ScheduledDocument {
  readonly args: readonly unknown[];
  readonly name: string;
  readonly scheduledTime: number;
  readonly completedTime?: number;
  readonly state: { readonly kind: "pending" } | { readonly kind: "inProgress" } | JobEnd;
}

/** undefined for a document of another system table. */
export function parseScheduledDocument(text: string): ScheduledDocument | undefined {
  const { _id, _creationTime, ...document } = JSON.parse(text) as ScheduledDocument & { _id?: unknown; _creationTime?: unknown };
  return Array.isArray(document.args) && typeof document.state === "object" ? document : undefined;
}
