/** A function of the branch: `dir/module:export`, or `@package/function`. */
import type { Transaction } from "../../database/database.ts";
import type { StepOfRun } from "../../engine/step-of-run.ts";
import { isLaterAnswer } from "../../operations/later-answer.ts";
import { deferralOf } from "../callbacks.ts";
import type { CallKind, StepResult } from "./call.ts";
import { requestOf, stepOf } from "./call-request.ts";
import { ofOutcome, valueOf } from "./step-result.ts";

export const functionCall: CallKind<"function"> = {
  classOf: async ({ deploys }, { path }, { scope, row }) => {
    if (path.startsWith("@")) return "outside";
    const fn = await deploys.resolve(scope, path, row.functions ?? undefined);
    return fn?.kind === "mutation" ? "store" : fn?.kind === "query" ? "compute" : "outside";
  },
  takesPieces: true,
  perform: async (parts, { path, input, laterMs }, of) => {
    const { row, commit, values } = of;
    const step = await stepOf(parts, of, laterMs);
    const outcome = await parts.engine().invoke(
      {
        ...requestOf(of),
        path,
        step,
        argsText: JSON.stringify(input.json),
        ...(row.functions === null || path.startsWith("@") ? {} : { version: row.functions }),
      },
      {
        signal: of.signal,
        patient: true,
        ...(values === undefined ? {} : { values }),
        ...(commit === undefined
          ? {}
          : { withCommit: (transaction: Transaction, valueText: string) => commit(transaction, valueOf(valueText)) }),
      },
    );
    return ofOutcome(outcome, (valueText) => laterOr(step, valueOf(valueText)));
  },
};

/** Without a callback the answer is a value as any other. */
function laterOr({ callback }: StepOfRun, result: StepResult): StepResult {
  return callback !== undefined && result.ok === true && isLaterAnswer(result.output) ? deferralOf(callback) : result;
}
