/**
 * The search index of one table in memory: words with BM25, vectors by their cosine, and the values that filters compare.
 *
 * A document has a slot; one that is replaced or deleted leaves a hole, and its replacement gets the next slot. Lists of words hold
 * slots in ascending order, so nothing has to be looked for when a document goes.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Breather } from "../database/breather.ts";
import { Best } from "./best.ts";
import type { Ranked } from "./fuse.ts";
import { Postings } from "./postings.ts";
import type { SearchedDocument } from "./searched-document.ts";

/** Estimate, measured with short documents: what a document takes besides its words, filters and vector. */
const DOCUMENT_BYTES = 200;
/** A word of the title counts as so many of the text. */
const TITLE_WEIGHT = 2;
/** Common values of BM25: how soon repetition counts no more, and how much long documents are held back. */
const REPETITION = 1.2;
const LENGTH_SHARE = 0.75;
/** An item of a word's list is slot × 64 + how often the document has the word. */
const OFTEN_BITS = 6;
const OFTEN_MAX = (1 << OFTEN_BITS) - 1;
/** Beyond this share of holes the index is made anew. */
const WORN_SHARE = 0.5;
const WORN_HOLES = 1000;
const SLOTS_PER_SLICE = 4096;
const DIMENSIONS_PER_SLICE = 1 << 20;

interface Filter {
  readonly allows: (slot: number) => boolean;
}

export class TableIndex {
  readonly #slots = new Map<string, number>();
  /** By slot; null is a hole. */
  readonly #ids: (string | null)[] = [];
  readonly #lengths: number[] = [];
  readonly #vectors: (Float32Array | null)[] = [];
  /** Documents with more fields than filters know: each is looked at when it was found. */
  readonly #unmarked = new Set<number>();
  readonly #words = new Postings<string>();
  readonly #marks = new Postings<number>();
  #lengthSum = 0;
  #vectorBytes = 0;

  get size(): number {
    return this.#slots.size;
  }

  get bytes(): number {
    return this.#ids.length * DOCUMENT_BYTES + this.#words.bytes + this.#marks.bytes + this.#vectorBytes;
  }

  /** So many documents were replaced and deleted that a new index is better. */
  get isWorn(): boolean {
    const holes = this.#ids.length - this.size;
    return holes > WORN_HOLES && holes > this.size * WORN_SHARE;
  }

  /** Throws LimitExceeded when the table has more than can be searched. */
  put(document: SearchedDocument): void {
    this.remove(document.id);
    const { id, title, body, vector, marks } = document;
    checkMax("Documents of a table that is searched", this.size + 1, limit("searchTableRowsMax"));
    checkMax("Memory of the search index of a table", this.bytes + (vector?.byteLength ?? 0), limit("searchIndexBytesMax"));
    const slot = this.#ids.length;
    this.#slots.set(id, slot);
    this.#ids.push(id);
    const length = title.length * TITLE_WEIGHT + body.length;
    this.#lengths.push(length);
    this.#lengthSum += length;
    this.#vectors.push(vector);
    this.#vectorBytes += vector?.byteLength ?? 0;
    if (marks === null) this.#unmarked.add(slot);
    else for (const mark of new Set(marks)) this.#marks.add(mark, slot);
    for (const [word, often] of counted(title, body)) this.#words.add(word, slot * (OFTEN_MAX + 1) + Math.min(often, OFTEN_MAX));
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    this.#ids[slot] = null;
    this.#lengthSum -= this.#lengths[slot] ?? 0;
    this.#vectorBytes -= this.#vectors[slot]?.byteLength ?? 0;
    this.#vectors[slot] = null;
    this.#unmarked.delete(slot);
  }

  /** The best by words; documents need not have all of them. `marks` are those that a document has to have. */
  async byWords(words: readonly string[], marks: readonly number[], breather: Breather): Promise<Ranked<string>[]> {
    const slots = this.#ids.length;
    const scores = new Float32Array(slots);
    const meanLength = Math.max(this.#lengthSum / Math.max(this.size, 1), 1);
    for (const word of words) {
      const list = this.#words.of(word);
      // Holes are counted too; they weigh little until the index is worn.
      const rarity = Math.log(1 + (slots - list.length + 0.5) / (list.length + 0.5));
      for (let at = 0; at < list.length; at += 1) {
        if (at % SLOTS_PER_SLICE === 0) await breather.breathe();
        const item = list[at] ?? 0;
        const slot = item >>> OFTEN_BITS;
        const often = item & OFTEN_MAX;
        const share = 1 - LENGTH_SHARE + (LENGTH_SHARE * (this.#lengths[slot] ?? 0)) / meanLength;
        scores[slot] = (scores[slot] ?? 0) + (rarity * often * (REPETITION + 1)) / (often + REPETITION * share);
      }
    }
    const best = new Best<string>(limit("searchCandidatesMax"));
    const filter = this.#filter(marks);
    for (let slot = 0; slot < slots; slot += 1) {
      if (slot % SLOTS_PER_SLICE === 0) await breather.breathe();
      const score = scores[slot] ?? 0;
      const id = this.#ids[slot] ?? null;
      if (score > 0 && id !== null && filter.allows(slot)) best.offer(id, score);
    }
    return best.list();
  }

  /** The best by vectors of as many dimensions. `vector` has length 1. */
  async byVector(
    vector: Float32Array,
    marks: readonly number[],
    breather: Breather,
  ): Promise<{ readonly found: Ranked<string>[]; readonly otherDimensions: number | null }> {
    const best = new Best<string>(limit("searchCandidatesMax"));
    const filter = this.#filter(marks);
    const slice = Math.max(1, Math.floor(DIMENSIONS_PER_SLICE / vector.length));
    let otherDimensions: number | null = null;
    let anyOfThese = false;
    for (let slot = 0; slot < this.#ids.length; slot += 1) {
      if (slot % slice === 0) await breather.breathe();
      const own = this.#vectors[slot] ?? null;
      const id = this.#ids[slot] ?? null;
      if (own === null || id === null) continue;
      if (own.length !== vector.length) {
        otherDimensions = own.length;
        continue;
      }
      anyOfThese = true;
      const score = dot(own, vector);
      // What points elsewhere is no match, even where there is nothing better.
      if (score > 0 && filter.allows(slot)) best.offer(id, score);
    }
    return { found: best.list(), otherDimensions: anyOfThese ? null : otherDimensions };
  }

  #filter(marks: readonly number[]): Filter {
    if (marks.length === 0) return { allows: () => true };
    const has = new Uint8Array(this.#ids.length);
    const wanted = new Set(marks);
    for (const mark of wanted) for (const slot of this.#marks.of(mark)) has[slot] = (has[slot] ?? 0) + 1;
    return { allows: (slot) => has[slot] === wanted.size || this.#unmarked.has(slot) };
  }
}

/** How often a document has each of its words. */
function counted(title: readonly string[], body: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of title) counts.set(word, (counts.get(word) ?? 0) + TITLE_WEIGHT);
  for (const word of body) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

function checkMax(what: string, actual: number, max: number): void {
  if (actual > max) throw plinthError("LimitExceeded", { what, actual, max });
}
