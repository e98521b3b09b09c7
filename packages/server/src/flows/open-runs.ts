/** The runs that are in memory: those that do something, and those that somebody asks something of (W4). */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_RUNS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { AnswerTokens } from "./answer-tokens.ts";
import { childrenOf } from "./child-rows.ts";
import type { FlowDefinitions } from "./flow-definitions.ts";
import { type RunAsRead, RunDriver } from "./run-driver.ts";
import { readState, storedOf } from "./run-rows.ts";
import { RunTurns } from "./run-turns.ts";
import type { CallsOfSteps } from "./step-calls.ts";

export interface OpenRunsParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly definitions: FlowDefinitions;
  readonly tokens: AnswerTokens;
  readonly calls: CallsOfSteps;
  readonly log: Log;
}

interface Entry {
  readonly driver: Promise<RunDriver>;
  users: number;
  readonly listeners: Set<() => void>;
}

const PAUSE_MS = 1000;

export class OpenRuns {
  readonly #parts: OpenRunsParts;
  readonly #entries = new Map<string, Entry>();
  /** How many each tenant has. */
  readonly #counts = new Map<string, number>();
  readonly #turns: RunTurns;
  #isStopped = false;

  constructor(parts: OpenRunsParts) {
    this.#parts = parts;
    this.#turns = new RunTurns(parts.runtime);
  }

  /** Resolves when work of the tenant that nobody waits for may take the host's thread for a moment. */
  turn(tenant: string): Promise<void> {
    return this.#turns.next(tenant);
  }

  /** Whether another run of the tenant may begin: those in memory are bounded. Throws TooManyConcurrentRequests. */
  checkRoom(tenant: string): void {
    const max = limit("flowRunsOpenPerTenantMax");
    if ((this.#counts.get(tenant) ?? 0) >= max)
      throw plinthError("TooManyConcurrentRequests", { detail: `${max} runs of flows of this organisation do something` });
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether it is in memory. */
  has(scope: Scope, id: string): boolean {
    return this.#entries.has(keyOf(scope, id));
  }

  /** Gives a run that is stored, read if need be. Rejects with NotFound. */
  async with<T>(scope: Scope, id: string, body: (driver: RunDriver) => Promise<T>): Promise<T> {
    const key = keyOf(scope, id);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#checkRunning();
      const reading = this.read(scope, id).then((read) => this.#driver(read));
      entry = this.#add(key, reading);
    }
    return await this.#use(key, entry, body);
  }

  /** Gives a run that begins: `reading` is asked before it is stored, so that whoever finds it in the store finds this one. */
  async begin<T>(scope: Scope, id: string, reading: Promise<RunAsRead>, body: (driver: RunDriver) => Promise<T>): Promise<T> {
    const key = keyOf(scope, id);
    const opening = reading.then((read) => {
      this.#checkRunning();
      return this.#driver(read);
    });
    const entry = this.#add(key, opening);
    return await this.#use(key, entry, body);
  }

  /** Resolves when the run does nothing of its own any more: it has ended, or waits. */
  async quiet(scope: Scope, id: string, signal: AbortSignal): Promise<void> {
    const entry = this.#entries.get(keyOf(scope, id));
    if (entry === undefined || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        entry.listeners.delete(done);
        resolve();
      };
      entry.listeners.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  async read(scope: Scope, id: string): Promise<RunAsRead> {
    const { database, definitions } = this.#parts;
    return await database.read(scope, async ({ records }) => {
      const row = await records.get(FLOW_RUNS, [id]);
      if (row === undefined) throw noRun(id);
      const program = await definitions.program(scope, row.flow, row.version);
      const state = await readState(records, row, program);
      return { scope, program, state, stored: storedOf(row, state) };
    });
  }

  async endBranch({ tenant, branch }: Scope): Promise<void> {
    await this.#stopAll([...this.#entries].filter(([key]) => key.startsWith(`${tenant}/${branch}/`)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#stopAll([...this.#entries]);
  }

  async #stopAll(entries: readonly (readonly [string, Entry])[]): Promise<void> {
    for (const [key, { driver, listeners }] of entries) {
      this.#delete(key);
      await driver.then(
        (opened) => opened.stop(),
        () => undefined,
      );
      for (const listener of listeners) listener();
    }
  }

  #checkRunning(): void {
    if (this.#isStopped) throw plinthError("ShuttingDown", {});
  }

  #add(key: string, driver: Promise<RunDriver>): Entry {
    const entry: Entry = { driver, users: 0, listeners: new Set() };
    this.#delete(key);
    this.#entries.set(key, entry);
    const tenant = tenantOf(key);
    this.#counts.set(tenant, (this.#counts.get(tenant) ?? 0) + 1);
    return entry;
  }

  async #use<T>(key: string, entry: Entry, body: (driver: RunDriver) => Promise<T>): Promise<T> {
    entry.users += 1;
    let driver: RunDriver | undefined;
    try {
      driver = await entry.driver;
      return await body(driver);
    } finally {
      entry.users -= 1;
      if (driver === undefined) this.#forget(key, entry);
      else if (entry.users === 0 && driver.isQuiet) this.#forget(key, entry);
    }
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#delete(key);
  }

  #delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    const tenant = tenantOf(key);
    const left = (this.#counts.get(tenant) ?? 1) - 1;
    if (left === 0) this.#counts.delete(tenant);
    else this.#counts.set(tenant, left);
  }

  #driver(read: RunAsRead): RunDriver {
    const { database, runtime, calls, tokens } = this.#parts;
    return new RunDriver(read, {
      database,
      runtime,
      calls,
      turns: this.#turns,
      newToken: () => tokens.make({ scope: read.scope, run: read.stored.row.id }),
      onQuiet: (driver) => this.#quiet(driver),
      onLost: (driver, error) => this.#lost(driver, error),
    });
  }

  #quiet(driver: RunDriver): void {
    const key = keyOf(driver.scope, driver.id);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    // What waits only for runs below it is not at rest yet.
    if (driver.state.status.kind === "ended" || childrenOf(driver.state).size === 0) for (const listener of entry.listeners) listener();
    if (entry.users === 0 && driver.isQuiet) this.#forget(key, entry);
  }

  /** What is stored of it stands: it goes on from there. */
  #lost({ scope, id }: RunDriver, error: unknown): void {
    const { log, runtime } = this.#parts;
    const key = keyOf(scope, id);
    for (const listener of this.#entries.get(key)?.listeners ?? []) listener();
    this.#delete(key);
    if (this.#isStopped) return;
    log.error({ err: error, tenant: scope.tenant, run: id }, "a run of a flow could not go on; it is read again in a second");
    runtime.timer(PAUSE_MS, () => void this.resume(scope, id));
  }

  /** Lets a stored run go on, now or when it is possible. */
  async resume(scope: Scope, id: string): Promise<void> {
    if (this.#isStopped) return;
    try {
      await this.with(scope, id, (driver) => driver.resume());
    } catch (error) {
      if (!this.#isStopped) this.#parts.log.warn({ err: error, tenant: scope.tenant, run: id }, "a run of a flow cannot be resumed");
    }
  }
}

function keyOf({ tenant, branch }: Scope, id: string): string {
  return `${tenant}/${branch}/${id}`;
}

/** Names of tenants have no slashes. */
function tenantOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

function noRun(id: string) {
  return plinthError("NotFound", { what: `run '${id.slice(0, 64)}'` });
}
