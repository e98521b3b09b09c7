/**
 * Owns the keys that the last commits wrote, in memory: what conflicts are checked against (S4), and how
 * a reader knows what changed between its snapshot and now.
 *
 * R1 Every commit with a timestamp above `floor` is here, from its submission on; it leaves again only
 *    when the writer could not write it, or when it is durable and memory is short.
 * R2 Keys are copies: they keep no larger buffer of a caller alive.
 */
import { assert } from "@plinth/core/assert.ts";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import { firstConflict, ReadSet } from "@plinth/core/documents/read-set.ts";
import type { Key, KeyRange, Timestamp, Write } from "../store.ts";

export interface Conflict {
  readonly ts: Timestamp;
  readonly key: Key;
}

interface WrittenKeys {
  readonly ts: Timestamp;
  /** Sorted, each once. */
  readonly keys: readonly Key[];
  readonly bytes: number;
}

/** What an entry and each of its keys cost beside the bytes of the keys. */
const ENTRY_BYTES = 128;
const KEY_BYTES = 96;
const SLAB_BYTES = 64 * 1024;
/** A point read takes about as long as to search so many commits. */
const COMMITS_SEARCHED = 16;

export class RecentCommits {
  readonly #bytesMax: number;
  readonly #copier = new KeyCopier();
  #commits: WrittenKeys[] = [];
  /** Commits before this place were forgotten. */
  #head = 0;
  #bytes = 0;
  #floor: Timestamp;

  constructor(options: { floor: Timestamp; bytesMax: number }) {
    this.#floor = options.floor;
    this.#bytesMax = options.bytesMax;
  }

  get floor(): Timestamp {
    return this.#floor;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a submitted commit; its writes are sorted by key. */
  add(ts: Timestamp, writes: readonly Write[]): void {
    const last = this.#commits.at(-1);
    assert(ts > this.#floor && (last === undefined || ts > last.ts), "commits come in order");
    const keys = this.#copier.copy(writes);
    let bytes = ENTRY_BYTES + KEY_BYTES * keys.length;
    for (const key of keys) bytes += key.length;
    this.#commits.push({ ts, keys, bytes });
    this.#bytes += bytes;
  }

  /** Takes back a commit that was not written. */
  remove(ts: Timestamp): void {
    const index = this.#firstAfter(ts - 1);
    const commit = this.#commits[index];
    if (commit?.ts !== ts) return;
    this.#commits.splice(index, 1);
    this.#bytes -= commit.bytes;
  }

  /** Forgets the oldest of the commits up to `durable` while they take more memory than allowed. */
  forget(durable: Timestamp): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#commits[this.#head];
      if (oldest === undefined || oldest.ts > durable) break;
      this.#head += 1;
      this.#bytes -= oldest.bytes;
      this.#floor = oldest.ts;
    }
    if (this.#head > 1024 && this.#head > this.#commits.length / 2) {
      this.#commits = this.#commits.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The first commit after `at` that wrote a key that was read; `ranges` as `apart` returns them. */
  firstConflict(at: Timestamp, ranges: readonly KeyRange[]): Conflict | undefined {
    assert(at >= this.#floor, "memory reaches back to the snapshot");
    for (let i = this.#firstAfter(at); i < this.#commits.length; i++) {
      const commit = this.#commits[i];
      if (commit === undefined) continue;
      const key = firstConflict(ranges, commit.keys);
      if (key !== null) return { ts: commit.ts, key };
    }
    return undefined;
  }

  /** How many commits lie in after < ts ≤ until; undefined when memory does not reach back to `after`. */
  countBetween(after: Timestamp, until: Timestamp): number | undefined {
    return after < this.#floor ? undefined : this.#firstAfter(until) - this.#firstAfter(after);
  }

  /** Whether no commit in after < ts ≤ until wrote `key`; false, too, where looking would take longer than reading. */
  isUnchanged(key: Key, after: Timestamp, until: Timestamp): boolean {
    if (after < this.#floor) return false;
    const end = this.#firstAfter(until);
    const start = this.#firstAfter(after);
    if (end - start > COMMITS_SEARCHED) return false;
    for (let i = start; i < end; i++) if (contains(this.#commits[i]?.keys ?? [], key)) return false;
    return true;
  }

  /** The keys of `range` that commits in after < ts ≤ until wrote, sorted, each once. */
  keysWritten(after: Timestamp, until: Timestamp, range: KeyRange): Key[] {
    const found: Key[] = [];
    const end = this.#firstAfter(until);
    for (let i = this.#firstAfter(after); i < end; i++) collectWithin(this.#commits[i]?.keys ?? [], range, found);
    found.sort(compareBytes);
    return found.filter((key, i) => i === 0 || compareBytes(found[i - 1] ?? key, key) !== 0);
  }

  #firstAfter(ts: Timestamp): number {
    let low = this.#head;
    let high = this.#commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#commits[middle]?.ts ?? Infinity) <= ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The same ranges, sorted and apart from each other, as `firstConflict` wants them. */
export function apart(ranges: readonly KeyRange[]): readonly KeyRange[] {
  let before: KeyRange | undefined;
  for (const range of ranges) {
    const inOrder = before === undefined || compareBytes(before.end, range.start) <= 0;
    if (!inOrder || compareBytes(range.start, range.end) >= 0) return sortApart(ranges);
    before = range;
  }
  return ranges;
}

function sortApart(ranges: readonly KeyRange[]): readonly KeyRange[] {
  const set = new ReadSet();
  for (const { start, end } of ranges) set.addRange(start, end);
  return set.ranges();
}

function contains(keys: readonly Key[], key: Key): boolean {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareBytes(keys[middle] ?? key, key);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

function collectWithin(keys: readonly Key[], range: KeyRange, found: Key[]): void {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle];
    if (key !== undefined && compareBytes(key, range.start) < 0) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < keys.length; i++) {
    const key = keys[i];
    if (key === undefined || compareBytes(key, range.end) >= 0) return;
    found.push(key);
  }
}

/**
 * Copies keys into slabs. Commits are forgotten in the order in which they came, so a slab lives hardly longer than
 * its keys, and the garbage collector has few buffers to look after.
 */
class KeyCopier {
  #slab = new Uint8Array(0);
  #used = 0;

  copy(writes: readonly Write[]): Key[] {
    let bytes = 0;
    for (const { key } of writes) bytes += key.length;
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(bytes, SLAB_BYTES));
      this.#used = 0;
    }
    return writes.map(({ key }) => {
      const start = this.#used;
      this.#slab.set(key, start);
      this.#used += key.length;
      return this.#slab.subarray(start, this.#used);
    });
  }
}
