/** A host of its own for a benchmark: real process, real jail, new data folder; deployed and called as a user does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBundler, type Bundle } from "../packages/cli/src/bundle/bundle.ts";
import { call, type Json } from "../packages/cli/src/client.ts";
import { runFunction } from "../packages/cli/src/commands/run.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { startHostProcess, type HostProcess } from "../packages/cli/src/host/host-process.ts";

export interface BenchHost {
  readonly host: HostProcess;
  readonly connection: Connection;
  readonly dataDir: string;
  /** Stops the host and starts one on the same data. */
  restart(): Promise<BenchHost>;
  stop(): Promise<void>;
}

export async function startBenchHost(
  args: readonly string[] = [],
  dataDir = mkdtempSync(join(tmpdir(), "plinth-bench-")),
): Promise<BenchHost> {
  const host = await startHostProcess(["--data-dir", dataDir, "--port", "0", "--http-actions-port", "0", "--log-level", "error", ...args]);
  return {
    host,
    connection: { url: host.ready.url, key: host.ready.adminKey },
    dataDir,
    async restart() {
      await host.stop();
      return await startBenchHost(args, dataDir);
    },
    async stop() {
      await host.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

let bundled: Promise<Bundle> | undefined;

/** The benchmark's functions, bundled once. */
export function bundle(): Promise<Bundle> {
  bundled ??= (async () => {
    const bundler = createBundler(join(import.meta.dirname, "convex"));
    const result = await bundler.bundle();
    await bundler.dispose();
    return result;
  })();
  return bundled;
}

/** Deploys the benchmark's functions; `variant` makes a version of its own. */
export async function deploy(connection: Connection, variant = ""): Promise<void> {
  const { script, sourceMap } = await bundle();
  await call(connection, "/v1/deploy", { body: { script: variant === "" ? script : `${script}\n// ${variant}`, sourceMap } });
}

export async function runBenchFunction(connection: Connection, path: string, args: Json): Promise<Json> {
  return await runFunction(connection, path, args, () => undefined);
}

export function forTenant(connection: Connection, tenant: string): Connection {
  return { ...connection, url: `${connection.url}/t/${tenant}` };
}
