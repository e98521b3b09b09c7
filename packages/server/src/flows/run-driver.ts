/**
 * Drives one run: applies what happens to it, writes that down, and makes its calls.
 *
 * D1 Events are applied one at a time, in a turn (W5); a call that takes part in a commit holds the turn from its event to the end
 *    of that commit, and there is one such call of a run at a time.
 * D2 What only computes is driven in memory; a commit comes before all that reaches the outside, before a wait, at the end, and at
 *    the latest `flowUnsavedMs` after an event, or `flowUnsavedBehindStepMs` where the commit of a step that runs will hold it: a commit
 *    in between would make that step conflict and run again.
 * D3 What is under way is what `outstanding` says of the state and nothing else, so going on after a crash is the same as going on.
 */
import { assert } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { outstanding } from "@plinth/core/flow/commands.ts";
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import type { FlowEvent, Refusal } from "@plinth/core/flow/events.ts";
import { type MovedEvent, moveRun } from "@plinth/core/flow/move-run.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import type { RunState } from "@plinth/core/flow/state.ts";
import { transition } from "@plinth/core/flow/transition.ts";
import type { FlowValue } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { SerialQueue } from "../engine/serial-queue.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SeededToken } from "./answer-tokens.ts";
import type { RunTurns } from "./run-turns.ts";
import { type StoredRun, waitsOutside, writeRun } from "./run-rows.ts";
import type { CallClass, CallCommand, StepResult } from "./calls/call.ts";
import type { CallsOfSteps } from "./step-calls.ts";

export interface RunDriverParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly calls: CallsOfSteps;
  readonly newToken: () => SeededToken;
  readonly turns: Pick<RunTurns, "next">;
  /** It cannot go on in memory: it is read again from the store. */
  readonly onLost: (driver: RunDriver, error: unknown) => void;
  /** It has come to rest, or may have. */
  readonly onQuiet: (driver: RunDriver) => void;
}

export interface RunAsRead {
  readonly scope: Scope;
  readonly program: FlowProgram;
  readonly state: RunState;
  readonly stored: StoredRun;
}

export interface MoveTo {
  readonly program: FlowProgram;
  readonly event: MovedEvent;
  /** Digest of the functions that it calls from then on. */
  readonly functions: string | null;
}

interface RunningCall {
  readonly controller: AbortController;
  /** Nobody waits for its result any longer. */
  isDropped: boolean;
}

export class RunDriver {
  readonly scope: Scope;
  readonly #parts: RunDriverParts;
  readonly #turn = new SerialQueue();
  /** Turns that were asked for and have not ended. */
  #turns = 0;
  readonly #commits = new SerialQueue();
  readonly #calls = new Map<string, RunningCall>();
  #program: FlowProgram;
  #state: RunState;
  #stored: StoredRun;
  /** Applied and not durable. */
  #unsaved: FlowEvent[] = [];
  #saveTimer: { cancel(): void } | undefined;
  /** Calls under way whose commits write the run. */
  #storing = 0;
  #isStopped = false;
  /** Those who wait were told of what the run has told its agent. */
  #isReplyTold = false;

  constructor({ scope, program, state, stored }: RunAsRead, parts: RunDriverParts) {
    this.scope = scope;
    this.#program = program;
    this.#state = state;
    this.#stored = stored;
    this.#parts = parts;
  }

  get id(): string {
    return this.#stored.row.id;
  }

  get program(): FlowProgram {
    return this.#program;
  }

  get state(): RunState {
    return this.#state;
  }

  get stored(): StoredRun {
    return this.#stored;
  }

  /** Nothing is under way and all is durable: it may be forgotten. */
  get isQuiet(): boolean {
    return this.#turns === 0 && this.#calls.size === 0 && this.#unsaved.length === 0;
  }

  /** Goes on with what is outstanding. */
  async resume(): Promise<void> {
    await this.#inTurn(() => this.#settle(false));
  }

  /** Null when the event was applied; `isDurable`: it is stored when this resolves. */
  async deliver(event: FlowEvent, { isDurable }: { readonly isDurable: boolean }): Promise<Refusal | null> {
    return await this.#inTurn(async () => {
      const refusal = this.#apply(event);
      if (refusal === null) await this.#settle(isDurable);
      return refusal;
    });
  }

  /**
   * To another version of its flow, in one commit; calls that are under way go on. Empty when it was moved, else why it does not fit.
   * The snapshot is the first of the other version: nothing folds its journal from before it.
   */
  async move(to: MoveTo): Promise<readonly FlowFinding[]> {
    return await this.#inTurn(async () => {
      const moved = moveRun({ before: this.program, after: to.program }, this.#state, to.event);
      if (!moved.ok) return moved.findings;
      const { row } = this.#stored;
      const moving = { ...this.#stored, row: { ...row, version: to.event.version, functions: to.functions } };
      const write = { stored: moving, state: moved.state, events: [...this.#unsaved, to.event], mustFold: true };
      const stored = await this.#parts.database.update(this.scope, (transaction) =>
        writeRun(transaction, { ...write, newToken: this.#parts.newToken }),
      );
      this.#program = to.program;
      this.#state = moved.state;
      this.#saved(stored);
      await this.#settle(false);
      return [];
    });
  }

  /** What is applied is stored when this resolves. */
  async save(): Promise<void> {
    if (this.#unsaved.length > 0) await this.#inTurn(() => this.#save());
  }

  /** Ends its calls; when it resolves, it writes nothing more. What is not durable then is done again after the next start. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#turn.run(() => Promise.resolve());
  }

  #halt(): void {
    this.#isStopped = true;
    this.#saveTimer?.cancel();
    for (const { controller } of this.#calls.values()) controller.abort(plinthError("ShuttingDown", {}));
  }

  async #inTurn<T>(body: () => Promise<T>): Promise<T> {
    this.#turns += 1;
    try {
      return await this.#turn.run(async () => {
        if (this.#isStopped) throw plinthError("ShuttingDown", {});
        try {
          return await body();
        } catch (error) {
          this.#lost(error);
          throw error;
        }
      });
    } finally {
      this.#endTurn();
    }
  }

  #endTurn(): void {
    this.#turns -= 1;
    if (this.isQuiet && !this.#isStopped) this.#parts.onQuiet(this);
  }

  #lost(error: unknown): void {
    if (this.#isStopped) return;
    this.#halt();
    this.#parts.onLost(this, error);
  }

  #apply(event: FlowEvent): Refusal | null {
    const { state, refusal } = transition(this.program, this.#state, event);
    if (refusal !== null) return refusal;
    this.#state = state;
    this.#unsaved.push(event);
    return null;
  }

  /** Does what follows from the state, in a turn. */
  async #settle(mustSave: boolean): Promise<void> {
    const { runtime, calls: stepCalls } = this.#parts;
    let commands = outstanding(this.#state);
    while (commands.some(({ kind }) => kind === "continue")) {
      const refusal = this.#apply({ kind: "continued", atMs: runtime.nowMs() });
      assert(refusal === null, "a run that can go on does");
      await this.#parts.turns.next(this.scope.tenant);
      // Who waits for what is applied and not stored must not take it for stored.
      if (this.#isStopped) throw plinthError("ShuttingDown", {});
      commands = outstanding(this.#state);
    }
    const calls = commands.filter((command) => command.kind === "call");
    if (this.#calls.size > 0) {
      const names = new Set(calls.map(nameOf));
      for (const [name, call] of this.#calls) if (!names.has(name)) drop(call);
    }
    const begun: { readonly command: CallCommand; readonly callClass: CallClass }[] = [];
    for (const command of calls) {
      if (this.#calls.has(nameOf(command))) continue;
      begun.push({ command, callClass: await stepCalls.classOf(this.scope, this.#stored.row, command.call) });
    }
    const hasReplied = this.#state.reply !== null && !this.#isReplyTold;
    const isOutside = hasReplied || begun.some(({ callClass }) => callClass === "outside") || waitsOutside(commands) || calls.length === 0;
    if (mustSave || isOutside) await this.#save();
    else this.#saveSoon();
    for (const call of begun) this.#begin(call.command, call.callClass);
    this.#isReplyTold ||= hasReplied;
    if (hasReplied) this.#parts.onQuiet(this);
  }

  /** D2 */
  #saveSoon(delayMs = limit("flowUnsavedMs")): void {
    if (this.#unsaved.length === 0) return;
    this.#saveTimer ??= this.#parts.runtime.timer(delayMs, () => {
      this.#saveTimer = undefined;
      if (this.#storing > 0 && delayMs === limit("flowUnsavedMs")) this.#saveSoon(limit("flowUnsavedBehindStepMs"));
      else this.#inTurn(() => this.#save()).catch(() => undefined);
    });
  }

  #forgetSaveTimer(): void {
    this.#saveTimer?.cancel();
    this.#saveTimer = undefined;
  }

  async #save(): Promise<void> {
    this.#forgetSaveTimer();
    if (this.#unsaved.length === 0) return;
    const events = this.#unsaved;
    const stored = await this.#parts.database.update(this.scope, (transaction) => this.#write(transaction, this.#state, events));
    this.#saved(stored);
  }

  #saved(stored: StoredRun): void {
    this.#stored = stored;
    this.#unsaved = [];
  }

  async #write(transaction: Transaction, state: RunState, events: readonly FlowEvent[]): Promise<StoredRun> {
    const { newToken } = this.#parts;
    return await writeRun(transaction, { stored: this.#stored, state, events, newToken });
  }

  #begin(command: CallCommand, callClass: CallClass): void {
    if (this.#isStopped) return;
    const call: RunningCall = { controller: new AbortController(), isDropped: false };
    this.#calls.set(nameOf(command), call);
    const made = callClass === "store" ? this.#inOrder(command, call) : this.#outOfTurn(command, call);
    made.catch((error: unknown) => this.#lost(error));
  }

  async #inOrder(command: CallCommand, call: RunningCall): Promise<void> {
    this.#storing += 1;
    try {
      await this.#commits.run(() => this.#inStore(command, call));
    } finally {
      this.#storing -= 1;
    }
  }

  async #outOfTurn(command: CallCommand, call: RunningCall): Promise<void> {
    const result = await this.#perform(command, call.controller.signal);
    await this.#ended(command, call, result);
  }

  async #ended(command: CallCommand, call: RunningCall, result: StepResult): Promise<void> {
    if (this.#isStopped) return;
    await this.#inTurn(async () => {
      this.#forget(command, call);
      if (!call.isDropped) this.#apply(this.#eventOf(command, result));
      await this.#settle(false);
    });
  }

  #forget(command: CallCommand, call: RunningCall): void {
    if (this.#calls.get(nameOf(command)) === call) this.#calls.delete(nameOf(command));
  }

  /** W3 */
  async #inStore(command: CallCommand, call: RunningCall): Promise<void> {
    if (this.#isStopped) return;
    let endTurn: (() => void) | undefined;
    let written: { readonly state: RunState; readonly stored: StoredRun } | undefined;
    const commit = async (transaction: Transaction, result: StepResult): Promise<void> => {
      endTurn ??= await this.#takeTurn();
      const { state, refusal } = transition(this.program, this.#state, this.#eventOf(command, result));
      if (this.#isStopped || refusal !== null || call.isDropped || !result.ok)
        throw plinthError("Cancelled", { detail: result.ok ? "its run does not wait for it" : result.error.message });
      const event = this.#eventOf(command, result);
      written = { state, stored: await this.#write(transaction, state, [...this.#unsaved, event]) };
    };
    let result: StepResult;
    try {
      result = await this.#perform(command, call.controller.signal, commit);
    } catch (error) {
      endTurn?.();
      throw error;
    }
    if (endTurn === undefined || written === undefined || !result.ok) {
      endTurn?.();
      // No commit of this step holds what is unsaved.
      this.#forgetSaveTimer();
      await this.#ended(command, call, result);
      return;
    }
    try {
      this.#state = written.state;
      this.#saved(written.stored);
      this.#forget(command, call);
      await this.#settle(false);
    } finally {
      endTurn();
    }
  }

  /** Resolves when the turn has come, with what ends it. */
  #takeTurn(): Promise<() => void> {
    this.#turns += 1;
    const { promise, resolve } = Promise.withResolvers<() => void>();
    const taken = this.#turn.run(() => new Promise<void>((end) => resolve(end)));
    void taken.then(() => this.#endTurn());
    return promise;
  }

  #perform(
    command: CallCommand,
    signal: AbortSignal,
    commit?: (transaction: Transaction, result: StepResult) => Promise<void>,
  ): Promise<StepResult> {
    return this.#parts.calls.perform({
      scope: this.scope,
      row: this.#stored.row,
      program: this.program,
      state: this.#state,
      command,
      signal,
      ...(commit === undefined ? {} : { commit }),
    });
  }

  #eventOf({ key, attempt }: CallCommand, result: StepResult): FlowEvent {
    const atMs = this.#parts.runtime.nowMs();
    switch (result.ok) {
      case true:
        return { kind: "completed", atMs, key, attempt, output: valueOf(result) };
      case false:
        return { kind: "failed", atMs, key, attempt, error: result.error };
      case "later": {
        const { deadlineMs, child } = result;
        return { kind: "deferred", atMs, key, attempt, deadlineMs, ...(child === undefined ? {} : { child }) };
      }
    }
  }
}

function valueOf({ output, stored }: StepResult & { readonly ok: true }): FlowValue {
  return stored === undefined ? { json: output } : { json: output, stored };
}

function nameOf({ key, attempt }: CallCommand): string {
  return `${key} ${attempt}`;
}

function drop(call: RunningCall): void {
  call.isDropped = true;
  call.controller.abort(plinthError("Cancelled", { detail: "its run does not wait for it" }));
}
