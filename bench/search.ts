import { DatabaseSync } from "node:sqlite";
import { openSearch } from "../packages/server/src/search/open-search.ts";
import type { Search } from "../packages/server/src/search/search.ts";
import { openTestDatabase, write, type TestDatabase } from "../packages/server/src/database/test-database.ts";
import type { Scope } from "../packages/server/src/database/database.ts";
import { rounded, type Bench } from "./bench.ts";
import { percentile } from "./load.ts";

const DOCUMENTS = 100_000;
const SEARCHES = 200;
const SCOPE: Scope = { tenant: "bench", branch: "main" };
const NEVER = new AbortController().signal;

/** Searches of three words over 100,000 notes of 65 words each, and the search right after a write. */
export const search: Bench = async () => {
  const random = numbers();
  const notes = Array.from({ length: DOCUMENTS }, () => ({ title: words(5, random), body: words(60, random) }));
  const queries = Array.from({ length: SEARCHES }, () => words(3, random));
  const test = await openTestDatabase();
  const opened = openSearch(test);
  try {
    for (let from = 0; from < DOCUMENTS; from += 1000) await insert(test, notes.slice(from, from + 1000));
    const startMs = performance.now();
    await ask(opened, queries[0] ?? "");
    const buildMs = performance.now() - startMs;
    const latenciesMs = await timed(queries, (query) => ask(opened, query));
    const afterWriteMs = await timed(queries.slice(0, 20), async (query) => {
      await insert(test, [{ title: query, body: query }]);
      await ask(opened, query);
    });
    const raw = await timed(queries, searchOf(notes));
    return {
      name: "search",
      unit: "ms",
      p50: rounded(percentile(latenciesMs, 0.5)),
      p99: rounded(percentile(latenciesMs, 0.99)),
      raw: { what: "the same searches in a table of SQLite's FTS5, in memory", p50: rounded(percentile(raw, 0.5)) },
      ratio: rounded(percentile(raw, 0.5) / percentile(latenciesMs, 0.5)),
      details: {
        "index made, ms": rounded(buildMs),
        "memory by its own estimate, MiB": rounded(opened.status().bytes / 2 ** 20),
        "write and search, p50, ms": rounded(percentile(afterWriteMs, 0.5)),
      },
    };
  } finally {
    opened.close();
    await test.close();
  }
};

async function insert({ database }: TestDatabase, notes: readonly object[]): Promise<void> {
  await write(database, SCOPE, async (calls) => {
    for (const note of notes) await calls.insert("notes", note);
  });
}

async function ask(opened: Search, text: string): Promise<void> {
  const request = { text, vector: null, tables: ["notes"], vectorField: "embedding", filters: {}, limit: 10 };
  await opened.search(SCOPE, request, NEVER);
}

function searchOf(notes: readonly { readonly title: string; readonly body: string }[]): (query: string) => Promise<void> {
  const raw = new DatabaseSync(":memory:");
  raw.exec("CREATE VIRTUAL TABLE notes USING fts5(title, body)");
  const add = raw.prepare("INSERT INTO notes (title, body) VALUES (?, ?)");
  raw.exec("BEGIN");
  for (const { title, body } of notes) add.run(title, body);
  raw.exec("COMMIT");
  const find = raw.prepare("SELECT title, body FROM notes WHERE notes MATCH ? ORDER BY rank LIMIT 10");
  return async (query) => {
    find.all(query.split(" ").join(" OR "));
    await Promise.resolve();
  };
}

async function timed(queries: readonly string[], body: (query: string) => Promise<void>): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  for (const query of queries) {
    const startMs = performance.now();
    await body(query);
    latenciesMs.push(performance.now() - startMs);
  }
  return latenciesMs.sort((a, b) => a - b);
}

/** Few words are common and most are rare. */
function words(count: number, random: () => number): string {
  return Array.from({ length: count }, () => `w${Math.floor(20_000 * random() ** 3)}`).join(" ");
}

/** The same numbers in each run. */
function numbers(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
