import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ATTEMPT, sameAsNode } from "./same-as-node.ts";
import { WebContext } from "./web-context.ts";

let context: WebContext;
beforeAll(async () => {
  context = await WebContext.make();
});
afterAll(() => context.dispose());

describe("structuredClone", () => {
  test("copies what can be copied", () =>
    sameAsNode(
      context,
      `
      const shown = (value, depth = 0) => {
        if (depth > 6) return "…";
        const tag = Object.prototype.toString.call(value);
        if (typeof value === "bigint") return ["bigint", String(value)];
        if (value === undefined || Object.is(value, -0) || Number.isNaN(value)) return String(Object.is(value, -0) ? "-0" : value);
        if (typeof value !== "object" || value === null) return value;
        if (value instanceof Map) return [tag, [...value].map((entry) => shown(entry, depth + 1))];
        if (value instanceof Set) return [tag, [...value].map((entry) => shown(entry, depth + 1))];
        if (value instanceof Date) return [tag, value.getTime()];
        if (value instanceof RegExp) return [tag, value.source, value.flags, value.lastIndex];
        if (value instanceof Error) return [tag, value.name, value.message, shown(value.cause, depth + 1), Object.getPrototypeOf(value).name];
        if (ArrayBuffer.isView(value)) return [tag, value.byteOffset, value.byteLength, [...new Uint8Array(value.buffer)]];
        if (value instanceof ArrayBuffer) return [tag, [...new Uint8Array(value)], value.resizable];
        if (value instanceof Boolean || value instanceof Number || value instanceof String) return [tag, value.valueOf()];
        return [tag, Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value), Object.entries(value).map(([key, entry]) => [key, shown(entry, depth + 1)]), Array.isArray(value) ? value.length : 0];
      };
      class Own { constructor() { this.a = 1; } get b() { return 2; } }
      const shared = { s: 1 }; const ring = { shared, list: [shared, , 3] }; ring.self = ring;
      const regex = /a/gi; regex.lastIndex = 3;
      const values = [1, "x", null, undefined, -0, NaN, 10n, true, new Date(5), new Date(NaN), regex, new Map([[{ k: 1 }, new Set([1, [2]])]]), [1, , 3], Object.assign([1], { extra: 2 }), { a: { b: [undefined] }, __proto__: { c: 1 } },
        JSON.parse('{"__proto__":1}'), new Own(), Object.create(null, { z: { value: 1, enumerable: true } }), new Error("e", { cause: new TypeError("t") }), new RangeError("r"), Object(1n), new Boolean(false), new Number(2), new String("s"),
        new Uint8Array([1, 2, 3]).subarray(1), new Float64Array([0.5]), new DataView(new ArrayBuffer(4), 1, 2), new ArrayBuffer(2), new BigInt64Array([5n]), { get g() { return 7; } }, (() => { const a = [1, 2, 3, 4]; a.length = 6; return a; })()];
      const cloned = structuredClone(ring);
      return [values.map((value) => shown(structuredClone(value))), cloned !== ring, cloned.self === cloned, cloned.shared === cloned.list[0], 1 in cloned.list];`,
    ));

  test("refuses what cannot", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const failing = [() => {}, Symbol("s"), { f() {} }, new WeakMap(), Promise.resolve(), [Symbol.iterator], new WeakRef({})];
      return [failing.map((value) => { try { structuredClone(value); return "cloned"; } catch (error) { return [error.name, error.code, error instanceof DOMException]; } }), attempt(() => structuredClone({ get g() { throw new RangeError("mine"); } })).error, attempt(() => structuredClone()).error];`,
    ));

  test("transfers", () =>
    sameAsNode(
      context,
      `const buffer = new Uint8Array([1, 2]).buffer; const copy = structuredClone({ buffer }, { transfer: [buffer] }); return [buffer.byteLength, [...new Uint8Array(copy.buffer)]];`,
    ));
});

test("DOMException", () =>
  sameAsNode(
    context,
    `
    const made = [new DOMException(), new DOMException("m"), new DOMException("m", "AbortError"), new DOMException("m", "Mine"), new DOMException("m", { name: "DataCloneError", cause: 7 }), new DOMException(undefined, undefined)];
    return [made.map((error) => [error.name, error.message, error.code, error.cause ?? null, String(error), Object.prototype.toString.call(error), error instanceof Error, typeof error.stack]),
      DOMException.ABORT_ERR, DOMException.prototype.INVALID_STATE_ERR, DOMException.URL_MISMATCH_ERR, DOMException.DATA_CLONE_ERR, DOMException.QUOTA_EXCEEDED_ERR, DOMException.name, DOMException.NO_DATA_ALLOWED_ERR];`,
  ));

describe("events", () => {
  test("targets and events", () =>
    sameAsNode(
      context,
      `
      const seen = []; const target = new EventTarget(); const log = (event) => seen.push(event.type + ":" + event.cancelable + ":" + (event.target === target));
      target.addEventListener("a", log); target.addEventListener("a", log); target.addEventListener("a", { handleEvent: (event) => seen.push("object " + event.type) }, { once: true });
      const controller = new AbortController(); target.addEventListener("a", () => seen.push("signalled"), { signal: controller.signal });
      const first = target.dispatchEvent(new Event("a")); controller.abort(); target.dispatchEvent(new Event("a"));
      target.removeEventListener("a", log); target.addEventListener("b", (event) => { event.preventDefault(); event.stopImmediatePropagation(); }); target.addEventListener("b", () => seen.push("never"));
      const second = target.dispatchEvent(new Event("b", { cancelable: true }));
      class Mine extends Event { constructor() { super("mine"); this.extra = 1; } } class Bus extends EventTarget {}
      const bus = new Bus(); let extra; bus.addEventListener("mine", (event) => { extra = [event.extra, event instanceof Mine, event instanceof Event]; }); bus.dispatchEvent(new Mine());
      const custom = new CustomEvent("c", { detail: { d: 1 } });
      return [seen, first, second, extra, custom.detail, custom instanceof Event, custom.type, new CustomEvent("x").detail, Object.prototype.toString.call(custom), Event.name];`,
    ));

  test("abort", () =>
    sameAsNode(
      context,
      `${ATTEMPT}
      const seen = []; const controller = new AbortController(); const { signal } = controller;
      const any = AbortSignal.any([signal, new AbortController().signal]); const nested = AbortSignal.any([any]);
      signal.onabort = (event) => seen.push("on " + event.type + " " + any.aborted); signal.addEventListener("abort", () => seen.push("listener")); nested.addEventListener("abort", () => seen.push("nested"));
      signal.throwIfAborted(); controller.abort("why"); controller.abort("again");
      const named = new AbortController(); named.abort(); const timeout = AbortSignal.timeout(5); await new Promise((resolve) => timeout.addEventListener("abort", resolve));
      return [seen, signal.aborted, signal.reason, nested.reason, any.reason, attempt(() => AbortSignal.abort().throwIfAborted()).error, named.signal.reason.name, named.signal.reason.message, timeout.reason.name, AbortSignal.any([AbortSignal.abort(3)]).reason,
        attempt(() => new AbortSignal()).error, Object.prototype.toString.call(signal), AbortSignal.abort(undefined).reason.code, signal instanceof EventTarget, controller.constructor.name];`,
    ));

  test("an error in a listener ends nothing but the call", async () => {
    const alone = await WebContext.make();
    expect(
      await alone.run(
        `const target = new EventTarget(); const seen = []; target.addEventListener("a", () => { throw new Error("lost"); }); target.addEventListener("a", () => seen.push(1)); target.dispatchEvent(new Event("a")); return [seen, JSON.parse($uncaught())];`,
      ),
    ).toEqual([[1], ["Error: lost"]]);
    alone.dispose();
  });
});

describe("timers", () => {
  test("run in order, with arguments, and can be cleared", () =>
    sameAsNode(
      context,
      `
      const seen = []; const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      setTimeout((a, b) => seen.push(a + b), 1, "x", "y"); clearTimeout(setTimeout(() => seen.push("never"), 1)); let turns = 0;
      const interval = setInterval(() => { seen.push("turn"); if (++turns === 3) clearInterval(interval); }, 2); queueMicrotask(() => seen.push("micro")); seen.push("sync"); clearTimeout(undefined); clearTimeout(9999);
      await wait(150); return seen;`,
    ));

  test("refuse in queries, with the documented words", async () => {
    const query = await WebContext.make({ kind: "query" });
    const refused = async (code: string): Promise<unknown> =>
      query.run(`try { await (async () => ${code})(); return "allowed"; } catch (error) { return error.message; }`);
    for (const [code, what] of [
      ["setTimeout(() => {})", "setTimeout"],
      ["setInterval(() => {})", "setInterval"],
      ["fetch('https://a')", "fetch()"],
      ["crypto.getRandomValues(new Uint8Array(1))", "crypto.getRandomValues()"],
      ["crypto.randomUUID()", "crypto.randomUUID()"],
      ["crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt'])", "crypto.subtle.generateKey()"],
      ["AbortSignal.timeout(1)", "AbortSignal.timeout"],
    ]) {
      expect(await refused(code ?? "")).toBe(`Can't use ${what} in queries and mutations.`);
    }
    query.dispose();
  });

  test("errors in callbacks end the call", async () => {
    const alone = await WebContext.make();
    expect(
      await alone.run(
        `setTimeout(() => { throw new TypeError("t"); }, 1); queueMicrotask(() => { throw new Error("m"); }); await new Promise((resolve) => setTimeout(resolve, 30)); return JSON.parse($uncaught());`,
      ),
    ).toEqual(["Error: m", "TypeError: t"]);
    alone.dispose();
  });
});

describe("AsyncLocalStorage", () => {
  test("follows synchronous code, promises, timers and one line of awaits", async () => {
    const alone = await WebContext.make();
    expect(
      await alone.run(`
        const als = new AsyncLocalStorage(); const other = new AsyncLocalStorage(); const seen = []; const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        seen.push(als.getStore() ?? null, als.run(1, () => als.getStore()), als.run(1, () => als.run(2, () => als.getStore())), als.exit(() => als.getStore() ?? null));
        await als.run("promise", () => Promise.resolve().then(() => seen.push(als.getStore())));
        als.run("timer", () => setTimeout(() => seen.push(als.getStore()), 1)); await wait(10);
        await als.run("await", async () => { await wait(1); seen.push(als.getStore()); await other.run("o", async () => { await null; seen.push(als.getStore() + other.getStore()); }); await als.run("inner", async () => { await wait(1); seen.push(als.getStore()); }); seen.push(als.getStore()); });
        seen.push(als.getStore() ?? null);
        const side = await Promise.all(["a", "b"].map((store) => als.run(store, async () => { await wait(1); return als.getStore() ?? null; })));
        const bound = als.run("bound", () => AsyncLocalStorage.bind(() => als.getStore())); const resource = als.run("res", () => new AsyncResource("R"));
        seen.push(side.includes("b") && side[0] === "b" ? "stranger" : "none", bound(), resource.runInAsyncScope(() => als.getStore()), new AsyncLocalStorage({ defaultValue: "d" }).getStore());
        return seen;`),
    ).toEqual([null, 1, 2, null, "promise", "timer", "await", "awaito", "inner", "await", null, "none", "bound", "res", "d"]);
    alone.dispose();
  });
});

test("performance", async () => {
  expect(
    await context.run(
      `const before = performance.now(); return [typeof before, before >= 0, performance.timeOrigin > 1e12, typeof performance.toJSON()];`,
    ),
  ).toEqual(["number", true, true, "object"]);
});
