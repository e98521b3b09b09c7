/** "Did you mean": the known name that is at most two changes away from a given one. */
import { limit } from "../limits.ts";

const CHARS_MAX = limit("manifestNearMissCharsMax");

/** ` Did you mean \`x\`?`, or an empty text. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const best = nearest(name, known);
  return best === null ? "" : ` Did you mean \`${best}\`?`;
}

function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > CHARS_MAX) return null;
  const wanted = normal(name);
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.ceil(wanted.length / 2));
  for (const candidate of known) {
    if (candidate.length > CHARS_MAX || Math.abs(candidate.length - name.length) > 3) continue;
    const distance = changes(wanted, normal(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Case and separators are no differences. */
function normal(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

/** Levenshtein distance. */
function changes(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
