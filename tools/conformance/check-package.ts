/** Takes one package through its life: manifest, build, push, install, configure, activate, calls, deactivate, remove. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { relative } from "node:path";
import { buildPackage, type BuiltPackage } from "../../packages/cli/src/package/build-package.ts";
import { pushPackage } from "../../packages/cli/src/package/push-package.ts";
import { call, failureOf, field, send, type Json } from "../../packages/cli/src/client.ts";
import type { Connection } from "../../packages/cli/src/connection.ts";
import { readEvents } from "../../packages/cli/src/event-stream.ts";
import { checkManifest } from "../../packages/cli/src/manifest/check-manifest.ts";
import { startLocalHost } from "../local-host.ts";
import { callFunctions, isRemoteFailure } from "./call-functions.ts";
import { overridesFor } from "./overrides.ts";
import type { CallReport, PackageReport, Step, StepName } from "./package-report.ts";
import { keyringNames, placeholderInputs } from "./placeholders.ts";
import { startRemotePlatform, type RemotePlatform } from "./remote-platform.ts";

export interface CheckOptions {
  readonly root: string;
  readonly overrides: Readonly<Record<string, string>>;
  readonly progress: (text: string) => void;
}

/** What the steps find out on their way. */
interface Findings {
  calls: readonly CallReport[];
  built?: BuiltPackage;
  overrides: Readonly<Record<string, string>>;
  timings: Record<string, number>;
}

export async function checkPackage(folder: string, options: CheckOptions): Promise<PackageReport> {
  const steps: Step[] = [];
  const findings: Findings = { calls: [], overrides: {}, timings: {} };
  try {
    await takeThrough(folder, options, steps, findings);
  } catch (error) {
    // The step that failed is in the list; those after it have no sense without it.
    if (!(error instanceof StepFailed)) throw error;
  }
  const { built, calls, overrides, timings } = findings;
  return {
    folder: relative(options.root, folder) || ".",
    overrides,
    steps,
    calls,
    files: built?.files ?? 0,
    bytes: built?.bytes ?? 0,
    archiveBytes: built?.archiveBytes ?? 0,
    timings,
  };
}

class StepFailed extends Error {
  override name = "StepFailed";
}

type RunStep = <T>(name: StepName, work: () => Promise<T>) => Promise<T>;

async function takeThrough(folder: string, options: CheckOptions, steps: Step[], findings: Findings): Promise<void> {
  const platform = await startRemotePlatform();
  const step: RunStep = async (name, work) => {
    options.progress(name);
    platform.take();
    const startedMs = performance.now();
    const end = (status: Step["status"], detail: string) =>
      steps.push({ name, status, ms: Math.round(performance.now() - startedMs), detail });
    try {
      const value = await work();
      end("ok", "");
      return value;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const isRemote = name === "activate" && isRemoteFailure(detail, platform.take().paths);
      end(isRemote ? "remote" : "failed", detail);
      throw new StepFailed(name);
    }
  };
  try {
    await step("manifest", () => Promise.resolve(mustBeValid(folder)));
    const built = await step("build", () => {
      findings.overrides = overridesFor(`${folder}/code`, options.overrides);
      return buildPackage(folder, { overrides: findings.overrides, update: options.progress });
    });
    findings.built = built;
    findings.timings["build"] = Math.round(built.buildMs);
    // What packages take for the platform's address is the public one, which is not where the host listens.
    const port = await freePort();
    const allowed = `127.0.0.1:${platform.port}`;
    const args = ["--port", String(port), "--public-url", platform.url, "--egress-allow-private", allowed];
    const host = await step("host", () => startLocalHost(args));
    try {
      await onHost({ ...host.connection, url: `http://127.0.0.1:${port}` }, built, {
        step,
        platform,
        findings,
        progress: options.progress,
      });
    } finally {
      await host.stop();
    }
  } finally {
    platform.close();
  }
}

interface HostContext {
  readonly step: RunStep;
  readonly platform: RemotePlatform;
  readonly findings: Findings;
  readonly progress: (text: string) => void;
}

async function onHost(connection: Connection, built: BuiltPackage, { step, platform, findings, progress }: HostContext): Promise<void> {
  const { name, manifest } = built.source;
  const pushed = await step("push", () => pushPackage(connection, built.archive, { name, update: progress }));
  Object.assign(findings.timings, timingsOf(pushed));
  const snapIn = await step("install", () => call(connection, "/v1/snap-ins", { body: { package: name } }));
  const path = `/v1/snap-ins/${field(snapIn, "id") ?? ""}`;
  await step("configure", async () => {
    // There is nobody to sign in at another system: keyrings of every type get a secret of their name.
    for (const keyring of keyringNames(manifest))
      await call(connection, "/v1/keyrings", { body: { name: keyring, type: "snap_in_secret", fields: { secret: "placeholder" } } });
    await call(connection, `${path}/configure`, { body: { inputs: placeholderInputs(manifest) as Json, keyrings: {} } });
  });
  // A hook that needs the missing platform leaves the package inactive; its functions can be called all the same.
  const active = await step("activate", () => runSaga(connection, `${path}/activate`, {})).then(
    () => true,
    () => false,
  );
  findings.calls = await callFunctions(connection, { package: name, manifest, platform, progress });
  if (active) await step("deactivate", () => runSaga(connection, `${path}/deactivate`, { force: true }));
  await step("remove", () => call(connection, path, { method: "DELETE" }));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function mustBeValid(folder: string): void {
  const { findings } = checkManifest(folder);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ line, message }) => `line ${line}: ${message}`).join("\n"));
}

export async function runSaga(connection: Connection, path: string, body: Json): Promise<void> {
  const response = await send(connection, path, { body, accept: "text/event-stream" });
  if (!response.ok) throw failureOf(response.status, (await response.json()) as Json);
  for await (const { event, data } of readEvents(response)) {
    const json = JSON.parse(data) as Json;
    if (event === "error") throw failureOf(400, json);
    if (event !== "done") continue;
    const reason = field(json, "stateReason");
    if (reason !== undefined) throw new Error(`${field(json, "state") ?? "unknown"}: ${reason}`);
    return;
  }
  throw new Error("The host went away.");
}

function timingsOf(result: Json): Readonly<Record<string, number>> {
  return (result as { readonly timings?: Readonly<Record<string, number>> }).timings ?? {};
}
