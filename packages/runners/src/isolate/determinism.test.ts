/** The same call with the same seed, time and answers runs the same way; nothing shows the machine. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunnerPeer, TEST_NOW_MS } from "../conformance/runner-peer.ts";
import { webGlobalNames } from "./test-names.ts";
import { startRunner } from "./test-version.ts";

const SOURCE = `
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
const imported = { random: Math.random(), now: Date.now(), elapsed: performance.now() };
const draw = () => ({
  imported,
  randoms: Array.from({ length: 5 }, () => Math.random()),
  now: Date.now(), date: new Date().toISOString(), called: Date(), elapsed: performance.now(),
  extended: new (class extends Date {})().getTime(), given: new Date(5).getTime(), parts: new Date(2020, 1, 3, 4).toISOString(),
  intl: new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "long" }).format(),
  intlParts: new Intl.DateTimeFormat("en-US").formatToParts().map(({ value }) => value).join(""),
  given2: new Intl.DateTimeFormat("en-US").format(new Date(0)),
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone, offset: new Date().getTimezoneOffset(), locale: Intl.NumberFormat().resolvedOptions().locale,
  instant: Temporal.Now.instant().toString(), zoned: Temporal.Now.zonedDateTimeISO().toString(), plain: Temporal.Now.plainDateTimeISO("Asia/Tokyo").toString(),
  day: Temporal.Now.plainDateISO().toString(), time: Temporal.Now.plainTimeISO().toString(), zoneId: Temporal.Now.timeZoneId(),
  is: new Date() instanceof Date && Date.prototype.constructor === Date && Date.name === "Date" && Date.length === 7,
  arithmetic: Temporal.PlainDate.from("2024-02-29").add({ years: 1 }).toString() + Temporal.Duration.from("P1DT2H").toString(),
});
export const query = queryGeneric({ handler: async () => draw() });
export const mutation = mutationGeneric({ handler: async () => draw() });
export const later = queryGeneric({ handler: async (ctx) => { const a = [Date.now(), performance.now()]; await ctx.db.get("x"); return a[0] === Date.now() && a[1] === performance.now(); } });
export const action = actionGeneric({ handler: async (ctx) => { const a = Date.now(), b = performance.now(); await new Promise((resolve) => setTimeout(resolve, 30)); return { a, now: Date.now(), waited: Date.now() - a, elapsed: performance.now() - b, temporal: Temporal.Now.instant().epochMilliseconds, imported }; } });
export const weak = queryGeneric({ handler: async () => {
  const ref = new WeakRef({ a: 1 });
  const registry = new FinalizationRegistry(() => {}); registry.register({}, 1);
  const junk = []; for (let i = 0; i < 300; i++) junk.push(new Array(10000).fill(i));
  return [ref.deref()?.a, registry.unregister({}), String(ref), junk.length];
} });
export const plain = queryGeneric({ handler: async () => 1 });
export const time = queryGeneric({ handler: async () => Date.now() > 0 });
export const chance = queryGeneric({ handler: async () => Math.random() < 2 });
const forbidden = {
  fetch: () => fetch("https://example.test"), setTimeout: () => setTimeout(() => {}, 1), setInterval: () => setInterval(() => {}, 1),
  getRandomValues: () => crypto.getRandomValues(new Uint8Array(4)), randomUUID: () => crypto.randomUUID(),
};
export const refused = queryGeneric({ handler: async () => { const out = {}; for (const name of Object.keys(forbidden)) { try { await forbidden[name](); out[name] = "no error"; } catch (error) { out[name] = error.message; } } return out; } });
export const globals = queryGeneric({ handler: async (_ctx, { names }) => ({ own: Reflect.ownKeys(globalThis).map(String).toSorted(), lazy: names.filter((name) => name in globalThis && globalThis[name] !== undefined), after: Reflect.ownKeys(globalThis).length }) });
export const absent = queryGeneric({ handler: async () => ["SharedArrayBuffer", "Atomics", "require", "Buffer", "global", "module", "exports", "gc", "window", "document", "__plinthModules", "setImmediate", "ivm", "_ivm"].filter((name) => name in globalThis) });
`;

describe("determinism", () => {
  let peer: RunnerPeer;
  const run = (path: string, options: Partial<Parameters<RunnerPeer["invoke"]>[0]> = {}) =>
    peer.invoke({ version: "v", path: `f:${path}`, ...options });
  const value = async (path: string, options: Partial<Parameters<RunnerPeer["invoke"]>[0]> = {}): Promise<Record<string, unknown>> => {
    const outcome = await run(path, options);
    if (outcome.kind !== "result") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.text) as Record<string, unknown>;
  };

  beforeAll(async () => {
    peer = await startRunner({ f: SOURCE });
  });
  afterAll(() => peer.close());

  test("the same seed and time give the same values, in contexts of every kind", async () => {
    const first = await value("query");
    // The first calls run on the isolate's thread, later ones in contexts that were made ahead.
    for (let i = 0; i < 5; i++) {
      expect(await value("query")).toEqual(first);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await value("mutation", { kind: "mutation" })).toEqual(first);
    const other = await startRunner({ f: SOURCE });
    expect(await other.invoke({ version: "v", path: "f:query" })).toMatchObject({ kind: "result", text: JSON.stringify(first) });
    await other.close();
  });

  test("every clock shows the time of the call", async () => {
    const iso = new Date(TEST_NOW_MS).toISOString();
    expect(await value("query")).toMatchObject({
      now: Math.trunc(TEST_NOW_MS),
      date: iso,
      extended: Math.trunc(TEST_NOW_MS),
      called: expect.stringContaining("GMT+0000") as string,
      elapsed: 0,
      given: 5,
      parts: "2020-02-03T04:00:00.000Z",
      intl: new Intl.DateTimeFormat("en-US", { dateStyle: "full", timeStyle: "long", timeZone: "UTC" }).format(TEST_NOW_MS),
      intlParts: new Intl.DateTimeFormat("en-US", { timeZone: "UTC" }).format(TEST_NOW_MS),
      given2: "1/1/1970",
      zone: "UTC",
      offset: 0,
      locale: "en-US",
      instant: iso,
      zoned: `${iso.slice(0, -1)}+00:00[UTC]`,
      day: iso.slice(0, 10),
      time: iso.slice(11, -1),
      zoneId: "UTC",
      is: true,
      arithmetic: "2025-02-28P1DT2H",
    });
    expect(await value("later", { answer: () => "null" })).toBe(true);
  });

  test("another seed gives other numbers, all of them between 0 and 1 and evenly spread", async () => {
    const [a, b] = [await value("query"), await value("query", { seed: "f".repeat(32), nowMs: 5 })];
    expect(a["randoms"]).not.toEqual(b["randoms"]);
    expect(a["imported"]).toEqual(b["imported"]);
    expect(b["now"]).toBe(5);
    for (const seed of ["0".repeat(32), "1".padStart(32, "0")]) {
      for (const number of (await value("query", { seed }))["randoms"] as number[]) expect(number >= 0 && number < 1).toBe(true);
    }
  });

  test("the import phase has a time and numbers of its own", async () => {
    const { imported } = await value("query");
    expect(imported).toEqual({ random: expect.any(Number) as number, now: Date.UTC(2024, 0, 1), elapsed: 0 });
    expect((await value("action", { kind: "action" }))["imported"]).toEqual(imported);
  });

  test("actions have the real clock", async () => {
    const before = Date.now();
    const seen = await value("action", { kind: "action", nowMs: 5 });
    expect(seen["a"]).toBeGreaterThanOrEqual(before - 5);
    expect(seen["waited"]).toBeGreaterThanOrEqual(25);
    expect(seen["elapsed"]).toBeGreaterThanOrEqual(25);
    expect(seen["temporal"]).toBeGreaterThanOrEqual(before - 5);
  });

  test("weak references do not show the collector", async () => {
    expect(await value("weak")).toEqual([1, false, "[object WeakRef]", 300]);
  });

  test("the runner says whether time and randomness were observed", async () => {
    expect(await run("plain")).toMatchObject({ observedTime: false, observedRandom: false });
    expect(await run("time")).toMatchObject({ observedTime: true, observedRandom: false });
    expect(await run("chance")).toMatchObject({ observedTime: false, observedRandom: true });
  });

  test("what depends on more than the call's input is refused in queries", async () => {
    const text = (what: string) =>
      `Can't use ${what} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`;
    expect(await value("refused")).toEqual({
      fetch: text("fetch()"),
      setTimeout: text("setTimeout"),
      setInterval: text("setInterval"),
      getRandomValues: text("crypto.getRandomValues()"),
      randomUUID: text("crypto.randomUUID()"),
    });
  });

  test("the globals are exactly those of the list", async () => {
    const names = webGlobalNames();
    const seen = await value("globals", { args: { names } });
    expect(seen["own"]).toMatchSnapshot("own properties of the global object, per engine");
    expect(seen["lazy"]).toEqual(names);
    expect(await value("absent")).toEqual([]);
  });
});
