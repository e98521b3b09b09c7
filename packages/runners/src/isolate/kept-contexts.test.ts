/** Contexts that calls share: what the next call finds of the one before, and what it must not find. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InvokeEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import { type CallAnswerer, envelopeOf, type Invocation, type PeerOutcome, type RunnerPeer } from "../conformance/runner-peer.ts";
import { KEEP_MS, KEPT_CONTEXTS_MAX, KeptContexts } from "./kept-contexts.ts";
import { startRunner } from "./test-version.ts";

const FUNCTIONS = `
import { mutationGeneric, queryGeneric } from "convex/server";
let calls = 0;
export const count = mutationGeneric({ handler: async () => ++calls });
export const countInQuery = queryGeneric({ handler: async () => ++calls });
export const countSpinning = mutationGeneric({ handler: async (_ctx, { spin }) => { const seen = ++calls; while (spin); return seen; } });
export const countThrowing = mutationGeneric({ handler: async (_ctx, { fails }) => { const seen = ++calls; if (fails) throw new Error("no"); return seen; } });
export const countRejecting = mutationGeneric({ handler: async (_ctx, { rejects }) => { const seen = ++calls; if (rejects) Promise.reject(new Error("no")); return seen; } });
export const countClosing = mutationGeneric({ handler: async (ctx) => { for await (const _row of ctx.db.query("t")) break; return ++calls; } });
export const countLarge = mutationGeneric({ handler: async (_ctx, { chars }) => [++calls, "x".repeat(chars)] });
export const leave = mutationGeneric({ handler: async (ctx, { how }) => {
  calls++;
  if (how === "hostCall") ctx.db.insert("t", {}).then(() => { console.log("late"); return ctx.db.insert("t", { late: true }); });
  if (how === "digest") crypto.subtle.digest("SHA-256", new Uint8Array(1)).then(() => ctx.db.insert("t", { late: true }));
  if (how === "compile") WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => ctx.db.insert("t", { late: true }));
  if (how === "storage") { globalThis.storage = new AsyncLocalStorage(); storage.run("of the first", () => new Promise(() => {})); }
  if (how === "frozen") { process.env; Object.freeze(globalThis); }
  if (how === "microtasks") { let turns = 0; const again = () => { if (turns++ < 500) Promise.resolve().then(again); else { console.log("late"); ctx.db.insert("t", { late: true }).catch(() => {}); } }; again(); }
  return calls;
} });
export const everything = mutationGeneric({ handler: async (ctx, { id }) => {
  console.log("a", calls); console.count(); console.count("x"); console.group("g"); console.log("inside"); console.time();
  const rows = await ctx.db.query("t").collect();
  await ctx.db.insert("t", { n: Math.random() });
  return {
    rows: rows.length, randoms: [Math.random(), Math.random()], now: Date.now(), date: new Date().toISOString(), elapsed: performance.now(), origin: performance.timeOrigin,
    temporal: Temporal.Now.instant().toString(), intl: new Intl.DateTimeFormat("en-US", { timeStyle: "long" }).format(),
    id: ctx.db.normalizeId("t", id), env: { ...process.env }, snapshot: await ctx.meta.getSnapshotTs(),
  };
} });
export const many = mutationGeneric({ handler: async () => { for (let i = 0; i < 6; i++) console.log(i); return null; } });
export const key = mutationGeneric({ handler: async () => [process.env.STEP, ++calls] });
`;

const OTHERS = {
  other: `
import { mutationGeneric } from "convex/server";
const imported = { random: Math.random(), now: Date.now() };
let logged = false; try { Convex.asyncSyscall("1.0/get", "{}"); } catch { logged = true; }
export const look = mutationGeneric({ handler: async () => ({ imported, logged, random: Math.random() }) });`,
  variables: `
import { mutationGeneric } from "convex/server";
const early = process.env.STEP; let calls = 0;
export const key = mutationGeneric({ handler: async () => [early, process.env.STEP, ++calls] });`,
};

const MUTATION = { version: "v", kind: "mutation" } as const;
const of = (key: string, isAnew = false) => ({ key, isAnew, own: ["STEP"] });

/** Serves an empty table. */
const empty: CallAnswerer = (op) => (op === "plinth/queryNext" ? '{"rows":[],"done":true}' : '{"_id":"x"}');

describe("contexts that calls share", () => {
  let peer: RunnerPeer;
  const run = (path: string, rest: Partial<Invocation> = {}): Promise<PeerOutcome> =>
    peer.invoke({ ...MUTATION, path: path.includes(":") ? path : `f:${path}`, answer: empty, ...rest });
  const value = async (path: string, rest: Partial<Invocation> = {}): Promise<unknown> => {
    const outcome = await run(path, rest);
    if (outcome.kind !== "result") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.text);
  };
  /** Whether a call under the key comes into the context of a call before it. */
  const isKept = async (key: string): Promise<boolean> => ((await value("count", { contextOf: of(key) })) as number) > 1;

  beforeAll(async () => {
    peer = await startRunner({ f: FUNCTIONS, ...OTHERS });
    // Functions run on the isolate's thread until they are known to be quick; the tests want both ways.
    for (let i = 0; i < 3; i++) await value("count");
  });
  afterAll(() => peer.close());

  test("a call finds the state of modules as another one of its key left it, and no other call does", async () => {
    const a = of("a");
    expect(await value("count", { contextOf: a })).toBe(1);
    expect(await value("count", { contextOf: a })).toBe(2);
    expect(await value("count", { contextOf: of("b") })).toBe(1);
    expect(await value("count")).toBe(1);
    expect(await value("count", { contextOf: a })).toBe(3);
    expect(await value("countInQuery", { kind: "query", contextOf: of("query") })).toBe(1);
    expect(await value("countInQuery", { kind: "query", contextOf: of("query") })).toBe(1);
  });

  test("a call that begins anew gives up what was kept, and may leave its own", async () => {
    await value("count", { contextOf: of("anew") });
    expect(await value("count", { contextOf: of("anew", true) })).toBe(1);
    expect(await value("count", { contextOf: of("anew") })).toBe(2);
  });

  test("calls at the same time have contexts of their own", async () => {
    await value("count", { contextOf: of("both") });
    const counts = await Promise.all([1, 2].map(() => value("countClosing", { contextOf: of("both") })));
    expect(new Set(counts)).toEqual(new Set([1, 2]));
  });

  test("other variables than the call's own make another context", async () => {
    const contextOf = of("variables");
    expect(await value("key", { contextOf, env: { STEP: "1", A: "a" } })).toEqual(["1", 1]);
    expect(await value("key", { contextOf, env: { A: "a", STEP: "2" } })).toEqual(["2", 2]);
    expect(await value("key", { contextOf, env: { STEP: "3", A: "changed" } })).toEqual(["3", 1]);
    // A module that read a variable while it was imported has it for ever.
    for (const STEP of ["1", "2"]) expect(await value("variables:key", { contextOf, env: { STEP } })).toEqual([STEP, STEP, 1]);
    expect(await value("variables:key", { contextOf, env: { STEP: "2" } })).toEqual(["2", "2", 2]);
  });

  test("the second call is as in a fresh context in all but the state of modules", async () => {
    const rest = {
      args: { id: "x" },
      seed: "0f".repeat(16),
      nowMs: 1_600_000_000_000,
      tables: { t: 10001 },
      env: { STEP: "2" },
      snapshotNs: "1750000000123456789",
    };
    const { ms: _, ...fresh } = await run("everything", rest);
    expect(fresh.kind).toBe("result");
    const shared = { ...rest, contextOf: of("everything") };
    await run("everything", {
      ...shared,
      seed: "a".repeat(32),
      nowMs: 5,
      env: { STEP: "1", OWN: "1" },
      contextOf: { ...shared.contextOf, own: ["STEP", "OWN"] },
    });
    await value("count", shared);
    const { ms: __, ...second } = await run("everything", shared);
    const calls = second.logs.map(({ text }) => text);
    expect(calls[0]).toBe("a 1");
    const same = (outcome: object): unknown =>
      JSON.parse(
        JSON.stringify(outcome)
          .replace('"a 1"', '"a 0"')
          .replace(/"call":\d+|"heapBytes":\d+/g, '"_":0'),
      );
    expect(same(second)).toEqual(same(fresh));
  });

  test("the lines of a call count from none", async () => {
    const limits = { logLines: 4 };
    for (let i = 0; i < 2; i++) {
      const { logs } = await run("many", { contextOf: of("lines"), limits });
      expect(logs.map(({ text }) => text)).toEqual(["0", "1", "2", "3", expect.stringContaining("2 more lines") as string]);
    }
  });

  test("another module is imported with the clock and the numbers of imports", async () => {
    const fresh = await value("other:look");
    await value("count", { contextOf: of("modules") });
    expect(await value("other:look", { contextOf: of("modules") })).toEqual(fresh);
    expect(await isKept("modules")).toBe(true);
  });

  test.each(["hostCall", "digest", "compile", "storage", "frozen"])(
    "a call that leaves something behind leaves no context: %s",
    async (how) => {
      const answer: CallAnswerer = (op) =>
        op === "1.0/insert" ? new Promise((resolve) => setTimeout(resolve, 20, '{"_id":"x"}')) : empty(op, "", 0);
      const first = await run("leave", { args: { how }, contextOf: of(how), answer });
      expect(first).toMatchObject({ kind: "result", text: "1" });
      const second = await run("count", { contextOf: of(how) });
      expect(second).toMatchObject({ kind: "result", text: "1", logs: [], calls: [] });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await run("count", { contextOf: of(how) })).toMatchObject({ kind: "result", text: "2", logs: [], calls: [] });
      expect(peer.strays).toEqual([]);
    },
  );

  test("what goes on after the result has ended when the next call comes", async () => {
    expect(await run("leave", { args: { how: "microtasks" }, contextOf: of("microtasks") })).toMatchObject({
      kind: "result",
      logs: [],
      calls: [],
    });
    expect(await run("count", { contextOf: of("microtasks") })).toMatchObject({ text: "2", logs: [], calls: [] });
    expect(peer.strays).toEqual([]);
  });

  test("calls that fail, time out or are refused leave no context", async () => {
    expect((await run("countThrowing", { args: { fails: true }, contextOf: of("fails") })).kind).toBe("error");
    expect(await value("countThrowing", { args: { fails: false }, contextOf: of("fails") })).toBe(1);
    expect((await run("countRejecting", { args: { rejects: true }, contextOf: of("rejects") })).kind).toBe("error");
    expect(await isKept("rejects")).toBe(false);
    expect((await run("countLarge", { args: { chars: 2000 }, limits: { resultBytes: 1000 }, contextOf: of("large") })).kind).toBe("error");
    expect(await isKept("large")).toBe(false);
    const spin = { contextOf: of("spins"), limits: { cpuMs: 100 } };
    expect((await run("countSpinning", { args: { spin: true }, ...spin })).kind).toBe("timeout");
    expect(await value("countSpinning", { args: { spin: false }, ...spin })).toBe(1);
  });

  test("closing a query that was not read to its end leaves nothing behind", async () => {
    const answer: CallAnswerer = (op) => (op === "plinth/queryClose" ? new Promise(() => {}) : '{"rows":[{"_id":"x"}],"done":false}');
    await value("countClosing", { contextOf: of("closing"), answer });
    expect(await value("countClosing", { contextOf: of("closing"), answer })).toBe(2);
  });

  test("a runner that rests keeps none", async () => {
    await value("count", { contextOf: of("time") });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await isKept("time")).toBe(false);
  });
});

/** A context that only tells whether it was released. */
function contextOf(digest: string) {
  const context = {
    digest,
    environmentRead: undefined,
    isReleased: false,
    leave: () => undefined,
    release: () => {
      context.isReleased = true;
    },
  };
  return context;
}

describe("what is kept", () => {
  const envelope = (key: string, version = "v"): InvokeEnvelope => envelopeOf(1, { ...MUTATION, version, contextOf: of(key) });

  test("so many contexts at most, and those of last use stay", () => {
    const kept = new KeptContexts<ReturnType<typeof contextOf>>();
    const all = Array.from({ length: KEPT_CONTEXTS_MAX + 3 }, () => contextOf("v"));
    for (const [i, context] of all.entries()) {
      kept.keep(context, envelope(`${i}`));
      const first = kept.take(envelope("0"));
      if (first !== undefined) kept.keep(first, envelope("0"));
    }
    expect(all.filter(({ isReleased }) => isReleased)).toEqual(all.slice(1, 4));
    expect(kept.take(envelope("0"))).toBe(all[0]);
    expect(kept.take(envelope("0"))).toBeUndefined();
  });

  test("each for a short time", () => {
    const kept = new KeptContexts<ReturnType<typeof contextOf>>();
    const context = contextOf("v");
    kept.keep(context, envelope("a"));
    kept.expire(performance.now());
    expect(context.isReleased).toBe(false);
    kept.expire(performance.now() + KEEP_MS);
    expect([context.isReleased, kept.take(envelope("a"))]).toEqual([true, undefined]);
  });

  test("nothing of a version that is unloaded, and nothing for calls of another one", () => {
    const kept = new KeptContexts<ReturnType<typeof contextOf>>();
    const [a, b, c] = [contextOf("v"), contextOf("w"), contextOf("w")];
    kept.keep(a, envelope("a"));
    kept.keep(b, envelope("b", "w"));
    kept.keep(c, envelope("c", "w"));
    kept.forget("v");
    expect([a.isReleased, b.isReleased]).toEqual([true, false]);
    expect(kept.take(envelope("b", "v"))).toBeUndefined();
    expect([b.isReleased, c.isReleased]).toEqual([true, false]);
  });
});
