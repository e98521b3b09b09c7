/**
 * Bundler plugin for the web globals of the guest. It keeps the promise of `guest/web/index.ts` that nothing
 * is evaluated before it is touched, and puts small stand-ins in the place of what the packages want from Node.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform, type OnLoadResult, type Plugin } from "esbuild";

const WEB = join(dirname(fileURLToPath(import.meta.url)), "guest", "web");
const shim = (name: string, extension = "ts"): string => join(WEB, "shims", `${name}.${extension}`);

/** Module that is asked for → what is given instead. */
const REPLACED: Readonly<Record<string, string>> = {
  tr46: shim("idna"),
  "node:assert": shim("node-assert", "cjs"),
  "node:util": shim("node-util"),
  "node:util/types": shim("node-util-types"),
  "node:stream": shim("node-stream"),
  "node:stream/web": shim("nothing"),
  "node:perf_hooks": shim("node-perf-hooks"),
  "node:worker_threads": shim("node-worker-threads"),
  "node:zlib": shim("nothing"),
  "node:crypto": shim("nothing"),
};

/** The same for files of undici, by the end of their path. */
const REPLACED_IN_UNDICI: Readonly<Record<string, string>> = {
  "core/util": shim("undici-core-util"),
  "util/runtime-features.js": shim("runtime-features"),
};

/** Packages that look for native classes; the globals of that name would be their own, half made. */
const DEFINED_IN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "@exodus/bytes": { globalThis: "exodusGlobal" },
  "event-target-shim": { window: "{}" },
};

/** Namespace of what is evaluated lazily; outside of it esbuild would go by the `type` of the nearest package.json. */
const LAZY = "web-part";

/** The plugin for the guest's script: all parts together become one CommonJS module of it. */
export function webParts(): Plugin {
  return {
    name: "web-parts",
    setup(at) {
      at.onResolve({ filter: /\/parts\.ts$/ }, ({ path, resolveDir }) =>
        resolveDir === WEB ? { path: join(resolveDir, path), namespace: LAZY } : undefined,
      );
      at.onLoad({ filter: /.*/, namespace: LAZY }, async ({ path }) => ({ contents: await bundleParts(path), loader: "js" }));
    },
  };
}

async function bundleParts(entryPoint: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    format: "cjs",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "esnext",
    write: false,
    logLevel: "silent",
    plugins: [eachLazy()],
  });
  return outputFiles[0]?.text ?? "";
}

/** Makes every module a CommonJS one. */
function eachLazy(): Plugin {
  return {
    name: "each-lazy",
    setup(at) {
      at.onResolve({ filter: /.*/ }, async ({ path, importer, kind, resolveDir, namespace, pluginData }) => {
        if (pluginData === LAZY || kind === "entry-point") return undefined;
        const replacement = replacementOf(path, importer);
        if (replacement !== undefined) return { path: replacement, namespace: LAZY };
        const found = await at.resolve(path, { importer, kind, resolveDir, namespace, pluginData: LAZY });
        return found.errors.length > 0 ? found : { path: found.path, namespace: LAZY };
      });
      at.onLoad({ filter: /.*/, namespace: LAZY }, ({ path }) => load(path));
    },
  };
}

function replacementOf(path: string, importer: string): string | undefined {
  if (!isIn(importer, "undici")) return REPLACED[path];
  return REPLACED[path] ?? Object.entries(REPLACED_IN_UNDICI).find(([end]) => path.endsWith(end))?.[1];
}

/** As CommonJS a module is evaluated by the first `require` of it, and by nothing else. */
async function load(path: string): Promise<OnLoadResult> {
  const contents = adapted(path, await readFile(path, "utf8"));
  const resolveDir = dirname(path);
  if (path.endsWith(".json")) return { contents, resolveDir, loader: "json" };
  const { code } = await transform(contents, {
    loader: path.endsWith("ts") ? "ts" : "js",
    format: "cjs",
    target: "esnext",
    sourcefile: path,
    define: Object.entries(DEFINED_IN).find(([packageName]) => isIn(path, packageName))?.[1] ?? {},
  });
  return { contents: code, resolveDir, loader: "js" };
}

/** The text of a module with what it needs to find its stand-ins. */
function adapted(path: string, text: string): string {
  if (isIn(path, "@exodus/bytes") && text.includes("globalThis"))
    return `const { exodusGlobal } = require(${JSON.stringify(shim("exodus-global"))});\n${text}`;
  if (!isIn(path, "undici"))
    return /\bSharedArrayBuffer\b/.test(text)
      ? `const SharedArrayBuffer = require(${JSON.stringify(shim("no-shared-memory"))}).NoSharedArrayBuffer;${text}`
      : text;
  // Asking whether a value is an instance of a class must not evaluate the class.
  const checked = text.replace(/MakeTypeAssertion\(([A-Z]\w+)\)/g, (whole, name: string) =>
    GLOBAL_CLASSES.has(name) ? `MakeKnownAssertion(${JSON.stringify(name)})` : whole,
  );
  const helpers = [
    ...(checked === text
      ? []
      : [
          `const MakeKnownAssertion = (name) => (value) => require(${JSON.stringify(join(WEB, "known-classes.ts"))}).isInstance(name, value);`,
        ]),
    ...(/\bBuffer\b/.test(text.replace(/\/\*[^]*?\*\//g, "")) ? [`const { Buffer } = require(${JSON.stringify(bufferPath)});`] : []),
  ];
  // Warnings to whoever runs the process are nothing to a guest, which has none.
  return (
    helpers.join(" ") +
    checked.replaceAll("webidl.util.MakeKnownAssertion", "MakeKnownAssertion").replaceAll("process.emitWarning(", "void (")
  );
}

const GLOBAL_CLASSES = new Set(["ReadableStream", "Blob", "URLSearchParams", "File", "URL", "AbortSignal", "MessagePort"]);

const bufferPath = createRequire(import.meta.url).resolve("buffer/");

function isIn(path: string, packageName: string): boolean {
  return path.includes(`${sep}node_modules${sep}${packageName.replace("/", sep)}${sep}`);
}
