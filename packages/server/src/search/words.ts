/** How text becomes words, the same for documents and searches. */
import { limit } from "@plinth/core/limits.ts";

const WORD_CHARS_KEPT = 64;
/** Scripts that put no spaces between words: pairs of characters stand for them. */
const WORD =
  /(?<unspaced>[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]+)|[[\p{L}\p{N}\p{M}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]]+/gv;
const ACCENTS = /\p{M}+/gu;

/** The words in order, in lower case and without accents. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  // Some characters stand for many.
  const plain = text
    .normalize("NFKD")
    .slice(0, 2 * limit("searchDocumentCharsMax"))
    .toLowerCase()
    .replace(ACCENTS, "");
  for (const { 0: word, groups } of plain.matchAll(WORD)) {
    if (groups?.["unspaced"] === undefined) words.push(word.slice(0, WORD_CHARS_KEPT).toWellFormed());
    else for (const pair of pairsOf(word)) words.push(pair);
  }
  return words;
}

/** The different words of a search, at most as many as one may have. */
export function queryWords(text: string): string[] {
  return [...new Set(wordsOf(text.slice(0, limit("searchQueryCharsMax"))))].slice(0, limit("searchQueryWordsMax"));
}

/** One character alone stands for itself. */
function* pairsOf(text: string): Generator<string> {
  let before: string | undefined;
  let pairs = 0;
  for (const character of text) {
    if (before !== undefined) {
      yield `${before}${character}`;
      pairs += 1;
    }
    before = character;
  }
  if (pairs === 0 && before !== undefined) yield before;
}
