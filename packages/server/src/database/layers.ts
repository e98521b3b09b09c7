/**
 * A branch over the state of other branches at fixed moments. What the branch wrote lies in its own key space and hides
 * what lies under the same key in a layer below; an empty value hides it and stands for nothing.
 *
 * L1 Only documents and index entries of user tables that a layer can know are looked up below: records, the
 *    catalogue and system tables are the branch's own from the start.
 * L2 The layers never change, so what was read below needs no place in the read set: the keys that were looked up do, in
 *    the branch's own key space, because a write there hides what was read.
 * L3 Reading a range looks at a bounded number of entries between two chances for other work, also where they are hidden.
 */
import { must } from "@plinth/core/assert.ts";
import { USER_TABLE_NUMBER_MIN } from "@plinth/core/documents/ids.ts";
import { compareBytes, keyAfter } from "@plinth/core/documents/keys.ts";
import type { Entry, Key, KeyRange, RangeOptions, Snapshot, Store, Timestamp, Write } from "../store/store.ts";
import type { Breather } from "./breather.ts";
import type { CatalogueBase } from "./catalogue.ts";
import { KeySpace, keyMeaning } from "./key-space.ts";
import { USER_INDEX_NUMBER_MIN } from "./system-tables.ts";

/** Entries that are read at once from each layer, and the bytes that they are meant to have. */
const CHUNK_START = 16;
const CHUNK_LARGEST = 1024;
const CHUNK_BYTES = 1024 * 1024;

/** Stands in the store for what the branch deleted and a layer below still has. */
const HIDDEN = new Uint8Array(0);

interface Layer {
  readonly snapshot: Snapshot;
  readonly keys: KeySpace;
}

export class LayeredSnapshot implements Snapshot {
  readonly ts: Timestamp;
  readonly #own: Layer;
  readonly #below: readonly Layer[];
  readonly #base: CatalogueBase;
  readonly #breather: Breather;

  private constructor(own: Layer, below: { readonly layers: readonly Layer[]; readonly base: CatalogueBase; readonly breather: Breather }) {
    this.ts = own.snapshot.ts;
    this.#own = own;
    this.#below = below.layers;
    this.#base = below.base;
    this.#breather = below.breather;
  }

  /** Lays `own` over the layers of `base`. The result owns all snapshots. */
  static async over(
    own: Layer,
    below: { readonly store: Store; readonly base: CatalogueBase; readonly breather: Breather },
  ): Promise<LayeredSnapshot> {
    const { store, base, breather } = below;
    const layers: Layer[] = [];
    try {
      for (const { branch, at } of base.layers) {
        const keys = new KeySpace({ tenant: own.keys.scope.tenant, branch });
        layers.push({ keys, snapshot: await store.snapshot(at, keys.data()) });
      }
    } catch (error) {
      for (const { snapshot } of layers) snapshot.release();
      throw error;
    }
    return new LayeredSnapshot(own, { layers, base, breather });
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    const own = await this.#own.snapshot.get(key);
    if (own === undefined) return this.#isBelow(key) ? this.#getBelow(key) : undefined;
    return own.length === 0 ? undefined : own;
  }

  async range(options: RangeOptions): Promise<Entry[]> {
    const { order, limit } = options;
    if (!this.#isBelow(options.start)) return this.#own.snapshot.range(options);
    const readers = [this.#own, ...this.#below].map((layer) => new LayerReader(layer, this.#own.keys, options));
    const found: Entry[] = [];
    while (found.length < limit) {
      for (const reader of readers) {
        if (!reader.isUsedUp) continue;
        await reader.fill(limit - found.length);
        await this.#breather.breathe();
      }
      const next = nearest(readers, order);
      if (next === undefined) return found;
      for (const reader of readers) reader.skip(next.key);
      if (next.value.length > 0) found.push(next);
    }
    return found;
  }

  /** The writes as they go to the store: a deletion leaves a mark where a layer below has the key. */
  async marked(writes: readonly Write[]): Promise<Write[]> {
    const marked: Write[] = [];
    for (const write of writes) {
      const hides = write.value === null && this.#isBelow(write.key) && (await this.#getBelow(write.key)) !== undefined;
      marked.push(hides ? { key: write.key, value: HIDDEN } : write);
      await this.#breather.breathe();
    }
    return marked;
  }

  release(): void {
    for (const { snapshot } of [this.#own, ...this.#below]) snapshot.release();
  }

  async #getBelow(key: Key): Promise<Uint8Array | undefined> {
    for (const { snapshot, keys } of this.#below) {
      const value = await snapshot.get(keys.keyFrom(this.#own.keys, key));
      if (value !== undefined) return value.length === 0 ? undefined : value;
    }
    return undefined;
  }

  #isBelow(key: Key): boolean {
    const meaning = keyMeaning(key);
    switch (meaning.kind) {
      case "document":
        return meaning.table >= USER_TABLE_NUMBER_MIN && meaning.table < this.#base.tablesEnd;
      case "index":
        return meaning.index >= USER_INDEX_NUMBER_MIN && meaning.index < this.#base.indexesEnd;
      default:
        return false;
    }
  }
}

/** Reads the entries of one layer one after the other, by the keys of the branch on top. */
class LayerReader {
  readonly #layer: Layer;
  readonly #top: KeySpace;
  readonly #order: "asc" | "desc";
  /** What is not read yet, in the layer's own keys; undefined at the end. */
  #rest: KeyRange | undefined;
  #entries: readonly Entry[] = [];
  #at = 0;
  /** 0 before the first chunk, which has what is wanted; the next ones grow, because entries are hidden. */
  #chunk = 0;

  constructor(layer: Layer, top: KeySpace, { start, end, order }: RangeOptions) {
    this.#layer = layer;
    this.#top = top;
    this.#order = order;
    const map = (key: Key): Key => (layer.keys === top ? key : layer.keys.keyFrom(top, key));
    this.#rest = compareBytes(start, end) < 0 ? { start: map(start), end: map(end) } : undefined;
  }

  /** The next entry; undefined when there is none. After `fill`. */
  get head(): Entry | undefined {
    return this.#entries[this.#at];
  }

  /** Nothing that was read is left, and there may be more. */
  get isUsedUp(): boolean {
    return this.#at >= this.#entries.length && this.#rest !== undefined;
  }

  /** Reads on; `wanted` entries are enough when none is hidden. */
  async fill(wanted: number): Promise<void> {
    if (this.#rest === undefined) return;
    const limit = this.#chunk === 0 ? Math.min(wanted, CHUNK_START) : this.#chunk;
    const entries = await this.#layer.snapshot.range({ ...this.#rest, order: this.#order, limit });
    this.#rest =
      entries.length < limit ? undefined : restBehind(this.#rest, must(entries.at(-1), "a full chunk has entries").key, this.#order);
    this.#chunk = nextChunk(limit, entries);
    this.#entries =
      this.#layer.keys === this.#top
        ? entries
        : entries.map(({ key, value }) => ({ key: this.#top.keyFrom(this.#layer.keys, key), value }));
    this.#at = 0;
  }

  /** Goes past `key`, which is not behind the next entry. */
  skip(key: Key): void {
    const { head } = this;
    if (head !== undefined && compareBytes(head.key, key) === 0) this.#at += 1;
  }
}

function nextChunk(chunk: number, entries: readonly Entry[]): number {
  let bytes = 1;
  for (const { key, value } of entries) bytes += key.length + value.length;
  const affordable = Math.max(1, Math.floor((CHUNK_BYTES * Math.max(entries.length, 1)) / bytes));
  return Math.min(4 * chunk, affordable, CHUNK_LARGEST);
}

function restBehind(range: KeyRange, key: Key, order: "asc" | "desc"): KeyRange | undefined {
  const rest = order === "asc" ? { start: keyAfter(key), end: range.end } : { start: range.start, end: key };
  return compareBytes(rest.start, rest.end) < 0 ? rest : undefined;
}

/** The next entry of all layers; of equal keys that of the uppermost. */
function nearest(readers: readonly LayerReader[], order: "asc" | "desc"): Entry | undefined {
  let next: Entry | undefined;
  for (const { head } of readers) {
    if (head === undefined) continue;
    const compared = next === undefined ? -1 : compareBytes(head.key, next.key);
    if (order === "asc" || next === undefined ? compared < 0 : compared > 0) next = head;
  }
  return next;
}
