/**
 * The composition root: makes every part of a host from its configuration, starts them in order and stops them in
 * the reverse order. Nothing else makes a long-lived part.
 *
 * H1 A start that fails leaves nothing running and nothing locked.
 * H2 Stopping is bounded: calls that run get `drainMs`, then they are cut.
 */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { AiEndpoints } from "./ai/ai-endpoints.ts";
import { aiDefaults } from "./ai/ai-settings.ts";
import { CacheWarmer } from "./branches/cache-warmer.ts";
import { HeadSnapshots } from "./branches/head-snapshots.ts";
import { MAIN_BRANCH } from "./branches/branches.ts";
import { openBranches } from "./branches/open-branches.ts";
import { UsedBranches } from "./branches/used-branches.ts";
import { openBudgets } from "./budgets/open-budgets.ts";
import type { Blobs } from "./blobs/blobs.ts";
import { openDiskBlobs } from "./blobs/disk/disk-blobs.ts";
import { blobsOfBackup } from "./blobs/disk/restore-blobs.ts";
import type { Config } from "./config.ts";
import type { Scope } from "./database/database.ts";
import { openDatabase } from "./database/open-database.ts";
import { openDeploys } from "./deploys/open-deploys.ts";
import { BodyBudget } from "./doors/body-budget.ts";
import { ConnectionBounds } from "./doors/connection-bounds.ts";
import { BodyTurns } from "./doors/body-turns.ts";
import { InvocationFeed } from "./doors/invocation-feed.ts";
import { openDoors, type Doors } from "./doors/open-doors.ts";
import { OpenStreams } from "./doors/open-streams.ts";
import { finishedInvocation, recentInvocations } from "./doors/recent-invocations.ts";
import { UnreadAnswers } from "./doors/unread-answers.ts";
import { createEngine } from "./engine/create-engine.ts";
import { engineSettings } from "./engine/engine-settings.ts";
import { logCalls } from "./engine/result-sinks/log-calls.ts";
import { openEvents } from "./events/open-events.ts";
import { PlatformEvents } from "./events/platform-events.ts";
import { removeHostFile, writeHostFile } from "./host-file.ts";
import { grpcAddress, isLocalOnly, urlsOf, type HostUrls } from "./host-urls.ts";
import { OutgoingWebhooks } from "./outgoing/outgoing-webhooks.ts";
import { InboundArtefacts } from "./inbound/artefacts.ts";
import { Emails } from "./inbound/emails.ts";
import { SourceGate } from "./inbound/source-gate.ts";
import { ArtefactUploads } from "./inbound/uploads.ts";
import { Webhooks } from "./inbound/webhooks.ts";
import { CredentialTickets } from "./keyrings/credential-tickets.ts";
import { openMasterKeys } from "./keyrings/master-keys.ts";
import { openKeyrings } from "./keyrings/open-keyrings.ts";
import { KeyringChecks, nativesOf } from "./modalities/keyring-checks.ts";
import { artefactBlobs } from "./deploys/artefacts.ts";
import { Collector } from "./packages/collector.ts";
import { openPackages } from "./packages/open-packages.ts";
import { VersionFolders } from "./packages/version-folders.ts";
import { bootIdOf, prepareVersionsBase } from "./packages/versions-base.ts";
import { AnswerTokens } from "./flows/answer-tokens.ts";
import { flowBundleBlobs } from "./flows/bundles/bundle-rows.ts";
import { FlowBundles } from "./flows/bundles/flow-bundles.ts";
import { openFlows } from "./flows/open-flows.ts";
import { FlowWebhooks } from "./flows/triggers/flow-webhooks.ts";
import { withFlows } from "./flows/triggers/flow-operations.ts";
import { ScriptChecks } from "./flows/script-check.ts";
import { AsyncScripts } from "./flows/scripts/async-scripts.ts";
import { FlowReaper, type Reaped } from "./flows/scripts/reaper.ts";
import { ScriptCallbacks } from "./flows/scripts/script-callbacks.ts";
import { StepLogs } from "./flows/step-logs.ts";
import { LargeValues } from "./flows/values/large-values.ts";
import { flowBlobs } from "./flows/values/value-rows.ts";
import { openFunctionDefined } from "./operations/function-defined/open-function-defined.ts";
import { openOperations } from "./operations/open-operations.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { createSystemRuntime } from "./runtime/system-runtime.ts";
import { createEgress } from "./sandbox/egress/create-egress.ts";
import { openSandbox } from "./sandbox/open-sandbox.ts";
import { applyCronsWith } from "./schedules/apply-crons.ts";
import type { Due } from "./schedules/due-times.ts";
import { createScheduler } from "./schedules/create-scheduler.ts";
import { Shutdown } from "./shutdown.ts";
import { openSnapIns } from "./snap-ins/open-snap-ins.ts";
import { syncBlobs } from "./sync/artefacts.ts";
import { withSyncPayloads } from "./sync/call-payload.ts";
import { openSync } from "./sync/open-sync.ts";
import { openSearch } from "./search/open-search.ts";
import { openSqliteStore } from "./store/sqlite/open-sqlite-store.ts";
import type { Store } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";
import { openTelemetry } from "./telemetry/open-telemetry.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { openAdminKey } from "./tenants/admin-key.ts";
import { Keys } from "./tenants/keys.ts";
import { TenantEraser } from "./tenants/tenant-eraser.ts";
import { Tenants } from "./tenants/tenants.ts";

export interface Host {
  /** What clients use; from the configuration, or the ports that were opened. */
  readonly url: string;
  readonly siteUrl: string;
  /** `host:port` of gRPC, or null where it is not served. */
  readonly grpcAddress: string | null;
  /** Null where it is not served. */
  readonly smtpPort: number | null;
  readonly adminKey: string;
  /** Isolation tier. */
  readonly tier: number;
  /** Drains and ends everything. Later calls wait for the first. */
  stop(): Promise<void>;
}

export interface HostOptions {
  readonly telemetry?: Telemetry;
}

const HOUR_MS = 3_600_000;

export async function startHost(config: Config, options: HostOptions = {}): Promise<Host> {
  const runtime = createSystemRuntime();
  const { telemetry, close } = options.telemetry === undefined ? await openTelemetry(config, runtime) : given(options.telemetry);
  const shutdown = new Shutdown();
  shutdown.add("telemetry", close);
  try {
    return await start(config, { telemetry, runtime }, shutdown);
  } catch (error) {
    await shutdown.run(telemetry.log);
    throw error;
  }
}

const given = (telemetry: Telemetry) => ({ telemetry, close: () => Promise.resolve() });

async function start(
  config: Config,
  { telemetry, runtime }: { readonly telemetry: Telemetry; readonly runtime: Runtime },
  shutdown: Shutdown,
): Promise<Host> {
  const startedMs = runtime.nowMs();
  const { log } = telemetry;
  const { store, sandbox } = await openStoreAndSandbox(config, { runtime, log, shutdown });
  const { tier } = sandbox.report;
  const adminKey = await openAdminKey({ given: config.adminKey, dataDir: config.dataDir, runtime });
  const blobs = await openDiskBlobs({ folder: join(config.dataDir, "blobs"), runtime });
  shutdown.add("blobs", () => blobs.close());
  const folders = await VersionFolders.open({
    blobs,
    runtime,
    ...(await prepareVersionsBase({ dataDir: config.dataDir, folder: config.versionsFolder })),
    bootId: await bootIdOf(`${process.pid}-${startedMs}`),
  });
  shutdown.add("version folders", () => folders.close());
  const database = await openDatabase({
    store,
    runtime,
    events: {
      max: config.eventsWaitingMax,
      onRefused: ({ scope, origin, isFirst, ...counts }) => {
        telemetry.metrics.eventRefused(origin);
        if (isFirst) log.warn({ ...scope, origin, ...counts }, "more events wait for automations than may; others are refused");
      },
    },
  });
  telemetry.metrics.watchEvents(() => database.waitingEvents.total);
  shutdown.add("database", () => database.close());
  const egress = createEgress({
    runtime,
    policy: { allowedPrivate: config.egressAllowPrivate, allowedPorts: config.egressAllowPorts.map(Number) },
  });
  shutdown.add("egress", () => egress.close());

  const ring = await openMasterKeys({ given: config.keyringKey, file: config.keyringKeyFile, dataDir: config.dataDir, runtime });
  const credentials = new CredentialTickets({ runtime });
  const checks = new KeyringChecks({ engine: () => engine, runtime, credentials });
  const keyrings = await openKeyrings({ database, commits: store, ring, egress, tools: sandbox.tools, runtime, log, checks });
  shutdown.add("keyrings", () => keyrings.close());

  // Stored work may begin before the ports are open, and functions may ask where the host is; then they wait.
  const opened = Promise.withResolvers<HostUrls>();
  const apiUrl = opened.promise.then(({ api }) => api);
  apiUrl.catch(() => undefined);
  const deploys = openDeploys({ database, blobs, sandbox, runtime, applyCrons: applyCronsWith(runtime), urls: opened.promise });
  const feed = new InvocationFeed();
  const tenants = new Tenants({ database, runtime, tier });
  const branches = openBranches({ database, runtime, log });
  const isServed = async (scope: Scope) => (await tenants.find(scope.tenant)) !== undefined && (await branches.isServed(scope));
  const collector = new Collector({
    database,
    blobs,
    folders,
    runtime,
    log,
    branchesOf: async (tenant) =>
      (await tenants.find(tenant)) === undefined ? [] : [MAIN_BRANCH, ...(await branches.list(tenant)).map(({ name }) => name)],
    versionsInUse: (transaction, name) => snapIns.versionsInUse(transaction, name),
    references: [artefactBlobs, flowBundleBlobs, syncBlobs, flowBlobs(() => runtime.sleep(0))],
    historyRetentionMs: config.historyRetentionHours * HOUR_MS,
  });
  const packages = openPackages({ database, blobs, folders, sandbox, tools: sandbox.tools, runtime, collect: () => collector.collect() });
  const snapIns = openSnapIns({
    database,
    runtime,
    packages,
    keyrings,
    engine: () => engine,
    urls: opened.promise,
    log,
    credentials,
    removal: {
      prepare: (scope, id) => sync.tidyUp(scope, id),
      finish: async (scope, id) => {
        await sync.forgetSnapIn(scope, id);
        await outgoingWebhooks.forgetSnapIn(scope, id);
      },
    },
  });
  collector.start();
  shutdown.add("collector", () => collector.stop());
  const platformEvents = new PlatformEvents({ database, runtime, log });
  const budgets = openBudgets({ database, runtime, log, onStage: platformEvents.onStage });
  await budgets.start();
  shutdown.add("budgets", () => budgets.stop());
  shutdown.add("platform events", () => platformEvents.stop());
  const search = openSearch({ database, store, runtime });
  shutdown.add("search", () => search.close());
  const ai = new AiEndpoints({ defaults: aiDefaults(config), keyrings: snapIns.events });
  const functionDefined = withFlows(openFunctionDefined({ database, packages, deploys, engine: () => engine }), () => flows);
  const operations = openOperations({ database, engine: () => engine, native: { runtime, ai, search }, functionDefined });
  const bundles = new FlowBundles({ blobs, folders, engine: () => engine });
  const engine = createEngine({
    database,
    bundles,
    natives: nativesOf(operations.codes, checks.natives, { resolve: (scope, path) => asyncScripts.natives.resolve(scope, path) }),
    budgets,
    sinks: [budgets.sink, platformEvents.sink, ...(config.logInvocations === "none" ? [] : [logCalls(log, config.logInvocations)])],
    commits: store,
    sandbox,
    deploys,
    packages: snapIns,
    handlerEvents: withSyncPayloads({ database, keyrings, urls: opened.promise }, snapIns.events),
    blobs,
    egress,
    apiUrl,
    runtime,
    telemetry,
    config: engineSettings(config),
    isServed,
    onFinished: ({ scope, atMs, outcome }) => {
      if (feed.hasListeners(scope)) feed.publish(scope, finishedInvocation(atMs, outcome));
    },
  });
  await engine.start();
  const stopEngine = once(() => engine.stop());
  shutdown.add("engine", stopEngine);
  const values = new LargeValues({ blobs });
  const tokens = new AnswerTokens(ring, runtime);
  const scripts = new ScriptChecks(sandbox.tools);
  const stepLogs = new StepLogs({ database, runtime, log });
  const asyncScripts: AsyncScripts = new AsyncScripts({
    ...{ database, blobs, values, stepLogs, tokens, runtime, log },
    engine: () => engine,
    callbacks: () => scriptCallbacks,
  });
  const scriptCallbacks = new ScriptCallbacks({ database, stepLogs, flows: () => flows });
  const onReaped = (what: Reaped) => telemetry.metrics.flowReaped(what);
  const flowAnswers = { urls: opened.promise, isServed, onRefused: (code: string) => telemetry.metrics.flowAnswerRefused(code) };
  const flows = openFlows({
    tools: sandbox.tools,
    database,
    deploys,
    operations,
    bundles,
    keyrings,
    engine: () => engine,
    runtime,
    log,
    tokens,
    scripts,
    stepLogs,
    asyncScripts,
    reaper: (parts) =>
      new FlowReaper({ ...parts, database, runtime, log, engine: () => engine, scripts: asyncScripts, stepLogs, isServed, onReaped }),
    values,
    ...flowAnswers,
  });
  telemetry.metrics.watchFlows(() => flows.runsOpen);
  const stopFlows = once(() => flows.stop());
  shutdown.add("flows", stopFlows);
  const flowTimer = (due: Due) => flows.timer(due);
  const scheduler = createScheduler({ database, store, engine, runtime, telemetry, flowTimer, drainMs: config.drainMs });
  await scheduler.start();
  const stopScheduler = once(() => scheduler.stop());
  shutdown.add("scheduler", stopScheduler);
  const outgoingWebhooks = new OutgoingWebhooks({ database, egress, runtime, apiUrl });
  const events = openEvents({
    database,
    store,
    tools: sandbox.tools,
    engine,
    modality: () => ({ database, packages, snapIns, keyrings, engine, runtime }),
    flows: flows.listeners,
    webhooks: outgoingWebhooks,
    runtime,
    log,
    drainMs: config.drainMs,
  });
  const inbound = { database, isServed, events, tools: sandbox.tools, gate: new SourceGate(runtime) };
  const webhooks = new Webhooks({ ...inbound, runtime, log });
  const flowHooks = new FlowWebhooks({ ...inbound, flows, budgets, runtime, log });
  const inboundArtefacts = new InboundArtefacts({ blobs, database, runtime, retentionMs: config.invocationRetentionHours * HOUR_MS });
  const emails = new Emails({ ...inbound, artefacts: inboundArtefacts });
  const stopEvents = once(() => events.stop());
  shutdown.add("events", stopEvents);
  const sync = openSync({
    database,
    blobs,
    packages,
    snapIns,
    keyrings,
    runtime,
    telemetry,
    engine: () => engine,
    context: () => ({ database, packages, snapIns, keyrings, engine, runtime }),
    reportMs: config.syncReportMs,
  });
  const stopSync = once(() => sync.stop());
  shutdown.add("sync", stopSync);
  const stopSnapIns = once(() => snapIns.stop());
  shutdown.add("snap-ins", stopSnapIns);
  shutdown.add("addresses", () => opened.reject(plinthError("ShuttingDown", {})));

  const eraser = new TenantEraser({ database, blobs, tenants, budgets, log });
  eraser.start();
  const keys = new Keys({ database, runtime });
  const streams = new OpenStreams();
  keys.onRevoked((keyId) => streams.endOfKey(keyId));
  const usedBranches = new UsedBranches({ database, runtime, log });
  const warmer = new CacheWarmer({ deploys, packages, sandbox, log, used: () => usedBranches.load(), isServed });
  branches.onEnded(async (scope) => {
    usedBranches.forget(scope);
    database.waitingEvents.forget(scope);
    search.forget(scope);
    streams.endOfBranch(scope);
    await flows.endBranch(scope);
    await sync.endBranch(scope);
    await snapIns.endBranch(scope);
    await Promise.all([engine.endBranch(scope), sandbox.evict(scope.tenant, scope.branch)]);
    await deploys.forget(scope);
    packages.forgetBranch(scope);
  });
  branches.start();
  const headSnapshots = new HeadSnapshots({ database, runtime, log, branches, tenants });
  shutdown.add("branches", async () => void (await Promise.all([headSnapshots.stop(), warmer.stop(), usedBranches.stop()])));
  const doors = await openDoors(
    {
      config,
      runtime,
      database,
      commits: store,
      deploys,
      packages,
      snapIns,
      serviceTokens: snapIns.tokens,
      engine,
      sandbox,
      tenants,
      eraser,
      keys,
      keyrings,
      sync,
      events,
      webhooks,
      emails,
      inboundArtefacts,
      outgoingWebhooks,
      artefactUploads: new ArtefactUploads({ blobs, database, runtime, artefacts: inboundArtefacts }),
      operations,
      flows,
      scriptCallbacks,
      flowHooks,
      branches,
      budgets,
      headSnapshots,
      usedBranches,
      adminKey,
      feed,
      streams,
      answers: new UnreadAnswers(),
      bodies: new BodyBudget(limit("requestBodiesBytesMax"), {
        anonymousBytesMax: limit("requestBodiesAnonymousBytesMax"),
        tenantBytesMax: limit("requestBodiesTenantBytesMax"),
      }),
      connections: new ConnectionBounds({
        perAddressMax: config.connectionsPerAddress,
        perPortMax: config.connections,
        trustedProxies: config.trustedProxies,
        onRefused: (why) => telemetry.metrics.connectionRefused(why),
      }),
      bodyTurns: new BodyTurns(runtime),
      tier,
      packageCells: sandbox.report.packages,
      startedMs,
      log,
      recentInvocations: (scope) => recentInvocations(database, scope),
      metricsText: () => telemetry.metricsText(),
      backup: (path) => backupTo(store, blobs, path),
      redactErrors: config.redactErrors === "always" || (config.redactErrors === "auto" && !isLocalOnly(config)),
      urls: opened.promise,
    },
    config,
  );
  // Calls are drained while their answers can still be sent: the engine refuses new ones as the ports close.
  shutdown.add(
    "doors",
    async () =>
      void (await Promise.all([
        stopFlows(),
        stopSync(),
        stopSnapIns(),
        stopEvents(),
        stopEngine(),
        stopScheduler(),
        closeDoors(doors, runtime, config.drainMs),
      ])),
  );
  const urls = urlsOf(config, doors);
  opened.resolve(urls);
  await snapIns.start();
  await events.start();
  await sync.resume();
  flows.resumeAll().catch((error: unknown) => log.error({ err: error }, "runs of flows that were under way could not be found"));
  flows.retention.start();
  headSnapshots.start();
  warmer.start();
  await writeHostFile(config.dataDir, { url: urls.api, siteUrl: urls.site, adminKey: adminKey.text, pid: process.pid });
  shutdown.add("host file", () => removeHostFile(config.dataDir));
  return {
    url: urls.api,
    siteUrl: urls.site,
    grpcAddress: grpcAddress(config, doors),
    smtpPort: doors.smtpPort,
    adminKey: adminKey.text,
    tier,
    stop: () => shutdown.run(log),
  };
}

/** The jail is probed while the store is opened. The store is the first to open and the last to close. */
async function openStoreAndSandbox(
  config: Config,
  { runtime, log, shutdown }: { readonly runtime: Runtime; readonly log: Log; readonly shutdown: Shutdown },
) {
  const [store, sandbox] = await Promise.allSettled([
    openSqliteStore({ dataDir: config.dataDir, runtime, historyRetentionMs: config.historyRetentionHours * HOUR_MS }),
    openSandbox(config, { runtime, log }),
  ]);
  if (store.status === "fulfilled") shutdown.add("store", () => store.value.close());
  if (sandbox.status === "fulfilled") shutdown.add("sandbox", () => sandbox.value.close());
  if (store.status === "rejected") throw store.reason;
  if (sandbox.status === "rejected") throw sandbox.reason;
  return { store: store.value, sandbox: sandbox.value };
}

/** H2 */
async function closeDoors(doors: Doors, runtime: Runtime, drainMs: number): Promise<void> {
  const cut = new AbortController();
  const timer = runtime.timer(drainMs, () => cut.abort());
  try {
    await doors.close(cut.signal);
  } finally {
    timer.cancel();
  }
}

function once(body: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= body());
}

async function backupTo(store: Store, blobs: Blobs, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await blobs.backup(blobsOfBackup(path), () => store.backup(path));
}
