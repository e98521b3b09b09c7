/**
 * Runs that steps of other runs begin.
 *
 * B1 A child is written in the transaction of its parent's step: a crash begins it once, or not at all.
 * B2 The commit that ends a child leaves a due row for its parent, and the commit by which a parent no longer waits for a child leaves
 *    one for the child; the scheduler hands both over until they have been told. Nobody looks after the other.
 * B3 Children of children end: `flowDepthMax` levels lie below a run at most.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import { NEW_RUN } from "@plinth/core/flow/state.ts";
import { transition } from "@plinth/core/flow/transition.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { FLOW_CHILDREN, FLOW_RUNS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { AnswerTokens } from "./answer-tokens.ts";
import type { CallOf, CallOfRun } from "./calls/call.ts";
import { ABANDONED, ENDED } from "./child-rows.ts";
import { ChildStarts } from "./child-starts.ts";
import type { ParentOfRun } from "./flow-records.ts";
import type { StartRun } from "./flows.ts";
import type { OpenRuns } from "./open-runs.ts";
import type { RunAsRead } from "./run-driver.ts";
import { type StoredRun, writeRun } from "./run-rows.ts";

export interface ChildRunsParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly tokens: AnswerTokens;
  readonly runs: Pick<OpenRuns, "begin" | "with" | "read" | "turn">;
  /** A run that nothing is stored of. */
  readonly fresh: (start: StartRun) => Promise<RunAsRead & { readonly started: FlowEvent }>;
}

/** A run that is ready to be written. */
export interface ChildRun {
  readonly id: string;
  /** When it ends at the latest. */
  readonly deadlineMs: number;
  /** B1 */
  write(transaction: Transaction): Promise<void>;
  /** When it is durable. */
  begin(): void;
}

export class ChildRuns {
  readonly #parts: ChildRunsParts;
  readonly #starts: ChildStarts;

  constructor(parts: ChildRunsParts) {
    this.#parts = parts;
    this.#starts = new ChildStarts(parts.runtime);
  }

  async prepare({ scope, row, command, signal }: CallOfRun, { flow, awaited, input }: CallOf<"subflow">): Promise<ChildRun> {
    const { fresh, runs, log } = this.#parts;
    const depth = (row.depth ?? 0) + 1;
    // B3
    if (depth > limit("flowDepthMax")) throw plinthError("FlowTooDeep", { flow, max: limit("flowDepthMax") });
    await this.#starts.take(scope.tenant, signal);
    // So that others get theirs while very many begin.
    await runs.turn(scope.tenant);
    const start: StartRun = { scope, actor: row.actor, flow, input: input.json, source: "function" };
    const read = await fresh(input.stored === undefined ? start : { ...start, stored: input.stored });
    const { program, started } = read;
    const parent: ParentOfRun = { run: row.id, key: command.key, attempt: command.attempt, node: command.node, isAwaited: awaited };
    const child = { ...read.stored.row, parent, depth };
    const { state } = transition(program, NEW_RUN, started);
    let written: StoredRun | undefined;
    return {
      id: child.id,
      deadlineMs: state.deadlineMs,
      write: async (transaction) => {
        transaction.records.put(FLOW_CHILDREN, [row.id, child.id], true);
        written = await writeRun(transaction, {
          stored: { ...read.stored, row: child },
          state,
          events: [started],
          newToken: () => this.#parts.tokens.make({ scope, run: child.id }),
        });
      },
      begin: () => {
        if (written === undefined) return;
        runs
          .begin(scope, child.id, Promise.resolve({ scope, program, state, stored: written }), (driver) => driver.resume())
          .catch((error: unknown) => log.warn({ err: error, run: child.id }, "a run of a flow has begun and could not go on at once"));
      },
    };
  }

  /** B2: what a due row of `child-rows.ts` asks for; false when it is none of those. */
  async tell(scope: Scope, run: string, timer: string): Promise<boolean> {
    if (timer === ABANDONED) {
      await this.#deliver(scope, run, { kind: "cancelled", by: "its parent", reason: "The step that began it does not wait for it." });
      return true;
    }
    if (!timer.startsWith(ENDED)) return false;
    const child = await this.#ended(scope, timer.slice(ENDED.length));
    if (child !== undefined) await this.#deliver(scope, run, child);
    return true;
  }

  /** Of a run that has ended and is deleted before its due row is handed over. */
  async tellParentOf(scope: Scope, id: string): Promise<void> {
    const above = await this.#parts.database.read(scope, async ({ records }) => {
      const run = await records.get(FLOW_RUNS, [id]);
      return run?.parent?.isAwaited === true ? await records.get(FLOW_RUNS, [run.parent.run]) : undefined;
    });
    if (above?.endedMs === null) await this.tell(scope, above.id, `${ENDED}${id}`);
  }

  async #ended(scope: Scope, id: string): Promise<WithoutTime<FlowEvent> | undefined> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_RUNS, [id]));
    if (row?.parent === undefined) return undefined;
    const { state } = await this.#parts.runs.read(scope, id);
    // A run that failed may have been retried since.
    if (state.status.kind !== "ended") return undefined;
    const { outcome } = state.status;
    const { key, attempt } = row.parent;
    const common = { key, attempt, by: `run ${id}` };
    switch (outcome.kind) {
      case "completed":
        return { ...common, kind: "completed", output: outcome.output };
      case "failed": {
        const { code, message } = outcome.error;
        return { ...common, kind: "failed", error: { code, message: `the flow ${row.flow}, run ${id}: ${message}`, retryable: false } };
      }
      case "cancelled": {
        const message = `the flow ${row.flow}, run ${id}, was cancelled by ${outcome.by}: ${outcome.reason}`;
        return { ...common, kind: "failed", error: { code: "cancelled", message, retryable: false } };
      }
    }
  }

  /** One that is refused came before, or nothing waits for it. */
  async #deliver(scope: Scope, run: string, event: WithoutTime<FlowEvent>): Promise<void> {
    const known = await this.#parts.database.read(scope, ({ records }) => records.get(FLOW_RUNS, [run]));
    if (known === undefined) return;
    const timed = { ...event, atMs: this.#parts.runtime.nowMs() };
    await this.#parts.runs.with(scope, run, async (driver) => {
      const refusal = await driver.deliver(timed, { isDurable: true });
      // Why it is refused is stored before its row is deleted.
      if (refusal !== null) await driver.save();
    });
  }
}

type WithoutTime<Event> = Event extends FlowEvent ? Omit<Event, "atMs"> : never;
