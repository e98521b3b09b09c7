/** Packages on real parts, in a folder of their own. Code is analysed by a plain process of Node instead of a jail. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeTar } from "@plinth/core/archive/tar-writer.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { readYaml } from "@plinth/core/manifest/yaml-source.ts";
import type { AnalyzeResult } from "@plinth/core/protocol/runner-protocol.ts";
import { openDiskBlobs } from "../blobs/disk/disk-blobs.ts";
import type { Scope } from "../database/database.ts";
import { openDatabase } from "../database/open-database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import type { Sandbox, VersionCode } from "../sandbox/sandbox.ts";
import type { JailTools } from "../sandbox/tools.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { Collector, type CollectorOptions } from "./collector.ts";
import { openPackages } from "./open-packages.ts";
import { VersionFolders } from "./version-folders.ts";

export const SCOPE: Scope = { tenant: "a", branch: "main" };

export const TOOLS: JailTools = {
  run: async (_tenant, tool, input) => {
    if (tool !== "yaml") throw new Error(tool);
    return JSON.parse(JSON.stringify(readYaml((input as { text: string }).text))) as unknown;
  },
};

/** Evaluates the code of a package like the runner does, and lists what its factory has. */
class PlainSandbox implements Pick<Sandbox, "analyze" | "warm"> {
  /** What was warmed, in order. */
  readonly warmed: string[] = [];
  failWarm = false;

  async analyze({ version }: { readonly version: VersionCode }): Promise<AnalyzeResult> {
    const lease = await version.package?.folder?.();
    if (lease === undefined) throw new Error("no folder");
    try {
      const names = await factoryNames(join(lease.path, "code", "dist", "index.js"));
      const functions = names.map((path) => ({
        path,
        kind: "handler" as const,
        visibility: "internal" as const,
        args: "null",
        returns: "null",
      }));
      return { functions, schema: null, crons: null, httpRoutes: [] };
    } finally {
      lease.release();
    }
  }

  async warm({ version }: { readonly version: VersionCode }): Promise<void> {
    if (this.failWarm) throw plinthError("RunnerLost", { detail: "the test says so" });
    this.warmed.push(version.digest);
  }
}

function factoryNames(file: string): Promise<string[]> {
  const script = `process.stdout.write(JSON.stringify(Object.keys(require(${JSON.stringify(file)}).functionFactory ?? {})))`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"], timeout: 2000, killSignal: "SIGKILL" });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(output) as string[]);
      else
        reject(
          plinthError("InvalidPackage", {
            detail: signal === null ? "its modules fail when they are loaded." : "its modules take too long.",
          }),
        );
    });
  });
}

export async function startPackages(options: { readonly folder?: string } & Partial<CollectorOptions> = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "plinth-packages-")));
  const clock = { offsetMs: 0 };
  const system = createSystemRuntime();
  const runtime: Runtime = { ...system, nowMs: () => system.nowMs() + clock.offsetMs };
  const store = await openSqliteStore({ dataDir: folder, runtime });
  const database = await openDatabase({ store, runtime });
  const blobs = await openDiskBlobs({ folder: join(folder, "blobs"), runtime: system });
  const base = join(folder, "versions");
  await mkdir(base, { recursive: true, mode: 0o711 });
  const folders = await VersionFolders.open({ blobs, runtime, base, bootId: "boot" });
  const { log } = createTelemetry({ logLevel: "silent" });
  const collector = new Collector({
    database,
    blobs,
    folders,
    runtime,
    log,
    branchesOf: () => Promise.resolve(["main", "dev"]),
    versionsInUse: () => Promise.resolve(new Set()),
    references: [],
    historyRetentionMs: 0,
    ...options,
  });
  const sandbox = new PlainSandbox();
  const packages = openPackages({ database, blobs, folders, sandbox, tools: TOOLS, runtime, collect: () => collector.collect() });
  const stop = async (): Promise<void> => {
    await collector.stop();
    await folders.close();
    await database.close();
    await store.close();
    await blobs.close();
  };
  return {
    folder,
    base,
    clock,
    store,
    database,
    blobs,
    folders,
    sandbox,
    packages,
    collector,
    stop,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A snap-in with these functions. */
export function snapIn(names: readonly string[], more: Files = {}): Files {
  const functions = names.map((name) => `  - name: ${name}\n    description: ${name}`).join("\n");
  return {
    "manifest.yaml": `version: "2"\nname: test\ndescription: test\nfunctions:\n${functions}\n`,
    "code/package.json": '{"name":"test","main":"./dist/index.js"}',
    "code/dist/index.js": `exports.functionFactory = { ${names.map((name) => `${name}: async (events) => events.length`).join(", ")} };`,
    ...more,
  };
}

export function archiveOf(files: Files): Buffer {
  return gzipSync(Buffer.concat([...writeTar(Object.entries(files).map(([path, body]) => ({ path, bytes: Buffer.from(body) })))]));
}

export async function* streamOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
