/** Another flow. Its run is written in the transaction of the step, and its end completes the step. */
import { must } from "@plinth/core/assert.ts";
import type { CallKind, StepResult } from "./call.ts";

export const subflowCall: CallKind<"subflow"> = {
  classOf: () => "store",
  takesStored: true,
  perform: async ({ children, database, runtime }, call, of) => {
    const commit = must(of.commit, "a call of this class takes part in a commit");
    const child = await children().prepare(of, call);
    const { timeoutMs } = must(of.program.definition.nodes[of.command.node], "the node of a call is there");
    // One that does not say takes as long as the flow may.
    const deadlineMs = timeoutMs === null ? child.deadlineMs : Math.min(child.deadlineMs, runtime.nowMs() + timeoutMs);
    const result: StepResult = call.awaited ? { ok: "later", deadlineMs, child: child.id } : { ok: true, output: { run: child.id } };
    await database.update(of.scope, async (transaction) => {
      await child.write(transaction);
      await commit(transaction, result);
    });
    child.begin();
    return result;
  },
};
