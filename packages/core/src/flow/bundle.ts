/**
 * Bundles of packages for the code of flows: an archive that says what it is. The command line makes them, the host checks them, and
 * neither installs anything on the host.
 *
 * JavaScript: `libs.js`, a script that sets `BUNDLE_GLOBAL` to a function that gives the packages by their names.
 * Python: the packages' files as wheels have them, below `code/site-packages`.
 */
import { isObject, readObject } from "../manifest/object-reader.ts";
import { Report } from "../manifest/report.ts";
import { type DependencyLanguage, parseDependency } from "./dependencies.ts";

export const BUNDLE_ABOUT_FILE = "bundle.json";
export const BUNDLE_SCRIPT_FILE = "libs.js";
export const BUNDLE_PYTHON_FOLDER = "code/site-packages";
/** The host's script takes it away before code of a flow runs. */
export const BUNDLE_GLOBAL = "__plinthLibs";

export interface BundleAbout {
  readonly format: 1;
  readonly language: DependencyLanguage;
  /** As nodes name them, sorted. */
  readonly dependencies: readonly string[];
  /** See LockedDependencies. */
  readonly packages: readonly string[];
  /** Python: names of modules that code may import; they belong to the packages that are named. */
  readonly modules: readonly string[];
}

/** Reads what a bundle says of itself; a text says what is wrong. */
export function parseBundleAbout(json: unknown): BundleAbout | string {
  if (!isObject(json) || json["format"] !== 1) return `${BUNDLE_ABOUT_FILE} has not the format 1`;
  const report = new Report(null);
  const about = readObject(json, BUNDLE_ABOUT_FILE, report, (reader): BundleAbout => {
    reader.raw("format");
    return {
      format: 1,
      language: reader.choice("language", ["javascript", "python"], null),
      dependencies: [...new Set(reader.texts("dependencies", "flowDependenciesMax"))].toSorted(),
      packages: reader.texts("packages", "flowLockedPackagesMax").toSorted(),
      modules: reader.texts("modules", "flowBundleModulesMax", { pattern: /^[A-Za-z][A-Za-z0-9_]{0,127}$/, instead: "write a name" }),
    };
  });
  const first = report.findings.find(({ severity }) => severity === "error");
  if (about === null || first !== undefined) return first?.message ?? `${BUNDLE_ABOUT_FILE} is no object`;
  const wrong = about.dependencies.find((text) => parseDependency(about.language, text) === null);
  if (wrong !== undefined || about.dependencies.length === 0) return `${BUNDLE_ABOUT_FILE} names no packages of a registry`;
  return about;
}

/** Names by which JavaScript finds its packages: `libs.<name>`. */
export function libraryNames({ dependencies }: Pick<BundleAbout, "dependencies">): readonly string[] {
  return dependencies.map((text) => parseDependency("javascript", text)?.name ?? text);
}
