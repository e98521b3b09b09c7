/** Answers that say that the result comes by the callback of the step (`engine/step-of-run.ts`): `{"later": true}`. */
import { plinthError } from "@plinth/core/errors.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import { failedResult, withFailure } from "./native-result.ts";
import type { Executed, OperationCall } from "./operations.ts";

export function isLaterAnswer(answer: Json | undefined): boolean {
  return isObject(answer) && answer["later"] === true && Object.keys(answer).length === 1;
}

/** Only who has been given a callback may answer later. */
export function checkLater(executed: Executed, { step }: OperationCall): Executed {
  if (step?.callback !== undefined) return executed;
  const { operation, outcome } = executed;
  const detail = "it answered that its result comes later; only a step of a flow with `later` waits for that.";
  const error = plinthError("ReturnsValidation", { detail });
  return { operation, result: failedResult(error), outcome: withFailure(outcome, error) };
}
