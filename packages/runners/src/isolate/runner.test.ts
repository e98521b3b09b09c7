/** The runner as a process: calls side by side, versions, memory, and what it does when things end early. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RunnerPeer } from "../conformance/runner-peer.ts";
import { bundleVersion, runnerCommand, startRunner } from "./test-version.ts";

const HEAD = `import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";\n`;

const CALLS = `${HEAD}
export const parent = mutationGeneric({ handler: async (ctx) => (await ctx.runMutation("f:child", {})) + 1 });
export const child = mutationGeneric({ handler: async (ctx) => (await ctx.db.get("x")).n });
export const spin = queryGeneric({ handler: async () => { for (;;); } });
export const one = queryGeneric({ handler: async (ctx) => (await ctx.db.get("x")).n });
export const patient = actionGeneric({ handler: async (ctx) => { const a = await ctx.runQuery("f:one", {}); await new Promise((resolve) => setTimeout(resolve, 50)); return a + (await ctx.runQuery("f:one", {})); } });
export const spinLater = queryGeneric({ handler: async (ctx) => { await ctx.db.get("x"); for (;;); } });
export const fill = queryGeneric({ handler: async (_ctx, { armed }) => { const kept = []; while (armed) kept.push({ a: [1, 2, 3] }); return null; } });
export const throws = queryGeneric({ handler: async () => { throw new Error("here"); } });
export const tables = queryGeneric({ handler: async (ctx) => [ctx.db.normalizeId("t7", "x"), Object.keys(process.env).length, process.env.V7?.length] });
`;

test("nested calls run while their parents wait, also when there is only one isolate", async () => {
  const peer = await startRunner({ f: CALLS }, { isolates: 1 });
  const get = () => '{"n":4}';
  const nested = async () => {
    const outcome = await peer.invoke({ version: "v", kind: "mutation", path: "f:child", answer: get });
    return outcome.kind === "result" ? outcome.text : new Error("child");
  };
  for (let i = 0; i < 5; i++)
    expect(await peer.invoke({ version: "v", kind: "mutation", path: "f:parent", answer: nested })).toMatchObject({
      kind: "result",
      text: "5",
    });
  const many = await Promise.all(
    Array.from({ length: 10 }, () => peer.invoke({ version: "v", kind: "action", path: "f:patient", answer: () => "1" })),
  );
  expect(many.map((outcome) => outcome.kind === "result" && outcome.text)).toEqual(Array.from({ length: 10 }, () => "2"));
  await peer.close();
});

test("a call that uses up its time or memory leaves the calls in other isolates alone", async () => {
  const peer = await startRunner({ f: CALLS }, { isolates: 4, heapBytes: 32 * 1024 * 1024 });
  const patient = Array.from({ length: 3 }, () => peer.invoke({ version: "v", kind: "action", path: "f:patient", answer: () => "1" }));
  const spin = peer.invoke({ version: "v", path: "f:spin", limits: { cpuMs: 100 } });
  expect((await spin).kind).toBe("timeout");
  for (const outcome of await Promise.all(patient)) expect(outcome).toMatchObject({ kind: "result", text: "2" });
  const others = Array.from({ length: 3 }, () => peer.invoke({ version: "v", kind: "action", path: "f:patient", answer: () => "1" }));
  expect((await peer.invoke({ version: "v", path: "f:fill", args: { armed: true }, limits: { cpuMs: 60_000, wallMs: 60_000 } })).kind).toBe(
    "outOfMemory",
  );
  for (const outcome of await Promise.all(others)) expect(outcome).toMatchObject({ kind: "result", text: "2" });
  await peer.close();
});

test("calls that shared an isolate with one that ran out of memory are lost, not failed", async () => {
  const peer = await startRunner({ f: CALLS }, { isolates: 1, heapBytes: 32 * 1024 * 1024 });
  for (let i = 0; i < 3; i++) await peer.invoke({ version: "v", path: "f:fill", args: { armed: false } });
  for (let i = 0; i < 3; i++) await peer.invoke({ version: "v", path: "f:one", answer: () => '{"n":1}' });
  let answer: (text: string) => void = () => {};
  const waiting = peer.invoke({ version: "v", path: "f:one", answer: () => new Promise((resolve) => (answer = resolve)) });
  const filled = peer.invoke({ version: "v", path: "f:fill", args: { armed: true }, limits: { cpuMs: 60_000, wallMs: 60_000 } });
  expect((await filled).kind).toBe("outOfMemory");
  answer('{"n":1}');
  expect(await waiting).toMatchObject({ kind: "lost" });
  expect(await peer.invoke({ version: "v", path: "f:one", answer: () => '{"n":1}' })).toMatchObject({ kind: "result", text: "1" });
  await peer.close();
});

test("running code is ended when its call is cancelled", async () => {
  const peer = await startRunner({ f: CALLS });
  const { call, outcome } = peer.start({ version: "v", path: "f:spin", limits: { cpuMs: 60_000, wallMs: 60_000 } });
  await new Promise((resolve) => setTimeout(resolve, 150));
  peer.cancel(call, "cancelled");
  expect(await outcome).toMatchObject({ kind: "error", failure: { message: "Error: The call was cancelled." } });
  const overdue = await peer.invoke({
    version: "v",
    kind: "action",
    path: "f:patient",
    answer: () => new Promise(() => {}),
    limits: { wallMs: 200 },
  });
  expect(overdue.kind).toBe("timeout");
  await peer.close();
});

test("a function whose calls were cancelled before they ran all their code does not count as quick, and blocks nothing", async () => {
  const peer = await startRunner({ f: CALLS }, { isolates: 2 });
  for (let i = 0; i < 4; i++) {
    let asked: () => void = () => {};
    const waits = new Promise<void>((resolve) => (asked = resolve));
    const begun = peer.start({ version: "v", path: "f:spinLater", answer: () => (asked(), new Promise(() => {})) });
    await waits;
    peer.cancel(begun.call, "cancelled");
    expect((await begun.outcome).kind).toBe("error");
  }
  // On the main thread it would run into its limit, and nothing else would be heard until then.
  const limits = { cpuMs: 5000, wallMs: 60_000 };
  const spins = peer.start({ version: "v", path: "f:spinLater", answer: () => '{"n":1}', limits });
  expect(await peer.invoke({ version: "v", path: "f:one", answer: () => '{"n":1}' })).toMatchObject({ kind: "result" });
  peer.cancel(spins.call, "cancelled");
  expect(await spins.outcome).toMatchObject({ kind: "error", failure: { message: "Error: The call was cancelled." } });
  await peer.close();
});

test("versions live side by side and can be unloaded", async () => {
  const peer = await startRunner({ f: `${HEAD}export const which = queryGeneric({ handler: async () => 1 });` });
  const second = await bundleVersion({ f: `${HEAD}export const which = queryGeneric({ handler: async () => 2 });` });
  await peer.load("w", second.script);
  for (let i = 0; i < 6; i++) {
    expect(await peer.invoke({ version: "v", path: "f:which" })).toMatchObject({ text: "1" });
    expect(await peer.invoke({ version: "w", path: "f:which" })).toMatchObject({ text: "2" });
  }
  peer.send({ type: "unload", version: "v" });
  expect(await peer.invoke({ version: "w", path: "f:which" })).toMatchObject({ text: "2" });
  await peer.load("v", second.script);
  expect(await peer.invoke({ version: "v", path: "f:which" })).toMatchObject({ text: "2" });
  await peer.close();
});

test("without a source map frames name the script", async () => {
  const [command, version] = await Promise.all([runnerCommand(), bundleVersion({ f: CALLS })]);
  const peer = new RunnerPeer(command);
  await peer.hello();
  await peer.load("v", version.script);
  for (let i = 0; i < 2; i++) {
    expect(await peer.invoke({ version: "v", path: "f:throws" })).toMatchObject({
      kind: "error",
      failure: { message: "Error: here", stack: expect.stringMatching(/^ {4}at .*version\.js:\d+:\d+/) as string },
    });
  }
  await peer.close();
});

test("many variables and tables fit into an invocation", async () => {
  const peer = await startRunner({ f: CALLS });
  const tables = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`t${i}`, 10_001 + i]));
  const env = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`V${i}`, "x".repeat(8000)]));
  expect(await peer.invoke({ version: "v", path: "f:tables", tables, env })).toMatchObject({ kind: "result", text: "[null,100,8000]" });
  await peer.close();
});

test("the memory of the process stays flat over a thousand calls", async () => {
  const peer = await startRunner({ f: CALLS }, { isolates: 1 });
  const residentMiB = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${peer.process.pid}/status`, "utf8"))?.[1]) / 1024;
  const run = async (count: number): Promise<number> => {
    let heapBytes = 0;
    for (let i = 0; i < count; i++) {
      const outcome = await peer.invoke({ version: "v", path: "f:one", answer: () => '{"n":1}' });
      if (outcome.kind === "result") heapBytes = Math.max(heapBytes, outcome.heapBytes);
    }
    return heapBytes;
  };
  await run(500);
  const before = residentMiB();
  const heapBytes = await run(1000);
  expect(heapBytes).toBeLessThan(48 * 1024 * 1024);
  expect(residentMiB() - before).toBeLessThan(30);
  await peer.close();
});
