import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Batch, Commit, CommitResult, Entry, Key, KeyRange, RangeOptions, Snapshot, Store, Timestamp, Write } from "./store.ts";

/** The simplest store that is right: all commits in a list. */
class ModelStore {
  readonly commits: Commit[] = [];

  stateAt(at: Timestamp): Entry[] {
    const state = new Map<string, Entry>();
    for (const { ts, writes } of this.commits) {
      if (ts > at) continue;
      for (const { key, value } of writes) {
        if (value === null) state.delete(nameOf(key));
        else state.set(nameOf(key), { key, value });
      }
    }
    return [...state.values()].toSorted((a, b) => compareBytes(a.key, b.key));
  }

  range(at: Timestamp, { start, end, order, limit }: RangeOptions): Entry[] {
    const within = this.stateAt(at).filter(({ key }) => isWithin({ start, end }, key));
    return (order === "asc" ? within : within.toReversed()).slice(0, limit);
  }

  writtenAfter(at: Timestamp, before: Timestamp, ranges: readonly KeyRange[]): string[] {
    const between = this.commits.filter(({ ts }) => ts > at && ts < before);
    const keys = between.flatMap(({ writes }) => writes.map(({ key }) => key));
    return keys.filter((key) => ranges.some((range) => isWithin(range, key))).map(nameOf);
  }
}

type Step =
  | {
      readonly kind: "commit";
      readonly batches: readonly { writes: readonly Write[]; ranges: readonly KeyRange[]; age: number | undefined }[];
    }
  | { readonly kind: "snapshot"; readonly age: number | undefined }
  | {
      readonly kind: "read";
      readonly which: number;
      readonly key: Key;
      readonly range: KeyRange;
      readonly order: "asc" | "desc";
      readonly limit: number;
    }
  | { readonly kind: "release"; readonly which: number };

/** Few short keys, so that steps meet; with the bytes at which orders and ranges go wrong. */
const key = fc.array(fc.constantFrom(0, 1, 0x7f, 0xff), { maxLength: 2 }).map((list) => Uint8Array.from(list));
const value = fc.option(fc.uint8Array({ maxLength: 3 }), { freq: 3 });
const range = fc.tuple(key, key).map(([a, b]) => (compareBytes(a, b) <= 0 ? { start: a, end: b } : { start: b, end: a }));
const writes = fc.uniqueArray(fc.record({ key, value }), { maxLength: 5, selector: (write) => nameOf(write.key) });
/** How many commits ago; undefined is now. */
const age = fc.option(fc.nat(8), { nil: undefined });
const which = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("commit"),
      batches: fc.array(fc.record({ writes, ranges: fc.array(range, { maxLength: 4 }), age }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("snapshot"), age }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      which,
      key,
      range,
      order: fc.constantFrom("asc", "desc"),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release"), which }) },
);

/** Random histories against the model: S1, S3, S4 and S5 together. */
export function describeStoreModel(store: () => Store): void {
  describe("model", () => {
    test("S3 S4 S5 random commits, conflicts and reads of old moments equal the model", async () => {
      let run = 0;
      const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        run += 1;
        await new ModelRun(store(), Uint8Array.of(run >> 8, run & 0xff)).run(steps);
      });
      await fc.assert(property, { numRuns: 80 });
    });
  });
}

/** One random history. Its keys have a prefix of their own, so that runs do not meet in the one store. */
class ModelRun {
  readonly #store: Store;
  readonly #prefix: Uint8Array;
  readonly #model = new ModelStore();
  readonly #started: Timestamp;
  readonly #snapshots: Snapshot[] = [];

  constructor(store: Store, prefix: Uint8Array) {
    this.#store = store;
    this.#prefix = prefix;
    this.#started = store.latest();
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) await this.#take(step);
    } finally {
      for (const snapshot of this.#snapshots) snapshot.release();
    }
    const log = await this.#store.log(this.#started, 10_000);
    expect(log.map(plainCommit)).toEqual(this.#model.commits.map(plainCommit));
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case "commit":
        return this.#commit(step.batches);
      case "snapshot":
        this.#snapshots.push(await this.#store.snapshot(this.#momentOf(step.age)));
        return;
      case "read":
        return this.#read(step);
      case "release":
        this.#snapshots.splice(step.which, 1)[0]?.release();
        return;
    }
  }

  /** Commits together. Each outcome must be the one that its place in the order of timestamps asks for. */
  async #commit(drafts: Extract<Step, { kind: "commit" }>["batches"]): Promise<void> {
    const batches = drafts.map(({ writes, ranges, age }): Batch => {
      const own = writes.map(({ key, value }) => ({ key: this.#own(key), value }));
      const at = this.#momentOf(age);
      return at === undefined ? { writes: own } : { writes: own, reads: { at, ranges: ranges.map((range) => this.#ownRange(range)) } };
    });
    const reading = this.#readAll();
    const results = await Promise.all(batches.map((batch) => this.#store.commit(batch)));
    await reading;
    for (const [i, result] of results.entries()) {
      if (result.kind === "committed") this.#model.commits.push({ ts: result.ts, writes: batches[i]?.writes ?? [] });
    }
    this.#model.commits.sort((a, b) => a.ts - b.ts);
    for (const [i, result] of results.entries()) this.#checkOutcome(batches[i] ?? { writes: [] }, result);
  }

  #checkOutcome({ reads }: Batch, result: CommitResult): void {
    if (result.kind === "committed") {
      expect(reads === undefined ? [] : this.#model.writtenAfter(reads.at, result.ts, reads.ranges)).toEqual([]);
    } else {
      expect(this.#model.writtenAfter(reads?.at ?? Infinity, Infinity, reads?.ranges ?? [])).toContain(nameOf(result.key));
    }
  }

  async #read({ which, key, range, order, limit }: Extract<Step, { kind: "read" }>): Promise<void> {
    const snapshot = this.#snapshots[which % Math.max(this.#snapshots.length, 1)];
    if (snapshot === undefined) return;
    const options = { ...this.#ownRange(range), order, limit };
    const found = await snapshot.range(options);
    expect(found.map(plainEntry)).toEqual(this.#model.range(snapshot.ts, options).map(plainEntry));
    const expected = this.#model.stateAt(snapshot.ts).find((entry) => compareBytes(entry.key, this.#own(key)) === 0);
    expect(await snapshot.get(this.#own(key))).toEqual(expected?.value);
  }

  /** Reads all that the snapshots show, at the same time as commits. */
  async #readAll(): Promise<void> {
    for (const snapshot of this.#snapshots) {
      const expected = this.#model.stateAt(snapshot.ts).map(plainEntry);
      const range = { start: this.#prefix, end: Uint8Array.of(...this.#prefix, 0xff, 0xff, 0xff), order: "asc" as const, limit: 1000 };
      expect((await snapshot.range(range)).map(plainEntry)).toEqual(expected);
    }
  }

  #momentOf(age: number | undefined): Timestamp | undefined {
    if (age === undefined) return undefined;
    return this.#model.commits[this.#model.commits.length - 1 - age]?.ts ?? this.#started;
  }

  #own(key: Key): Key {
    return Uint8Array.of(...this.#prefix, ...key);
  }

  #ownRange({ start, end }: KeyRange): KeyRange {
    return { start: this.#own(start), end: this.#own(end) };
  }
}

function isWithin({ start, end }: KeyRange, key: Key): boolean {
  return compareBytes(start, key) <= 0 && compareBytes(key, end) < 0;
}

function nameOf(key: Key): string {
  return Buffer.from(key).toString("hex");
}

function plainEntry({ key, value }: Entry): string {
  return `${nameOf(key)}=${nameOf(value)}`;
}

function plainCommit({ ts, writes }: Commit): { ts: Timestamp; writes: string[] } {
  return { ts, writes: writes.map(({ key, value }) => `${nameOf(key)}=${value === null ? "deleted" : nameOf(value)}`).toSorted() };
}
