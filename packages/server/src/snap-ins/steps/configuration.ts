/** Inputs and keyrings: what is missing fails the saga, what has a default gets it. */
import { plinthError } from "@plinth/core/errors.ts";
import { isJsonObject } from "../json-object.ts";
import { resolveInputs } from "../inputs.ts";
import { bindKeyrings } from "../keyring-bindings.ts";
import { changeSnapIn, type SagaStep } from "./saga-step.ts";

export const provideInputs: SagaStep = {
  name: "inputs",
  says: "Checking the inputs",
  apply: async (context, transaction) => {
    const before = await changeSnapIn(context, transaction, (row) => ({
      ...row,
      inputs: resolveInputs(context.manifest.inputs.organization, row.inputs),
    }));
    return before.inputs;
  },
  undo: async (context, transaction, inputs) => {
    await changeSnapIn(context, transaction, (row) => ({ ...row, inputs: isJsonObject(inputs) ? inputs : {} }));
  },
};

export const provideKeyrings: SagaStep = {
  name: "keyrings",
  says: "Connecting the keyrings",
  outside: async (context) => bindKeyrings(context.manifest, context.snapIn.keyrings, await context.keyrings.list(context.scope)),
  apply: async (context, transaction, bound) => {
    if (!isJsonObject(bound)) throw plinthError("InternalError", { id: context.saga.id });
    const keyrings = Object.fromEntries(Object.entries(bound).map(([name, keyring]) => [name, String(keyring)]));
    const before = await changeSnapIn(context, transaction, (row) => ({ ...row, keyrings }));
    return before.keyrings;
  },
  undo: async (context, transaction, before) => {
    const keyrings = isJsonObject(before)
      ? Object.fromEntries(Object.entries(before).map(([name, keyring]) => [name, String(keyring)]))
      : {};
    await changeSnapIn(context, transaction, (row) => ({ ...row, keyrings }));
  },
};
