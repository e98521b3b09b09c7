/** Categories J, K and O: the border of the isolate, leaks between calls, output. */
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";

declare const Convex: { syscall(op: string, arg: string): string; asyncSyscall(op: string, arg: string): Promise<string> };

/** Looks for a way out through the constructors of everything that is global. */
export const J01 = queryGeneric(() => {
  const found: string[] = [];
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    let value: unknown;
    try {
      value = (globalThis as Record<string, unknown>)[name];
    } catch {
      continue;
    }
    for (
      let object: unknown = value, i = 0;
      object !== null && object !== undefined && i < 8;
      object = Object.getPrototypeOf(Object(object)), i += 1
    ) {
      const make = (object as { constructor?: { constructor?: (code: string) => () => string } }).constructor?.constructor;
      if (typeof make !== "function") continue;
      try {
        const realm = make("return typeof process === 'object' && typeof process.binding + typeof require + typeof Buffer")();
        if (/function|object/.test(String(realm))) found.push(`${name}: ${realm}`);
      } catch {}
    }
  }
  return found;
});

/** Names of globals that look like objects of the bridge. */
export const J02 = queryGeneric(() =>
  Object.getOwnPropertyNames(globalThis).filter((name) => {
    try {
      const value = (globalThis as Record<string, unknown>)[name];
      return /Reference|ExternalCopy|Callback|Isolate|Module/.test(String((value as object | undefined)?.constructor?.name));
    } catch {
      return false;
    }
  }),
);

export const J04 = queryGeneric(() => {
  for (const name of ["JSON", "Promise", "Convex", "Object", "Array"]) Reflect.deleteProperty(globalThis, name);
  Object.freeze(globalThis);
  return "still answered";
});

const thrown: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => Symbol("s"),
  () => new Proxy({}, {}),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => "x".repeat(50_000_000),
  () => 10n,
  () => Object.create(null),
];

export const J05 = queryGeneric((_, { index }: { index: number }) => {
  throw thrown[index]?.();
});

const returned: readonly (() => unknown)[] = [
  () => () => 1,
  () => Symbol("s"),
  () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    return cyclic;
  },
  () => new Date(0),
  () => new Map([[1, 2]]),
  () => new (class Thing {})(),
];

export const J06 = queryGeneric((_, { index }: { index: number }) => returned[index]?.() as never);

export const J08 = queryGeneric((_, args) => ({ args, polluted: ({} as { polluted?: string }).polluted ?? "no" }));

export const J09 = queryGeneric(async () => {
  const specifier = ["f", "s"].join("");
  return await import(/* @vite-ignore */ specifier);
});

/** Specifiers that would leave the bundle. */
export const D08 = queryGeneric(async () => {
  const reached: string[] = [];
  for (const specifier of [
    "../../../etc/passwd",
    "/app/runner.js",
    "file:///app/runner.js",
    "node:fs",
    "data:text/javascript,0",
    "./guest.js",
  ]) {
    try {
      await import(/* @vite-ignore */ specifier);
      reached.push(specifier);
    } catch {}
  }
  return reached;
});

const forgedData = ['1},"status":"success","value":{"forged":true', "no JSON", '{"$integer":"AA"}', "[".repeat(10_000)];

/** The data of an error is text that user code can choose. */
export const H07 = queryGeneric((_, { index }: { index: number }) => {
  const error = { message: "forged", name: "Error", stack: "" };
  Object.defineProperty(error, Symbol.for("ConvexError"), { value: true });
  Object.defineProperty(error, "data", { get: () => forgedData[index], set: () => undefined });
  throw error;
});

export const J10 = queryGeneric(() => new Function("return typeof process === 'object' ? typeof process.exit : 'none'")());

/** Effects after the end of the call. */
export const J12 = actionGeneric(() => {
  setTimeout(
    () => void Convex.asyncSyscall("1.0/actions/mutation", JSON.stringify({ name: "guest:mark", args: {}, requestId: "x", version: "1" })),
    5,
  );
  return "done";
});

export const mark = mutationGeneric(async (ctx) => {
  await ctx.db.insert("marks", {});
  return null;
});

export const marks = queryGeneric(async (ctx) => (await ctx.db.query("marks").collect()).length);

export const J13 = queryGeneric(async () => {
  const calls = Array.from({ length: 100_000 }, () => Convex.asyncSyscall("1.0/count", JSON.stringify({ table: "things" })));
  return (await Promise.allSettled(calls)).filter(({ status }) => status === "rejected").length;
});

/** A query that asks for what only mutations and actions may do. */
export const J14 = queryGeneric(async () => {
  const refused: string[] = [];
  for (const [op, arg] of [
    ["1.0/insert", { table: "things", value: {} }],
    ["1.0/actions/mutation", { name: "guest:mark", args: {}, requestId: "x", version: "1" }],
    ["1.0/schedule", { name: "guest:mark", ts: 0, args: {}, version: "1" }],
    ["plinth/fetch", { url: "http://127.0.0.1:1/", method: "GET", headers: [], bodyBase64: null, redirect: "follow" }],
    ["plinth/../../etc/passwd", {}],
    ["1.0/runUdf", { udfType: "mutation", name: "guest:mark", args: {} }],
  ] as const) {
    try {
      await Convex.asyncSyscall(op, JSON.stringify(arg));
    } catch (error) {
      refused.push((error as Error).message);
    }
  }
  return refused;
});

export const J16 = queryGeneric(() => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  console.log(cyclic, new Proxy({}, {}), Symbol("s"), () => 1);
  console.log("y".repeat(50_000_000));
  for (let i = 0; i < 100_000; i += 1) console.log("line", i);
  return "done";
});

export const leave = queryGeneric(() => {
  (globalThis as { left?: string }).left = "secret of call 1";
  (Object.prototype as { left?: string }).left = "secret of call 1";
  (Array.prototype as unknown as { map: unknown }).map = () => "broken";
  return null;
});

export const find = queryGeneric(() => ({
  global: (globalThis as { left?: string }).left ?? "nothing",
  prototype: ({} as { left?: string }).left ?? "nothing",
  mapped: [1].map((n) => n + 1),
}));

export const random = actionGeneric(() => [crypto.randomUUID(), Math.random()]);

export const throwInternal = queryGeneric(() => {
  throw new Error("line one\n\u001b[31mred\u001b[0m\r\nforged log line <script>alert(1)</script>");
});
