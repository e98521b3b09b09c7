/**
 * Drives sagas: asks the pure course what comes next, performs it, and commits its effect together with the progress (A1).
 *
 * Owns: the sagas that run on this host. A saga that the stop of the host, or its crash, interrupts stays stored and goes on at
 * the next start.
 */
import { must } from "@plinth/core/assert.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { nextMove, stepDone, stepFailed, stepUndone, type SagaState } from "@plinth/core/policy/saga.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { SAGAS, SNAP_INS } from "../database/record-tables.ts";
import type { Engine } from "../engine/invocation.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { Packages } from "../packages/packages.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { SagaRow, SnapInRow } from "./snap-in-records.ts";
import type { StepContext } from "./steps/saga-step.ts";
import { SAGA_PLANS } from "./steps/table.ts";

export interface SagaRunnerOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly packages: Pick<Packages, "version">;
  readonly keyrings: Pick<Keyrings, "list">;
  readonly engine: Pick<Engine, "enqueue" | "watch">;
  readonly log: Log;
  /** Called around each move, for tests that make it fail there. */
  readonly probe?: SagaProbe | undefined;
}

export type SagaProbe = (at: {
  readonly saga: SagaRow;
  readonly step: string;
  readonly when: "before" | "outside" | "applied" | "undo" | "undone";
}) => void;

const RETRY_MS = 500;

export class SagaRunner {
  readonly #options: SagaRunnerOptions;
  readonly #running = new Map<string, Promise<SnapInRow>>();
  readonly #stopping = new AbortController();

  constructor(options: SagaRunnerOptions) {
    this.#options = options;
  }

  /** Runs a stored saga to its end; those who ask for the same one wait for it. */
  run(scope: Scope, snapInId: string, progress: (text: string) => void = () => {}): Promise<SnapInRow> {
    const key = `${scope.tenant}/${scope.branch}/${snapInId}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const saga = this.#drive(scope, snapInId, progress).finally(() => this.#running.delete(key));
    this.#running.set(key, saga);
    return saga;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(plinthError("ShuttingDown", {}));
    await Promise.allSettled(this.#running.values());
  }

  async #drive(scope: Scope, snapInId: string, progress: (text: string) => void): Promise<SnapInRow> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      const { saga, snapIn } = await this.#load(scope, snapInId);
      if (saga === undefined) return snapIn;
      const move = nextMove(saga.state);
      const steps = SAGA_PLANS[saga.kind].steps;
      if (move.kind === "end") {
        await this.#end(scope, saga);
        continue;
      }
      const step = must(steps[move.step], "a saga names one of its steps");
      const context = await this.#context(scope, saga, snapIn);
      const probe = (when: Parameters<SagaProbe>[0]["when"]): void => this.#options.probe?.({ saga, step: step.name, when });
      if (move.kind === "undo") {
        await this.#undo(context, async (transaction) => {
          probe("undo");
          await step.undo(context, transaction, saga.undo[move.step]);
        });
        probe("undone");
        continue;
      }
      progress(step.says);
      try {
        probe("before");
        const found = await step.outside?.(context);
        probe("outside");
        await this.#advance(context, async (transaction) => {
          const left = await step.apply(context, transaction, found);
          return { state: stepDone(saga.state, steps.length), undo: [...saga.undo.slice(0, move.step), left ?? null] };
        });
      } catch (error) {
        if (!this.#isFailureOfStep(error)) throw error;
        progress(`Undoing: ${error.message}`);
        await this.#advance(context, () => Promise.resolve({ state: stepFailed(saga.state, reasonOf(error)), undo: saga.undo }));
        continue;
      }
      probe("applied");
    }
  }

  /** The stop of the host and failures of the store are nobody's fault: the saga stays where it is and goes on later. */
  #isFailureOfStep(error: unknown): error is Error {
    if (this.#stopping.signal.aborted) return false;
    if (!(error instanceof PlinthError)) return error instanceof Error;
    return error.code !== "ShuttingDown" && error.code !== "StoreFailure" && error.code !== "InternalError";
  }

  async #load(scope: Scope, snapInId: string): Promise<{ readonly saga: SagaRow | undefined; readonly snapIn: SnapInRow }> {
    return await this.#options.database.read(scope, async ({ records }) => {
      const snapIn = await records.get(SNAP_INS, [snapInId]);
      if (snapIn === undefined) throw plinthError("NotFound", { what: "snap-in" });
      return { saga: await records.get(SAGAS, [scope.tenant, scope.branch, snapInId]), snapIn };
    });
  }

  async #context(scope: Scope, saga: SagaRow, snapIn: SnapInRow): Promise<StepContext> {
    const { runtime, engine, keyrings } = this.#options;
    const version = saga.version ?? snapIn.version;
    const manifest = await this.#manifest(scope, snapIn.package, version);
    return {
      scope,
      saga,
      snapIn,
      version,
      // Steps that need none go on without: what a version that is gone left can still be taken back.
      get manifest() {
        if (manifest instanceof Error) throw manifest;
        return manifest;
      },
      runtime,
      engine,
      keyrings,
      signal: this.#stopping.signal,
    };
  }

  async #manifest(scope: Scope, name: string, version: string): Promise<Manifest | PlinthError> {
    const shown = { package: name, version: version.slice(0, 12) };
    try {
      const stored = await this.#options.packages.version(scope, name, version);
      return stored?.manifest ?? plinthError("VersionCollected", shown);
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      this.#options.log.error({ error, ...shown }, "the manifest of a stored version cannot be read");
      return plinthError("InvalidPackage", { detail: `the stored files of ${name} ${shown.version} cannot be read.` });
    }
  }

  /** Commits the effect of a move with the state after it; a saga that another host moved meanwhile is left alone. */
  async #advance(
    { scope, saga }: StepContext,
    body: (transaction: Transaction) => Promise<{ readonly state: SagaState; readonly undo: readonly unknown[] }>,
  ): Promise<void> {
    await this.#options.database.update(scope, async (transaction) => {
      const key = [scope.tenant, scope.branch, saga.snapInId] as const;
      const now = await transaction.records.get(SAGAS, key);
      if (now?.id !== saga.id || JSON.stringify(now.state) !== JSON.stringify(saga.state)) return;
      transaction.records.put(SAGAS, key, { ...now, ...(await body(transaction)) });
    });
  }

  /** Undoing goes on until it succeeds: what stands in its way is the platform, for a while. */
  async #undo(context: StepContext, body: (transaction: Transaction) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#advance(context, async (transaction) => {
          await body(transaction);
          return { state: stepUndone(context.saga.state), undo: context.saga.undo };
        });
        return;
      } catch (error) {
        this.#options.log.error({ error, saga: context.saga.id, attempt }, "a step of a saga could not be undone; it is tried again");
        if (attempt >= limit("sagaUndoAttemptsMax")) throw error;
        await this.#options.runtime.sleep(RETRY_MS * attempt, this.#stopping.signal);
      }
    }
  }

  async #end(scope: Scope, saga: SagaRow): Promise<void> {
    const plan = SAGA_PLANS[saga.kind];
    await this.#options.database.update(scope, async ({ records }) => {
      const row = await records.get(SNAP_INS, [saga.snapInId]);
      records.delete(SAGAS, [scope.tenant, scope.branch, saga.snapInId]);
      if (row === undefined) return;
      const state = saga.state.phase === "done" ? plan.done : (plan.undone ?? row.state);
      records.put(SNAP_INS, [row.id], { ...row, state, stateReason: saga.state.reason, updatedMs: this.#options.runtime.nowMs() });
    });
  }
}

/** For people, with what to do next; a hook's own words are enough. */
function reasonOf(error: Error): string {
  const hasNext = error instanceof PlinthError && error.code !== "HookRefused" && error.code !== "HookFailed";
  return hasNext ? `${error.message} ${error.next}` : error.message;
}
