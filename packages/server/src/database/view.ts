/** What one transaction sees and does: a snapshot, its own writes over it, and the record of what it read. */
import { assert } from "@plinth/core/assert.ts";
import { keyAfter } from "@plinth/core/documents/keys.ts";
import { ReadSet } from "@plinth/core/documents/read-set.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Key, Snapshot, Store, Write } from "../store/store.ts";
import type { Breather } from "./breather.ts";
import type { CatalogueBase } from "./catalogue.ts";
import type { KeySpace } from "./key-space.ts";
import { LayeredSnapshot } from "./layers.ts";
import { Overlay } from "./overlay.ts";
import { readRange, type RangeRequest, type RangeResult } from "./read-range.ts";

const STORE_BYTES_MAX = limit("transactionStoreBytesMax");

export class View {
  #snapshot: Snapshot;
  #layers: LayeredSnapshot | undefined;
  #released = false;
  readonly overlay = new Overlay();
  readonly reads = new ReadSet();
  readonly breather: Breather;
  readonly #readonly: boolean;
  #storeBytes = 0;

  constructor(options: { readonly snapshot: Snapshot; readonly breather: Breather; readonly readonly: boolean }) {
    this.#snapshot = options.snapshot;
    this.breather = options.breather;
    this.#readonly = options.readonly;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Shows the layers of `base` below what the branch has of its own. */
  async layOver(base: CatalogueBase, below: { readonly keys: KeySpace; readonly store: Store }): Promise<void> {
    assert(this.#layers === undefined, "layers are laid once");
    const { keys, store } = below;
    const layers = await LayeredSnapshot.over({ snapshot: this.#snapshot, keys }, { store, base, breather: this.breather });
    if (this.#released) layers.release();
    this.#layers = layers;
    this.#snapshot = layers;
  }

  /** What the transaction writes, as it goes to the store. Before the release. */
  storeWrites(): Promise<Write[]> | Write[] {
    const writes = this.overlay.writes();
    return this.#layers === undefined ? writes : this.#layers.marked(writes);
  }

  release(): void {
    this.#released = true;
    this.#snapshot.release();
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    const own = this.overlay.get(key);
    if (own !== undefined) return own.value ?? undefined;
    this.reads.addPoint(key);
    return this.#snapshot.get(key);
  }

  /** The first `limit` entries of the range; what lies behind the last of them counts as not read. */
  async range(request: RangeRequest): Promise<RangeResult> {
    const result = await this.peek(request);
    const { range, order } = request;
    const last = result.exhausted ? undefined : result.entries.at(-1);
    if (last === undefined) this.reads.addRange(range.start, range.end);
    else if (order === "asc") this.reads.addRange(range.start, keyAfter(last.key));
    else this.reads.addRange(last.key, range.end);
    return result;
  }

  /** The same, not recorded as read: the caller adds to `reads` what it uses. */
  peek(request: RangeRequest): Promise<RangeResult> {
    return readRange(this, request);
  }

  put(key: Key, value: Uint8Array): void {
    // An empty value is a mark in a branch over others.
    assert(value.length > 0, "a value is never empty");
    this.#write(key, value);
  }

  delete(key: Key): void {
    this.#write(key, null);
  }

  #write(key: Key, value: Uint8Array | null): void {
    assert(!this.#readonly, "a read-only transaction does not write");
    this.#storeBytes += key.length + (value?.length ?? 0);
    // The count only grows: an undone write has cost its memory and its time too.
    if (this.#storeBytes > STORE_BYTES_MAX) {
      throw plinthError("LimitExceeded", {
        what: "Bytes of one commit with its index entries",
        actual: this.#storeBytes,
        max: STORE_BYTES_MAX,
      });
    }
    this.overlay.put(key, value);
  }
}

/** The text that a stored value holds. */
export function storedText(bytes: Uint8Array): string {
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString("utf8");
}

export function textBytes(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}
