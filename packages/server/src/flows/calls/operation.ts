/** An operation, by slug or `<namespace>/<slug>`. */
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Transaction } from "../../database/database.ts";
import type { CallBodies } from "../../engine/call-bodies.ts";
import type { StepOfRun } from "../../engine/step-of-run.ts";
import { readValue } from "../../operations/native-result.ts";
import { deferralOf } from "../callbacks.ts";
import type { CallKind, CallOfRun, StepCallsParts, StepResult } from "./call.ts";
import { requestOf, stepOf } from "./call-request.ts";
import { ofResult, stepErrorOf } from "./step-result.ts";

export const operationCall: CallKind<"operation"> = {
  classOf: async ({ operations }, call, { scope }) => {
    const operation = await operations.find(scope, call.operation);
    if (operation?.origin !== "object") return "outside";
    return operation.effect === "write" ? "store" : "compute";
  },
  takesPieces: true,
  perform: async (parts, { operation, input, laterMs }, of) => {
    const step = await stepOf(parts, of, laterMs);
    return await performOperation(parts, of, { operation, input: input.json, step });
  },
};

export interface PerformedOperation {
  readonly operation: string;
  readonly input: Json;
  readonly bodies?: CallBodies;
  readonly step?: StepOfRun;
}

export async function performOperation(
  { operations }: StepCallsParts,
  of: CallOfRun,
  { operation, input, bodies, step }: PerformedOperation,
): Promise<StepResult> {
  const { commit, values } = of;
  const { tenant: _tenant, branch: _branch, internalAllowed: _internal, ...request } = requestOf(of);
  const executed = await operations.execute({
    ...request,
    scope: of.scope,
    operation,
    input: isRecord(input) ? input : {},
    signal: of.signal,
    patient: true,
    ...(bodies === undefined ? {} : { bodies }),
    ...(values === undefined ? {} : { values }),
    ...(step === undefined ? {} : { step }),
    // Without a key of the engine's: a call that was under way when the host ended is made again, which is no attempt of the step, and
    // whom it reaches knows it by the key of the step.
    ...(commit === undefined
      ? {}
      : { withCommit: (transaction: Transaction, valueText: string) => commit(transaction, ofResult(readValue(valueText))) }),
  });
  if (executed.outcome.status === "failed") return { ok: false, error: stepErrorOf(executed.outcome.error) };
  if (executed.isLater === true && step?.callback !== undefined) return deferralOf(step.callback);
  return ofResult(executed.result);
}
