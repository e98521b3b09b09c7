/**
 * Code that means harm, as far as the runner itself answers for it: each case says what becomes of the
 * call, and after each the runner serves on. Each runs twice: on the isolate's thread, as every unknown
 * function does, and on the main thread, as functions do that have been quick before.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Invocation, PeerOutcome, RunnerPeer } from "../conformance/runner-peer.ts";
import { startRunner } from "./test-version.ts";

/** Name → body of a query handler, run when its argument `armed` is true. */
const CASES: Readonly<
  Record<
    string,
    {
      readonly code: string;
      readonly kinds: readonly PeerOutcome["kind"][];
      readonly message?: string;
      readonly action?: boolean;
      /** The engine cannot be stopped there; the host ends the process. */ readonly killedOnMainThread?: boolean;
    }
  >
> = {
  "A05 regular expression that backtracks": { code: `/^(a+)+$/.test("a".repeat(40) + "b")`, kinds: ["timeout"] },
  "A09 promise that never settles": { code: `await new Promise(() => {})`, kinds: ["neverResolves"] },
  "A10 timers left behind": {
    code: `for (let i = 0; i < 500; i++) setTimeout(() => ctx.runQuery("a:b", {}), i); setInterval(() => console.log("late"), 1)`,
    kinds: ["result"],
    action: true,
  },
  "A10 more timers than may be": {
    code: `for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6)`,
    kinds: ["error", "timeout"],
    action: true,
  },
  "A12 looping getter of a thrown object": { code: `throw { get message() { for (;;); } }`, kinds: ["timeout"] },
  "A12 looping getters of a thrown error": {
    code: `throw Object.defineProperties(new Error(), { name: { get() { for (;;); } }, stack: { get() { for (;;); } } })`,
    kinds: ["timeout"],
  },
  "A12 looping toString of a thrown object": { code: `throw { message: { toString() { for (;;); } } }`, kinds: ["error", "timeout"] },
  "A13 looping prepareStackTrace": { code: `Error.prepareStackTrace = () => { for (;;); }; throw new Error("x")`, kinds: ["timeout"] },
  "A14 looping toJSON of a result": { code: `Object.prototype.toJSON = () => { for (;;); }; return { a: 1 }`, kinds: ["timeout", "error"] },
  "A14 looping then of a result": { code: `return { get then() { for (;;); } }`, kinds: ["timeout"] },
  "A14 looping trap of a result": {
    code: `return new Proxy({}, { ownKeys() { for (;;); }, getPrototypeOf() { for (;;); } })`,
    kinds: ["timeout"],
  },
  "A microtasks without end": { code: `for (;;) await 1`, kinds: ["timeout"] },
  "A waiting in WebAssembly": {
    // (memory 1 1 shared) (func (export "f") i32.const 0, i32.const 0, i64.const -1, memory.atomic.wait32, drop)
    code: `const bytes = Uint8Array.from([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,5,4,1,3,1,1,7,5,1,1,102,0,0,10,15,1,13,0,65,0,65,0,66,127,254,1,2,0,26,11]);
new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f()`,
    kinds: ["timeout", "error"],
  },
  "B04 text that doubles": { code: `let s = "x"; for (;;) s += s`, kinds: ["error", "outOfMemory"] },
  "B05 many buffers": { code: `const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1))`, kinds: ["error", "outOfMemory"] },
  "B06 growable buffer": {
    code: `const b = new ArrayBuffer(8, { maxByteLength: 2 ** 40 }); b.resize(2 ** 39)`,
    kinds: ["error", "outOfMemory", "result"],
  },
  "B09 recursion": { code: `const f = () => f() + 1; f()`, kinds: ["error"], message: "RangeError: Maximum call stack size exceeded" },
  "B09 recursion through native code": { code: `const f = () => [1].map(f); f()`, kinds: ["error"], message: "RangeError" },
  "B10 chain of proxies": {
    code: `let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); return p.a ?? 1`,
    kinds: ["error", "outOfMemory", "result"],
  },
  "J05 throws null": { code: `throw null`, kinds: ["error"], message: "null" },
  "J05 throws undefined": { code: `throw undefined`, kinds: ["error"], message: "undefined" },
  "J05 throws a symbol": { code: `throw Symbol("s")`, kinds: ["error"], message: "Symbol(s)" },
  "J05 throws a big integer": { code: `throw 5n`, kinds: ["error"], message: "5n" },
  "J05 throws a revoked proxy": { code: `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy`, kinds: ["error"] },
  "J05 throws a huge text": { code: `throw "y".repeat(1e7)`, kinds: ["error"] },
  "J05 throws without prototype": { code: `throw Object.create(null)`, kinds: ["error"] },
  "J06 returns a function": { code: `return () => 1`, kinds: ["error"] },
  "J06 returns a symbol": { code: `return Symbol("s")`, kinds: ["error"] },
  "J06 returns a cycle": { code: `const a = {}; a.a = a; return a`, kinds: ["error"] },
  "J06 returns a date": { code: `return new Date(0)`, kinds: ["error"] },
  "J06 returns a class instance": { code: `return new (class A { x = 1 })()`, kinds: ["error"] },
  "J09 imports at run time": { code: `await eval("import('./f.js')")`, kinds: ["error"] },
  "J09 imports from Node": { code: `const name = "node:fs"; await import(name)`, kinds: ["error"] },
  "J10 compiles code": {
    code: `return [eval("1 + 1"), new Function("return typeof process.exit + typeof require")()]`,
    kinds: ["result"],
    message: '[2.0,"undefinedundefined"]',
  },
  "J13 calls without awaiting": {
    code: `const all = []; for (let i = 0; i < 1e5; i++) all.push(ctx.db.get("x")); await Promise.all(all)`,
    kinds: ["error", "timeout"],
    message: "Too many calls wait for an answer",
  },
  "J04 breaks what it finds": {
    code: `for (const key of Reflect.ownKeys(globalThis)) try { delete globalThis[key]; } catch {}
Promise.prototype.then = Map.prototype.get = Array.prototype.push = JSON.parse = JSON.stringify = () => { throw 1; }; Object.freeze(globalThis); return 1`,
    kinds: ["result", "error"],
  },
  "J16 floods the console": {
    code: `const wide = Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => ["k" + i, { get g() { throw 1; } }])); wide.self = wide;
for (let i = 0; i < 1000; i++) console.log(wide, "z".repeat(1e5), [[[[[[wide]]]]]])`,
    kinds: ["result", "timeout"],
  },
  "J16 console of a hostile value": {
    code: `console.log(new Proxy({}, { ownKeys() { throw 1; }, getPrototypeOf() { throw 1; }, get() { throw 1; } }), { toString() { throw 1; } }, Object.create(null)); console.log("%s %d", { toString() { throw 1; } }, Symbol("s"))`,
    kinds: ["result", "error"],
  },
  "a rejection with a looping getter": {
    code: `Promise.reject({ get message() { for (;;); } }); await ctx.db.get("x")`,
    kinds: ["timeout"],
    killedOnMainThread: true,
  },
  "rejections left behind by a timeout": {
    code: `for (let i = 0; i < 10; i++) Promise.reject({ get message() { for (;;); } }); for (;;);`,
    kinds: ["timeout"],
  },
  "a timer that throws a looping getter": {
    code: `setTimeout(() => { throw { get message() { for (;;); } }; }, 1); await new Promise(() => {})`,
    kinds: ["timeout"],
    action: true,
  },
};

function moduleSource(): string {
  const functions = Object.values(CASES).map(({ code, action }, index) => {
    const wrap = action === true ? "actionGeneric" : "queryGeneric";
    return `export const c${index} = ${wrap}({ handler: async (ctx, { armed }) => { if (!armed) return null; ${code}; return null; } });`;
  });
  return `import { actionGeneric, queryGeneric } from "convex/server";
export const ok = queryGeneric({ handler: async () => "ok" });
${functions.join("\n")}`;
}

const RESULT_CASES = new Set(["J10 compiles code"]);

describe("abuse", () => {
  let peer: RunnerPeer;
  const limits = { cpuMs: 250, wallMs: 60_000 };
  /** For what something else than time has to end, also on a busy machine. */
  const patientLimits = { cpuMs: 20_000, wallMs: 60_000 };
  /** After its limit a call ends by itself within this time, also on a busy machine. */
  const lateMs = 10_000;
  /** When the host gives up what cannot end by itself. */
  const hangsMs = 5000;
  let alive = false;
  beforeEach(async () => {
    if (alive) return;
    peer = await startRunner({ f: moduleSource() });
    alive = true;
    void peer.exited.then(() => {
      alive = false;
    });
  });
  afterAll(() => peer.close());

  /** As the host does: a runner that does not end a call in time is killed. */
  const watched = async (call: Invocation, killedAfterMs: number): Promise<PeerOutcome> => {
    const watchdog = setTimeout(() => peer.process.kill("SIGKILL"), killedAfterMs);
    return peer.invoke(call).finally(() => clearTimeout(watchdog));
  };

  const expectServing = async (): Promise<void> => {
    expect(await peer.invoke({ version: "v", path: "f:ok" })).toMatchObject({ kind: "result", text: '"ok"' });
    expect(peer.strays).toEqual([]);
  };

  for (const mode of ["on the isolate's thread", "on the main thread"]) {
    describe(mode, () => {
      Object.entries(CASES).forEach(([name, { kinds, message, action, killedOnMainThread }], index) => {
        test(name, async () => {
          const ends = kinds.includes("timeout") ? limits : patientLimits;
          const call = {
            version: "v",
            path: `f:c${index}`,
            kind: action === true ? ("action" as const) : ("query" as const),
            limits: ends,
          };
          if (mode === "on the main thread")
            for (let i = 0; i < 3; i++) expect((await peer.invoke({ ...call, args: { armed: false } })).kind).toBe("result");
          if (mode === "on the main thread" && killedOnMainThread === true) {
            await expect(watched({ ...call, args: { armed: true } }, hangsMs)).rejects.toThrow("the runner ended");
            return;
          }
          const outcome = await watched({ ...call, args: { armed: true }, answer: () => new Promise(() => {}) }, ends.cpuMs + lateMs);
          expect(kinds, JSON.stringify(outcome).slice(0, 300)).toContain(outcome.kind);
          if (message !== undefined && outcome.kind !== "timeout") {
            const text = outcome.kind === "result" ? outcome.text : outcome.failure.message;
            expect(text).toContain(RESULT_CASES.has(name) ? message.replace("2.0", "2") : message);
          }
          await expectServing();
        });
      });
    });
  }

  test("A02 a module that loops when it is evaluated", async () => {
    const other = await startRunner({ loop: "for (;;);", f: moduleSource() });
    for (let i = 0; i < 3; i++) expect((await other.invoke({ version: "v", path: "loop:x", limits })).kind).toBe("timeout");
    expect((await other.invoke({ version: "v", kind: "analyze", limits })).kind).toBe("timeout");
    expect((await other.invoke({ version: "v", path: "f:ok" })).kind).toBe("result");
    await other.close();
  });
});

const BORDER = `
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
/** Everything that can be reached from the global object. */
function walk() {
  const seen = new Set(), queue = [[globalThis, "globalThis"]], functions = new Set(), found = [];
  while (queue.length > 0 && seen.size < 20000) {
    const [value, path] = queue.pop();
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    if (typeof value === "function") functions.add(Object.getPrototypeOf(Object.getPrototypeOf(value) ?? value));
    const name = Object.prototype.toString.call(value) + (typeof value === "function" ? value.name : "") + (value.constructor?.name ?? "");
    if (/\\bReference(?!Error)|ExternalCopy|Callback|Isolate|Dereference|LibraryHandle/.test(name)) found.push(path + " " + name);
    try { queue.push([Object.getPrototypeOf(value), path + ".__proto__"]); } catch {}
    for (const key of Reflect.ownKeys(value)) {
      let property; try { property = Object.getOwnPropertyDescriptor(value, key); } catch { continue; }
      for (const part of ["value", "get", "set"]) if (property?.[part] !== undefined) queue.push([property[part], path + "." + String(key)]);
    }
  }
  return { size: seen.size, found };
}
export const reach = actionGeneric({ handler: async (ctx, { names }) => { for (const name of names) void globalThis[name]; return walk(); } });
export const realms = actionGeneric({ handler: async (ctx, { names }) => {
  const strange = [];
  for (const name of names) {
    const value = globalThis[name];
    for (const each of [value, value?.prototype, ...Object.values(value ?? {})]) {
      if (typeof each !== "function") continue;
      let at = each; while (Object.getPrototypeOf(at) !== null) at = Object.getPrototypeOf(at);
      if (at !== Object.prototype) strange.push(name);
      if (each.constructor !== Function && !(each instanceof Function)) strange.push(name + " constructor");
    }
  }
  return [strange, Function("return typeof process.exit + typeof require + typeof Buffer + typeof global")()];
} });
export const frames = queryGeneric({ handler: async (ctx) => {
  const found = [];
  Error.prepareStackTrace = (_error, sites) => sites.map((site) => [typeof site.getThis(), typeof site.getFunction(), site.getFileName()]);
  const grab = () => { for (const [self, fn, file] of new Error().stack) if (file === "plinth:guest" && (self !== "undefined" || fn !== "undefined")) found.push([self, fn, file]); };
  const hooks = { get query() { grab(); return { source: {}, operators: [] }; } };
  grab(); Object.defineProperty(Object.prototype, "operators", { get() { grab(); return []; }, configurable: true });
  try { Convex.syscall("1.0/queryStream", JSON.stringify({ query: {} })); } catch {}
  try { Convex.syscall({ toString() { grab(); return "x"; } }, { toString() { grab(); return "{}"; } }); } catch {}
  try { await Convex.asyncSyscall({ toString() { grab(); return "1.0/get"; } }, { toString() { grab(); return "{}"; } }); } catch {}
  return found;
} });
export const keys = queryGeneric({ handler: async (_ctx, args) => [Object.keys(args.value), ({}).polluted ?? null] });
export const mark = queryGeneric({ handler: async () => {
  const found = [globalThis.mark, Array.prototype.mark, Promise.prototype.mark, Math.mark, console.mark, process.env.mark].filter((each) => each !== undefined).length;
  for (const each of [globalThis, Array.prototype, Promise.prototype, Math, console, process.env]) Object.defineProperty(each, "mark", { value: "1", configurable: true });
  return found;
} });
export const markToo = queryGeneric({ handler: async () => [globalThis.mark, Array.prototype.mark, Math.mark].filter((each) => each !== undefined).length });
let poisons = 0;
/** Watches what the guest does with everything that user code can replace, and what passes there. */
export const poison = mutationGeneric({ handler: async () => {
  if (poisons++ > 0) return poisons - 1;
  const passed = globalThis.passed = [];
  const text = Function.prototype.toString, run = Reflect.apply, describe = Object.getOwnPropertyDescriptor;
  let busy = false;
  const note = (each) => {
    if (busy || typeof each !== "function") return;
    busy = true;
    try { if (each.length !== 1 && each !== native.get(each) && /native code/.test(run(text, each, []))) passed[passed.length] = each.name + each.length; } finally { busy = false; }
  };
  const native = new Map();
  for (const [object, names] of [
    [String.prototype, ["slice", "startsWith", "endsWith", "lastIndexOf", "replace", "includes"]], [Array.prototype, ["push", "slice", "join", "map"]],
    [Promise.prototype, ["then"]], [JSON, ["parse", "stringify"]], [Math, ["imul", "trunc", "min", "max"]], [Function.prototype, ["apply", "call", "bind"]],
    [Object, ["defineProperty", "getOwnPropertyDescriptor", "hasOwn"]], [Reflect, ["deleteProperty", "get", "ownKeys"]],
  ]) for (const name of names) {
    const own = object[name], construct = Reflect.construct;
    native.set(own, own);
    const watched = function (...args) { note(this); for (let i = 0; i < args.length; i++) note(args[i]); return new.target === undefined ? run(own, this, args) : construct(own, args); };
    for (const key of Reflect.ownKeys(own)) if (key !== "name" && key !== "length") try { Object.defineProperty(watched, key, describe(own, key)); } catch {}
    object[name] = watched;
  }
  for (const name of ["phase", "settings", "post", "observed", "resolve", "kind", "seed", "__plinthModules"])
    Object.defineProperty(Object.prototype, name, { set(value) { note(value); note(this); Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true }); }, get() { return undefined; }, configurable: true });
  passed.length = 0;
  return 0;
} });
export const poisoned = mutationGeneric({ handler: async () => globalThis.passed ?? null });
export const late = actionGeneric({ handler: async (ctx) => { void (async () => { for (;;) { await new Promise((r) => setTimeout(r, 1)); console.log("late"); await ctx.runQuery("a:b", {}); } })(); return 1; } });
`;

describe("the isolate's border", () => {
  let peer: RunnerPeer;
  const value = async (path: string, options: object = {}): Promise<unknown> => {
    const outcome = await peer.invoke({ version: "v", path: `f:${path}`, limits: { cpuMs: 20_000, wallMs: 60_000 }, ...options });
    if (outcome.kind !== "result") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.text);
  };
  beforeAll(async () => {
    peer = await startRunner({ f: BORDER });
  });
  afterAll(() => peer.close());

  test("J01 J02 nothing of the runner can be reached from the globals", async () => {
    const { webGlobalNames } = await import("./test-names.ts");
    const names = webGlobalNames();
    const seen = (await value("reach", { kind: "action", args: { names } })) as { size: number; found: unknown };
    expect(seen.found).toEqual([]);
    expect(seen.size).toBeGreaterThan(1000);
    expect(await value("realms", { kind: "action", args: { names } })).toEqual([[], "undefinedundefinedundefinedundefined"]);
  });

  test("J01 frames of the guest give away neither functions nor receivers", async () => {
    expect(await value("frames", { answer: () => "null" })).toEqual([]);
  });

  test("J08 names of prototypes are data", async () => {
    const outcome = await peer.invoke({
      version: "v",
      path: "f:keys",
      args: '[{"value":{"__proto__":{"polluted":1},"constructor":1,"prototype":2}}]',
    });
    expect(outcome.kind === "result" ? outcome.text : "").toContain('"constructor","prototype"');
    expect(outcome.kind === "result" ? outcome.text : "").toMatch(/null\]$/);
  });

  test("J12 what a call does after its end is dropped", async () => {
    const outcome = await peer.invoke({ version: "v", kind: "action", path: "f:late", answer: () => "1" });
    expect(outcome).toMatchObject({ kind: "result", text: "1" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(peer.strays).toEqual([]);
  });

  test("K01 K02 what a call does to its context reaches no call but those that share it, and gives them nothing", async () => {
    const contextOf = { key: "hostile", isAnew: false, own: [] };
    const hostile = { kind: "mutation", contextOf, answer: () => "null" } as const;
    const first = await peer.invoke({ version: "v", path: "f:poison", ...hostile });
    expect(first.kind === "result" ? first.text : first.failure).toBe("0");
    const second = await peer.invoke({ version: "v", path: "f:poison", ...hostile });
    expect(second.kind === "result" ? second.text : second.failure).toBe("1");
    // Nothing of the runner came through what was replaced: no function of its, and of the settings only texts.
    expect(await value("poisoned", { ...hostile })).toEqual([]);
    for (const rest of [{}, { contextOf: { ...contextOf, key: "other" } }])
      expect(await value("poisoned", { ...hostile, contextOf: undefined, ...rest })).toBe(null);
    expect(await value("keys", { args: { value: { a: 1 } } })).toBeTruthy();
    expect(peer.strays).toEqual([]);
  });

  test("K01 K02 a call finds nothing of another, on either thread and in contexts made ahead", async () => {
    for (let i = 0; i < 8; i++) {
      expect(await value("mark")).toBe(0);
      if (i % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await value("markToo")).toBe(0);
    }
    const counts = await Promise.all(Array.from({ length: 20 }, (_, i) => value(i % 2 === 0 ? "mark" : "markToo")));
    expect(counts).toEqual(Array.from({ length: 20 }, () => 0));
  });
});
