/** Which files of a build go into the archive, and under which names. */
import { lstat, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { CommandFailure } from "../failure.ts";
import type { PackFile } from "./pack.ts";
import { runTool } from "./run-tool.ts";

/** All files below a folder. Links are left out: an archive has none, and what they mean is not known elsewhere. */
export async function filesOf(
  folder: string,
  prefix: string,
  options: { readonly without: (path: string) => boolean },
): Promise<readonly PackFile[]> {
  const found: PackFile[] = [];
  const visit = async (at: string): Promise<void> => {
    const entries = await readdir(join(folder, at), { withFileTypes: true });
    const pathOf = (name: string) => (at === "" ? name : `${at}/${name}`);
    const kept = entries.filter(({ name }) => !options.without(pathOf(name)));
    const files = kept.filter((entry) => entry.isFile());
    found.push(
      ...(await Promise.all(
        files.map(async ({ name }) => {
          const file = join(folder, at, name);
          return { path: `${prefix}/${pathOf(name)}`, file, bytes: (await lstat(file)).size };
        }),
      )),
    );
    for (const { name } of kept.filter((entry) => entry.isDirectory())) await visit(pathOf(name));
  };
  await visit("");
  return found;
}

/** The dependencies that the code needs when it runs, as npm knows them; those for its build stay behind. */
export async function filesOfDependencies(folder: string, prefix: string): Promise<readonly PackFile[]> {
  const modules = join(folder, "node_modules");
  const listed = await runTool("npm", ["ls", "--omit=dev", "--all", "--parseable", "--loglevel=silent"], { cwd: folder });
  const paths = listed.output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith(modules + sep));
  const found: PackFile[] = [];
  for (const path of new Set(paths)) {
    if ((await lstat(path)).isSymbolicLink())
      throw new CommandFailure(
        `${relative(folder, path)} is a link to another folder. Packages of a workspace cannot be packed; publish them or bundle the code.`,
        4,
      );
    const name = relative(folder, path).split(sep).join("/");
    found.push(
      ...(await filesOf(path, `${prefix}/${name}`, { without: (file) => file === "node_modules" || file.startsWith("node_modules/") })),
    );
  }
  return found;
}
