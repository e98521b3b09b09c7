/** Reciprocal rank fusion: what stands high in either list comes first, whatever the scales of their scores are. */

/** Dampens the first ranks; the value of the method's authors. */
const RANK_OFFSET = 60;

export interface Ranked<T> {
  readonly item: T;
  readonly score: number;
}

export interface Fused<T> {
  readonly item: T;
  readonly score: number;
  /** The scores in the lists; null where it is in none. */
  readonly scores: readonly (number | null)[];
}

/** `lists` are ordered, the best first. Items are the same when their `key` is. */
export function fuse<T>(lists: readonly (readonly Ranked<T>[])[], key: (item: T) => string): Fused<T>[] {
  const found = new Map<string, { readonly item: T; score: number; readonly scores: (number | null)[] }>();
  for (const [listIndex, list] of lists.entries()) {
    for (const [rank, { item, score }] of list.entries()) {
      const id = key(item);
      const entry = found.get(id) ?? { item, score: 0, scores: lists.map(() => null) };
      entry.score += 1 / (RANK_OFFSET + rank + 1);
      entry.scores[listIndex] = score;
      found.set(id, entry);
    }
  }
  return [...found.values()].sort((a, b) => b.score - a.score || (key(a.item) < key(b.item) ? -1 : 1));
}
