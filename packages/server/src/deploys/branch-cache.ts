/**
 * What a branch serves, in memory: its functions and its environment. A bounded number of branches is kept, within a
 * bounded memory: authors choose how much a version declares. The least recently used go first.
 *
 * C1 Whatever was read before a change is never served after the change is acknowledged: `forget` makes every
 *    reading that is under way uncacheable, and the next caller reads again.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { FunctionTable } from "./function-table.ts";

export interface BranchState {
  /** undefined when nothing was deployed yet. */
  readonly functions: FunctionTable | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Stored form of what it holds. */
  readonly bytes: number;
}

interface Entry {
  readonly state: Promise<BranchState>;
  /** 0 until it is read. */
  bytes: number;
}

export class BranchCache {
  readonly #load: (scope: Scope) => Promise<BranchState>;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(load: (scope: Scope) => Promise<BranchState>) {
    this.#load = load;
  }

  /** Callers that come together share one reading. */
  get(scope: Scope): Promise<BranchState> {
    const key = keyOf(scope);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // The order of a Map is that of insertion; the first key is the one unused for longest.
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.state;
    }
    const entry: Entry = { state: this.#load(scope), bytes: 0 };
    this.#entries.set(key, entry);
    entry.state.then(
      ({ bytes }) => {
        if (this.#entries.get(key) !== entry) return;
        entry.bytes = bytes;
        this.#bytes += bytes;
        this.#makeRoom(key);
      },
      () => {
        if (this.#entries.get(key) === entry) this.#drop(key);
      },
    );
    this.#makeRoom(key);
    return entry.state;
  }

  forget(scope: Scope): void {
    this.#drop(keyOf(scope));
  }

  /** The one that is asked for stays, however large. */
  #makeRoom(except: string): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= limit("cachedHeadsMax") && this.#bytes <= limit("cachedHeadsBytesMax")) return;
      if (oldest !== except) this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Key of what is kept about the functions of a branch, or about those of one of its versions. */
export function keyOf({ tenant, branch }: Scope, version = "head"): string {
  return `fn:${tenant}/${version}|branch:${branch}`;
}
