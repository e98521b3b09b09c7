/** Rows of webhooks: addresses outside that get events of a branch. */
import { assert } from "@plinth/core/assert.ts";

/** `unverified`: it has not echoed its challenge yet, and gets no events. */
export type WebhookStatus = "unverified" | "active" | "inactive";

export interface WebhookHeader {
  readonly name: string;
  readonly value: string;
}

export interface WebhookRow {
  readonly id: string;
  /** Whose token made it; empty for those of keys. */
  readonly snapInId: string;
  readonly url: string;
  /** What the signature of each request is made with. */
  readonly secret: string;
  readonly eventTypes: readonly string[];
  readonly headers: readonly WebhookHeader[];
  readonly status: WebhookStatus;
  /** Of the last verification that was begun. */
  readonly challenge: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

export function parseWebhook(json: unknown): WebhookRow {
  const row = json as WebhookRow;
  assert(typeof row.id === "string" && typeof row.url === "string" && Array.isArray(row.eventTypes), "a stored webhook has its fields");
  return row;
}
