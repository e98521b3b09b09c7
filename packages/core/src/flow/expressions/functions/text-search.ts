/**
 * Finds a text in another in time that grows with their lengths only: the engine's own search compares again and again where long
 * parts nearly fit.
 */
import type { Work } from "../work.ts";

/** Longest text that the engine may search for. */
const SHORT_CHARS = 16;

export function indexOfText(text: string, part: string, from: number, work: Work): number {
  if (part.length > text.length - from) return -1;
  if (part.length > SHORT_CHARS) return indexOfLong(text, part, from, work);
  const found = text.indexOf(part, from);
  const looked = (found === -1 ? text.length : found) - from;
  work.spend(Math.floor((looked * (part.length + 4)) / 128));
  return found;
}

/** Knuth, Morris and Pratt's search. */
function indexOfLong(text: string, part: string, from: number, work: Work): number {
  const borders = bordersOf(part);
  let matched = 0;
  for (let i = from; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (part.charCodeAt(matched) === unit) matched += 1;
    if (matched === part.length) {
      work.spend(Math.ceil((i - from) / 4));
      return i - part.length + 1;
    }
  }
  work.spend(Math.ceil((part.length + text.length - from) / 4));
  return -1;
}

/** For each beginning of `part`: how much of it is its end too. */
function bordersOf(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let length = 0;
  for (let i = 1; i < part.length; i += 1) {
    while (length > 0 && part.charCodeAt(length) !== part.charCodeAt(i)) length = borders[length - 1] ?? 0;
    if (part.charCodeAt(length) === part.charCodeAt(i)) length += 1;
    borders[i] = length;
  }
  return borders;
}

/** Starts of all occurrences that do not overlap. */
export function occurrences(text: string, part: string, work: Work): number[] {
  const starts: number[] = [];
  for (let at = indexOfText(text, part, 0, work); at !== -1; at = indexOfText(text, part, at + part.length, work)) {
    work.growList(1);
    starts.push(at);
  }
  return starts;
}

/** `*` stands for any text, `?` for one character; everything else for itself. */
export function matchesGlob(text: string, pattern: string, work: Work): boolean {
  let [t, p, star, resume] = [0, 0, -1, 0];
  while (t < text.length) {
    if ((t & 7) === 0) work.spend(1);
    if (pattern[p] === "*") {
      star = p;
      p += 1;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      t += pattern[p] === "?" && isPair(text, t) ? 2 : 1;
      p += 1;
    } else if (star !== -1) {
      // The last star takes one character more.
      resume += 1;
      if ((resume & 1) === 0) work.spend(1);
      p = star + 1;
      t = resume;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

/** Whether a character of two units begins here. */
function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
