/**
 * Finds the packages that the code of a flow names, before it is published: what the lock of the flow has, stays; the rest is
 * resolved here, bundled and sent to the host, which installs nothing itself.
 */
import { parseDefinition } from "@plinth/core/flow/parse-definition.ts";
import {
  DEPENDENCY_FORMS,
  type DependencyLanguage,
  type DependencySet,
  dependencySets,
  type LockedDependencies,
  lockOf,
  parseDependency,
} from "@plinth/core/flow/dependencies.ts";
import { Report } from "@plinth/core/manifest/report.ts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, field, type Json, send } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";
import { pack } from "../package/pack.ts";
import { bundleJavascript } from "./bundle-javascript.ts";
import { bundlePython } from "./bundle-python.ts";
import { packBundle } from "./bundle-source.ts";
import { uploadBundle } from "./upload-bundle.ts";

export interface LockOptions {
  /** Resolve again, whatever the lock says. */
  readonly isUpdate: boolean;
  readonly update: (text: string) => void;
}

export interface LockedFlow {
  /** The definition with its lock. */
  readonly definition: Json;
  readonly lock: readonly LockedDependencies[];
  /** The entries that were resolved now. */
  readonly resolved: readonly LockedDependencies[];
}

/** A definition that cannot be read stays as it is: the host says what is wrong with it. */
export async function lockFlow(connection: Connection, json: Json, options: LockOptions): Promise<LockedFlow> {
  const report = new Report(null);
  const definition = parseDefinition(json, report);
  if (definition === null || report.failed || !isObject(json)) return { definition: json, lock: [], resolved: [] };
  const { lock: _old, ...rest } = json;
  const sets = dependencySets(definition);
  for (const { language, dependencies } of sets) checkForms(language, dependencies);
  if (sets.length === 0) return { definition: rest, lock: [], resolved: [] };
  const known = [...definition.lock, ...(await publishedLock(connection, definition.name))];
  const lock: LockedDependencies[] = [];
  const resolved: LockedDependencies[] = [];
  for (const set of sets) {
    const entry = lockOf(known, set.language, set.dependencies);
    const isKept = entry !== null && !options.isUpdate && (await isOnHost(connection, entry.digest));
    const found = isKept ? entry : await resolve(connection, set, { pinned: options.isUpdate ? [] : pinsOf(entry), ...options });
    if (!isKept) resolved.push(found);
    lock.push(found);
  }
  return { definition: { ...rest, lock: lock as unknown as Json }, lock, resolved };
}

async function resolve(
  connection: Connection,
  set: DependencySet,
  options: LockOptions & { readonly pinned: readonly string[] },
): Promise<LockedDependencies> {
  const { language, dependencies } = set;
  const folder = await mkdtemp(join(tmpdir(), "plinth-flow-"));
  try {
    options.update(`finding ${dependencies.join(", ")}`);
    const build = language === "javascript" ? bundleJavascript : bundlePython;
    const files = await packBundle(folder, set, await build(folder, { dependencies, pinned: options.pinned, update: options.update }));
    const { archive, digest } = await pack(files.files, join(folder, "bundle.tar.zst"));
    options.update("sending the packages");
    const stored = field(await uploadBundle(connection, archive), "digest");
    if (stored !== digest) throw new CommandFailure("The packages arrived damaged. Publish again.", 7);
    return { language, dependencies, digest, packages: files.about.packages };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A definition may come from anybody: npm and pip get names of packages with versions, and nothing else. */
function checkForms(language: DependencyLanguage, dependencies: readonly string[]): void {
  const wrong = dependencies.find((text) => parseDependency(language, text) === null);
  if (wrong === undefined) return;
  throw new CommandFailure(`\`${wrong.slice(0, 100)}\` names no package of a registry; ${DEPENDENCY_FORMS[language]}.`, 4);
}

function pinsOf(entry: LockedDependencies | null): readonly string[] {
  return entry?.packages.filter((text) => parseDependency(entry.language, text) !== null) ?? [];
}

async function isOnHost(connection: Connection, digest: string): Promise<boolean> {
  const response = await send(connection, `/v1/flow-bundles/${digest}`);
  await response.body?.cancel();
  return response.ok;
}

/** The lock of the version that new runs get. */
async function publishedLock(connection: Connection, name: string): Promise<readonly LockedDependencies[]> {
  let json: Json;
  try {
    json = await call(connection, `/v1/flows/${encodeURIComponent(name)}`);
  } catch (error) {
    if (error instanceof CommandFailure && error.code === "NotFound") return [];
    throw error;
  }
  return parseDefinition(isObject(json) ? json["definition"] : null, new Report(null))?.lock ?? [];
}

function isObject(json: Json | undefined): json is { readonly [name: string]: Json | undefined } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
