/** The parts below the doors, real ones, with the functions of this folder deployed: store, database, jail, deploys, engine, scheduler. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBundler } from "../../packages/cli/src/bundle/bundle.ts";
import type { Budgets } from "../../packages/server/src/budgets/budgets.ts";
import { openDiskBlobs } from "../../packages/server/src/blobs/disk/disk-blobs.ts";
import { openDatabase } from "../../packages/server/src/database/open-database.ts";
import type { Database, Scope } from "../../packages/server/src/database/database.ts";
import { openDeploys } from "../../packages/server/src/deploys/open-deploys.ts";
import type { Deploys } from "../../packages/server/src/deploys/deploys.ts";
import { createEngine } from "../../packages/server/src/engine/create-engine.ts";
import { engineConfig, type EngineConfig } from "../../packages/server/src/engine/engine-config.ts";
import type { InvocationOutcome, InvocationRequest } from "../../packages/server/src/engine/invocation.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import type { Runtime } from "../../packages/server/src/runtime/runtime.ts";
import { createSystemRuntime } from "../../packages/server/src/runtime/system-runtime.ts";
import { createEgress } from "../../packages/server/src/sandbox/egress/create-egress.ts";
import { createSandbox, type JailedSandbox } from "../../packages/server/src/sandbox/pool.ts";
import { applyCronsWith } from "../../packages/server/src/schedules/apply-crons.ts";
import { createScheduler } from "../../packages/server/src/schedules/create-scheduler.ts";
import { openSqliteStore } from "../../packages/server/src/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../packages/server/src/store/store.ts";
import { createTelemetry } from "../../packages/server/src/telemetry/telemetry.ts";

export interface EngineHost {
  readonly store: Store;
  readonly database: Database;
  readonly sandbox: JailedSandbox;
  readonly deploys: Deploys;
  readonly engine: ReturnType<typeof createEngine>;
  readonly runtime: Runtime;
  readonly metricsText: () => Promise<string>;
  /** What the host logged. */
  readonly logLines: string[];
  readonly folder: string;
  stop(): Promise<void>;
}

export const SCOPE: Scope = { tenant: "default", branch: "main" };

let script: Promise<{ readonly script: string; readonly sourceMap: string }> | undefined;

/** The bundled functions; made once. */
export function testScript(): Promise<{ readonly script: string; readonly sourceMap: string }> {
  script ??= (async () => {
    const bundler = createBundler(join(import.meta.dirname, "fixtures", "convex"));
    try {
      return await bundler.bundle();
    } finally {
      await bundler.dispose();
    }
  })();
  return script;
}

export interface HostOptions {
  readonly folder?: string;
  readonly config?: Partial<EngineConfig>;
  readonly deploy?: boolean;
  readonly isServed?: EngineParts["isServed"];
  readonly natives?: EngineParts["natives"];
  readonly budgets?: (parts: Pick<EngineParts, "database" | "runtime">) => Budgets;
  /** What the clock of the machine is off by. */
  readonly clockOffsetMs?: () => number;
}

/** Opens everything on `folder` (a new one when absent) and deploys the functions to `SCOPE`. */
export async function startEngineHost(options: HostOptions = {}): Promise<EngineHost> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "plinth-engine-")));
  const system = createSystemRuntime();
  const { clockOffsetMs } = options;
  const runtime: Runtime = clockOffsetMs === undefined ? system : { ...system, nowMs: () => system.nowMs() + clockOffsetMs() };
  const logLines: string[] = [];
  const telemetry = createTelemetry({ logLevel: "warn", destination: { write: (line: string) => void logLines.push(line) } });
  const store = await openSqliteStore({ dataDir: folder, runtime });
  const sandbox = await createSandbox({ runtime, warmRunners: 1 });
  const database = await openDatabase({ store, runtime });
  const egress = createEgress({ runtime, policy: { allowedPrivate: [], allowedPorts: [] } });
  const blobs = await openDiskBlobs({ folder: join(folder, "blobs"), runtime: system });
  const deploys = openDeploys({
    database,
    blobs,
    sandbox,
    runtime,
    applyCrons: applyCronsWith(runtime),
    urls: Promise.resolve({ api: "http://127.0.0.1:1", site: "http://127.0.0.1:2" }),
  });
  const budgets = options.budgets?.({ database, runtime });
  await budgets?.start();
  const engine = createEngine({
    database,
    commits: store,
    sandbox,
    deploys,
    egress,
    runtime,
    telemetry,
    // More than users have, for slow and busy machines.
    config: engineConfig({ drainMs: 0, userCpuMs: 3000, ...options.config }),
    ...(options.isServed === undefined ? {} : { isServed: options.isServed }),
    ...(options.natives === undefined ? {} : { natives: options.natives }),
    ...(budgets === undefined ? {} : { budgets, sinks: [budgets.sink] }),
  });
  await engine.start();
  const scheduler = createScheduler({ database, engine, runtime, telemetry, store });
  await scheduler.start();
  if (options.deploy !== false) await deploys.deploy(SCOPE, await testScript());
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await scheduler.stop();
    await engine.stop();
    await budgets?.stop();
    await sandbox.close();
    await egress.close();
    await database.close();
    await store.close();
    await blobs.close();
  };
  return {
    store,
    database,
    sandbox,
    deploys,
    engine,
    runtime,
    metricsText: () => telemetry.metricsText(),
    logLines,
    folder,
    stop: () => (stopping ??= stop()),
  };
}

export async function removeFolder(host: EngineHost): Promise<void> {
  await rm(host.folder, { recursive: true });
}

export function request(path: string, args: unknown = {}, changes: Partial<InvocationRequest> = {}): InvocationRequest {
  return {
    ...SCOPE,
    actor: { kind: "anonymous", scopes: [] },
    source: "native",
    path,
    internalAllowed: false,
    argsText: JSON.stringify(args),
    priority: "interactive",
    ...changes,
  };
}

/** The value of a call that has to succeed. */
export async function value(
  host: EngineHost,
  path: string,
  args: unknown = {},
  changes: Partial<InvocationRequest> = {},
): Promise<unknown> {
  return valueOf(await host.engine.invoke(request(path, args, changes)));
}

export function valueOf(outcome: InvocationOutcome): unknown {
  if (outcome.status === "failed") throw new Error(`${outcome.error.code}: ${outcome.error.message}\n${outcome.stack ?? ""}`);
  return JSON.parse(outcome.valueText);
}

/** Looks again until `check` gives something; for states that others bring about. */
export async function eventually<T>(check: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
