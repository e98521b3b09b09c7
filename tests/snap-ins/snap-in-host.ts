/** The parts below the doors that packages need, real ones: store, blobs, jails, packages, keyrings, engine, snap-ins. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDiskBlobs } from "../../packages/server/src/blobs/disk/disk-blobs.ts";
import type { Scope } from "../../packages/server/src/database/database.ts";
import { openDatabase } from "../../packages/server/src/database/open-database.ts";
import { openDeploys } from "../../packages/server/src/deploys/open-deploys.ts";
import { createEngine } from "../../packages/server/src/engine/create-engine.ts";
import { engineConfig } from "../../packages/server/src/engine/engine-config.ts";
import type { ResultSink } from "../../packages/server/src/engine/result-sink.ts";
import { CredentialTickets } from "../../packages/server/src/keyrings/credential-tickets.ts";
import { openMasterKeys } from "../../packages/server/src/keyrings/master-keys.ts";
import { openKeyrings } from "../../packages/server/src/keyrings/open-keyrings.ts";
import { KeyringChecks } from "../../packages/server/src/modalities/keyring-checks.ts";
import { Collector } from "../../packages/server/src/packages/collector.ts";
import { openPackages } from "../../packages/server/src/packages/open-packages.ts";
import { archiveOf, streamOf, type Files } from "../../packages/server/src/packages/test-packages.ts";
import { prepareVersionsBase } from "../../packages/server/src/packages/versions-base.ts";
import { VersionFolders } from "../../packages/server/src/packages/version-folders.ts";
import { createSystemRuntime } from "../../packages/server/src/runtime/system-runtime.ts";
import { createEgress } from "../../packages/server/src/sandbox/egress/create-egress.ts";
import { createSandbox } from "../../packages/server/src/sandbox/pool.ts";
import type { SagaProbe } from "../../packages/server/src/snap-ins/saga-runner.ts";
import { openSnapIns } from "../../packages/server/src/snap-ins/open-snap-ins.ts";
import { openSqliteStore } from "../../packages/server/src/store/sqlite/open-sqlite-store.ts";
import { createTelemetry } from "../../packages/server/src/telemetry/telemetry.ts";

export const SCOPE: Scope = { tenant: "default", branch: "main" };
export const API_URL = "http://127.0.0.1:1";

export interface SnapInHostOptions {
  readonly folder?: string;
  readonly probe?: SagaProbe;
  readonly sinks?: readonly ResultSink[];
  readonly allowedPrivate?: readonly string[];
}

export type SnapInHost = Awaited<ReturnType<typeof startSnapInHost>>;

export async function startSnapInHost(options: SnapInHostOptions = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "plinth-snap-ins-")));
  const runtime = createSystemRuntime();
  const logLines: string[] = [];
  const telemetry = createTelemetry({ logLevel: "info", destination: { write: (line: string) => void logLines.push(line) } });
  const { log } = telemetry;
  const store = await openSqliteStore({ dataDir: folder, runtime });
  const sandbox = await createSandbox({ runtime, warmRunners: 1 });
  const database = await openDatabase({ store, runtime });
  const egress = createEgress({ runtime, policy: { allowedPrivate: [...(options.allowedPrivate ?? [])], allowedPorts: [] } });
  const blobs = await openDiskBlobs({ folder: join(folder, "blobs"), runtime });
  const folders = await VersionFolders.open({
    blobs,
    runtime,
    bootId: "test",
    ...(await prepareVersionsBase({ dataDir: folder, folder: null })),
  });
  const urls = Promise.resolve({ api: API_URL, site: "http://127.0.0.1:2" });
  const ring = await openMasterKeys({ given: null, file: null, dataDir: folder, runtime });
  const credentials = new CredentialTickets({ runtime });
  const checks = new KeyringChecks({ engine: () => engine, runtime, credentials });
  const keyrings = await openKeyrings({ database, commits: store, ring, egress, tools: sandbox.tools, runtime, log, checks });
  const collector = new Collector({
    database,
    blobs,
    folders,
    runtime,
    log,
    branchesOf: () => Promise.resolve(["main", "dev"]),
    versionsInUse: (transaction, name) => snapIns.versionsInUse(transaction, name),
    references: [],
    historyRetentionMs: 0,
  });
  const packages = openPackages({ database, blobs, folders, sandbox, tools: sandbox.tools, runtime, collect: () => collector.collect() });
  const deploys = openDeploys({ database, blobs, sandbox, runtime, applyCrons: async () => {}, urls });
  const snapIns = openSnapIns({
    database,
    runtime,
    packages,
    keyrings,
    engine: () => engine,
    urls,
    log,
    credentials,
    probe: options.probe,
  });
  const engine = createEngine({
    database,
    natives: checks.natives,
    commits: store,
    sandbox,
    deploys,
    packages: snapIns,
    handlerEvents: snapIns.events,
    blobs,
    egress,
    runtime,
    telemetry,
    config: engineConfig({ drainMs: 0 }),
    ...(options.sinks === undefined ? {} : { sinks: options.sinks }),
  });
  await engine.start();
  const stop = async (): Promise<void> => {
    await snapIns.stop();
    await engine.stop();
    await collector.stop();
    await keyrings.close();
    await sandbox.close();
    await folders.close();
    await egress.close();
    await database.close();
    await store.close();
    await blobs.close();
  };
  return {
    folder,
    store,
    database,
    sandbox,
    blobs,
    folders,
    packages,
    keyrings,
    snapIns,
    engine,
    runtime,
    telemetry,
    logLines,
    stop,
    remove: () => rm(folder, { recursive: true, force: true }),
    upload: (name: string, files: Files, scope: Scope = SCOPE) =>
      packages.upload(scope, { name, archive: streamOf(archiveOf(files)), by: "admin" }),
  };
}
