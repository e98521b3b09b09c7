/**
 * A list that never changes and that is cheap to extend: a new one shares all but one chunk with the old one. It is plain JSON, so that
 * it can be stored as it is.
 */
const CHUNK = 128;

export interface ChunkedList<T> {
  readonly length: number;
  readonly chunks: readonly (readonly (T | null)[])[];
}

export const EMPTY_LIST: ChunkedList<never> = { length: 0, chunks: [] };

export function itemAt<T>(list: ChunkedList<T>, index: number): T | null {
  return index < list.length ? (list.chunks[Math.floor(index / CHUNK)]?.[index % CHUNK] ?? null) : null;
}

/** With `item` at `index`; places before it that have none are null. */
export function withItem<T>(list: ChunkedList<T>, index: number, item: T): ChunkedList<T> {
  const chunks = list.chunks.slice();
  const at = Math.floor(index / CHUNK);
  for (let i = chunks.length; i <= at; i += 1) chunks.push([]);
  const chunk = chunks[at]?.slice() ?? [];
  for (let i = chunk.length; i < index % CHUNK; i += 1) chunk.push(null);
  chunk[index % CHUNK] = item;
  chunks[at] = chunk;
  return { length: Math.max(list.length, index + 1), chunks };
}

export function appended<T>(list: ChunkedList<T>, item: T): ChunkedList<T> {
  return withItem(list, list.length, item);
}

export function withoutLast<T>(list: ChunkedList<T>): ChunkedList<T> {
  const length = list.length - 1;
  const chunks = list.chunks.slice(0, Math.ceil(length / CHUNK));
  const last = chunks.at(-1);
  if (last !== undefined) chunks[chunks.length - 1] = last.slice(0, length - (chunks.length - 1) * CHUNK);
  return { length, chunks };
}

/** All items in order; null where there is none. */
export function itemsOf<T>(list: ChunkedList<T>): (T | null)[] {
  return Array.from({ length: list.length }, (_, i) => itemAt(list, i));
}
