/** A store in memory that survives its hosts. What each host gets of it is slow, and fails, as the simulation says. */
import { plinthError } from "../../../packages/core/src/errors.ts";
import type {
  Batch,
  Commit,
  CommitResult,
  Entry,
  Key,
  KeyRange,
  RangeOptions,
  Snapshot,
  Store,
  Timestamp,
} from "../../../packages/server/src/store/store.ts";
import type { Life, SimulatedTime } from "./simulated-time.ts";

interface Version {
  readonly ts: Timestamp;
  readonly value: Uint8Array | null;
}

interface Row {
  readonly name: string;
  readonly key: Key;
  readonly versions: Version[];
}

/** What may go wrong with one commit. */
export type Fault = "none" | "refuse" | "crashBefore" | "crashAfter";

export interface FaultyStoreOptions {
  readonly time: SimulatedTime;
  readonly life: Life;
  readonly hasSlowReads: boolean;
  readonly fault: (batch: Batch) => Fault;
  readonly crash: () => void;
}

export class MemoryStore {
  /** In the order of their keys. */
  readonly #rows: Row[] = [];
  readonly #byName = new Map<string, Row>();
  readonly #commits: { readonly ts: Timestamp; readonly names: readonly string[] }[] = [];
  readonly #listeners: ((commit: Commit) => void)[] = [];
  #latest: Timestamp = 0;

  /** Without delays and faults. */
  observer(): Store {
    return storeOf({
      latest: () => this.#latest,
      onCommit: (listener) => this.#listen(listener),
      snapshot: (at) => Promise.resolve(this.#snapshot(at ?? this.#latest, () => Promise.resolve())),
      commit: (batch) => Promise.resolve(this.#commit(batch)),
    });
  }

  faulty({ time, life, hasSlowReads, fault, crash }: FaultyStoreOptions): Store {
    const pause = (): Promise<void> => (hasSlowReads ? time.delay(life, "read") : Promise.resolve());
    const commit = (batch: Batch): Promise<CommitResult> =>
      new Promise((resolve, reject) => {
        time.later(life, "commit", () => {
          const kind = fault(batch);
          if (kind === "crashBefore") return crash();
          if (kind === "refuse") return reject(plinthError("StoreFailure", { what: "commit, in a simulation" }));
          const result = this.#commit(batch);
          time.note(`committed ${result.kind} ${batch.writes.length}`);
          if (kind === "crashAfter") return crash();
          return time.later(life, "acknowledged", () => resolve(result));
        });
      });
    return storeOf({
      latest: () => this.#latest,
      onCommit: (listener) => this.#listen(listener),
      snapshot: async (at) => {
        await pause();
        return this.#snapshot(at ?? this.#latest, pause);
      },
      commit,
    });
  }

  #listen(listener: (commit: Commit) => void): () => void {
    this.#listeners.push(listener);
    return () => this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  #snapshot(at: Timestamp, pause: () => Promise<void>): Snapshot {
    return {
      ts: at,
      get: async (key) => {
        await pause();
        return valueAt(this.#byName.get(nameOf(key)), at) ?? undefined;
      },
      range: async (options) => {
        await pause();
        return this.#range(options, at);
      },
      release: () => {},
    };
  }

  #range({ start, end, order, limit }: RangeOptions, at: Timestamp): Entry[] {
    const [from, to] = [this.#place(nameOf(start)), this.#place(nameOf(end))];
    const entries: Entry[] = [];
    const add = (row: Row | undefined): void => {
      const value = valueAt(row, at);
      if (row !== undefined && value !== null) entries.push({ key: row.key, value });
    };
    if (order === "asc") for (let i = from; i < to && entries.length < limit; i += 1) add(this.#rows[i]);
    else for (let i = to - 1; i >= from && entries.length < limit; i -= 1) add(this.#rows[i]);
    return entries;
  }

  #commit({ writes, reads }: Batch): CommitResult {
    if (reads !== undefined) {
      const met = this.#writtenSince(reads.at, reads.ranges);
      if (met !== undefined) return { kind: "conflict", key: met };
    }
    const ts = this.#latest + 1;
    this.#latest = ts;
    const names: string[] = [];
    for (const { key, value } of writes) {
      const name = nameOf(key);
      names.push(name);
      this.#row(name, key).versions.push({ ts, value });
    }
    this.#commits.push({ ts, names });
    for (const listener of this.#listeners) listener({ ts, writes });
    return { kind: "committed", ts };
  }

  #writtenSince(at: Timestamp, ranges: readonly KeyRange[]): Key | undefined {
    const named = ranges.map(({ start, end }) => [nameOf(start), nameOf(end)] as const);
    for (let i = this.#commits.length - 1; i >= 0; i -= 1) {
      const commit = this.#commits[i];
      if (commit === undefined || commit.ts <= at) return undefined;
      for (const name of commit.names) if (named.some(([start, end]) => name >= start && name < end)) return this.#byName.get(name)?.key;
    }
    return undefined;
  }

  #row(name: string, key: Key): Row {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const row: Row = { name, key, versions: [] };
    this.#byName.set(name, row);
    this.#rows.splice(this.#place(name), 0, row);
    return row;
  }

  /** Of the first row whose name is not below. */
  #place(name: string): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.name ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Its texts are in the order of the bytes. */
function nameOf(key: Key): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

function valueAt(row: Row | undefined, at: Timestamp): Uint8Array | null {
  const { versions } = row ?? { versions: [] };
  for (let i = versions.length - 1; i >= 0; i -= 1) {
    const version = versions[i];
    if (version !== undefined && version.ts <= at) return version.value;
  }
  return null;
}

function storeOf(parts: Pick<Store, "latest" | "onCommit" | "snapshot" | "commit">): Store {
  const unused = (): never => {
    throw new Error("a simulation does not ask for it");
  };
  return { ...parts, log: unused, backup: unused, collect: unused, close: () => Promise.resolve() };
}
