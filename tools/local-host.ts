/**
 * A host of its own for a test or a benchmark: a real process with real jails on a data folder of its own, deployed to
 * and called as a user does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBundler, type Bundle } from "../packages/cli/src/bundle/bundle.ts";
import { call, type Json } from "../packages/cli/src/client.ts";
import { runFunction } from "../packages/cli/src/commands/run.ts";
import type { Connection } from "../packages/cli/src/connection.ts";
import { startHostProcess, type HostProcess } from "../packages/cli/src/host/host-process.ts";

export interface LocalHost {
  readonly process: HostProcess;
  readonly connection: Connection;
  readonly dataDir: string;
  /** Stops the host and starts one on the same data. */
  restart(): Promise<LocalHost>;
  /** Kills the host as a power cut would and starts one on the same data. */
  crash(): Promise<LocalHost>;
  /** Stops the host and removes its data. */
  stop(): Promise<void>;
}

export async function startLocalHost(args: readonly string[] = [], dataDir = mkdtempSync(join(tmpdir(), "plinth-"))): Promise<LocalHost> {
  const host = await startHostProcess(["--data-dir", dataDir, "--port", "0", "--http-actions-port", "0", "--log-level", "error", ...args]);
  return {
    process: host,
    connection: { url: host.ready.url, key: host.ready.adminKey },
    dataDir,
    async restart() {
      await host.stop();
      return await startLocalHost(args, dataDir);
    },
    async crash() {
      process.kill(host.ready.pid, "SIGKILL");
      await host.ended;
      return await startLocalHost(args, dataDir);
    },
    async stop() {
      await host.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const bundles = new Map<string, Promise<Bundle>>();

/** The functions of a folder, bundled once. */
function bundle(folder: string): Promise<Bundle> {
  const known = bundles.get(folder);
  if (known !== undefined) return known;
  const made = (async () => {
    const bundler = createBundler(folder);
    try {
      return await bundler.bundle();
    } finally {
      await bundler.dispose();
    }
  })();
  bundles.set(folder, made);
  return made;
}

/** Deploys a functions folder; `variant` makes a version of its own of the same functions. */
export async function deployFolder(connection: Connection, folder: string, variant = ""): Promise<void> {
  const { script, sourceMap } = await bundle(folder);
  await call(connection, "/v1/deploy", { body: { script: variant === "" ? script : `${script}\n// ${variant}`, sourceMap } });
}

/** Calls a function of any kind; rejects with a CommandFailure when it fails. */
export async function callFunction(connection: Connection, path: string, args: Json): Promise<Json> {
  return await runFunction(connection, path, args, () => undefined);
}

export function forTenant(connection: Connection, tenant: string): Connection {
  return { ...connection, url: `${connection.url}/t/${tenant}` };
}
