/**
 * Turns a functions folder into the one script of a version (see MODULES_GLOBAL of the runner protocol). Each
 * module is evaluated at its first use, so that a call pays only for what it imports.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { MODULES_GLOBAL } from "@plinth/core/protocol/runner-protocol.ts";
import { plinthError } from "@plinth/core/errors.ts";
import * as esbuild from "esbuild";
import { skipBarrels } from "./barrels.ts";
import { asyncHooksShim, refuseNodeModules } from "./plugins.ts";
import { findEntryPoints, type EntryPoint } from "./entry-points.ts";
import { withLazyExports } from "./lazy-exports.ts";

export interface Bundle {
  readonly script: string;
  readonly sourceMap: string;
  readonly modules: readonly EntryPoint[];
}

/** Bundles again and again, quickly; `dispose` ends the bundler's process. */
export interface Bundler {
  bundle(): Promise<Bundle>;
  dispose(): Promise<void>;
}

/** `folder` is the functions folder (`convex/`). Rejects with InvalidPackage when it is none or does not compile. */
export function createBundler(folder: string): Bundler {
  const functions = resolve(folder);
  if (!existsSync(functions) || !statSync(functions).isDirectory()) {
    throw plinthError("InvalidPackage", { detail: `there is no functions folder at ${functions}` });
  }
  let context: { readonly entry: string; readonly build: esbuild.BuildContext<{ write: false }> } | undefined;
  return {
    async bundle() {
      const modules = findEntryPoints(functions);
      if (modules.length === 0) throw plinthError("InvalidPackage", { detail: `${functions} holds no modules` });
      const entry = entrySource(modules);
      if (context?.entry !== entry) {
        await context?.build.dispose();
        context = { entry, build: await esbuild.context(options(functions, entry)) };
      }
      return { ...outputs(await rebuild(context.build)), modules };
    },
    async dispose() {
      await context?.build.dispose();
      await esbuild.stop();
    },
  };
}

function entrySource(modules: readonly EntryPoint[]): string {
  const lines = modules.map(({ modulePath, importPath }) => `${JSON.stringify(modulePath)}: () => require(${JSON.stringify(importPath)})`);
  return `globalThis.${MODULES_GLOBAL} = {\n__proto__: null,\n${lines.join(",\n")}\n};`;
}

function options(functions: string, entry: string) {
  return {
    stdin: { contents: entry, resolveDir: functions, sourcefile: "plinth-entry.js", loader: "js" },
    bundle: true,
    format: "iife",
    target: "esnext",
    platform: "browser",
    conditions: ["convex", "module"],
    jsx: "automatic",
    // Names stay as the author wrote them, so that stacks read well without a map too.
    minifySyntax: true,
    minifyWhitespace: true,
    define: { "process.env.NODE_ENV": '"production"' },
    sourcemap: "external",
    sourcesContent: false,
    // Sources are then named `../convex/…` in stacks.
    outfile: join(dirname(functions), "_plinth", "version.js"),
    absWorkingDir: functions,
    write: false,
    logLevel: "silent",
    plugins: [asyncHooksShim, refuseNodeModules, skipBarrels],
  } satisfies esbuild.BuildOptions;
}

async function rebuild(build: esbuild.BuildContext<{ write: false }>): Promise<esbuild.BuildResult<{ write: false }>> {
  try {
    return await build.rebuild();
  } catch (error) {
    throw plinthError("InvalidPackage", { detail: describe(error) }, { cause: error });
  }
}

/** One line per error of the compiler: `convex/file.ts:3:14: text`. */
function describe(error: unknown): string {
  if (!isBuildFailure(error)) return String(error);
  const lines = error.errors.map(({ text, location }) =>
    location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
  );
  return `the functions do not compile.\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function isBuildFailure(error: unknown): error is esbuild.BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

function outputs(result: esbuild.BuildResult<{ write: false }>): { script: string; sourceMap: string } {
  const text = (suffix: string) => result.outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
  return { script: withLazyExports(text("version.js")), sourceMap: text("version.js.map") };
}
