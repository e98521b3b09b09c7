/** Random histories of branches that are made from one another, compared with a model that copies everything. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { must } from "@plinth/core/assert.ts";
import { describe, expect, it } from "vitest";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { Store, Timestamp } from "../store/store.ts";
import type { Database, Scope } from "./database.ts";
import { openDatabase } from "./open-database.ts";
import { type Calls, callsOf, deploySchema, errorOf, nextNowMs, query, type Row, schemaText } from "./test-database.ts";

const DAY_MS = 86_400_000;
const SEEDS = 6;
const STEPS = 45;
const CHAIN_MAX = 4;

/** Small numbers from a seed, so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Item {
  readonly _id: string;
  readonly _creationTime: number;
  readonly n: number;
  readonly v: string;
}

type State = ReadonlyMap<string, Item>;

interface ModelBranch {
  readonly scope: Scope;
  readonly depth: number;
  state: State;
  hasIndex: boolean;
  /** States that can be read again. */
  history: { readonly at: Timestamp; readonly state: State }[];
}

class History {
  readonly #random: (below: number) => number;
  readonly #tenant: string;
  readonly #folder: string;
  readonly #branches: ModelBranch[] = [];
  readonly #system = createSystemRuntime();
  #clockOffsetMs = 0;
  #store: Store | undefined;
  #database: Database | undefined;
  #made = 0;
  /** How often each kind of step was taken, so that the test can tell that it tests. */
  readonly taken: Record<string, number> = {};

  constructor(seed: number, folder: string) {
    this.#random = generator(seed);
    this.#tenant = `tenant-${seed}`;
    this.#folder = folder;
  }

  async run(): Promise<void> {
    await this.#open();
    try {
      const scope = { tenant: this.#tenant, branch: "main" };
      await deploySchema(this.#db, scope, schemaText({ items: { indexes: { by_n: ["n"] } } }));
      const main: ModelBranch = { scope, depth: 0, state: new Map(), hasIndex: false, history: [] };
      this.#branches.push(main);
      for (let i = 0; i < 3; i++) await this.#write(main, { inserts: 50 });
      for (let step = 0; step < STEPS; step++) await this.#step();
      for (const branch of this.#branches) await this.#check(branch);
      await this.#db.eraseTenant(this.#tenant);
      expect(await this.#left()).toEqual([]);
      await this.#collectTwice();
      await this.#close();
      const rows = new DatabaseSync(join(this.#folder, "plinth.db"), { readOnly: true, returnArrays: true });
      expect(rows.prepare("SELECT count(*) FROM pins").all()).toEqual([[0]]);
      expect(rows.prepare("SELECT count(*) FROM replaced").all()).toEqual([[0]]);
      rows.close();
    } finally {
      await this.#close();
    }
  }

  get #db(): Database {
    return must(this.#database, "the database is open");
  }

  async #open(): Promise<void> {
    const runtime = { ...this.#system, nowMs: () => this.#system.nowMs() + this.#clockOffsetMs };
    this.#store = await openSqliteStore({ dataDir: this.#folder, runtime });
    this.#database = await openDatabase({ store: this.#store, runtime });
  }

  async #close(): Promise<void> {
    await this.#database?.close();
    await this.#store?.close();
  }

  async #step(): Promise<void> {
    const branch = this.#pick(this.#branches);
    const roll = this.#random(20);
    if (roll < 7) return this.#write(branch);
    if (roll < 10) return this.#copy(branch);
    if (roll < 13) return this.#check(branch);
    if (roll < 15) return this.#readBack(branch);
    if (roll < 16) return this.#toggleIndex(branch);
    if (roll < 17) return this.#erase(branch);
    if (roll < 18) return this.#clear(branch);
    return roll < 19 ? this.#collect() : this.#restart();
  }

  #pick<T>(list: readonly T[]): T {
    return must(list[this.#random(list.length)], "the list has entries");
  }

  #count(kind: string): void {
    this.taken[kind] = (this.taken[kind] ?? 0) + 1;
  }

  async #write(branch: ModelBranch, options: { readonly inserts?: number } = {}): Promise<void> {
    this.#count("write");
    const state = new Map(branch.state);
    const transaction = await this.#db.begin(branch.scope, { readonly: false, nowMs: nextNowMs() });
    const calls = callsOf(transaction);
    for (let i = 0; i < (options.inserts ?? 0); i++) await this.#change(calls, state, 0);
    for (let left = 1 + this.#random(6); left > 0; left--) {
      if (this.#random(5) === 0) {
        const nested = transaction.nested();
        await this.#change(calls, new Map(state), this.#random(4));
        nested.undo();
      } else await this.#change(calls, state, this.#random(4));
    }
    if (this.#random(3) === 0) await this.#compare(calls, branch, state);
    if (options.inserts === undefined && this.#random(5) === 0) return transaction.release();
    const outcome = await transaction.commit();
    if (outcome.kind === "conflict") throw new Error("nothing runs at the same time");
    branch.state = state;
    branch.history.push({ at: outcome.ts, state });
  }

  async #change(calls: Calls, state: Map<string, Item>, kind: number): Promise<void> {
    const value = { n: this.#random(12), v: `v${this.#random(3)}` };
    const target = state.size === 0 ? undefined : this.#pick([...state.values()]);
    if (kind === 0 || target === undefined) {
      const id = await calls.insert("items", value);
      state.set(id, itemOf(must(await calls.get(id), "it was inserted")));
    } else if (kind === 1) {
      await calls.remove(target._id);
      state.delete(target._id);
    } else if (kind === 2) {
      await calls.patch(target._id, { n: value.n });
      state.set(target._id, { ...target, n: value.n });
    } else {
      await calls.replace(target._id, value);
      state.set(target._id, { ...target, ...value });
    }
  }

  /** Deletes a long run of documents. */
  async #clear(branch: ModelBranch): Promise<void> {
    this.#count("clear");
    const state = new Map(branch.state);
    const transaction = await this.#db.begin(branch.scope, { readonly: false, nowMs: nextNowMs() });
    for (const { _id, n } of branch.state.values()) {
      if (n >= 8) continue;
      await callsOf(transaction).remove(_id);
      state.delete(_id);
    }
    const outcome = await transaction.commit();
    if (outcome.kind === "conflict") throw new Error("nothing runs at the same time");
    branch.state = state;
    branch.history.push({ at: outcome.ts, state });
  }

  async #copy(base: ModelBranch): Promise<void> {
    if (base.depth === CHAIN_MAX) return;
    this.#count(base.depth === 0 ? "copy" : "copyOfCopy");
    const past = base.history.length > 0 && this.#random(2) === 0 ? this.#pick(base.history) : undefined;
    const scope = { tenant: this.#tenant, branch: `b${this.#made++ % 6}` };
    if (this.#branches.some((branch) => branch.scope.branch === scope.branch)) return;
    const state = past?.state ?? base.state;
    const at = await this.#db.update(scope, (transaction) =>
      this.#db.createBranchFrom(transaction, past === undefined ? { base: base.scope } : { base: base.scope, at: past.at }),
    );
    expect(at).toBe(past?.at ?? at);
    const hasIndex = await this.#hasIndex(scope);
    const ts = this.#db.latest();
    this.#branches.push({ scope, depth: base.depth + 1, state, hasIndex, history: [{ at: ts, state }] });
  }

  async #hasIndex(scope: Scope): Promise<boolean> {
    const request = query("items", { index: "by_v" });
    return (await errorOf(this.#db.read(scope, (transaction) => callsOf(transaction).collect(request)))) === "no error";
  }

  async #erase(branch: ModelBranch): Promise<void> {
    if (branch.depth === 0) return;
    this.#count("erase");
    expect(await this.#db.eraseBranch(branch.scope)).toBe(true);
    this.#branches.splice(this.#branches.indexOf(branch), 1);
  }

  async #toggleIndex(branch: ModelBranch): Promise<void> {
    this.#count("schema");
    const indexes: Record<string, string[]> = { by_n: ["n"] };
    branch.hasIndex = !branch.hasIndex;
    if (branch.hasIndex) indexes["by_v"] = ["v", "n"];
    await deploySchema(this.#db, branch.scope, schemaText({ items: { indexes }, [`extra${this.#random(3)}`]: {} }));
  }

  /** The retention passes for everything that is not the latest state. */
  async #collect(): Promise<void> {
    this.#count("collect");
    this.#clockOffsetMs += 2 * DAY_MS;
    await this.#write(must(this.#branches[0], "main"));
    this.#clockOffsetMs += 2 * DAY_MS;
    await must(this.#store, "the store is open").collect();
    for (const branch of this.#branches) branch.history = [];
  }

  /** After this nothing of the past is left, whatever was pinned. */
  async #collectTwice(): Promise<void> {
    const store = must(this.#store, "the store is open");
    for (let round = 0; round < 2; round++) {
      this.#clockOffsetMs += 2 * DAY_MS;
      await store.commit({ writes: [{ key: Buffer.from(`last ${round}`), value: Buffer.of(1) }] });
    }
    await store.collect();
  }

  async #restart(): Promise<void> {
    this.#count("restart");
    await this.#close();
    await this.#open();
  }

  async #readBack(branch: ModelBranch): Promise<void> {
    if (branch.history.length === 0) return;
    this.#count("readBack");
    const { at, state } = this.#pick(branch.history);
    const transaction = await this.#db.begin(branch.scope, { readonly: true, at, nowMs: nextNowMs() });
    try {
      await this.#compare(callsOf(transaction), { ...branch, hasIndex: false }, state);
    } finally {
      transaction.release();
    }
  }

  async #check(branch: ModelBranch): Promise<void> {
    this.#count("check");
    await this.#db.read(branch.scope, (transaction) => this.#compare(callsOf(transaction), branch, branch.state));
  }

  async #compare(calls: Calls, branch: ModelBranch, state: State): Promise<void> {
    const byN = sorted(state, ({ n }) => n);
    const order = this.#random(2) === 0 ? "asc" : "desc";
    const inOrder = (items: readonly Item[]): readonly Item[] => (order === "asc" ? items : items.toReversed());
    const [low, high] = [this.#random(12), this.#random(12)];
    const range = [
      { type: "Gte", fieldPath: "n", value: low },
      { type: "Lt", fieldPath: "n", value: high },
    ];
    const between = byN.filter(({ n }) => n >= low && n < high);
    const rows = 1 + this.#random(70);
    expect(items(await calls.collect(query("items", { index: "by_n", range, order }), rows))).toEqual(inOrder(between));
    const take = this.#random(20);
    expect(items(await calls.collect(query("items", { index: "by_n", order, operators: [{ limit: take }] }), rows))).toEqual(
      inOrder(byN).slice(0, take),
    );
    expect(items(await calls.collect(query("items", { order }), rows))).toEqual(
      inOrder(sorted(state, ({ _creationTime }) => _creationTime)),
    );
    expect(items(await calls.collect(query("items", { index: "by_id", order }), rows))).toEqual(
      inOrder([...state.values()].toSorted(compareIds)),
    );
    expect(await this.#pages(calls, { order, pageSize: 1 + this.#random(40) })).toEqual(inOrder(byN));
    expect(await calls.count("items")).toBe(state.size);
    if (branch.hasIndex) {
      const byV = sorted(state, ({ v, n }) => Number(v.slice(1)) * 1000 + n);
      expect(items(await calls.collect(query("items", { index: "by_v", order }), rows))).toEqual(inOrder(byV));
    }
    for (const { _id } of this.#branches.flatMap((other) => [...other.state.values()].slice(0, 3))) {
      const found = await calls.get(_id);
      expect(found === null ? undefined : itemOf(found)).toEqual(state.get(_id));
    }
  }

  async #pages(calls: Calls, options: { readonly order: "asc" | "desc"; readonly pageSize: number }): Promise<Item[]> {
    const all: Item[] = [];
    for (let cursor: string | null = null; ;) {
      const page = await calls.page(query("items", { index: "by_n", order: options.order }), { cursor, pageSize: options.pageSize });
      all.push(...items(page.page));
      if (page.isDone) return all;
      cursor = page.continueCursor;
    }
  }

  /** What is left of the tenant in the store, and pins. */
  async #left(): Promise<unknown[]> {
    const snapshot = await must(this.#store, "the store is open").snapshot();
    const prefix = Buffer.from(this.#tenant);
    const left = await snapshot.range({ start: prefix, end: Buffer.concat([prefix, Buffer.of(0xff)]), order: "asc", limit: 10 });
    snapshot.release();
    return left;
  }
}

function itemOf(row: Row): Item {
  return { _id: row._id, _creationTime: row._creationTime, n: Number(row["n"]), v: String(row["v"]) };
}

function items(rows: readonly Row[]): Item[] {
  return rows.map(itemOf);
}

/** By the key, then as index entries are: by creation and id. */
function sorted(state: State, key: (item: Item) => number): Item[] {
  return [...state.values()].toSorted((a, b) => key(a) - key(b) || a._creationTime - b._creationTime || compareIds(a, b));
}

function compareIds(a: Item, b: Item): number {
  return a._id < b._id ? -1 : 1;
}

describe("branches made from one another", () => {
  it("D6 every history equals a model that copies all data", { timeout: 120_000 }, async () => {
    const taken: Record<string, number> = {};
    const firstSeed = Date.now() % 1_000_000;
    for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
      const folder = await mkdtemp(join(tmpdir(), "plinth-branches-"));
      const history = new History(seed, folder);
      try {
        await history.run();
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      } finally {
        await rm(folder, { recursive: true });
      }
      for (const [kind, times] of Object.entries(history.taken)) taken[kind] = (taken[kind] ?? 0) + times;
    }
    for (const kind of ["write", "clear", "copy", "copyOfCopy", "check", "readBack", "schema", "erase", "collect", "restart"]) {
      expect(taken[kind] ?? 0, kind).toBeGreaterThan(0);
    }
  });
});
