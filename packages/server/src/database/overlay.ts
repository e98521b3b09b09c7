/**
 * The writes that a transaction has made so far: looked up by key, read in order, and undone in layers.
 *
 * Keys are held as binary text (one character per byte), whose order is the order of the bytes; a Map and
 * `<` then need no code of their own. Sorted lists are made when a range is first read, so a transaction
 * that only writes never sorts.
 */
import { must } from "@plinth/core/assert.ts";
import type { Key, KeyRange, Write } from "../store/store.ts";
import { bucketLength } from "./key-space.ts";

/** Writes as they were before the layer changed them; undefined = not written. */
type Layer = Map<string, Write | undefined>;

export class Overlay {
  /** Made with the first write, as what is below: most transactions only read. */
  #writes: Map<string, Write> | undefined;
  readonly #layers: Layer[] = [];
  #buckets: Map<string, string[]> | undefined;
  #unsorted: { readonly key: Key; readonly text: string }[] = [];
  /** Keys that an undo removed from `#writes` but that stand in a bucket still. */
  #stale: Set<string> | undefined;

  get size(): number {
    return this.#writes?.size ?? 0;
  }

  writes(): Write[] {
    return this.#writes === undefined ? [] : [...this.#writes.values()];
  }

  get(key: Key): Write | undefined {
    return this.#writes === undefined || this.#writes.size === 0 ? undefined : this.#writes.get(binaryText(key));
  }

  put(key: Key, value: Uint8Array | null): void {
    const text = binaryText(key);
    const writes = (this.#writes ??= new Map());
    const before = writes.get(text);
    const layer = this.#layers.at(-1);
    if (layer !== undefined && !layer.has(text)) layer.set(text, before);
    writes.set(text, { key, value });
    if (before === undefined && this.#stale?.delete(text) !== true) {
      this.#unsorted.push({ key, text });
    }
  }

  /** Starts a layer; `keepLayer` or `undoLayer` ends the newest one. */
  startLayer(): void {
    this.#layers.push(new Map());
  }

  keepLayer(): void {
    const layer = must(this.#layers.pop(), "a layer is open");
    const parent = this.#layers.at(-1);
    if (parent === undefined) return;
    for (const [text, before] of layer) if (!parent.has(text)) parent.set(text, before);
  }

  undoLayer(): void {
    for (const [text, before] of must(this.#layers.pop(), "a layer is open")) {
      if (before !== undefined) this.#writes?.set(text, before);
      else if (this.#writes?.delete(text) === true) (this.#stale ??= new Set()).add(text);
    }
  }

  /** Writes in the range, deletions included, one after the other in `order`. The overlay may not change meanwhile. */
  *range(range: KeyRange, order: "asc" | "desc"): Generator<Write, undefined> {
    const sorted = this.#sortedBucket(range.start);
    const from = lowerBound(sorted, binaryText(range.start));
    const to = lowerBound(sorted, binaryText(range.end));
    const step = order === "asc" ? 1 : -1;
    for (let at = order === "asc" ? from : to - 1; at >= from && at < to; at += step) {
      const write = this.#writes?.get(sorted[at] ?? "");
      if (write !== undefined) yield write;
    }
  }

  #sortedBucket(key: Key): readonly string[] {
    if (this.#unsorted.length > 0) this.#sort();
    return this.#buckets?.get(binaryText(key).slice(0, bucketLength(key))) ?? [];
  }

  #sort(): void {
    const added = new Map<string, string[]>();
    for (const { key, text } of this.#unsorted) {
      const bucket = text.slice(0, bucketLength(key));
      const texts = added.get(bucket);
      if (texts === undefined) added.set(bucket, [text]);
      else texts.push(text);
    }
    this.#unsorted = [];
    const buckets = (this.#buckets ??= new Map());
    for (const [bucket, texts] of added) {
      const sorted = buckets.get(bucket);
      if (sorted === undefined) buckets.set(bucket, texts.sort(compareTexts));
      else addSorted(sorted, texts);
    }
  }
}

/** One character per byte, in the order of the bytes. */
export function binaryText(key: Uint8Array): string {
  const buffer = Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return buffer.toString("latin1");
}

/** Few additions are moved in one by one: copying memory is cheaper than sorting again. */
function addSorted(sorted: string[], texts: readonly string[]): void {
  if (texts.length <= 16) {
    for (const text of texts) sorted.splice(lowerBound(sorted, text), 0, text);
    return;
  }
  for (const text of texts) sorted.push(text);
  sorted.sort(compareTexts);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Index of the first text that is not below `text`. */
function lowerBound(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
