/** Tags of the manifest. They stay when the snap-in is deactivated, because objects may carry them. */
import { newId } from "../ids.ts";
import { changeSnapIn, type SagaStep } from "./saga-step.ts";
import type { SnapInRow } from "../snap-in-records.ts";

export const createTags: SagaStep = {
  name: "tags",
  says: "Creating the tags",
  apply: async (context, transaction) => {
    const before = await changeSnapIn(context, transaction, (row) => {
      const missing = context.manifest.tags.filter(({ name }) => !Object.hasOwn(row.tags, name));
      const made = missing.map(({ name }) => [name, { id: newId(context.runtime, "tag") }] as const);
      return { ...row, tags: { ...row.tags, ...Object.fromEntries(made) } };
    });
    return before.tags;
  },
  undo: async (context, transaction, before) => {
    await changeSnapIn(context, transaction, (row) => ({ ...row, tags: before as SnapInRow["tags"] }));
  },
};
