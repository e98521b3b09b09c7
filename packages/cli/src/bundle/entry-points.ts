/**
 * Finds the modules of a functions folder by the rules that Convex projects follow.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const EXTENSIONS = /\.(?:[mc]?[jt]s|[jt]sx)$/;
const DECLARATION = /\.d\.[mc]?ts$/;

export interface EntryPoint {
  /** `dir/module`, as functions are addressed. */
  readonly modulePath: string;
  /** Relative to the functions folder, with `./` and extension. */
  readonly importPath: string;
}

/** All modules below `folder`, in a fixed order. */
export function findEntryPoints(folder: string): EntryPoint[] {
  return walk(folder)
    .map((file) => relative(folder, file))
    .filter(isModule)
    .filter((file) => hasImportOrExport(join(folder, file)))
    .sort()
    .map((file) => ({ modulePath: file.replace(EXTENSIONS, ""), importPath: `./${file}` }));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "_generated" || entry.name === "_deps" || entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
  });
}

function isModule(file: string): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  if (!EXTENSIONS.test(name) || DECLARATION.test(name) || /[#\s]/.test(file)) return false;
  return name.replace(EXTENSIONS, "").split(".").length === 1;
}

/** A TypeScript file without either is a script of declarations, not a module. */
function hasImportOrExport(path: string): boolean {
  return !/\.[mc]?tsx?$/.test(path) || /^\s*(?:import|export)\b/m.test(readFileSync(path, "utf8"));
}
