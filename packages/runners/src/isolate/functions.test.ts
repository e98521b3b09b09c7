/** What functions made with the real convex package see of the host, and what the host sees of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeDocumentId } from "@plinth/core/documents/ids.ts";
import { parseAnalyzeResult, parseHttpActionResponse } from "@plinth/core/protocol/parse.ts";
import type { CallAnswerer, RunnerPeer } from "../conformance/runner-peer.ts";
import { startRunner } from "./test-version.ts";

const FUNCTIONS = `
import { actionGeneric, internalMutationGeneric, mutationGeneric, queryGeneric } from "convex/server";
import { ConvexError, v } from "convex/values";
import { deep } from "./lib.ts";
export const collect = queryGeneric({ handler: async (ctx) => (await ctx.db.query("t").collect()).map((row) => row.n) });
export const first = queryGeneric({ handler: async (ctx) => (await ctx.db.query("t").first())?.n ?? null });
export const unique = queryGeneric({ handler: async (ctx) => (await ctx.db.query("t").unique())?.n ?? null });
export const take = queryGeneric({ handler: async (ctx) => (await ctx.db.query("t").take(40)).length });
export const some = queryGeneric({ handler: async (ctx) => { const out = []; for await (const row of ctx.db.query("t")) { out.push(row.n); if (out.length === 3) break; } return out; } });
export const zip = queryGeneric({ handler: async (ctx) => {
  const rows = ctx.db.query("t")[Symbol.asyncIterator]();
  const all = await Promise.all(Array.from({ length: 20 }, () => rows.next()));
  return all.map(({ value, done }) => (done ? null : value.n));
} });
export const write = mutationGeneric({ args: { n: v.number() }, returns: v.array(v.string()), handler: async (ctx) => {
  const seen = [];
  const one = (n) => ctx.db.insert("t", { n }).then((id) => seen.push(id));
  await Promise.all([one(1), one(2), one(3)]);
  return seen;
} });
export const parent = actionGeneric({ handler: async (ctx) => {
  const a = await ctx.runQuery("f:child", { n: 1 });
  const b = await ctx.runMutation("f:child", { n: 2 });
  return [a, b, (await Promise.race([ctx.runAction("f:slow", {}), ctx.runAction("f:fast", {})]))];
} });
export const catches = mutationGeneric({ handler: async (ctx) => {
  try { await ctx.runMutation("f:x", {}); } catch (error) { return { is: error instanceof ConvexError, data: error.data, message: error.message }; }
} });
export const refuses = mutationGeneric({ handler: async () => { throw new ConvexError({ code: 7, big: 8n }); } });
export const throwsDeep = queryGeneric({ handler: async (ctx) => { await ctx.db.get("x"); return deep(3); } });
export const ids = queryGeneric({ handler: async (ctx, { id, other }) => [ctx.db.normalizeId("t", id), ctx.db.normalizeId("t", other), ctx.db.normalizeId("none", id), ctx.db.normalizeId("constructor", id)] });
export const moment = queryGeneric({ handler: async (ctx) => ctx.meta.getSnapshotTs() });
export const secret = internalMutationGeneric({ args: {}, handler: async () => null });
export const environment = queryGeneric({ handler: async () => [process.env.NAME ?? null, process.env.missing ?? null, Object.keys(process.env), process.env.toString ?? null] });
export const unawaited = mutationGeneric({ handler: async (ctx) => { void ctx.db.insert("t", {}); return "done"; } });
export const rejects = mutationGeneric({ handler: async (ctx) => { Promise.reject(new TypeError("nobody caught this")); await ctx.db.insert("t", {}); return 1; } });
export const large = queryGeneric({ handler: async (_ctx, { chars }) => "x".repeat(chars) });
export const notARow = queryGeneric({ handler: async () => new Map() });
class Point { x = 1; }
export const noisy = queryGeneric({ handler: async () => {
  console.log("a %s b %d", "text", 4, { x: [1, { y: null }] }, undefined, 5n, "plain");
  console.error(new RangeError("bad").message, Symbol("s"), () => 1, new Map([["k", new Set([1])]]), new Date(0), /r/g, [, 1]);
  const loop = { name: "loop" }; loop.self = loop; console.warn(loop, { get hidden() { throw 1; } }, new Point(), -0, "it's");
  console.debug("d"); console.info("i"); console.assert(false, "no %s", "way");
  return null;
} });
`;

const OTHERS = {
  environment: `import { queryGeneric } from "convex/server"; const early = process.env.NAME; export const read = queryGeneric({ handler: async () => [early, process.env.NAME] });`,
  lib: `export function deep(n: number): never {\n  if (n > 0) return deep(n - 1);\n  throw new RangeError("bottom");\n}`,
  schema: `import { defineSchema, defineTable } from "convex/server"; import { v } from "convex/values"; export default defineSchema({ t: defineTable({ n: v.number() }).index("by_n", ["n"]) });`,
  crons: `import { cronJobs } from "convex/server"; const crons = cronJobs(); crons.interval("tick", { minutes: 1 }, "f:secret" as never); export default crons;`,
  http: `
import { httpActionGeneric, httpRouter } from "convex/server";
const http = httpRouter();
http.route({ path: "/hook", method: "POST", handler: httpActionGeneric(async (ctx, request) => {
  const body = await request.text();
  const n = await ctx.runQuery("f:child", { body });
  return new Response(body.toUpperCase() + n, { status: 201, headers: { "x-kind": request.headers.get("x-kind") ?? "", "content-type": "text/plain" } });
}) });
http.route({ pathPrefix: "/files/", method: "GET", handler: httpActionGeneric(async (_ctx, request) => new Response(new URL(request.url).pathname)) });
http.route({ path: "/bad", method: "GET", handler: httpActionGeneric(async () => "no response") });
export default http;`,
};

/** Serves the rows 0 … count-1 of a table as the host does. */
function table(count: number): CallAnswerer {
  const positions = new Map<number, number>();
  const ends = new Map<number, number>();
  return (op, argText) => {
    if (op === "plinth/queryClose") return "null";
    const { query, stream, rows } = JSON.parse(argText) as { query?: { operators: { limit?: number }[] }; stream: number; rows: number };
    const from = positions.get(stream) ?? 0;
    const end = ends.get(stream) ?? Math.min(count, ...(query?.operators.map(({ limit }) => limit ?? count) ?? []));
    ends.set(stream, end);
    const to = Math.min(from + rows, end);
    positions.set(stream, to);
    return JSON.stringify({ rows: Array.from({ length: to - from }, (_, i) => ({ _id: `id${from + i}`, n: from + i })), done: to >= end });
  };
}

const rowsAsked = (calls: readonly { readonly argText: string }[]): number[] =>
  calls.map(({ argText }) => (JSON.parse(argText) as { rows: number }).rows);

describe("functions", () => {
  let peer: RunnerPeer;
  const run = async (path: string, options: Partial<Parameters<RunnerPeer["invoke"]>[0]> = {}) =>
    peer.invoke({ version: "v", path: `f:${path}`, ...options });
  const value = async (path: string, options: Partial<Parameters<RunnerPeer["invoke"]>[0]> = {}): Promise<unknown> => {
    const outcome = await run(path, options);
    if (outcome.kind !== "result") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.text);
  };

  beforeAll(async () => {
    peer = await startRunner({ f: FUNCTIONS, ...OTHERS });
  });
  afterAll(() => peer.close());

  test("rows come in order, several per host call, and no more than a limit lets through", async () => {
    expect(await value("collect", { answer: table(0) })).toEqual([]);
    const all = await run("collect", { answer: table(300) });
    expect(all.kind === "result" && JSON.parse(all.text)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(rowsAsked(all.calls)).toEqual([16, 64, 128, 128]);
    const first = await run("first", { answer: table(300) });
    expect(first).toMatchObject({ kind: "result", text: "0" });
    expect(rowsAsked(first.calls)).toEqual([1]);
    const unique = await run("unique", { answer: table(1) });
    expect(unique).toMatchObject({ kind: "result", text: "0" });
    expect(rowsAsked(unique.calls)).toEqual([2]);
    expect(await run("unique", { answer: table(2) })).toMatchObject({
      kind: "error",
      failure: { message: expect.stringContaining("unique() query returned more than one result") as string },
    });
    expect(await value("take", { answer: table(300) })).toBe(40);
    expect(await value("zip", { answer: table(18) })).toEqual([...Array.from({ length: 18 }, (_, n) => n), null, null]);
  });

  test("an answer without rows is not the end of a stream", async () => {
    const answers = [
      '{"rows":[],"done":false}',
      '{"rows":[{"n":1}],"done":false}',
      '{"rows":[],"done":false}',
      '{"rows":[{"n":2}],"done":false}',
      '{"rows":[],"done":true}',
    ];
    expect(await value("collect", { answer: (_op, _arg, index) => answers[index] ?? "" })).toEqual([1, 2]);
    expect(await value("first", { answer: (_op, _arg, index) => answers[index] ?? "" })).toBe(1);
  });

  test("a stream that is left early is closed", async () => {
    const outcome = await run("some", { answer: table(300) });
    expect(outcome.calls.map(({ op }) => op)).toEqual(["plinth/queryNext", "plinth/queryClose"]);
    expect(outcome).toMatchObject({ kind: "result", text: "[0,1,2]" });
  });

  test("C2: answers of a mutation settle in the order of its calls, whatever order they come in", async () => {
    const outcome = await run("write", {
      kind: "mutation",
      args: { n: 1 },
      answer: (_op, _arg, index) =>
        new Promise((resolve) => setTimeout(() => resolve(JSON.stringify({ _id: `id${index}` })), 30 - index * 10)),
    });
    expect(outcome).toMatchObject({ kind: "result", text: '["id0","id1","id2"]' });
    expect(outcome.calls.map(({ argText }) => (JSON.parse(argText) as { value: unknown }).value)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test("an action takes answers as they come, and names its request", async () => {
    const outcome = await run("parent", {
      kind: "action",
      answer: (op, argText) => {
        if (op === "1.0/actions/query") return "10";
        if (op === "1.0/actions/mutation") return "20";
        return argText.includes("fast") ? '"fast"' : new Promise(() => {});
      },
    });
    expect(outcome).toMatchObject({ kind: "result", text: '[10,20,"fast"]' });
    expect(outcome.calls[0]?.argText).toContain('"requestId":"request-');
  });

  test("the data of a ConvexError passes in both directions", async () => {
    const refused = Object.assign(new Error("Uncaught ConvexError"), { dataText: '{"why":{"$integer":"BQAAAAAAAAA="}}' });
    expect(await value("catches", { kind: "mutation", answer: () => refused })).toEqual({
      is: true,
      data: { why: { $integer: "BQAAAAAAAAA=" } },
      message: expect.any(String) as string,
    });
    expect(await value("catches", { kind: "mutation", answer: () => new Error("plain") })).toEqual({ is: false, message: "plain" });
    const outcome = await run("refuses", { kind: "mutation" });
    expect(outcome).toMatchObject({
      kind: "error",
      failure: { message: expect.stringMatching(/^ConvexError: /) as string, dataText: '{"big":{"$integer":"CAAAAAAAAAA="},"code":7}' },
    });
  });

  test("stacks name the author's files, lines and columns", async () => {
    const outcome = await run("throwsDeep", { answer: () => "null" });
    expect(outcome.kind === "error" && outcome.failure).toEqual({
      message: "RangeError: bottom",
      stack: expect.stringMatching(
        /^( {4}at deep \(\.\.\/convex\/lib\.ts:3:9\)\n)( {4}at deep \(\.\.\/convex\/lib\.ts:2:21\)\n){3} {4}at .*\(\.\.\/convex\/f\.ts:\d+:\d+\)/,
      ) as string,
    });
  });

  test("ids are normalised inside the runner", async () => {
    const id = encodeDocumentId({ tableNumber: 10_001, internalId: new Uint8Array(16).fill(7) });
    const other = encodeDocumentId({ tableNumber: 10_002, internalId: new Uint8Array(16).fill(7) });
    expect(await value("ids", { args: { id, other }, tables: { t: 10_001 } })).toEqual([id, null, null, null]);
  });

  test("a query knows its snapshot", async () => {
    expect(await value("moment", { snapshotNs: "1750000000123456789" })).toEqual({
      $integer: Buffer.from(new BigInt64Array([1750000000123456789n]).buffer).toString("base64"),
    });
  });

  test("process.env has the variables of the call and nothing else", async () => {
    for (const name of ["one", "two", "two", "three"])
      expect(await value("environment", { env: { NAME: name } })).toEqual([name, null, ["NAME"], null]);
  });

  test("variables that a module reads while it is imported are those of the call, also in contexts made ahead", async () => {
    for (const name of ["a", "a", "a", "a", "b", "b", "c"]) {
      expect(await value("", { path: "environment:read", env: { NAME: name } })).toEqual([name, name]);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  });

  test("a call that nobody awaits is sent, and the result does not wait for it", async () => {
    const outcome = await run("unawaited", { kind: "mutation", answer: () => new Promise(() => {}) });
    expect(outcome).toMatchObject({ kind: "result", text: '"done"' });
    expect(outcome.calls.map(({ op }) => op)).toEqual(["1.0/insert"]);
  });

  test("a rejection that nobody handles ends the call", async () => {
    expect(await run("rejects", { kind: "mutation", answer: () => '{"_id":"x"}' })).toMatchObject({
      kind: "error",
      failure: { message: "TypeError: nobody caught this", stack: expect.stringContaining("convex/f.ts") as string },
    });
  });

  test("results and missing functions are refused with a reason", async () => {
    expect(await run("large", { args: { chars: 2000 }, limits: { resultBytes: 1000 } })).toMatchObject({
      kind: "error",
      failure: { message: expect.stringContaining("too large") as string },
    });
    expect(await run("notARow")).toMatchObject({ kind: "error", failure: { message: expect.stringContaining("Map") as string } });
    for (const path of ["nothing", "toString", "constructor"]) expect((await run(path)).kind).toBe("error");
    for (const path of ["none:x", "__proto__:x", "f:write"]) expect((await run("", { path })).kind, path).toBe("error");
  });

  test("console lines are shown as Node shows them", async () => {
    const { logs } = await run("noisy");
    expect(logs.map(({ level, text }) => [level, text])).toEqual([
      ["log", "a text b 4 { x: [ 1, { y: null } ] } undefined 5n plain"],
      ["error", "bad Symbol(s) [Function (anonymous)] Map(1) { 'k' => Set(1) { 1 } } 1970-01-01T00:00:00.000Z /r/g [ <empty>, 1 ]"],
      ["warn", "{ name: 'loop', self: [Circular] } { hidden: [Getter] } Point { x: 1 } -0 it's"],
      ["debug", "d"],
      ["info", "i"],
      ["error", "Assertion failed: no way"],
    ]);
  });

  test("an analysis lists what the version declares", async () => {
    const outcome = await run("", { kind: "analyze", path: "" });
    const analysis = parseAnalyzeResult(outcome.kind === "result" ? outcome.text : "");
    expect(analysis.functions.find(({ path }) => path === "f:write")).toEqual({
      path: "f:write",
      kind: "mutation",
      visibility: "public",
      args: '{"type":"object","value":{"n":{"fieldType":{"type":"number"},"optional":false}}}',
      returns: '{"type":"array","value":{"type":"string"}}',
    });
    expect(analysis.functions.find(({ path }) => path === "f:secret")).toMatchObject({ visibility: "internal" });
    expect(JSON.parse(analysis.schema ?? "")).toMatchObject({ tables: [{ tableName: "t", indexes: [{ indexDescriptor: "by_n" }] }] });
    expect(JSON.parse(analysis.crons ?? "")).toMatchObject({ tick: { name: "f:secret" } });
    expect(analysis.httpRoutes).toEqual([
      { path: "/bad", method: "GET" },
      { path: "/hook", method: "POST" },
      { path: "/files/*", method: "GET" },
    ]);
  });

  test("HTTP actions are routed, get a Request and answer with a Response", async () => {
    const ask = async (method: string, path: string, body = "") => {
      const request = {
        method,
        url: `https://host.test${path}`,
        headers: [["x-kind", "test"]],
        bodyBase64: Buffer.from(body).toString("base64"),
      };
      const outcome = await run("", { kind: "httpAction", path: "", args: JSON.stringify(request), answer: () => "5" });
      if (outcome.kind !== "result") return outcome;
      const response = parseHttpActionResponse(Buffer.from(outcome.text));
      return { ...response, body: Buffer.from(response.bodyBase64, "base64").toString() };
    };
    expect(await ask("POST", "/hook?q=1", "hällo")).toMatchObject({
      routed: true,
      status: 201,
      body: "HÄLLO5",
      headers: [
        ["content-type", "text/plain"],
        ["x-kind", "test"],
      ],
    });
    expect(await ask("GET", "/files/a/b")).toMatchObject({ routed: true, status: 200, body: "/files/a/b" });
    expect(await ask("GET", "/hook")).toMatchObject({ routed: false, status: 404 });
    expect(await ask("GET", "/bad")).toMatchObject({ kind: "error", failure: { message: expect.stringContaining("Response") as string } });
  });
});

test("a module that throws fails its calls and the analysis, with its place", async () => {
  const peer = await startRunner({
    ok: `import { queryGeneric } from "convex/server"; export const one = queryGeneric({ handler: async () => 1 });`,
    bad: `const nothing: any = null;\nexport const x = nothing.field;`,
  });
  expect(await peer.invoke({ version: "v", path: "ok:one" })).toMatchObject({ kind: "result", text: "1" });
  const failure = {
    message: expect.stringContaining("TypeError: Cannot read properties of null") as string,
    stack: expect.stringContaining("../convex/bad.ts:2:26") as string,
  };
  expect(await peer.invoke({ version: "v", path: "bad:x" })).toMatchObject({ kind: "error", failure });
  expect(await peer.invoke({ version: "v", kind: "analyze" })).toMatchObject({ kind: "error", failure });
  await peer.close();
});
