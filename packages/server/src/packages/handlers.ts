/** Functions of packages as the engine and the sandbox need them. */
import { limit } from "@plinth/core/limits.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { PackageLoad, RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import { join } from "node:path";
import type { HandlerSettings, ResolvedFunction } from "../deploys/deploys.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import type { PackageVersionRow } from "./package-records.ts";
import type { VersionFolders } from "./version-folders.ts";

const ANY = { type: "any" };

/** `@<package>/<function>`; undefined for other paths. */
export function splitPath(path: string): { readonly name: string; readonly function: string } | undefined {
  const match = /^@([^/]+)\/([^/]+)$/.exec(path);
  return match === null ? undefined : { name: match[1] ?? "", function: match[2] ?? "" };
}

export function handlerOf(
  target: { readonly name: string; readonly function: string },
  { manifest }: { readonly manifest: Manifest },
  version: VersionCode,
): ResolvedFunction | undefined {
  const spec = manifest.functions.find(({ name }) => name === target.function);
  if (spec === undefined) return undefined;
  const handler: HandlerSettings = {
    name: spec.name,
    package: target.name,
    timeoutMs: spec.timeoutMs ?? usualTimeoutMs(spec.name, manifest),
    maxRetries: spec.maxRetries,
    minIntervalMs: spec.minIntervalMs,
    keyrings: spec.keyrings ?? declaredKeyrings(manifest),
    operationKeyrings: operationKeyrings(spec.name, manifest),
  };
  const path = `@${target.name}/${target.function}`;
  return { path, kind: "handler", visibility: "internal", args: ANY, returns: ANY, version, handler };
}

/** Where the function says nothing, what calls it does: extractors take minutes, and operations name a time. Null: as any other. */
function usualTimeoutMs(name: string, { imports, operations }: Manifest): number | null {
  if (imports.some(({ extractorFunction, loaderFunction }) => extractorFunction === name || loaderFunction === name))
    return limit("importWallMs");
  const longest = Math.max(0, ...operations.map((each) => (each.function === name ? (each.defaultTimeoutMs ?? 0) : 0)));
  return longest > limit("handlerWallMs") ? Math.min(longest, limit("importWallMs")) : null;
}

export function versionCodeOf(
  folders: VersionFolders,
  tenant: string,
  { row, manifest }: { readonly row: Pick<PackageVersionRow, "digest" | "runtime" | "root" | "functions">; readonly manifest: Manifest },
): VersionCode {
  const { digest, runtime, root } = row;
  // Secrets are not among them: those come with each call, to the functions that may have them.
  const plain = manifest.buildConfig.environmentVariables.filter(({ type }) => type !== "keyring");
  const env = Object.fromEntries(plain.map(({ name, value }) => [name, value]));
  const load: PackageLoad = { functions: row.functions, ...(plain.length === 0 ? {} : { env }) };
  return {
    digest,
    runtime,
    script: () => Promise.resolve(JSON.stringify(load)),
    sourceMap: () => Promise.resolve(null),
    package: {
      folder: async () => {
        const lease = await folders.use(tenant, digest);
        return { path: join(lease.path, root), release: () => lease.release() };
      },
      reuse: manifest.plinth.reuse ?? reusesProcesses(runtime),
      memoryBytesMax: memoryOf(manifest),
      scratchBytes: Math.max(0, ...manifest.functions.map(({ scratchBytes }) => scratchBytes)),
    },
  };
}

/** Python handlers keep state in modules more often than not, and start fast. */
function reusesProcesses(runtime: RuntimeName): boolean {
  return runtime !== "python";
}

/** One process serves any function of the package, so the hungriest decides. */
function memoryOf(manifest: Manifest): number {
  const asked = manifest.functions.flatMap(({ memoryBytes }) => (memoryBytes === null ? [] : [memoryBytes]));
  const bytes = asked.length === 0 ? limit("packageMemoryBytes") : Math.max(...asked);
  return Math.min(bytes, limit("packageMemoryBytesMax"));
}

/** The keyrings of an operation belong to it alone. */
function operationKeyrings(name: string, { operations }: Manifest): ReadonlyMap<string, readonly string[]> {
  const own = operations.filter((operation) => operation.function === name);
  return new Map(own.map(({ slug, keyrings }) => [slug, keyrings.map((keyring) => keyring.name)]));
}

function declaredKeyrings({ keyrings, developerKeyrings }: Manifest): readonly string[] {
  return [...keyrings.organization, ...keyrings.user, ...developerKeyrings].map(({ name }) => name);
}
