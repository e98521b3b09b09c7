/** Rows of branches, and the strict readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { Timestamp } from "../store/store.ts";

/**
 * A branch other than `main`. It is being `made` until what it starts with is complete, and `deleted` until its data is gone;
 * meanwhile its name is taken and it opens to nobody.
 */
export interface BranchRow {
  readonly name: string;
  readonly state: "made" | "open" | "deleted";
  readonly createdMs: number;
  readonly base: { readonly branch: string; readonly at: Timestamp } | null;
  /** sha-256 of the branch's key, in hexadecimal. */
  readonly sha256: string;
}

/** Heads of a branch at the end of a day; of its own functions under the empty name, of packages under theirs. */
export interface HeadSnapshot {
  /** UTC, `2026-01-31`. */
  readonly day: string;
  readonly atMs: number;
  readonly heads: Readonly<Record<string, { readonly version: string; readonly seq: number }>>;
}

/** A daily job and the last day on which it was finished. */
export interface DailyJob {
  readonly day: string;
}

/** Branches in the order of their last use, the latest first. */
export type UsedBranches = readonly { readonly tenant: string; readonly branch: string }[];

const STATES: readonly unknown[] = ["made", "open", "deleted"];
const DAY = /^\d{4}-\d\d-\d\d$/;

export function parseBranch(json: unknown): BranchRow {
  const row = json as BranchRow;
  assert(typeof row.name === "string" && typeof row.createdMs === "number" && STATES.includes(row.state), "a stored branch has its fields");
  assert(/^[0-9a-f]{64}$/.test(row.sha256), "a stored branch has the digest of its key");
  assert(row.base === null || (typeof row.base.branch === "string" && Number.isSafeInteger(row.base.at)), "a stored branch has its base");
  return row;
}

export function parseHeadSnapshot(json: unknown): HeadSnapshot {
  const row = json as HeadSnapshot;
  assert(DAY.test(row.day) && typeof row.atMs === "number" && typeof row.heads === "object", "a stored snapshot of heads has its fields");
  return row;
}

export function parseDailyJob(json: unknown): DailyJob {
  const row = json as DailyJob;
  assert(DAY.test(row.day), "a stored daily job has its day");
  return row;
}

export function parseUsedBranches(json: unknown): UsedBranches {
  assert(Array.isArray(json), "the stored list of used branches is a list");
  return (json as UsedBranches).map(({ tenant, branch }) => {
    assert(typeof tenant === "string" && typeof branch === "string", "a used branch has its names");
    return { tenant, branch };
  });
}
