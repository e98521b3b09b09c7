/**
 * Search over the tables of a branch, by words, by vectors, or both. This file is the contract; `open-search.ts` makes one.
 *
 * Q1 Results are read in the snapshot of the search: what was deleted before it is not among them, what was written before it is, and
 *    documents are as they were at that moment.
 * Q2 An index is of one table of one branch; nothing of another branch or tenant is in it or decides about its results.
 * Q3 Memory is bounded: by the index, by the tenant and in all. What was unused for longest goes first; indexes are made anew when they
 *    are needed, also after a restart.
 * Q4 An index follows the commits: a search reads only what was written since the one before it.
 */
import type { JsonLike } from "../ai/json.ts";
import type { Scope } from "../database/database.ts";
import type { Timestamp } from "../store/store.ts";

export interface SearchRequest {
  readonly text: string | null;
  readonly vector: readonly number[] | null;
  readonly tables: readonly string[];
  readonly vectorField: string;
  /** Fields and the values that they have to have. */
  readonly filters: Readonly<Record<string, string | number | boolean | null>>;
  readonly limit: number;
}

export interface SearchResult {
  readonly table: string;
  readonly id: string;
  /** Of both lists together. */
  readonly score: number;
  /** null where the words, or the vector, did not find it. */
  readonly textScore: number | null;
  readonly vectorScore: number | null;
  /** Convex JSON. */
  readonly document: JsonLike;
}

export interface Found {
  /** Moment of the snapshot. */
  readonly at: Timestamp;
  readonly results: readonly SearchResult[];
}

export interface Search {
  /** Rejects with InvalidArgument and LimitExceeded. Tables that do not exist have no documents. */
  search(scope: Scope, request: SearchRequest, signal: AbortSignal): Promise<Found>;
  /** The branch's own tables by name, with what one document of them is called; null for those that the schema does not declare. */
  tables(scope: Scope): Promise<ReadonlyMap<string, string | null>>;
  /** The documents of ids in the branch's own tables, in one snapshot; those that are not there are left out. */
  documents(
    scope: Scope,
    ids: readonly string[],
  ): Promise<readonly { readonly table: string; readonly id: string; readonly document: JsonLike }[]>;
  /** The branch ended; what it had is let go. */
  forget(scope: Scope): void;
  status(): { readonly indexes: number; readonly bytes: number };
  close(): void;
}
