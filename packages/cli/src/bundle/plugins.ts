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
    build.onResolve({ filter: /^[a-z_:/]+$/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === "resolving" || !isBuiltin(path)) return undefined;
      // A package of the same name from the registry (`events`, `buffer`) is as good as any other.
      const found = path.startsWith("node:") ? undefined : await build.resolve(path, { ...options, pluginData: "resolving" });
      if (found !== undefined && found.errors.length === 0) return found;
      return { errors: [{ text: `"${path}" is a module of Node; the isolate runtime has none of them` }] };
    });
    build.onLoad({ filter: /\.[mc]?[jt]sx?$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const source = await readFile(path, "utf8");
      return /^\s*["']use node["']/.test(source)
        ? { errors: [{ text: `"use node" modules are not supported by the isolate runtime: ${path}` }] }
        : undefined;
    });
  },
};
