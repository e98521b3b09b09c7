/**
 * One simulation: the real driver of flows and the real database over a store in memory, on a simulated clock, with a host that dies
 * and comes back, an outside that answers badly, and people who ask for anything. A seed says all that happens.
 */
import { setLimit } from "./small-limits.ts";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { PlinthError } from "../../../packages/core/src/errors.ts";
import { limit } from "../../../packages/core/src/limits.ts";
import type { Json, JsonObject } from "../../../packages/core/src/operations/operation.ts";
import type { Database, Scope } from "../../../packages/server/src/database/database.ts";
import { openDatabase } from "../../../packages/server/src/database/open-database.ts";
import { FLOW_LEDGER, FLOW_VERSIONS, FLOWS } from "../../../packages/server/src/database/record-tables.ts";
import { type FlowsOptions, type OpenedFlows, openFlows } from "../../../packages/server/src/flows/open-flows.ts";
import { type Due, DueTimes } from "../../../packages/server/src/schedules/due-times.ts";
import { CallsUnderWay } from "./calls-under-way.ts";
import { type Fault, MemoryStore } from "./memory-store.ts";
import { answerTokens } from "./answer-keys.ts";
import { People } from "./people.ts";
import { randomFlow, withOneMoreStep } from "./random-flow.ts";
import { RunChecks } from "./run-checks.ts";
import { SimulatedCalls } from "./simulated-calls.ts";
import { type Life, settled, SimulatedTime } from "./simulated-time.ts";

export const SCOPE: Scope = { tenant: "acme", branch: "main" };
export const FLOW = "random";
const FUNCTIONS = ["query", "mutation", "action"].map((kind) => ({ path: `sim:${kind}`, kind, visibility: "public" }));
const VERSIONS = { first: "1".repeat(64), second: "2".repeat(64) };

const CALM_STEPS_MAX = 20_000;
/** A calm host is given this long to end its runs: longer than any deadline. */
const CALM_DAYS_MAX = 200;

export interface SimulationOptions {
  /** Steps of the part in which things go wrong; random when absent. */
  readonly steps?: number;
}

export interface SimulationResult {
  readonly steps: number;
  readonly lives: number;
  readonly runs: number;
  readonly events: number;
  readonly digest: string;
}

export class SimulationFailure extends Error {
  readonly trace: readonly string[];

  constructor(seed: number, trace: readonly string[], cause: unknown) {
    super(`seed ${seed}: ${inspect(cause)}`, { cause });
    this.trace = trace;
  }
}

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const simulation = new Simulation(seed);
  try {
    return await simulation.run(options);
  } catch (error) {
    throw new SimulationFailure(seed, simulation.time.trace, error);
  }
}

interface Host {
  readonly life: Life;
  readonly flows: OpenedFlows;
  /** Due times that are being handed over. */
  readonly firing: Set<string>;
  state: "serving" | "stopping";
}

class Simulation {
  readonly time: SimulatedTime;
  readonly #store = new MemoryStore();
  readonly #due = new Map<string, Due>();
  readonly #underWay = new CallsUnderWay();
  readonly #faults: { readonly refusals: number; readonly crashes: number; readonly hasSlowReads: boolean };
  #checks: RunChecks | undefined;
  #people: People | undefined;
  #host: Host | undefined;
  #lives = 0;
  #isCalm = true;
  /** What went wrong where nobody is told of it. */
  #broken: unknown;

  constructor(seed: number) {
    this.time = new SimulatedTime(seed);
    const { random } = this.time;
    this.#faults = {
      refusals: random.pick([0, 0, 0.04]),
      crashes: random.pick([0, 0.02, 0.06]),
      hasSlowReads: random.integer(1, 4) === 1,
    };
    setLimit("flowFoldEvents", random.pick([2, 5, 1000]));
  }

  async run({ steps }: SimulationOptions): Promise<SimulationResult> {
    const { time } = this;
    const database = await openDatabase({ store: this.#store.observer(), runtime: time.runtime({ number: 0, isOver: false }) });
    const dueTimes = new DueTimes(database);
    this.#store.observer().onCommit((commit) => {
      for (const { due, change } of dueTimes.changesOf(commit)) {
        if (change === "added") this.#due.set(due.id + due.dueMs, due);
        else this.#due.delete(due.id + due.dueMs);
      }
    });
    const definition = randomFlow(time.random, FLOW);
    const definitions = { [VERSIONS.first]: definition, [VERSIONS.second]: withOneMoreStep(definition) };
    await this.#publish(database, definitions);
    await this.#begin();
    this.#checks = new RunChecks({ database, definitions, scope: SCOPE });
    this.#people = new People({
      time,
      scope: SCOPE,
      flow: FLOW,
      versions: Object.values(VERSIONS),
      nodes: Object.keys((definition["nodes"] ?? {}) as object),
    });
    this.#isCalm = false;
    const wanted = steps ?? time.random.integer(40, 400);
    this.#people.start(this.#serving());
    for (let step = 0; step < wanted; step += 1) await this.#storm();
    await this.#calmDown();
    await this.#people.check(this.#checks);
    const { runs, events } = await this.#checks.atEnd({ hadLosses: this.#lives > 1 || this.#faults.refusals > 0 });
    if (this.#due.size > 0) throw new Error(`timers are left: ${[...this.#due.keys()].join()}`);
    const digest = createHash("sha256").update(`${time.digest} ${time.steps}`).digest("hex").slice(0, 16);
    return { steps: time.steps, lives: this.#lives, runs, events, digest };
  }

  /** Each version may be moved to: the ledger says of both that they came last. */
  async #publish(database: Database, definitions: Readonly<Record<string, JsonObject>>): Promise<void> {
    await database.update(SCOPE, async ({ records }) => {
      for (const [index, [version, definition]] of Object.entries(definitions).entries()) {
        records.put(FLOW_VERSIONS, [FLOW, version], { definition });
        records.put(FLOW_LEDGER, [FLOW, index + 1], { version, createdMs: Number.MAX_SAFE_INTEGER, note: null });
      }
      records.put(FLOWS, [FLOW], { name: FLOW, description: "", trigger: "api", version: VERSIONS.first, isOn: true, seq: 2 });
      await Promise.resolve();
    });
  }

  #serving(): Host {
    if (this.#host === undefined) throw new Error("no host serves");
    return this.#host;
  }

  async #begin(): Promise<void> {
    const { time } = this;
    this.#lives += 1;
    const life: Life = { number: this.#lives, isOver: false };
    time.note(`host ${life.number} begins`);
    const runtime = time.runtime(life);
    const { hasSlowReads } = this.#faults;
    const store = this.#store.faulty({ time, life, hasSlowReads, fault: () => this.#fault(), crash: () => this.#crash() });
    const database = await openDatabase({ store, runtime });
    const calls = new SimulatedCalls({
      time,
      life,
      database,
      isCalm: () => this.#isCalm,
      onSeen: async (seen) => await this.#checks?.seen(seen),
      onPromised: (token) => this.#people?.promised(token),
      onUnderWay: (key, change) => this.#underWay.change(life, key, change),
    });
    const unlogged = (): void => {};
    const report = (fields: { readonly err?: unknown }, message: string): void => {
      time.note(`log: ${message} ${String(fields.err)}`);
      if (!(fields.err instanceof PlinthError) || fields.err.code === "InternalError") this.#broken ??= fields.err;
    };
    const options = {
      database,
      runtime,
      log: { debug: unlogged, info: unlogged, warn: report, error: report },
      deploys: { version: () => Promise.resolve(undefined), list: () => Promise.resolve(FUNCTIONS) },
      // Asked when a version is checked that a run is moved to.
      operations: { list: () => Promise.resolve([]) },
      keyrings: { list: () => Promise.resolve([]) },
      scripts: { flowFindings: () => Promise.resolve([]) },
      tokens: answerTokens(runtime),
      values: { keep: (_: Scope, json: Json) => Promise.resolve({ json }) },
    };
    const flows = openFlows(options as unknown as FlowsOptions, calls);
    this.#host = { life, flows, firing: new Set(), state: "serving" };
    flows.resumeAll().catch((error: unknown) => {
      // What it could not read is read when the next host starts, or when somebody asks.
      if (!(error instanceof PlinthError)) this.#broken ??= error;
      else if (!life.isOver) this.#crash();
    });
    await settled();
  }

  #fault(): Fault {
    if (this.#isCalm) return "none";
    const chance = this.time.random.next();
    if (chance < this.#faults.crashes) return this.time.chance(0.5) ? "crashBefore" : "crashAfter";
    return chance < this.#faults.crashes + this.#faults.refusals ? "refuse" : "none";
  }

  #crash(): void {
    if (this.#host === undefined) return;
    this.time.note("crash");
    this.time.end(this.#host.life);
    this.#host = undefined;
    this.#underWay.clear();
    this.#people?.crashed();
  }

  async #stopAndStart(): Promise<void> {
    const host = this.#host;
    if (host === undefined || host.state === "stopping") return;
    host.state = "stopping";
    this.time.note("the host is stopped");
    host.flows.stop().then(
      () => {
        if (!host.life.isOver) this.#crash();
      },
      (error: unknown) => (this.#broken ??= error),
    );
    await settled();
  }

  async #storm(): Promise<void> {
    const { time } = this;
    const { random } = time;
    this.#throwBroken();
    if (this.#host === undefined) return await this.#begin();
    const people = this.#people;
    const kind = random.integer(0, 99);
    if (kind < 55) await time.goOn();
    else if (kind < 67) await this.#fire();
    else if (kind < 75) time.pass(random.pick([1, 50, 250, 1100, 6000, 40_000]));
    else if (kind < 80) this.#passUntilNext();
    else if (kind < 93) people?.act(this.#host);
    else if (kind < 94) time.jump(random.pick([-1, 1]) * random.pick([1, 1000, 600_000, 90_000_000]));
    else if (kind < 95 && this.#faults.crashes > 0) this.#crash();
    else if (kind < 98 && this.#faults.crashes > 0) await this.#stopAndStart();
    else await this.#checks?.now();
    await settled();
  }

  /** Hands over a timer that is due, now and then twice at a time. */
  async #fire(): Promise<boolean> {
    const host = this.#host;
    if (host === undefined || host.state === "stopping") return false;
    const isTwice = !this.#isCalm && this.time.chance(0.1);
    const due = [...this.#due].filter(([id, { dueMs }]) => dueMs <= this.time.nowMs && (isTwice || !host.firing.has(id)));
    if (due.length === 0) return false;
    const [id, row] = this.time.random.pick(due);
    this.time.note(`due ${row.id}`);
    host.firing.add(id);
    // As the scheduler does: what fails is tried again a little later.
    const again = (): void => {
      this.time.timer(host.life, 1000, () => host.firing.delete(id));
    };
    host.flows.timer(row).then(
      () => host.firing.delete(id),
      (error: unknown) => {
        if (!(error instanceof PlinthError)) this.#broken ??= error;
        again();
      },
    );
    await settled();
    return true;
  }

  #passUntilNext(): boolean {
    const { time } = this;
    // A host that stops takes no timers that are due; time passes until it has stopped.
    const due = this.#host?.state === "stopping" ? [] : [...this.#due];
    const waiting = due.flatMap(([id, { dueMs }]) => (this.#host?.firing.has(id) === true ? [] : [dueMs]));
    const untilDueMs = Math.min(...waiting) - time.nowMs;
    const ms = Math.min(time.untilTimerMs, Math.max(untilDueMs, 0));
    if (ms === Infinity) return false;
    time.pass(ms);
    return true;
  }

  /** Nothing goes wrong any longer; half of the time nobody helps either, so that only deadlines end what waits. */
  async #calmDown(): Promise<void> {
    const { time } = this;
    this.#isCalm = true;
    const isHelped = time.chance(0.5);
    time.note(`calm ${isHelped ? "with help" : "without help"}`);
    const endMs = time.monotonicMs + CALM_DAYS_MAX * 86_400_000;
    for (let step = 0; ; step += 1) {
      this.#throwBroken();
      if (this.#host === undefined) await this.#begin();
      if (step > CALM_STEPS_MAX || time.monotonicMs > endMs) throw new Error(`runs do not end: ${await this.#checks?.describe()}`);
      if (await time.goOn()) continue;
      if (await this.#fire()) continue;
      const wasHelped = isHelped && time.chance(0.5) && (await this.#people?.help(this.#serving(), this.#checks));
      await settled();
      if (wasHelped === true) continue;
      // What is not durable yet is so by then, and what was lost is read again after a second.
      if (time.untilTimerMs > Math.max(1000, limit("flowUnsavedBehindStepMs")))
        await this.#checks?.atRest(this.#underWay.counts, this.#due);
      if ((await this.#checks?.haveEnded()) === true && !time.hasWork && time.untilTimerMs === Infinity && this.#due.size === 0) return;
      if (!this.#passUntilNext()) throw new Error(`runs are stuck: ${await this.#checks?.describe()}`);
    }
  }

  #throwBroken(): void {
    if (this.#broken !== undefined) throw new Error("the host is broken", { cause: this.#broken });
  }
}
