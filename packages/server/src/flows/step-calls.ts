/** Makes the calls of steps: each is an invocation of the engine, and its end is an event. What each kind does lies in `calls/`. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallDescription } from "@plinth/core/flow/calls.ts";
import type { Scope } from "../database/database.ts";
import type { CallClass, CallKind, CallKindName, CallOf, CallOfRun, StepCallsParts, StepResult } from "./calls/call.ts";
import { stepErrorOf } from "./calls/step-result.ts";
import { CALL_KINDS } from "./calls/table.ts";
import type { RunRow } from "./flow-records.ts";

/** What a driver needs of them. */
export type CallsOfSteps = Pick<StepCalls, "classOf" | "perform">;

export class StepCalls {
  readonly #parts: StepCallsParts;

  constructor(parts: StepCallsParts) {
    this.#parts = parts;
  }

  async classOf(scope: Scope, row: RunRow, call: CallDescription): Promise<CallClass> {
    return (await kindOf(call)?.classOf(this.#parts, call, { scope, row })) ?? "outside";
  }

  /** Rejects only when the call is to be made again later: the host stops. */
  async perform(of: CallOfRun): Promise<StepResult> {
    try {
      return await this.#perform(of);
    } catch (error) {
      if (error instanceof PlinthError && error.code === "ShuttingDown") throw error;
      return { ok: false, error: stepErrorOf(error instanceof PlinthError ? error : this.#internal(error, of)) };
    }
  }

  #internal(error: unknown, { row, command }: CallOfRun): PlinthError {
    this.#parts.log.error({ err: error, run: row.id, step: command.key }, "a call of a flow failed inside the host");
    return plinthError("InternalError", { id: row.id }, { cause: error });
  }

  async #perform(of: CallOfRun): Promise<StepResult> {
    const { call } = of.command;
    if ((call.input.stored?.length ?? 0) > 0) throw plinthError("InvalidArgument", { detail: "Values of this size are not supported." });
    const kind = kindOf(call);
    if (kind === null) throw plinthError("InvalidArgument", { detail: `This host makes no calls of the kind '${call.kind}'.` });
    return await kind.perform(this.#parts, call, of);
  }
}

/** The table pairs each kind with its own description, which the compiler does not follow through a union. */
function kindOf<Kind extends CallKindName>(call: CallOf<Kind>): CallKind<Kind> | null {
  return CALL_KINDS[call.kind];
}
