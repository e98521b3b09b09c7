import { changedIndexes } from "../changed-indexes.ts";
import { createBundler } from "../bundle/bundle.ts";
import { push } from "../push.ts";
import type { Pusher } from "./pusher.ts";

/** Pushes a functions folder. */
export function functionsPusher(folder: string): Pusher {
  const bundler = createBundler(folder);
  return {
    root: folder,
    ignores: (file) => file.startsWith("_generated"),
    push: async (connection) => {
      const result = await push(connection, bundler, { folder });
      const verb = result.changed ? "pushed" : "unchanged";
      return [
        `${verb}: ${result.functions.length} functions in ${(result.bundleMs + result.deployMs).toFixed(0)} ms`,
        ...changedIndexes(result),
      ];
    },
    dispose: () => bundler.dispose(),
  };
}
