/** The host and functions of the benchmarks. */
import { join } from "node:path";
import type { Connection } from "../packages/cli/src/connection.ts";
import { deployFolder } from "../tools/local-host.ts";

/** Deploys the benchmark's functions; `variant` makes a version of its own. */
export async function deploy(connection: Connection, variant = ""): Promise<void> {
  await deployFolder(connection, join(import.meta.dirname, "convex"), variant);
}

export { callFunction as runBenchFunction, forTenant, startLocalHost as startBenchHost } from "../tools/local-host.ts";
