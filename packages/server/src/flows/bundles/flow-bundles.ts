/**
 * Bundles of packages for the code of flows: archives that the command line made, kept as blobs and unpacked for jails. They are
 * hostile: each is tried in a jail when it comes, and what it says of itself is read again whenever a flow refers to it.
 *
 * D1 A bundle is named by the digest of its archive and never changes; a tenant finds its own ones only.
 * D2 The host installs and resolves nothing.
 * D3 A bundle that no version of a flow uses is collected (bundle-rows.ts); one that came lately is kept for the flow to come.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  BUNDLE_ABOUT_FILE,
  BUNDLE_PYTHON_FOLDER,
  BUNDLE_SCRIPT_FILE,
  type BundleAbout,
  libraryNames,
  parseBundleAbout,
} from "@plinth/core/flow/bundle.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { sameTexts } from "@plinth/core/flow/dependencies.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Scope } from "../../database/database.ts";
import { type InlineBundle, type InlineBundles, inlinePath } from "../../engine/inline-code.ts";
import type { Actor, Engine } from "../../engine/invocation.ts";
import { OpenUploads } from "../../packages/open-uploads.ts";
import type { VersionFolders } from "../../packages/version-folders.ts";

const OF_PACKAGE = plinthError("InvalidPackage", { detail: "" }).message;

export interface FlowBundlesParts {
  readonly blobs: Pick<Blobs, "put" | "info">;
  readonly folders: Pick<VersionFolders, "use">;
  readonly engine: () => Pick<Engine, "invoke">;
}

export interface FlowBundle extends BundleAbout {
  /** sha-256 of the archive, in hexadecimal. */
  readonly digest: string;
}

export class FlowBundles implements InlineBundles {
  readonly #parts: FlowBundlesParts;
  /** By tenant and digest: what has been read of them. */
  readonly #known = new Map<string, FlowBundle>();
  readonly #uploads = new OpenUploads();

  constructor(parts: FlowBundlesParts) {
    this.#parts = parts;
  }

  /** Stores and tries a bundle. Rejects with InvalidBundle; then no flow can use it. */
  async upload(scope: Scope, request: { readonly archive: AsyncIterable<Uint8Array>; readonly actor: Actor }): Promise<FlowBundle> {
    const end = this.#uploads.begin(scope.tenant);
    try {
      const { digest } = await this.#parts.blobs.put(scope.tenant, request.archive, { bytesMax: limit("flowBundleBytesMax") });
      const bundle = await this.#read(scope, digest);
      await this.#try(scope, bundle, request.actor);
      return bundle;
    } finally {
      end();
    }
  }

  /** Undefined when there is none. */
  async get(scope: Scope, digest: string): Promise<FlowBundle | undefined> {
    if (!/^[0-9a-f]{64}$/.test(digest) || (await this.#parts.blobs.info(scope.tenant, digest)) === undefined) return undefined;
    return this.#known.get(keyOf(scope, digest)) ?? (await this.#read(scope, digest));
  }

  async find(scope: Scope, digest: string): Promise<InlineBundle | undefined> {
    const bundle = this.#known.get(keyOf(scope, digest)) ?? (await this.get(scope, digest));
    if (bundle === undefined) return undefined;
    const { folders } = this.#parts;
    if (bundle.language === "javascript") return { language: "javascript", digest, script: () => this.#script(scope, digest) };
    return { language: "python", digest, modules: bundle.modules, folder: () => folders.use(scope.tenant, digest) };
  }

  async #script(scope: Scope, digest: string): Promise<string> {
    const folder = await this.#parts.folders.use(scope.tenant, digest);
    try {
      return await readFile(join(folder.path, BUNDLE_SCRIPT_FILE), "utf8");
    } finally {
      folder.release();
    }
  }

  async #read(scope: Scope, digest: string): Promise<FlowBundle> {
    const folder = await this.#parts.folders.use(scope.tenant, digest).catch((error: unknown) => {
      throw error instanceof PlinthError && error.code === "InvalidPackage" ? invalid(error.message.slice(OF_PACKAGE.length)) : error;
    });
    try {
      const text = await readSmall(join(folder.path, BUNDLE_ABOUT_FILE), limit("flowBundleAboutBytesMax"));
      const about = parseBundleAbout(jsonOf(text));
      if (typeof about === "string") throw invalid(`${about}.`);
      await checkFiles(folder.path, about);
      const bundle = { ...about, digest };
      if (this.#known.size >= limit("flowBundlesKnownMax")) this.#known.clear();
      this.#known.set(keyOf(scope, digest), bundle);
      return bundle;
    } finally {
      folder.release();
    }
  }

  /** Loads the packages in the jail in which the code will run, by the way on which it will run. */
  async #try(scope: Scope, bundle: FlowBundle, actor: Actor): Promise<void> {
    const { language, digest, modules } = bundle;
    const code = language === "javascript" ? "return Object.keys(libs);" : [...modules.map((name) => `import ${name}`), "None"].join("\n");
    const outcome = await this.#parts.engine().invoke(
      {
        ...{ ...scope, actor, source: "native", internalAllowed: true, priority: "normal" },
        path: inlinePath(language),
        bundle: digest,
        argsText: JSON.stringify({ code, inputs: {}, timeoutMs: limit("inlineWallMs") }),
      },
      { patient: true },
    );
    if (outcome.status === "failed") throw invalid(`they cannot be loaded: ${outcome.error.message}`);
    if (language === "python") return;
    const { result } = JSON.parse(outcome.valueText) as { readonly result: unknown };
    const names = Array.isArray(result) ? result.map(String).toSorted() : [];
    if (!sameTexts(names, libraryNames(bundle).toSorted()))
      throw invalid(`${BUNDLE_SCRIPT_FILE} does not give the packages that it names.`);
  }
}

/** There is what the language needs, and nothing besides. */
async function checkFiles(folder: string, { language, modules }: BundleAbout): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== BUNDLE_ABOUT_FILE);
  if (language === "javascript") {
    const max = limit("flowBundleScriptBytesMax");
    if (!sameTexts(names, [BUNDLE_SCRIPT_FILE]))
      throw invalid(`a bundle of JavaScript is ${BUNDLE_SCRIPT_FILE} and ${BUNDLE_ABOUT_FILE} alone.`);
    const { size } = await stat(join(folder, BUNDLE_SCRIPT_FILE));
    if (size > max) throw invalid(`their code has ${size} bytes, and may have ${max}.`);
    return;
  }
  const there = names.length === 1 ? await readdir(join(folder, BUNDLE_PYTHON_FOLDER)).catch(() => []) : [];
  const missing = modules.find((name) => !there.some((entry) => entry === name || entry.startsWith(`${name}.`)));
  if (there.length === 0) throw invalid(`a bundle of Python is ${BUNDLE_PYTHON_FOLDER} and ${BUNDLE_ABOUT_FILE} alone.`);
  if (missing !== undefined) throw invalid(`they have no module \`${missing}\`.`);
  if (modules.length === 0) throw invalid("they offer no module that code can import.");
}

async function readSmall(file: string, bytesMax: number): Promise<string> {
  const size = await stat(file).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );
  if (size === 0 || size > bytesMax) throw invalid(`the archive has no ${BUNDLE_ABOUT_FILE} of at most ${bytesMax} bytes.`);
  return await readFile(file, "utf8");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function keyOf({ tenant }: Scope, digest: string): string {
  return `${tenant}/${digest}`;
}

function invalid(detail: string): PlinthError {
  return plinthError("InvalidBundle", { detail });
}

/** Of a host without them. */
export const NO_BUNDLES: Pick<FlowBundles, "upload" | "get"> = {
  upload: () => Promise.reject(plinthError("NotAvailable", { what: "Packages for the code of flows" })),
  get: () => Promise.resolve(undefined),
};
