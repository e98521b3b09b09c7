/** Moves the snap-in to another version: from here on its calls run with it, and its keyring types are the version's. */
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import { defineKeyringTypes } from "../../keyrings/define-types.ts";
import { changeSnapIn, type SagaStep } from "./saga-step.ts";

interface Before {
  readonly version: string;
  readonly types: readonly KeyringTypeSpec[];
}

export const moveVersion: SagaStep = {
  name: "version",
  says: "Moving to the new version",
  apply: async (context, transaction): Promise<Before> => {
    const { snapIn, manifest, version } = context;
    const types = await defineKeyringTypes(transaction.records, snapIn.package, manifest.keyringTypes);
    const before = await changeSnapIn(context, transaction, (row) => ({ ...row, version }));
    return { version: before.version, types };
  },
  undo: async (context, transaction, left) => {
    const { version, types } = left as Before;
    await defineKeyringTypes(transaction.records, context.snapIn.package, types);
    await changeSnapIn(context, transaction, (row) => ({ ...row, version }));
  },
};
