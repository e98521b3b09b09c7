/** Packages in the real jail: Node's own modules, the network through the host, threads, reuse. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FetchRequest, FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallHandler } from "../../packages/server/src/sandbox/sandbox.ts";
import { NodePackages, valueOf } from "./node-packages.ts";
import { SCRATCH_MISSING } from "../../packages/server/src/sandbox/fixtures/scratch-missing.ts";

let packages: NodePackages;
beforeAll(async () => {
  packages = await NodePackages.start();
}, 60_000);
afterAll(async () => packages.stop());

test("a handler gets a list with its event and answers", async () => {
  const version = await packages.version({ hello: "async (events) => ({ count: events.length, name: events[0].payload.name })" });
  expect(valueOf(await packages.run(version, "hello", { payload: { name: "Ada" } }))).toEqual({ count: 1, name: "Ada" });
});

test("the code stands in /package/code and knows its folder", async () => {
  expect(
    valueOf(await packages.once("async () => [__filename, process.cwd(), require('path').resolve('x'), require('../package.json').main]")),
  ).toEqual(["/package/code/dist/index.js", "/package/code", "/package/code/x", "./dist/index.js"]);
});

test("analysis in the jail lists the handlers", async () => {
  const version = await packages.version({ a: "() => 1", b: "() => 2" });
  const { functions } = await packages.sandbox.analyze({ tenant: "a", version, env: {} });
  expect(functions.map(({ path, kind }) => [path, kind])).toEqual([
    ["a", "handler"],
    ["b", "handler"],
  ]);
});

test("requests leave through the host, from workers too", async () => {
  const requests: FetchRequest[] = [];
  const logs: string[] = [];
  const handler: CallHandler = {
    call: async (_op, argText) => {
      requests.push(JSON.parse(argText) as FetchRequest);
      const response: FetchResponse = {
        url: "",
        status: 200,
        statusText: "",
        headers: [],
        redirected: false,
        bodyBase64: Buffer.from("hi").toString("base64"),
      };
      return JSON.stringify(response);
    },
    log: ({ text }) => void logs.push(text),
  };
  const version = await packages.version({
    f: `async () => {
      const direct = await (await fetch("https://example.com/direct")).text();
      const { Worker } = require("worker_threads");
      const code = 'console.log("in the worker"); fetch("https://example.com/worker").then((r) => r.text()).then((t) => require("worker_threads").parentPort.postMessage(t))';
      const inside = await new Promise((resolve, reject) => { const w = new Worker(code, { eval: true }); let m; w.on("message", (t) => { m = t; }); w.on("error", reject); w.on("exit", () => setImmediate(() => resolve(m))); });
      return [direct, inside];
    }`,
  });
  expect(valueOf(await packages.run(version, "f", {}, { handler }))).toEqual(["hi", "hi"]);
  expect(requests.map(({ url }) => url)).toEqual(["https://example.com/direct", "https://example.com/worker"]);
  expect(logs).toEqual(["in the worker"]);
});

test("several worker threads fit beside each other", async () => {
  const start = `async () => { const { Worker } = require("worker_threads");
    const one = () => new Promise((ok, no) => { const w = new Worker("require('worker_threads').parentPort.postMessage(1)", { eval: true }); w.on("message", ok); w.on("error", no); });
    return (await Promise.all([one(), one(), one(), one()])).length; }`;
  expect(valueOf(await packages.once(start))).toBe(4);
});

test("warm calls are quick and stay in one process of the version", async () => {
  const version = await packages.version({ f: "async () => ++count" }, { before: "let count = 0;" });
  const times: number[] = [];
  for (let i = 1; i <= 200; i++) {
    const fromMs = performance.now();
    expect(valueOf(await packages.run(version, "f"))).toBe(i);
    times.push(performance.now() - fromMs);
  }
  const medianMs = times.toSorted((a, b) => a - b)[100] ?? 0;
  // Well below a millisecond on an idle machine.
  expect(medianMs).toBeLessThan(200);
});

test.skipIf(SCRATCH_MISSING !== undefined)("a scratch folder can be written where the version has one", async () => {
  const write =
    "async () => { const fs = require('fs'), file = require('os').tmpdir() + '/x'; fs.writeFileSync(file, 'abc'); return fs.readFileSync(file, 'utf8'); }";
  expect(valueOf(await packages.once(write, {}, { scratchBytes: 1024 * 1024 }))).toBe("abc");
  expect(await packages.once(write)).toMatchObject({ kind: "error" });
});
