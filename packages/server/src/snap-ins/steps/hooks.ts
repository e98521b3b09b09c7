/** The steps that run hooks. They have no effect to undo: a hook that failed says so itself. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { checkInputs } from "../inputs.ts";
import { isJsonObject } from "../json-object.ts";
import type { SnapInRow } from "../snap-in-records.ts";
import { runHook } from "./hook.ts";
import { changeSnapIn, NOTHING_TO_UNDO, type SagaStep, type StepContext } from "./saga-step.ts";

export const validateHook: SagaStep = {
  name: "validateHook",
  says: "Asking the package whether its configuration is right",
  outside: (context) => runHook(context, { type: "validate", payload: {} }),
  apply: () => Promise.resolve(null),
  undo: NOTHING_TO_UNDO,
};

/** Its answer may set inputs. */
export const activateHook: SagaStep = {
  name: "activateHook",
  says: "Running the activate hook",
  outside: (context) => runHook(context, { type: "activate", payload: {} }),
  apply: async (context, transaction, answer) => {
    const before = await changeSnapIn(context, transaction, (row) => ({ ...row, inputs: withAnswer(context, row.inputs, answer) }));
    return before.inputs;
  },
  undo: async (context, transaction, inputs) => {
    await changeSnapIn(context, transaction, (row) => ({ ...row, inputs: isJsonObject(inputs) ? inputs : row.inputs }));
  },
};

export const updateHook: SagaStep = {
  name: "updateHook",
  says: "Running the update hook",
  outside: (context) => runHook(context, { type: "update", payload: {} }),
  apply: () => Promise.resolve(null),
  undo: NOTHING_TO_UNDO,
};

/** A forced deactivation goes on when the hook fails. */
export const deactivateHook: SagaStep = {
  name: "deactivateHook",
  says: "Running the deactivate hook",
  outside: async (context) => {
    const { force, isDeletion } = context.saga;
    try {
      return await runHook(context, { type: "deactivate", payload: { force_deactivate: force, is_deletion: isDeletion } });
    } catch (error) {
      if (force && !context.signal.aborted) return {};
      throw error;
    }
  },
  apply: () => Promise.resolve(null),
  undo: NOTHING_TO_UNDO,
};

/** The inputs with `inputs_values` of the hook's answer, for those that the manifest declares; they are checked like anybody's. */
function withAnswer({ manifest }: Pick<StepContext, "manifest">, inputs: SnapInRow["inputs"], answer: unknown): SnapInRow["inputs"] {
  const values = isJsonObject(answer) ? answer["inputs_values"] : undefined;
  if (!isJsonObject(values)) return inputs;
  const { organization } = manifest.inputs;
  const declared = new Set(organization.map(({ name }) => name));
  const changed = { ...inputs, ...Object.fromEntries(Object.entries(values).filter(([name]) => declared.has(name))) };
  try {
    checkInputs(organization, changed);
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    throw plinthError("HookRefused", { hook: "activate", detail: `its answer sets inputs that cannot be: ${error.message}` });
  }
  return changed;
}
