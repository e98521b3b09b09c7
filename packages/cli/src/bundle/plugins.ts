import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import type { Plugin } from "esbuild";

/** `async_hooks` is the one Node module whose classes the isolate runtime has as globals. */
export const asyncHooksShim: Plugin = {
  name: "async-hooks",
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?async_hooks$/ }, ({ path }) => ({ path, namespace: "async-hooks" }));
    build.onLoad({ filter: /.*/, namespace: "async-hooks" }, () => ({
      contents: "export const AsyncLocalStorage = globalThis.AsyncLocalStorage; export const AsyncResource = globalThis.AsyncResource;",
      loader: "js",
    }));
  },
};

/** Says at build time what would fail at run time: the isolate runtime has no Node modules. */
export const refuseNodeModules: Plugin = {
  name: "no-node-modules",
  setup(build) {
    build.onResolve({ filter: /^[a-z_:/]+$/ }, ({ path, importer }) => {
      if (!isBuiltin(path) || /^(?:node:)?async_hooks$/.test(path)) return undefined;
      return { errors: [{ text: `"${path}" is a module of Node, which queries, mutations and actions in the isolate runtime cannot import (from ${importer}).` }] };
    });
    build.onLoad({ filter: /\.[mc]?[jt]sx?$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const source = await readFile(path, "utf8");
      return /^\s*["']use node["']/.test(source) ? { errors: [{ text: `"use node" modules need the node runtime, which this version does not have: ${path}` }] } : undefined;
    });
  },
};
