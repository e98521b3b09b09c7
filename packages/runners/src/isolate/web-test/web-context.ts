/** The table of web globals in a bare context of a real isolate, with the runner's part played by this process. */
import type { Context, Isolate, Reference } from "isolated-vm";
import { build } from "esbuild";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { localOps } from "../local-ops.ts";
import { webParts } from "../web-parts.ts";

const require = createRequire(import.meta.url);

export type Kind = "query" | "action";
export type HostCall = (op: string, argText: string) => Promise<string>;

/** Loads the native file by its path, as the jailed runner does. */
export function loadAddon(): typeof import("isolated-vm") {
  const folder = join(dirname(require.resolve("isolated-vm/package.json")), "prebuilds", `linux-${process.arch}`);
  const loaded: { readonly ivm: typeof import("isolated-vm") } = require(
    join(folder, `isolated-vm.abi${process.versions.modules}.glibc.node`),
  );
  return loaded.ivm;
}

/** The table with a bridge over two functions that the test gives: `$sync` and `$async`. */
const ENTRY = `
import { makeWebGlobal, WEB_GLOBALS } from "../guest/web/index.ts";
import { ENGINE_GLOBALS } from "../guest/globals.ts";
const waiting = new Map(); let last = 0;
const timers = new Map(); const uncaught = [];
const { $sync, $send, $kind } = globalThis; delete globalThis.$sync; delete globalThis.$send; delete globalThis.$kind;
for (const name of Reflect.ownKeys(globalThis)) if (typeof name === "string" && !ENGINE_GLOBALS.includes(name)) delete globalThis[name];
const send = (kind, op, arg) => new Promise((resolve, reject) => { const id = ++last; waiting.set(id, { resolve, reject }); $send(kind, id, op, arg); });
const requireAction = (what) => { if ($kind !== "action") throw new Error("Can't use " + what + " in queries and mutations."); };
const start = Date.now();
const bridge = {
  kind: $kind, requireAction, hostCall: (op, arg) => send("host", op, arg), local: (op, arg) => send("local", op, arg),
  localSync: (op, arg) => { const answer = $sync(op, arg); if (answer[0] === "-") throw new Error(answer.slice(1)); return answer.slice(1); },
  nowMs: () => Date.now(), elapsedMs: () => Date.now() - start,
  setTimer: (ms, callback) => { const id = ++last; timers.set(id, callback); $send("timer", id, String(ms), ""); return id; },
  clearTimer: (id) => void timers.delete(id), reportUncaught: (error) => void uncaught.push(String(error)), observeRandom() {},
  intrinsics: { JSONparse: JSON.parse, JSONstringify: JSON.stringify },
};
for (const name of Object.keys(WEB_GLOBALS)) {
  const settle = (value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  Object.defineProperty(globalThis, name, { configurable: true, get() { const value = makeWebGlobal(name, bridge); settle(value); return value; }, set: settle });
}
globalThis.self = globalThis;
export const deliver = (id, text) => {
  const timer = timers.get(id); if (timer) { timers.delete(id); timer(); return; }
  const entry = waiting.get(id); waiting.delete(id);
  if (text[0] === "-") entry?.reject(new Error(text.slice(1))); else entry?.resolve(text.slice(1));
};
export const uncaughtErrors = () => JSON.stringify(uncaught);
`;

let bundled: Promise<string> | undefined;

/** The script of the table, bundled as the guest is; or with an empty table, to compare costs. */
export function webScript(options: { readonly empty?: boolean } = {}): Promise<string> {
  if (options.empty === true) return bundle(ENTRY.replace(/import \{ makeWebGlobal.*/, "const WEB_GLOBALS = {};"));
  bundled ??= bundle(ENTRY);
  return bundled;
}

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    format: "cjs",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "esnext",
    minifyWhitespace: true,
    minifySyntax: true,
    write: false,
    plugins: [webParts()],
    banner: { js: '(function(){"use strict";const module={exports:{}};let exports=module.exports;' },
    footer: { js: "return {...module.exports}})()" },
  });
  return outputFiles[0]?.text ?? "";
}

export class WebContext {
  readonly isolate: Isolate;
  readonly #context: Context;
  readonly #deliver: Reference<(id: number, text: string) => void>;

  private constructor(isolate: Isolate, context: Context, deliver: Reference<(id: number, text: string) => void>) {
    this.isolate = isolate;
    this.#context = context;
    this.#deliver = deliver;
  }

  static async make(options: { readonly kind?: Kind; readonly hostCall?: HostCall } = {}): Promise<WebContext> {
    const ivm = loadAddon();
    const isolate = new ivm.Isolate({ memoryLimit: 128 });
    const context = isolate.createContextSync();
    const made: { web?: WebContext } = {};
    const answer = async (id: number, work: () => Promise<string>): Promise<void> => {
      const text = await work().then(
        (result) => `+${result}`,
        (error: unknown) => `-${error instanceof Error ? error.message : "failed"}`,
      );
      await made.web?.answer(id, text);
    };
    const send = (kind: string, id: number, op: string, argText: string): void => {
      if (kind === "timer") setTimeout(() => void made.web?.answer(id, "+"), Number(op));
      else if (kind === "local") void answer(id, () => localOps.async[op]?.(argText) ?? Promise.reject(new Error("unknown operation")));
      else void answer(id, () => options.hostCall?.(op, argText) ?? Promise.reject(new Error("no host")));
    };
    const sync = (op: string, argText: string): string => {
      try {
        return `+${localOps.sync[op]?.(argText) ?? ""}`;
      } catch (error) {
        return `-${error instanceof Error ? error.message : "failed"}`;
      }
    };
    context.global.setSync("$send", new ivm.Callback(send, { ignored: true }));
    context.global.setSync("$sync", new ivm.Callback(sync));
    context.global.setSync("$kind", options.kind ?? "action");
    const exported: Reference<{ readonly deliver: (id: number, text: string) => void; readonly uncaughtErrors: () => string }> =
      context.evalSync(await webScript(), { reference: true });
    const web = new WebContext(isolate, context, exported.getSync("deliver", { reference: true }));
    context.global.setSync("$uncaught", exported.getSync("uncaughtErrors", { reference: true }).derefInto());
    made.web = web;
    return web;
  }

  /** Runs the body of an async function in the context, with `input` as `$input`; its result travels as JSON. */
  async run(body: string, input?: unknown): Promise<unknown> {
    const text: unknown = await this.#context.eval(
      `(async ($input) => JSON.stringify(await (async () => { ${body} })()))(${JSON.stringify(input)})`,
      { promise: true },
    );
    return typeof text === "string" ? JSON.parse(text) : undefined;
  }

  /** A context that is gone needs no answer. */
  private async answer(id: number, text: string): Promise<void> {
    await this.#deliver.apply(undefined, [id, text]).catch(() => undefined);
  }

  dispose(): void {
    this.isolate.dispose();
  }
}
