/** Cuts the parts out of a document's text that have most of the words that were searched. */
import { limit } from "@plinth/core/limits.ts";
import type { JsonLike } from "../ai/json.ts";
import { textsOf } from "./searched-document.ts";
import { wordsOf } from "./words.ts";

/** Pieces may reach a little further, to a space. */
const SPACE_WITHIN = 40;

export interface Shown {
  readonly title: string;
  /** In the order of the text. */
  readonly passages: readonly string[];
  /** Whether the text has more. */
  readonly isCut: boolean;
}

/** Without words, or where none of them stands, the text from its beginning. `chars` bounds title and passages together. */
export function shownOf(document: JsonLike, words: readonly string[], chars: number): Shown {
  const texts = textsOf(document);
  const title = cutAt(texts.title, Math.min(chars, limit("searchPassageChars")));
  const left = chars - title.length;
  const body = texts.body.trim();
  if (body.length <= left) return { title, passages: body === "" ? [] : [body], isCut: title.length < texts.title.length };
  if (left <= 0) return { title, passages: [], isCut: true };
  const pieces = piecesOf(body);
  const best = bestOf(pieces, new Set(words));
  const passages = best.length === 0 ? [cutAt(body, left)] : filled(pieces, best, left);
  return { title, passages, isCut: true };
}

function piecesOf(text: string): string[] {
  const size = limit("searchPassageChars");
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    const space = text.slice(from + size, from + size + SPACE_WITHIN).search(/\s/);
    const to = space < 0 ? from + size : from + size + space + 1;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

/** Indexes of the pieces that have any of the words, those with most of them first. */
function bestOf(pieces: readonly string[], words: ReadonlySet<string>): readonly number[] {
  if (words.size === 0) return [];
  return pieces
    .map((piece, index) => {
      const found = wordsOf(piece).filter((word) => words.has(word));
      return { index, different: new Set(found).size, all: found.length };
    })
    .filter(({ all }) => all > 0)
    .sort((a, b) => b.different - a.different || b.all - a.all || a.index - b.index)
    .map(({ index }) => index);
}

function filled(pieces: readonly string[], best: readonly number[], chars: number): readonly string[] {
  let left = chars;
  const taken = new Map<number, string>();
  for (const index of best) {
    if (left <= 0) break;
    const piece = cutAt((pieces[index] ?? "").trim(), left);
    taken.set(index, piece);
    left -= piece.length;
  }
  return joined(taken);
}

/** Neighbours are one passage. */
function joined(taken: ReadonlyMap<number, string>): readonly string[] {
  const passages: string[] = [];
  let before = -2;
  for (const [index, text] of [...taken].sort(([a], [b]) => a - b)) {
    if (index === before + 1) passages.push(`${passages.pop() ?? ""} ${text}`);
    else passages.push(text);
    before = index;
  }
  return passages;
}

function cutAt(text: string, chars: number): string {
  return text.length <= chars ? text : text.slice(0, Math.max(chars, 0)).toWellFormed();
}
