/**
 * What was read, kept until a commit writes into it: settings that every call asks for and that hardly ever change.
 *
 * K1 What is given out is what a read of the latest moment would find: each commit is compared with what lies here before anybody
 *    hears that it is durable, and nothing is given out while the store is ahead of the commits that were seen.
 * K2 The memory is bounded; what was not asked for longest goes first.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Commit, KeyRange, Timestamp } from "../store/store.ts";
import { RangeIndex } from "./range-index.ts";

interface Kept {
  readonly name: string;
  readonly value: unknown;
  readonly bytes: number;
}

/** What a read found, and where. */
export interface Found<T> {
  readonly value: T;
  readonly ranges: readonly KeyRange[];
}

const OVERHEAD_BYTES = 512;

export class KeptReads {
  /** In the order of last use. */
  readonly #kept = new Map<string, Kept>();
  readonly #ranges = new RangeIndex<Kept>();
  #seen: Timestamp;
  #bytes = 0;

  constructor(seen: Timestamp) {
    this.#seen = seen;
  }

  /** K1. Called for each commit, in order. */
  committed(commit: Commit): void {
    this.#seen = commit.ts;
    if (this.#kept.size === 0) return;
    for (const { key } of commit.writes) for (const kept of this.#ranges.ownersOf(key)) this.#drop(kept);
  }

  /** What is kept under the name, else what `read` finds. `latest` is the store's, asked again behind the read. */
  async get<T>(name: string, latest: () => Timestamp, read: () => Promise<Found<T>>): Promise<T> {
    const kept = this.#seen < latest() ? undefined : this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      // A name stands for one read, whose results have one type.
      return kept.value as T;
    }
    const seen = this.#seen;
    const found = await read();
    // A commit that came meanwhile may have written into it, and nobody compared.
    if (seen === this.#seen) this.#keep(name, found);
    return found.value;
  }

  #keep(name: string, { value, ranges }: Found<unknown>): void {
    const text: string | undefined = JSON.stringify(value);
    let bytes = OVERHEAD_BYTES + 2 * (name.length + (text?.length ?? 0));
    for (const { start, end } of ranges) bytes += 128 + start.length + end.length;
    if (bytes > limit("keptReadBytesMax")) return;
    const before = this.#kept.get(name);
    if (before !== undefined) this.#drop(before);
    const kept = { name, value, bytes };
    this.#kept.set(name, kept);
    this.#ranges.add(kept, ranges);
    this.#bytes += bytes;
    for (const oldest of this.#kept.values()) {
      if (this.#bytes <= limit("keptReadsBytesMax")) break;
      this.#drop(oldest);
    }
  }

  #drop(kept: Kept): void {
    if (!this.#kept.delete(kept.name)) return;
    this.#ranges.delete(kept);
    this.#bytes -= kept.bytes;
  }
}
