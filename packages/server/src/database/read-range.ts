/** Reads a range as a transaction sees it: the snapshot with the transaction's own writes laid over it. */
import { compareBytes, keyAfter } from "@plinth/core/documents/keys.ts";
import type { Entry, KeyRange, Snapshot, Write } from "../store/store.ts";
import type { Breather } from "./breather.ts";
import type { Overlay } from "./overlay.ts";

export interface RangeResult {
  readonly entries: Entry[];
  /** Nothing of the range lies behind the last entry. */
  readonly exhausted: boolean;
}

export interface RangeRequest {
  readonly range: KeyRange;
  readonly order: "asc" | "desc";
  /** At least 1. */
  readonly limit: number;
}

/** The first `limit` entries of the range in `order`. */
export async function readRange(
  view: { readonly snapshot: Snapshot; readonly overlay: Overlay; readonly breather: Breather },
  request: RangeRequest,
): Promise<RangeResult> {
  const { order, limit } = request;
  const entries: Entry[] = [];
  let rest = request.range;
  while (compareBytes(rest.start, rest.end) < 0) {
    const wanted = limit - entries.length;
    const base = await view.snapshot.range({ start: rest.start, end: rest.end, order, limit: wanted });
    const last = base.length < wanted ? undefined : base.at(-1);
    // Behind the last stored entry that was read, the snapshot may hold more: what is known ends there.
    const known =
      last === undefined ? rest : order === "asc" ? { start: rest.start, end: keyAfter(last.key) } : { start: last.key, end: rest.end };
    const complete = merge(base, view.overlay.size === 0 ? [] : view.overlay.range(known, order), { order, limit, into: entries });
    if (!complete) return { entries, exhausted: false };
    if (last === undefined) return { entries, exhausted: true };
    rest = order === "asc" ? { start: known.end, end: rest.end } : { start: rest.start, end: last.key };
    if (entries.length === limit) return { entries, exhausted: compareBytes(rest.start, rest.end) >= 0 };
    await view.breather.breathe();
  }
  return { entries, exhausted: true };
}

/** Adds both to `into` in order, the overlay's write in place of the stored one. False when the limit cut something off. */
function merge(
  base: readonly Entry[],
  overlay: Iterable<Write>,
  { order, limit, into }: { readonly order: "asc" | "desc"; readonly limit: number; readonly into: Entry[] },
): boolean {
  let at = 0;
  for (const write of overlay) {
    for (; at < base.length; at++) {
      const entry = base[at] as Entry;
      const compared = order === "asc" ? compareBytes(entry.key, write.key) : compareBytes(write.key, entry.key);
      if (compared > 0) break;
      if (compared === 0) continue;
      if (into.length === limit) return false;
      into.push(entry);
    }
    if (write.value === null) continue;
    if (into.length === limit) return false;
    into.push({ key: write.key, value: write.value });
  }
  for (; at < base.length; at++) {
    if (into.length === limit) return false;
    into.push(base[at] as Entry);
  }
  return true;
}
