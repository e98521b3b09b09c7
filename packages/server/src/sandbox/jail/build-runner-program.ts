/**
 * Builds a program of the runners package into a folder: `build-runner-program.ts <name> <folder>`. A process of its own, because the
 * bundler keeps a helper process and its memory for as long as its host lives.
 *
 * By convention `build-image.ts` of a program exports one function `build…Image({outDir})`.
 */
import { must } from "@plinth/core/assert.ts";

type Build = (options: { readonly outDir: string }) => Promise<unknown>;

const [name = "", folder] = process.argv.slice(2);
const module: unknown = await import(`@plinth/runners/${name}/build-image.ts`);
const entries = Object.entries(module ?? {});
const found = must(
  entries.find(([each, value]) => /^build\w*Image$/.test(each) && typeof value === "function"),
  "the program has a function that builds its image",
);
const build = found[1] as Build;
await build({ outDir: must(folder, "the folder is the second argument") });
