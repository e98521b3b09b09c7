/**
 * Branches of a tenant. `main` always exists; the others have data, heads, schedules, logs and metrics of their own, and a key.
 * This file is the contract; `open-branches.ts` makes one.
 *
 * R1 A request that names another branch than `main` needs that branch's key. A wrong or missing key and a branch that does not
 *    exist have the same answer: 403 "Branch access denied".
 * R2 Keys are stored as digests and compared in constant time.
 * R3 What is cached for a function has `fn:{id}|branch:{name}` in its key; nothing of a branch is read under another one's.
 */
import type { Scope } from "../database/database.ts";
import type { Timestamp } from "../store/store.ts";

export interface Branch {
  readonly name: string;
  readonly createdMs: number;
  /** What it started from, or null when it started empty. */
  readonly base: { readonly branch: string; readonly at: Timestamp } | null;
}

export interface Branches {
  /**
   * Makes a branch. With `from`, it starts with that branch's data and heads as of `at` (now when absent), in time that does not
   * grow with them; its crons start with its first deploy. The key is shown this once.
   */
  create(
    tenant: string,
    request: {
      readonly name: string;
      readonly from?: string;
      readonly at?: Timestamp;
      /** Copies the environment variables too, which are secrets often. */
      readonly copyEnvironment?: boolean;
    },
  ): Promise<Branch & { readonly key: string }>;
  list(tenant: string): Promise<readonly Branch[]>;
  get(tenant: string, name: string): Promise<Branch | undefined>;
  /** Gives a branch a new key; the old one ends at once. */
  rotateKey(tenant: string, name: string): Promise<{ readonly key: string }>;
  /** Ends a branch: its runners, schedules and caches at once, its data in the background. */
  delete(tenant: string, name: string): Promise<void>;
  /** Ends all branches of a tenant that was deleted; its eraser deletes the data. */
  deleteAll(tenant: string): Promise<void>;
  /** Whether `key` opens the branch; `main` needs none. Answers from memory after the first time. */
  opens(scope: Scope, key: string | undefined): Promise<boolean>;
  /** Whether the branch is there for work that needs no key: what was queued or scheduled in it. */
  isServed(scope: Scope): Promise<boolean>;
  /** Calls `listener` when a branch ends, after it opens to nobody, and again when its data is gone; it ends what works in the branch. */
  onEnded(listener: (scope: Scope) => Promise<void>): void;
}

export const MAIN_BRANCH = "main";
/** 1 to 63 lower-case letters, digits, `-`, `_` and `.`; begins with a letter or digit. */
export const BRANCH_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
