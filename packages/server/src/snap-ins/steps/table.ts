/** The sagas: their steps in order, and the states that the snap-in has before, while and after. */
import type { SagaKind } from "../snap-in-records.ts";
import type { SnapInState } from "../snap-ins.ts";
import { provideInputs, provideKeyrings } from "./configuration.ts";
import { closeEventSources, openEventSources } from "./event-sources.ts";
import { activateHook, deactivateHook, updateHook, validateHook } from "./hooks.ts";
import { closeQueue, openQueue } from "./queue.ts";
import type { SagaStep } from "./saga-step.ts";
import { changeServiceAccount, createServiceAccount, endServiceAccount } from "./service-account.ts";
import { createTags } from "./tags.ts";
import { moveVersion } from "./version.ts";

export interface SagaPlan {
  readonly from: readonly SnapInState[];
  readonly while: SnapInState;
  readonly done: SnapInState;
  /** After it was undone; the state before when absent. */
  readonly undone?: SnapInState;
  readonly steps: readonly SagaStep[];
}

export const SAGA_PLANS: Readonly<Record<SagaKind, SagaPlan>> = {
  activate: {
    from: ["draft", "inactive", "error"],
    while: "activating",
    done: "active",
    undone: "error",
    // Hooks come last, so that most failures happen before anything of the package has run; validate needs inputs and keyrings.
    steps: [provideInputs, provideKeyrings, createServiceAccount, validateHook, createTags, openEventSources, openQueue, activateHook],
  },
  deactivate: {
    from: ["active"],
    while: "deactivating",
    done: "inactive",
    undone: "active",
    // The hook still has its account, to take back what it made elsewhere.
    steps: [deactivateHook, closeEventSources, closeQueue, endServiceAccount],
  },
  upgrade: {
    from: ["active"],
    while: "active",
    done: "active",
    undone: "active",
    steps: [provideInputs, validateHook, moveVersion, changeServiceAccount, createTags, openEventSources, openQueue, updateHook],
  },
};
