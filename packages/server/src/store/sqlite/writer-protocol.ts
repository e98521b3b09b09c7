/**
 * What the host and its writer thread say to each other. Requests are answered in their order, one
 * answer each.
 */
import type { PinChanges, Timestamp } from "../store.ts";

/** What the writer thread is started with. */
export interface WriterSettings {
  readonly databaseFile: string;
  readonly cacheBytes: number;
  readonly groupBytesMax: number;
  readonly collectKeysMax: number;
  readonly collectBytesMax: number;
  readonly databaseBytesMax: number;
}

export type WriterRequest =
  /** Write these batches (`group-encoding.ts`), and the changes of pins that belong to some of them. */
  | { readonly kind: "commit"; readonly group: ArrayBuffer; readonly pins?: readonly StampedPins[] }
  /** Remove one slice of what no moment from `horizon` on can see. */
  | { readonly kind: "collect"; readonly horizon: Timestamp }
  /** Move the write-ahead log into the database file and start it anew, which waits for readers. */
  | { readonly kind: "checkpoint" }
  | { readonly kind: "close" };

/** What the batch with this timestamp changes of the pins. */
export interface StampedPins {
  readonly ts: Timestamp;
  readonly changes: PinChanges;
}

export interface BatchFailure {
  readonly ts: Timestamp;
  readonly reason: string;
}

export type WriterReply =
  /** All batches are durable except those in `failures`, of which nothing was written. */
  | { readonly kind: "written"; readonly failures: readonly BatchFailure[]; readonly logPages: number }
  | { readonly kind: "collected"; readonly removed: number; readonly done: boolean; readonly logPages: number }
  | { readonly kind: "checkpointed"; readonly logPages: number; readonly pagesLeft: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "closed" };
