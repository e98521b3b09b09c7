/** Where calls of the snap-in wait, and which of its functions take them in order. */
import { QUEUES } from "../../database/record-tables.ts";
import { parseQueue } from "../snap-in-records.ts";
import type { SagaStep, StepContext } from "./saga-step.ts";
import type { Transaction } from "../../database/database.ts";

export const openQueue: SagaStep = {
  name: "queue",
  says: "Opening the queue",
  apply: async (context, transaction) => {
    const { snapIn, manifest } = context;
    const before = await transaction.records.get(QUEUES, [snapIn.id]);
    transaction.records.put(QUEUES, [snapIn.id], {
      snapInId: snapIn.id,
      functions: manifest.functions.map(({ name, supportsSynchronization, maxRetries }) => ({
        name,
        ordered: supportsSynchronization,
        maxRetries,
      })),
    });
    return before ?? null;
  },
  undo: (context, transaction, before) => restore(context, transaction, before),
};

export const closeQueue: SagaStep = {
  name: "closeQueue",
  says: "Closing the queue",
  apply: async (context, transaction) => {
    const before = await transaction.records.get(QUEUES, [context.snapIn.id]);
    transaction.records.delete(QUEUES, [context.snapIn.id]);
    return before ?? null;
  },
  undo: (context, transaction, before) => restore(context, transaction, before),
};

async function restore(context: StepContext, transaction: Transaction, before: unknown): Promise<void> {
  if (before === null) transaction.records.delete(QUEUES, [context.snapIn.id]);
  else transaction.records.put(QUEUES, [context.snapIn.id], parseQueue(before));
  await Promise.resolve();
}
