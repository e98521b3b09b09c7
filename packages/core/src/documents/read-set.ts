/** What a transaction has read, as ranges of keys, and whether a commit touched it. */
import { compareBytes, keyAfter } from "./keys.ts";

/** Half-open: start ≤ key < end, in byte order. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** Collects ranges; merging waits until somebody asks for them. */
export class ReadSet {
  #merged: KeyRange[] = [];
  #added: KeyRange[] = [];
  #count = 0;
  #bytes = 0;

  addPoint(key: Uint8Array): void {
    this.#add({ start: key, end: keyAfter(key) });
  }

  /** Adds start ≤ key < end; a range without keys is ignored. */
  addRange(start: Uint8Array, end: Uint8Array): void {
    if (compareBytes(start, end) < 0) this.#add({ start, end });
  }

  #add(range: KeyRange): void {
    this.#added.push(range);
    this.#count += 1;
    this.#bytes += range.start.length + range.end.length;
  }

  /** How many points and ranges were added. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the keys that were added. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sorted, apart from each other, and together exactly what was added. */
  ranges(): readonly KeyRange[] {
    if (this.#added.length > 0) {
      this.#merged = mergeRanges([...this.#merged, ...this.#added]);
      this.#added = [];
    }
    return this.#merged;
  }
}

/** Sorts `ranges` in place and joins those that overlap or touch. */
function mergeRanges(ranges: KeyRange[]): KeyRange[] {
  ranges.sort((a, b) => compareBytes(a.start, b.start));
  const merged: KeyRange[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last === undefined || compareBytes(last.end, range.start) < 0) merged.push(range);
    else if (compareBytes(last.end, range.end) < 0) merged[merged.length - 1] = { start: last.start, end: range.end };
  }
  return merged;
}

/**
 * The smallest written key that lies in a range, or null. Both lists are sorted, and the ranges lie apart
 * from each other, as `ReadSet.ranges` gives them.
 */
export function firstConflict(readRanges: readonly KeyRange[], sortedWrittenKeys: readonly Uint8Array[]): Uint8Array | null {
  return readRanges.length < sortedWrittenKeys.length
    ? firstKeyOfRanges(readRanges, sortedWrittenKeys)
    : firstKeyInRanges(readRanges, sortedWrittenKeys);
}

/** Looks each range up among the keys. */
function firstKeyOfRanges(ranges: readonly KeyRange[], keys: readonly Uint8Array[]): Uint8Array | null {
  let from = 0;
  for (const range of ranges) {
    from = lowerBound(keys.length, from, (i) => compareBytes(keys[i] as Uint8Array, range.start) < 0);
    const key = keys[from];
    if (key === undefined) return null;
    if (compareBytes(key, range.end) < 0) return key;
  }
  return null;
}

/** Looks each key up among the ranges. */
function firstKeyInRanges(ranges: readonly KeyRange[], keys: readonly Uint8Array[]): Uint8Array | null {
  let from = 0;
  for (const key of keys) {
    from = lowerBound(ranges.length, from, (i) => compareBytes((ranges[i] as KeyRange).end, key) <= 0);
    const range = ranges[from];
    if (range === undefined) return null;
    if (compareBytes(range.start, key) <= 0) return key;
  }
  return null;
}

/** The first index from `from` on for which `isBelow` is false; it is true up to there and false after. */
function lowerBound(length: number, from: number, isBelow: (index: number) => boolean): number {
  let low = from;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
