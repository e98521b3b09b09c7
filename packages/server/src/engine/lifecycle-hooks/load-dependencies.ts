/** Sees that the files of the version are there, and keeps them until the call has ended. */
import type { LifecycleHook } from "../lifecycle.ts";

export const loadDependencies: LifecycleHook = {
  name: "loadDependencies",
  kinds: ["handler"],
  before: async (_, run) => {
    const folder = await run.accepted.version.package?.folder?.();
    return folder === undefined ? undefined : () => folder.release();
  },
};
