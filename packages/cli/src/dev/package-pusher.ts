import { resolve } from "node:path";
import { call, field, type Json } from "../client.ts";
import type { Connection } from "../connection.ts";
import { buildPackage } from "../package/build-package.ts";
import { pushPackage } from "../package/push-package.ts";
import type { Pusher } from "./pusher.ts";

/** Builds and pushes a package; one that is installed and active moves to the new version. */
export function packagePusher(folder: string): Pusher {
  const quiet = (): void => undefined;
  return {
    root: resolve(folder),
    // What the build makes, and what npm and Python make beside it.
    ignores: (file) => /(?:^|\/)(?:\.plinth|node_modules|dist|__pycache__|\.git)(?:\/|$)/.test(file),
    push: async (connection) => {
      const startedMs = performance.now();
      const built = await buildPackage(folder, { overrides: {}, update: quiet });
      const { name } = built.source;
      const result = await pushPackage(connection, built.archive, { name, update: quiet });
      const version = field(result, "version") ?? "";
      const changed = (result as { readonly changed?: boolean }).changed === true;
      const said = `${changed ? "pushed" : "unchanged"}: ${name} ${version.slice(0, 12)} in ${(performance.now() - startedMs).toFixed(0)} ms`;
      return [said, ...(await upgrade(connection, name, version))];
    },
    dispose: () => Promise.resolve(),
  };
}

async function upgrade(connection: Connection, name: string, version: string): Promise<readonly string[]> {
  const { snapIns = [] } = (await call(connection, "/v1/snap-ins")) as { readonly snapIns?: readonly Json[] };
  const installed = snapIns.find((row) => field(row, "package") === name);
  if (installed === undefined || field(installed, "state") !== "active" || field(installed, "version") === version) return [];
  const upgraded = await call(connection, `/v1/snap-ins/${field(installed, "id") ?? ""}/upgrade`, { body: { version } });
  const reason = field(upgraded, "stateReason");
  return [reason === undefined ? `upgraded: the snap-in runs ${version.slice(0, 12)}` : `not upgraded: ${reason}`];
}
