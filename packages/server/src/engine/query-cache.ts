/**
 * Results of queries, kept until a commit writes into what they read.
 *
 * Q1 A result is given out only when it is what the query would return at the latest commit: every commit is
 *    compared with what the result read, those between its snapshot and its filing included, and nothing is
 *    given out while the store is ahead of the commits that were seen here.
 * Q2 A result that depends on the caller's identity is given to that identity alone; one that depends on the
 *    time is given for `queryCacheTimeMsMax` at most.
 * Q3 Identical queries that come together run once: the others wait for the first and look again.
 * Q4 The memory is bounded; the results that were not used for longest go first.
 */
import { limit } from "@plinth/core/limits.ts";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Commit, KeyRange, Timestamp } from "../store/store.ts";
import type { LogLine } from "./invocation.ts";
import { RangeIndex } from "../database/range-index.ts";

export interface CachedResult {
  readonly valueText: string;
  readonly logs: readonly LogLine[];
  readonly logsDropped: number;
}

export interface QueryKey {
  /** All that the result depends on besides the data and the identity. */
  readonly base: string;
  /** JSON of the caller's identity. */
  readonly identity: string;
}

export interface Observed {
  readonly ts: Timestamp;
  readonly reads: readonly KeyRange[];
  readonly identityRead: boolean;
  readonly timeRead: boolean;
}

interface Entry {
  readonly key: string;
  readonly result: CachedResult;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

/** Commits whose keys are remembered to compare with results whose queries were running meanwhile. */
const RECENT_COMMITS = 1024;
const RECENT_KEY_BYTES = 4 * 1024 * 1024;
const ENTRY_OVERHEAD_BYTES = 512;

export class QueryCache {
  readonly #bytesMax: number;
  readonly #runtime: Runtime;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #ranges = new RangeIndex<Entry>();
  readonly #running = new Map<string, Promise<void>>();
  #recent: { readonly ts: Timestamp; readonly keys: readonly Uint8Array[] }[] = [];
  #recentBytes = 0;
  #recentSince: Timestamp;
  #seen: Timestamp;
  #bytes = 0;

  constructor(options: { readonly bytesMax: number; readonly runtime: Runtime; readonly seen: Timestamp }) {
    this.#bytesMax = options.bytesMax;
    this.#runtime = options.runtime;
    this.#seen = this.#recentSince = options.seen;
  }

  status(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  /** Q1. Called for each commit, in order. */
  committed(commit: Commit): void {
    this.#seen = commit.ts;
    this.#remember(commit);
    if (this.#entries.size === 0) return;
    for (const { key } of commit.writes) for (const entry of this.#ranges.ownersOf(key)) this.#drop(entry);
  }

  #remember(commit: Commit): void {
    const keys = commit.writes.map(({ key }) => key);
    for (const key of keys) this.#recentBytes += key.length;
    this.#recent.push({ ts: commit.ts, keys });
    // A query that begins after this reads what was committed.
    const isKept = this.#running.size > 0 && this.#recent.length <= RECENT_COMMITS && this.#recentBytes <= RECENT_KEY_BYTES;
    if (isKept) return;
    this.#recent = [];
    this.#recentBytes = 0;
    this.#recentSince = commit.ts;
  }

  /** `latest` is the store's: a result is not given out before its commits were seen. */
  get(key: QueryKey, latest: Timestamp): CachedResult | undefined {
    if (this.#seen < latest) return undefined;
    const entry = this.#entries.get(sharedKey(key)) ?? this.#entries.get(identityKey(key));
    if (entry === undefined) return undefined;
    this.#entries.delete(entry.key);
    if (entry.expiresAtMs <= this.#runtime.monotonicMs()) {
      this.#entries.set(entry.key, entry);
      this.#drop(entry);
      return undefined;
    }
    this.#entries.set(entry.key, entry);
    return entry.result;
  }

  /** The identical query that runs now, if one does. */
  running(key: QueryKey): Promise<void> | undefined {
    return this.#running.get(key.base);
  }

  /** Says that a query runs, so that identical ones wait; call the result when it ended. */
  begin(key: QueryKey): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key.base, promise);
    return () => {
      if (this.#running.get(key.base) === promise) this.#running.delete(key.base);
      resolve();
    };
  }

  put(key: QueryKey, result: CachedResult, observed: Observed): void {
    const { reads } = observed;
    const bytes = sizeOf(result, reads) + 2 * (key.base.length + key.identity.length);
    if (reads.length > limit("queryCacheRangesMax") || bytes > limit("queryCacheEntryBytesMax") || bytes > this.#bytesMax) return;
    if (this.#writtenSince(observed.ts, reads)) return;
    const entry: Entry = {
      key: observed.identityRead ? identityKey(key) : sharedKey(key),
      result,
      bytes,
      expiresAtMs: observed.timeRead ? this.#runtime.monotonicMs() + limit("queryCacheTimeMsMax") : Infinity,
    };
    const before = this.#entries.get(entry.key);
    if (before !== undefined) this.#drop(before);
    this.#entries.set(entry.key, entry);
    this.#ranges.add(entry, reads);
    this.#bytes += bytes;
    for (const oldest of this.#entries.values()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  /** Whether a commit after `ts` wrote into `reads`; true too when that is no longer known. */
  #writtenSince(ts: Timestamp, reads: readonly KeyRange[]): boolean {
    if (ts < this.#recentSince) return true;
    for (let at = this.#recent.length - 1; at >= 0; at--) {
      const commit = this.#recent[at];
      if (commit === undefined || commit.ts <= ts) return false;
      if (commit.keys.some((key) => isInside(reads, key))) return true;
    }
    return false;
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry.key)) return;
    this.#ranges.delete(entry);
    this.#bytes -= entry.bytes;
  }
}

function sharedKey(key: QueryKey): string {
  return `shared\n${key.base}`;
}

function identityKey(key: QueryKey): string {
  return `identity\n${key.identity}\n${key.base}`;
}

function isInside(ranges: readonly KeyRange[], key: Uint8Array): boolean {
  return ranges.some((range) => compareBytes(range.start, key) <= 0 && compareBytes(key, range.end) < 0);
}

function sizeOf(result: CachedResult, reads: readonly KeyRange[]): number {
  let bytes = ENTRY_OVERHEAD_BYTES + 2 * result.valueText.length;
  for (const line of result.logs) bytes += 64 + 2 * line.text.length;
  for (const { start, end } of reads) bytes += 128 + start.length + end.length;
  return bytes;
}
