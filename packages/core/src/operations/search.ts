/**
 * Ranked search in a catalogue. Words of the query are looked for in slug, display name, namespace and description, at the beginnings
 * of words; the slug counts most. An operation that lacks a word of the query is found only when none has them all.
 */
import { limit } from "../limits.ts";
import type { Operation } from "./operation.ts";

export interface OperationQuery {
  readonly text?: string;
  readonly type?: "action" | "trigger";
  readonly agentSkills?: boolean;
  readonly limit?: number;
}

const WORDS_READ = 16;

/** The best matches first; among equals by namespace and slug. Without a text all that the other conditions leave. */
export function searchOperations(operations: readonly Operation[], query: OperationQuery): readonly Operation[] {
  const candidates = operations.filter(
    (one) => (query.type === undefined || one.type === query.type) && (query.agentSkills !== true || one.isAgentSkill),
  );
  const max = Math.min(query.limit ?? limit("operationSearchResultsMax"), limit("operationSearchResultsMax"));
  const words = wordsOf((query.text ?? "").slice(0, limit("operationSearchTextCharsMax"))).slice(0, WORDS_READ);
  if (words.length === 0) return [...candidates].sort(byName).slice(0, max);
  const ranked = candidates.map((operation) => ({ operation, ...rank(operation, words) })).filter(({ found }) => found > 0);
  ranked.sort((a, b) => b.found - a.found || b.score - a.score || byName(a.operation, b.operation));
  const [best] = ranked;
  return ranked
    .filter(({ found }) => found === words.length || best?.found !== words.length)
    .slice(0, max)
    .map(({ operation }) => operation);
}

interface Rank {
  /** Words of the query that the operation has. */
  readonly found: number;
  readonly score: number;
}

function rank(operation: Operation, words: readonly string[]): Rank {
  const parts = [
    { weight: 8, words: wordsOf(operation.slug) },
    { weight: 4, words: wordsOf(operation.displayName) },
    { weight: 2, words: wordsOf(operation.namespace) },
    { weight: 1, words: wordsOf(operation.description) },
  ];
  let found = 0;
  let score = 0;
  for (const word of words) {
    const scores = parts.map((part) => part.weight * closeness(part.words, word));
    const best = Math.max(...scores);
    if (best > 0) found += 1;
    score += best;
  }
  // Of two slugs that hold the words the shorter one says less besides.
  return { found, score: score - parts.reduce((sum, part) => sum + (part.weight === 8 ? part.words.length : 0), 0) / 100 };
}

/** 2 for the word itself, 1 for words that begin with it or are its other number. */
function closeness(candidates: readonly string[], word: string): number {
  if (candidates.includes(word)) return 2;
  const stem = word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word;
  return candidates.some((candidate) => candidate.startsWith(stem)) ? 1 : 0;
}

function wordsOf(text: string): readonly string[] {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

function byName(a: Operation, b: Operation): number {
  return compare(a.namespace, b.namespace) || compare(a.slug, b.slug);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
