/** Finds the packages in a folder: folders with a manifest and `code` beside it. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const NAMES = ["manifest.yaml", "manifest.yml"];
const NOT_ENTERED = new Set(["node_modules", "dist", "code"]);
const DEPTH_MAX = 5;

export interface FoundPackages {
  readonly packages: readonly string[];
  /** Folders that have only one of the two: nothing says what their code is for, or where it lies. */
  readonly incomplete: readonly string[];
}

export function findPackages(folder: string): FoundPackages {
  const packages: string[] = [];
  const incomplete: string[] = [];
  const visit = (at: string, depth: number): void => {
    const hasCode = existsSync(join(at, "code"));
    const hasManifest = NAMES.some((name) => existsSync(join(at, name)));
    if (hasManifest && hasCode) packages.push(at);
    else if (hasManifest || hasCode) incomplete.push(at);
    if (depth === DEPTH_MAX) return;
    for (const entry of readdirSync(at, { withFileTypes: true }))
      if (entry.isDirectory() && !entry.name.startsWith(".") && !NOT_ENTERED.has(entry.name)) visit(join(at, entry.name), depth + 1);
  };
  visit(resolve(folder), 0);
  const byNumber = new Intl.Collator("en", { numeric: true }).compare;
  return { packages: packages.toSorted(byNumber), incomplete: incomplete.toSorted(byNumber) };
}
