/** Moves the snap-in to another version: from here on its calls run with it. */
import { changeSnapIn, type SagaStep } from "./saga-step.ts";

export const moveVersion: SagaStep = {
  name: "version",
  says: "Moving to the new version",
  apply: async (context, transaction) => {
    const before = await changeSnapIn(context, transaction, (row) => ({ ...row, version: context.version }));
    return before.version;
  },
  undo: async (context, transaction, version) => {
    await changeSnapIn(context, transaction, (row) => ({ ...row, version: String(version) }));
  },
};
