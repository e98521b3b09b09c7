import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CommandFailure } from "./failure.ts";

/** The functions folder that `path` means: itself when it is one, else its `convex` folder. */
export function functionsFolder(path: string): string {
  const folder = resolve(path);
  if (basename(folder) === "convex" && existsSync(folder)) return folder;
  const inside = join(folder, "convex");
  if (existsSync(inside)) return inside;
  throw new CommandFailure(
    `There is no functions folder: neither ${folder} nor ${inside} is one. Create convex/ with a file that exports a query or mutation.`,
    4,
  );
}
