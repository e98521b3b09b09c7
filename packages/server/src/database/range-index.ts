/**
 * Finds the owners of key ranges that hold a written key. Ranges are filed under the prefix that their bounds
 * have in common, which every key between them has too; so a written key is looked up once for each length of
 * prefix in use, not compared with every range.
 */
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Key, KeyRange } from "../store/store.ts";

interface Filed<Owner> {
  readonly range: KeyRange;
  readonly owner: Owner;
}

/** Longer common prefixes are cut: a shorter one finds the same ranges. */
const PREFIX_BYTES_KEPT = 96;

export class RangeIndex<Owner> {
  readonly #filed = new Map<string, Set<Filed<Owner>>>();
  /** How many prefixes of each length are in use. */
  readonly #lengths = new Map<number, number>();
  readonly #byOwner = new Map<Owner, { readonly prefix: string; readonly filed: Filed<Owner> }[]>();

  add(owner: Owner, ranges: readonly KeyRange[]): void {
    const own = this.#byOwner.get(owner) ?? [];
    for (const range of ranges) {
      const prefix = commonPrefix(range);
      let filed = this.#filed.get(prefix);
      if (filed === undefined) {
        this.#filed.set(prefix, (filed = new Set()));
        this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
      }
      const entry = { range, owner };
      filed.add(entry);
      own.push({ prefix, filed: entry });
    }
    this.#byOwner.set(owner, own);
  }

  delete(owner: Owner): void {
    for (const { prefix, filed } of this.#byOwner.get(owner) ?? []) {
      const bucket = this.#filed.get(prefix);
      if (bucket === undefined) continue;
      bucket.delete(filed);
      if (bucket.size > 0) continue;
      this.#filed.delete(prefix);
      const left = (this.#lengths.get(prefix.length) ?? 1) - 1;
      if (left === 0) this.#lengths.delete(prefix.length);
      else this.#lengths.set(prefix.length, left);
    }
    this.#byOwner.delete(owner);
  }

  /** Owners of ranges that hold `key`. */
  ownersOf(key: Key): Set<Owner> {
    const owners = new Set<Owner>();
    if (this.#filed.size === 0) return owners;
    const text = binaryText(key.subarray(0, PREFIX_BYTES_KEPT));
    for (const length of this.#lengths.keys()) {
      if (length > text.length) continue;
      for (const { range, owner } of this.#filed.get(text.slice(0, length)) ?? []) {
        if (compareBytes(range.start, key) <= 0 && compareBytes(key, range.end) < 0) owners.add(owner);
      }
    }
    return owners;
  }
}

function commonPrefix({ start, end }: KeyRange): string {
  const max = Math.min(start.length, end.length, PREFIX_BYTES_KEPT);
  let length = 0;
  while (length < max && start[length] === end[length]) length++;
  return binaryText(start.subarray(0, length));
}

/** One character per byte. */
function binaryText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
