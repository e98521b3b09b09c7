/** Makes the calls of steps: each is an invocation of the engine, and its end is an event. What each kind does lies in `calls/`. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallDescription } from "@plinth/core/flow/calls.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { CallClass, CallKind, CallKindName, CallOf, CallOfRun, StepCallsParts, StepResult } from "./calls/call.ts";
import { stepErrorOf } from "./calls/step-result.ts";
import { CALL_KINDS } from "./calls/table.ts";
import { CallPlaces } from "./call-places.ts";
import type { RunRow } from "./flow-records.ts";
import { OpenedValues } from "./values/opened-values.ts";

/** What a driver needs of them. */
export type CallsOfSteps = Pick<StepCalls, "classOf" | "perform">;

export class StepCalls {
  readonly #parts: StepCallsParts;
  readonly #places = new CallPlaces();

  constructor(parts: StepCallsParts) {
    this.#parts = parts;
  }

  async classOf(scope: Scope, row: RunRow, call: CallDescription): Promise<CallClass> {
    return await kindOf(call).classOf(this.#parts, call, { scope, row });
  }

  /** Rejects only when the call is to be made again later: the host stops. */
  async perform(of: CallOfRun): Promise<StepResult> {
    const { commit, scope } = of;
    if (commit === undefined) return await this.#tried(of);
    let committed: StepResult | undefined;
    const result = await this.#tried({
      ...of,
      commit: async (transaction, given) => {
        committed = await this.#kept(scope, given);
        await commit(transaction, committed);
      },
    });
    return result.ok ? (committed ?? result) : result;
  }

  async #tried(of: CallOfRun): Promise<StepResult> {
    const leave = await this.#places.enter(of.scope.tenant, of.signal);
    try {
      const result = await this.#perform(of);
      if (of.commit !== undefined || kindOf(of.command.call).givesWhole === true) return result;
      return await this.#kept(of.scope, result);
    } catch (error) {
      if (error instanceof PlinthError && error.code === "ShuttingDown") throw error;
      return { ok: false, error: stepErrorOf(error instanceof PlinthError ? error : this.#internal(error, of)) };
    } finally {
      leave();
    }
  }

  #internal(error: unknown, { row, command }: CallOfRun): PlinthError {
    this.#parts.log.error({ err: error, run: row.id, step: command.key }, "a call of a flow failed inside the host");
    return plinthError("InternalError", { id: row.id }, { cause: error });
  }

  async #perform(of: CallOfRun): Promise<StepResult> {
    const { call } = of.command;
    const kind = kindOf(call);
    checkRoom(of.row);
    if (kind.takesPieces === true) return await this.#byPieces(kind, of);
    if (kind.takesStored === true || call.input.stored === undefined) return await kind.perform(this.#parts, call, of);
    const whole = { ...call, input: { json: await this.#parts.values.inlined(of.scope, call.input) } };
    return await kind.perform(this.#parts, whole, { ...of, command: { ...of.command, call: whole } });
  }

  /** Code gets what it does not read by pieces as JSON, and may write what it gives by pieces. */
  async #byPieces(kind: CallKind<CallKindName>, of: CallOfRun): Promise<StepResult> {
    const { call } = of.command;
    const open = "open" in call ? (call.open ?? []) : [];
    if (open.length > 0 && (await kind.classOf(this.#parts, call, of)) !== "outside")
      throw plinthError("InvalidArgument", { detail: "`open` is for actions, handlers and operations of your own code; remove it." });
    const { values, runtime } = this.#parts;
    const pieces = new OpenedValues({ values, runtime, scope: of.scope });
    try {
      const whole = { ...call, input: { json: await pieces.give(call.input, open) } };
      const result = await kind.perform(this.#parts, whole, { ...of, command: { ...of.command, call: whole }, values: pieces });
      if (result.ok !== true) return result;
      const { json, stored } = pieces.take(result.output);
      return stored === undefined ? { ...result, output: json } : { ...result, output: json, stored };
    } finally {
      pieces.close();
    }
  }

  /** What it gave, as it may lie in a journal. */
  async #kept(scope: Scope, result: StepResult): Promise<StepResult> {
    if (result.ok !== true) return result;
    const { json, stored = [] } = await this.#parts.values.keep(scope, result.output);
    const parts = [...stored, ...(result.stored ?? [])];
    return parts.length === 0 ? result : { ok: true, output: json, stored: parts };
  }
}

/** Before a call, since what it gives may be stored as it comes, and before what is sent to a run. */
export function checkRoom({ storedBytes = 0 }: Pick<RunRow, "storedBytes">): void {
  const max = limit("flowRunStoredBytesMax");
  if (storedBytes > max) throw plinthError("LimitExceeded", { what: "Bytes of stored values of one run", actual: storedBytes, max });
}

/** The table pairs each kind with its own description, which the compiler does not follow through a union. */
function kindOf<Kind extends CallKindName>(call: CallOf<Kind>): CallKind<Kind> {
  return CALL_KINDS[call.kind];
}
