/** Tells those who watch the call that it has ended. */
import { stateOf } from "../finalize.ts";
import type { LifecycleHook } from "../lifecycle.ts";

export const tellWatchers: LifecycleHook = {
  name: "tellWatchers",
  after: (_, { run, outcome }) => {
    run.changeState(stateOf(outcome));
    run.emit({ type: "done", outcome });
  },
};
