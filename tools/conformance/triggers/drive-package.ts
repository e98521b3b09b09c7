/** Takes one package to a host with the example CRM and sets off everything that it declares. */
import { join, relative } from "node:path";
import { buildPackage, type BuiltPackage } from "../../../packages/cli/src/package/build-package.ts";
import { pushPackage } from "../../../packages/cli/src/package/push-package.ts";
import { call, field, type Json } from "../../../packages/cli/src/client.ts";
import type { Connection } from "../../../packages/cli/src/connection.ts";
import { deployFolder, startLocalHost, type LocalHost } from "../../local-host.ts";
import { freePort, mustBeValid, runSaga } from "../check-package.ts";
import { overridesFor } from "../overrides.ts";
import { keyringNames } from "../placeholders.ts";
import { checkImport } from "../sync.ts";
import { seedCrm, type Crm } from "./crm.ts";
import { notApplicable, report, SECRET, type Drive } from "./drive.ts";
import { inputsFor } from "./inputs.ts";
import { driveActions, driveCommands, driveInitializers, driveOperations } from "./interactions.ts";
import { Observer } from "./observer.ts";
import { startRecordingProxy, type RecordingProxy } from "./recording-proxy.ts";
import { driveSources, driveTimers } from "./sources.ts";
import { judge, shownCall, type TriggerReport } from "./trigger-report.ts";

const CRM_FOLDER = join(import.meta.dirname, "../../../examples/crm/convex");
const SHIFTED_CLOCK = join(import.meta.dirname, "shifted-clock.mjs");

const CALL_END_MS = 2000;

export interface DrivenPackage {
  readonly folder: string;
  readonly overrides: Readonly<Record<string, string>>;
  readonly triggers: readonly TriggerReport[];
}

export async function drivePackage(
  folder: string,
  { root, overrides: given }: { readonly root: string; readonly overrides: Readonly<Record<string, string>> },
): Promise<DrivenPackage> {
  const overrides = overridesFor(`${folder}/code`, given);
  const head = { folder: relative(root, folder) || ".", overrides };
  let built: BuiltPackage;
  try {
    mustBeValid(folder);
    built = await buildPackage(folder, { overrides, update: () => undefined });
  } catch (error) {
    const judged = judge({ failure: error instanceof Error ? error.message : String(error), lines: [], calls: [] });
    return { ...head, triggers: [{ kind: "build", trigger: "manifest and code", ...judged, calls: [], ms: 0 }] };
  }
  const port = await freePort();
  const proxy = await startRecordingProxy(port);
  const hosts = new Hosts(port, proxy);
  try {
    const connection = await hosts.start();
    await deployFolder(connection, CRM_FOLDER);
    const crm = await seedCrm(connection);
    return { ...head, triggers: await driveAll({ built, connection, crm, proxy, hosts }) };
  } finally {
    await hosts.stop();
    proxy.close();
  }
}

/** The host, which starts again with its clock ahead. */
class Hosts {
  readonly #port: number;
  readonly #args: readonly string[];
  #host: LocalHost | undefined;
  #aheadMs = 0;
  observer: Observer | undefined;

  constructor(port: number, proxy: RecordingProxy) {
    this.#port = port;
    const allowed = `127.0.0.1:${proxy.port}`;
    this.#args = ["--port", String(port), "--public-url", proxy.url, "--egress-allow-private", allowed];
  }

  async start(): Promise<Connection> {
    this.#host = await startLocalHost(this.#args);
    const connection = { ...this.#host.connection, url: `http://127.0.0.1:${this.#port}` };
    this.observer = new Observer(connection);
    await this.observer.start();
    return connection;
  }

  /** It has the same address and keys as before. */
  async skipAhead(ms: number): Promise<void> {
    this.#aheadMs += ms;
    await this.observer?.stop();
    const before = { options: process.env["NODE_OPTIONS"], ahead: process.env["PLINTH_TEST_CLOCK_AHEAD_MS"] };
    process.env["NODE_OPTIONS"] = `--import=${SHIFTED_CLOCK}`;
    process.env["PLINTH_TEST_CLOCK_AHEAD_MS"] = String(this.#aheadMs);
    try {
      this.#host = await this.#host?.restart();
    } finally {
      restore("NODE_OPTIONS", before.options);
      restore("PLINTH_TEST_CLOCK_AHEAD_MS", before.ahead);
    }
    await this.observer?.start();
  }

  async stop(): Promise<void> {
    await this.observer?.stop();
    await this.#host?.stop();
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

async function driveAll(parts: {
  readonly built: BuiltPackage;
  readonly connection: Connection;
  readonly crm: Crm;
  readonly proxy: RecordingProxy;
  readonly hosts: Hosts;
}): Promise<readonly TriggerReport[]> {
  const { built, connection, crm, proxy, hosts } = parts;
  const { name, manifest } = built.source;
  await pushPackage(connection, built.archive, { name, update: () => undefined });
  const snapIn = field(await call(connection, "/v1/snap-ins", { body: { package: name } }), "id") ?? "";
  const observer = hosts.observer ?? new Observer(connection);
  const drive: Drive = {
    connection,
    package: name,
    snapIn,
    manifest,
    crm,
    proxy,
    observer,
    skipAhead: (ms) => hosts.skipAhead(ms),
  };
  const lifecycle = await activate(drive);
  const interactions = [...(await driveCommands(drive)), ...(await driveInitializers(drive))];
  const reports = [...lifecycle, ...interactions, ...(await driveActions(drive, interactions)), ...(await driveOperations(drive))];
  reports.push(...(await driveSources(drive)), ...(await driveSync(drive)), ...(await driveTimers(drive)));
  reports.push(...(await deactivate(drive, snapIn)));
  return reports;
}

/** The hooks by what they are for: configuring, activating. */
async function activate(drive: Drive): Promise<readonly TriggerReport[]> {
  const { connection, manifest, crm, snapIn } = drive;
  const path = `/v1/snap-ins/${snapIn}`;
  for (const keyring of keyringNames(manifest))
    await call(connection, "/v1/keyrings", { body: { name: keyring, type: "snap_in_secret", fields: { secret: SECRET } } });
  await call(connection, `${path}/configure`, { body: { inputs: inputsFor(manifest, crm.ids) as Json, keyrings: {} } });
  const reports: TriggerReport[] = [];
  reports.push(
    await report(drive, named(drive, "activation", ["validate", "activate"]), async () => {
      await runSaga(connection, `${path}/activate`, {});
      return {};
    }),
  );
  if (manifest.hooks.some(({ type }) => type === "validate"))
    reports.push(
      await report(drive, { kind: "hook", trigger: "change of inputs of an active package (validate)" }, async () => {
        await call(connection, `${path}/configure`, { body: { inputs: inputsFor(manifest, crm.ids) as Json, keyrings: {} } });
        return {};
      }),
    );
  if (manifest.hooks.some(({ type }) => type === "update"))
    reports.push(notApplicable("hook", "update", "there is one version of the package here"));
  return reports;
}

async function deactivate(drive: Drive, snapIn: string): Promise<readonly TriggerReport[]> {
  const path = `/v1/snap-ins/${snapIn}`;
  return [
    await report(drive, named(drive, "deactivation", ["deactivate"]), async () => {
      await runSaga(drive.connection, `${path}/deactivate`, {});
      await call(drive.connection, path, { method: "DELETE" });
      return {};
    }),
  ];
}

function named({ manifest }: Drive, what: string, types: readonly string[]): Pick<TriggerReport, "kind" | "trigger"> {
  const declared = manifest.hooks.filter(({ type }) => types.includes(type)).map(({ type }) => type);
  return declared.length === 0 ? { kind: "lifecycle", trigger: what } : { kind: "hook", trigger: `${what} (${declared.join(", ")})` };
}

/** Whole runs: the first extraction with the choice of a unit, a later one, the loading of what was extracted. */
async function driveSync(drive: Drive): Promise<readonly TriggerReport[]> {
  const { connection, manifest, snapIn, proxy, observer } = drive;
  const reports: TriggerReport[] = [];
  if (manifest.imports.length > 0)
    await call(connection, "/v1/keyrings", { body: { name: "connection", type: "snap_in_secret", fields: { secret: SECRET } } });
  for (const { slug, loaderFunction } of manifest.imports) {
    proxy.take();
    await observer.takeLines();
    const { runs, error } = await checkImport(connection, { folder: "", snapIn, slug, loads: loaderFunction !== null });
    // A call ends after its report.
    const lines = await observer.takeLines(CALL_END_MS);
    const calls = proxy.take();
    const shown = calls.map(shownCall);
    for (const { mode, status, reason, ms, calls: phases, items } of runs) {
      const trigger = `${slug}: ${mode} (${phases.map(({ phase }) => phase).join(", ")}; ${JSON.stringify(items)})`;
      // Refusals are part of it: mappers and states that are not there yet are answered with 404.
      const judged = judge({ failure: status === "done" ? undefined : `${status}: ${reason ?? ""}`, lines, calls: [] });
      reports.push({ kind: "sync", trigger, ...judged, calls: shown, ms });
      if (status !== "done") break;
    }
    if (error !== null && runs.every(({ status }) => status === "done"))
      reports.push({ kind: "sync", trigger: slug, ...judge({ failure: error, lines, calls: [] }), calls: shown, ms: 0 });
  }
  return reports;
}
