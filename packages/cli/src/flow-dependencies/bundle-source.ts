/** What the builders of bundles give, and how it becomes the files of an archive. */
import { lstat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BUNDLE_ABOUT_FILE, type BundleAbout } from "@plinth/core/flow/bundle.ts";
import type { DependencySet } from "@plinth/core/flow/dependencies.ts";
import type { PackFile } from "../package/pack.ts";

export interface BundleOptions {
  readonly dependencies: readonly string[];
  /** Versions to take again, `name@version` or `name==version`; empty to take what the registry has. */
  readonly pinned: readonly string[];
  readonly update: (text: string) => void;
}

export interface BundleSource {
  readonly packages: readonly string[];
  readonly modules: readonly string[];
  readonly files: readonly PackFile[];
}

export async function packBundle(
  folder: string,
  { language, dependencies }: DependencySet,
  { packages, modules, files }: BundleSource,
): Promise<{ readonly about: BundleAbout; readonly files: readonly PackFile[] }> {
  const about: BundleAbout = { format: 1, language, dependencies, packages, modules };
  const file = join(folder, BUNDLE_ABOUT_FILE);
  await writeFile(file, JSON.stringify(about));
  return { about, files: [...files, { path: BUNDLE_ABOUT_FILE, file, bytes: (await lstat(file)).size }] };
}
