/** A function of the branch: `dir/module:export`, or `@package/function`. */
import type { Transaction } from "../../database/database.ts";
import type { CallKind } from "./call.ts";
import { requestOf } from "./call-request.ts";
import { ofOutcome, valueOf } from "./step-result.ts";

export const functionCall: CallKind<"function"> = {
  classOf: async ({ deploys }, { path }, { scope, row }) => {
    if (path.startsWith("@")) return "outside";
    const fn = await deploys.resolve(scope, path, row.functions ?? undefined);
    return fn?.kind === "mutation" ? "store" : fn?.kind === "query" ? "compute" : "outside";
  },
  perform: async ({ engine }, { path, input }, of) => {
    const { row, commit } = of;
    const outcome = await engine().invoke(
      {
        ...requestOf(of),
        path,
        argsText: JSON.stringify(input.json),
        ...(row.functions === null || path.startsWith("@") ? {} : { version: row.functions }),
      },
      {
        signal: of.signal,
        patient: true,
        ...(commit === undefined
          ? {}
          : { withCommit: (transaction: Transaction, valueText: string) => commit(transaction, valueOf(valueText)) }),
      },
    );
    return ofOutcome(outcome, valueOf);
  },
};
