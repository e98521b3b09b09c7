/** What the Node runner does beyond the protocol: loading packages, results, errors, the process that a package sees, workers. */
import { afterAll, describe, expect, test } from "vitest";
import type { FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import { type Invocation, type PeerOutcome, RunnerPeer } from "../conformance/runner-peer.ts";
import { runnerCommand, snapIn, startRunner, VERSION, writePackage } from "./test-package.ts";

const peers = new Set<RunnerPeer>();
afterAll(async () => {
  await Promise.all([...peers].map((peer) => peer.close()));
});

async function start(functions: Readonly<Record<string, string>>, before = ""): Promise<RunnerPeer> {
  const peer = await startRunner(functions, before);
  peers.add(peer);
  return peer;
}

async function load(files: Readonly<Record<string, string>>, functions: readonly string[], env?: Readonly<Record<string, string>>) {
  const peer = new RunnerPeer(await runnerCommand(await writePackage(files)));
  peers.add(peer);
  await peer.hello();
  const { envelope, text } = await peer.load(VERSION, JSON.stringify({ functions, ...(env === undefined ? {} : { env }) }));
  return { peer, type: envelope.type, message: text === "" ? "" : (JSON.parse(text) as { readonly message: string }).message };
}

const call = (peer: RunnerPeer, path: string, rest: Partial<Invocation> = {}): Promise<PeerOutcome> =>
  peer.invoke({ version: VERSION, kind: "handler", path, ...rest });

async function one(body: string, rest: Partial<Invocation> = {}): Promise<PeerOutcome> {
  return call(await start({ f: body }), "f", rest);
}

const text = (outcome: PeerOutcome): string => (outcome.kind === "result" ? outcome.text : `${outcome.kind}: ${outcome.failure.message}`);

describe("a package is loaded", () => {
  test("from functionFactory first, then from dist/functions", async () => {
    const { peer, type } = await load(
      {
        "code/package.json": "{}",
        "code/dist/index.js": "exports.functionFactory = { a: async () => 'factory' };",
        "code/dist/functions/a/index.js": "exports.default = async () => 'file';",
        "code/dist/functions/b/index.js": "exports.run = async () => 'run';",
      },
      ["a", "b"],
    );
    expect(type).toBe("loaded");
    expect(text(await call(peer, "a"))).toBe('"factory"');
    expect(text(await call(peer, "b"))).toBe('"run"');
  });

  test("as ES modules, with a top-level await too, and without a folder code", async () => {
    for (const wait of ["", "await Promise.resolve();"]) {
      const { peer, type, message } = await load(
        {
          "package.json": '{"type":"module","main":"main.js"}',
          "main.js": `${wait} export const functionFactory = { a: async () => import.meta.dirname === process.cwd() };`,
        },
        ["a"],
      );
      expect([type, message]).toEqual(["loaded", ""]);
      expect(text(await call(peer, "a"))).toBe("true");
    }
  });

  test("and says what is missing or wrong", async () => {
    const missing = await load(snapIn({ a: "() => 1" }), ["a", "b", "c"]);
    expect(missing.type).toBe("loadFailed");
    expect(missing.message).toMatch(/no function for: b, c\. The functionFactory of dist\/index\.js has a\./);
    expect((await load(snapIn({ a: "5" }), ["a"])).message).toMatch(/functionFactory\['a'\] is of type number/);
    expect((await load({ "code/package.json": "{}" }, ["a"])).message).toMatch(/Was the package built\?/);
    expect((await load({ "x.txt": "" }, ["a"])).message).toMatch(/no package\.json/);
    expect((await load({ "package.json": '{"main":"../../../etc/passwd"}' }, ["a"])).message).toMatch(/outside the package/);
    expect((await load(snapIn({}, "throw new TypeError('at load')"), [])).message).toBe("TypeError: at load");
    const unheard = await load(
      {
        "package.json": '{"type":"module"}',
        "index.js": "Promise.reject(new Error('unheard at load')); await new Promise((r) => setTimeout(r, 2000));",
      },
      [],
    );
    expect([unheard.type, unheard.message]).toEqual(["loadFailed", "Error: unheard at load"]);
    expect((await load(snapIn({}, "process.exit(4)"), [])).message).toBe("process.exit(4) was called.");
    expect((await load(snapIn({ constructor: "5" }), ["toString"])).message).toMatch(/no function for: toString/);
  });

  test("with the variables that the host gives", async () => {
    const { peer } = await load(
      snapIn({ a: "() => [early, process.env.LATE ?? null, process.env.EARLY ?? null]" }, "const early = process.env.EARLY;"),
      ["a"],
      { EARLY: "1" },
    );
    expect(text(await call(peer, "a", { env: { LATE: "2" } }))).toBe('["1","2",null]');
  });

  test("analysis lists the handlers", async () => {
    const peer = await start({ a: "() => 1", "b-c": "() => 1" });
    const analysis = JSON.parse(text(await peer.invoke({ version: VERSION, kind: "analyze" }))) as {
      readonly functions: readonly unknown[];
    };
    const handler = { kind: "handler", visibility: "internal", args: '{"type":"any"}', returns: "null" };
    expect(analysis).toEqual({
      functions: [
        { path: "a", ...handler },
        { path: "b-c", ...handler },
      ],
      schema: null,
      crons: null,
      httpRoutes: [],
    });
  });
});

describe("results", () => {
  test("J06 are what JSON makes of them, or an error that says why not", async () => {
    const peer = await start({
      f: `async ([{ kind }]) => ({
        nothing: undefined, date: new Date(0), map: new Map([[1, 2]]), bytes: new Uint8Array([1]), thenable: { then: (ok) => ok(7) },
        fn: () => 1, symbol: Symbol("s"), big: 5n, cycle: (() => { const a = {}; a.a = a; return a; })(), nested: [undefined, () => 1, NaN],
        throwing: { toJSON() { throw new RangeError("mine"); } },
      })[kind]`,
      large: "() => 'x'.repeat(2000)",
    });
    const of = async (kind: string): Promise<string> => text(await call(peer, "f", { args: { kind } }));
    expect(await of("nothing")).toBe("null");
    expect(await of("date")).toBe('"1970-01-01T00:00:00.000Z"');
    expect(await of("map")).toBe("{}");
    expect(await of("bytes")).toBe('{"0":1}');
    expect(await of("thenable")).toBe("7");
    expect(await of("nested")).toBe("[null,null,null]");
    expect(await of("fn")).toBe("error: TypeError: The result cannot be sent as JSON: it is a function.");
    expect(await of("symbol")).toMatch(/it is a symbol/);
    expect(await of("big")).toMatch(/cannot be sent as JSON: .*BigInt/);
    expect(await of("cycle")).toMatch(/cannot be sent as JSON: .*circular/);
    expect(await of("throwing")).toMatch(/cannot be sent as JSON: mine/);
    expect(text(await call(peer, "large", { limits: { resultBytes: 1000 } }))).toBe(
      "error: TypeError: The result takes 2002 bytes and may take 1000.",
    );
  });
});

describe("errors", () => {
  test("show their stack relative to the package, and through source maps", async () => {
    const map = { version: 3, sources: ["../src/index.ts"], names: [], mappings: ";;AAIA" };
    const files = snapIn({ f: "async () => { throw new RangeError('deep'); }" }, "\n\n");
    const plain = await load(files, ["f"]);
    const outcome = await call(plain.peer, "f");
    expect(outcome).toMatchObject({ kind: "error", failure: { message: "RangeError: deep" } });
    expect(outcome.kind !== "result" && outcome.failure.stack).toMatch(/^ {4}at .*\(?dist\/index\.js:5:\d+\)?$/m);
    expect(outcome.kind !== "result" && outcome.failure.stack).not.toMatch(/plinth|node:internal/);
    const mapped = await load(
      {
        ...snapIn({ f: "async () => { throw new Error('x'); }" }, "\n"),
        "code/dist/index.js.map": JSON.stringify({ ...map, mappings: ";;;AAIA" }),
      },
      ["f"],
    );
    const shown = await call(mapped.peer, "f");
    expect(shown.kind !== "result" && shown.failure.stack).toMatch(/src\/index\.ts:5:1/);
  });

  test("FunctionExecutionError asks to be run again, whatever its class", async () => {
    const fail = async (fields: string) => {
      const outcome = await one(`async () => { throw Object.assign(new Error("again"), { name: "FunctionExecutionError" }, ${fields}); }`);
      return outcome.kind === "result" ? undefined : outcome.failure;
    };
    expect(await fail("{ retry: true, refresh: true }")).toMatchObject({
      message: "FunctionExecutionError: again",
      retry: { refresh: true },
    });
    expect(await fail("{ retry: true }")).toMatchObject({ retry: { refresh: false } });
    expect(await fail("{ retry: false }")).not.toHaveProperty("retry");
    expect(await fail("{ retry: 3 }")).not.toHaveProperty("retry");
  });

  test("J05 of any kind become bounded texts", async () => {
    const peer = await start({
      f: `async ([{ kind }]) => { throw ({
        nothing: undefined, nil: null, text: "for the user", symbol: Symbol("s"), big: 5n, huge: "x".repeat(1e6), object: { a: 1 },
        getter: { get message() { throw 1; }, get stack() { throw 2; }, get name() { throw 3; } },
        proxy: new Proxy({}, { get() { throw new Error("trap"); } }),
        revoked: (() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })(),
        fn: function thrown() {}, prepared: Object.assign(new Error("p"), { stack: { toString() { throw 1; } } }),
        hugeError: Object.assign(new Error("m".repeat(1e6)), { name: "N".repeat(1e6), stack: ("    at x (/a:1:1)\\n").repeat(1e5) }),
      })[kind]; }`,
    });
    const of = async (kind: string): Promise<string> => {
      const outcome = await call(peer, "f", { args: { kind } });
      if (outcome.kind !== "error") throw new Error(`it is ${outcome.kind}`);
      expect(outcome.failure.message.length).toBeLessThanOrEqual(16_384);
      expect(outcome.failure.stack?.length ?? 0).toBeLessThanOrEqual(65_536);
      return outcome.failure.message;
    };
    expect(await of("nothing")).toBe("undefined");
    expect(await of("nil")).toBe("null");
    expect(await of("text")).toBe("for the user");
    expect(await of("symbol")).toBe("Symbol(s)");
    expect(await of("big")).toBe("5n");
    expect(await of("object")).toBe("{ a: 1 }");
    expect(await of("prepared")).toBe("Error: p");
    for (const kind of ["huge", "getter", "proxy", "revoked", "fn", "hugeError"]) expect(await of(kind)).not.toBe("");
  });
});

describe("the process", () => {
  test("process.exit during a call fails it, then the process ends", async () => {
    const peer = await start({ f: "async () => { process.exit(3); }" });
    expect(text(await call(peer, "f"))).toBe("error: process.exit(3) was called.");
    expect(await peer.exited).toBe(3);
  });

  test("what nobody handles fails the call, then the process ends", async () => {
    for (const body of [
      "new Promise(() => { setTimeout(() => { throw new Error('unheard'); }, 1); })",
      "new Promise(() => { Promise.reject(new Error('unheard')); })",
    ]) {
      const peer = await start({ f: `() => ${body}` });
      expect(text(await call(peer, "f"))).toBe("error: Error: unheard");
      expect(await peer.exited).toBe(1);
    }
  });

  test("after a call it ends it too, without a word of the call", async () => {
    const peer = await start({ f: "async () => { setImmediate(() => Promise.reject(new Error('late'))).unref(); return 1; }" });
    expect(text(await call(peer, "f"))).toBe("1");
    await peer.exited;
    expect(peer.strays).toEqual([]);
  });

  test("abort and a signal end it without a result", async () => {
    for (const body of ["process.abort()", "process.kill(process.pid, 'SIGKILL')"])
      await expect(one(`async () => { ${body}; await new Promise((r) => setTimeout(r, 5000)); }`)).rejects.toThrow("the runner ended");
  });

  test("a call that can never end says so, also when the package listens to the end of the loop", async () => {
    expect((await one("() => new Promise(() => { process.once('beforeExit', () => {}); })")).kind).toBe("neverResolves");
    expect(
      (await one("async () => { await Convex.asyncSyscall('a/b', '1'); await new Promise(() => {}); }", { answer: () => "1" })).kind,
    ).toBe("neverResolves");
    expect((await one("() => new Promise((ok) => { setTimeout(() => ok(1), 30); })")).kind).toBe("result");
  });

  test("K01 keeps the state of modules, and takes back variables, listeners and timers", async () => {
    const peer = await start(
      {
        f: `async () => {
          const seen = [++count, process.env.SECRET ?? null, process.listenerCount("SIGUSR2"), ticks];
          process.env.LEFT = "1"; process.on("SIGUSR2", () => {}); setInterval(() => { ticks++; console.log("late"); }, 1);
          return seen;
        }`,
        wait: "() => new Promise((ok) => setTimeout(() => ok([ticks, process.env.LEFT ?? null]), 30))",
      },
      "let count = 0, ticks = 0;",
    );
    expect(text(await call(peer, "f", { env: { SECRET: "s" } }))).toBe('[1,"s",0,0]');
    expect(text(await call(peer, "f"))).toBe("[2,null,0,0]");
    const after = await call(peer, "wait");
    expect(text(after)).toBe("[0,null]");
    expect(after.logs).toEqual([]);
  });

  test("J12 J13 asks of the host that cannot be are errors of the code that asks", async () => {
    const outcome = await one(
      `async () => {
      const of = (op, arg) => Convex.asyncSyscall(op, arg).then(() => "ok", (e) => e.code);
      return [await of("bad op!", "{}"), await of("x".repeat(65), "{}"), await of("a/b", "x".repeat(30_000_000)), await of("a/b", "{}")];
    }`,
      { answer: () => "1" },
    );
    expect(text(outcome)).toBe('["InvalidArgument","InvalidArgument","LimitExceeded","ok"]');
    const peer = await start({
      leave:
        "async () => { globalThis.later = () => Convex.asyncSyscall('a/b', '{}').then(() => 'ok', (e) => e.code); setImmediate(() => later().then((r) => { globalThis.result = r; })).unref(); return 1; }",
      look: "async () => globalThis.result",
    });
    await call(peer, "leave");
    let looked = "null";
    for (let tries = 0; tries < 20 && !looked.includes("NoCall"); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      looked = text(await call(peer, "look"));
    }
    expect(looked).toBe('"NoCall"');
    expect(peer.strays).toEqual([]);
  });

  test("has a home, which a call can name anew", async () => {
    expect(text(await one("async () => require('os').homedir()"))).toBe('"/"');
    expect(text(await one("async () => { process.env.HOME = '/elsewhere'; return require('os').homedir(); }"))).toBe('"/elsewhere"');
  });

  test("does not show what is the runner's", async () => {
    const outcome = await one(
      "async () => [process.argv.join().includes('local'), process.execArgv, process._getActiveHandles().length, Object.keys(process.env), require.main === module]",
    );
    expect(text(outcome)).toBe('[false,[],0,["HOME"],false]');
  });
});

describe("the console", () => {
  test("becomes log lines with levels; raw output is cut into lines", async () => {
    const outcome = await one(`async () => {
      console.debug("d"); console.info("i %d", 1); console.log({ a: [1] }); console.warn("w"); console.error(new Error("e").message);
      console.group("g"); console.log("in"); console.groupEnd(); console.table([1]);
      process.stdout.write("one\\ntwo"); process.stdout.write(" more\\nrest"); process.stderr.write(Buffer.from("err\\n"));
    }`);
    const lines = outcome.logs.map(({ level, text: line }) => [level, line]);
    expect(lines.slice(0, 7)).toEqual([
      ["debug", "d"],
      ["info", "i 1"],
      ["log", "{ a: [ 1 ] }"],
      ["warn", "w"],
      ["error", "e"],
      ["log", "g"],
      ["log", "  in"],
    ]);
    expect(lines.slice(8)).toEqual([
      ["log", "one"],
      ["log", "two more"],
      ["error", "err"],
      ["log", "rest"],
    ]);
  });

  test("J16 O01 O02 O03 floods are cut and counted", async () => {
    const outcome = await one(
      `async () => {
        console.log("x".repeat(50_000_000)); console.log(new Proxy({}, { get() { throw 1; } })); const c = {}; c.c = c; console.log(c);
        for (let i = 0; i < 200_000; i++) process.stdout.write("y\\n");
        for (let i = 0; i < 100; i++) process.stdout.write("z".repeat(1_000_000));
      }`,
      { limits: { logLines: 20, logLineBytes: 100, wallMs: 20_000 } },
    );
    expect(outcome.kind).toBe("result");
    expect(outcome.logs).toHaveLength(21);
    expect(outcome.logs.every((line) => line.text.length <= 100)).toBe(true);
    expect(outcome.logs.at(-1)?.dropped).toBe(200_000 + 3 + 1 - 20);
  });
});

describe("worker threads", () => {
  const reply: FetchResponse = {
    url: "",
    status: 200,
    statusText: "",
    headers: [],
    redirected: false,
    bodyBase64: Buffer.from("hi").toString("base64"),
  };
  const worker = (code: string, options = "{}"): string =>
    `() => new Promise((resolve, reject) => {
      const { Worker } = require("node:worker_threads");
      const worker = new Worker(${JSON.stringify(code)}, { eval: true, ...${options} });
      let message = null; worker.on("message", (m) => { message = m; }); worker.on("error", reject); worker.on("exit", (code) => setImmediate(() => resolve([message, code])));
    })`;

  test("work, log, reach the network and end alone", async () => {
    const outcome = await one(
      worker(`const { parentPort } = require("worker_threads"); console.log("from the worker"); console.error("bad");
        fetch("https://example.com/w").then((r) => r.text()).then((t) => { parentPort.postMessage(t); setTimeout(() => process.exit(7), 20); });`),
      { answer: () => JSON.stringify(reply) },
    );
    expect(text(outcome)).toBe('["hi",7]');
    expect(outcome.logs.map(({ level, text: line }) => [level, line])).toEqual(
      expect.arrayContaining([
        ["log", "from the worker"],
        ["error", "bad"],
      ]),
    );
    expect(outcome.calls).toHaveLength(1);
  });

  test("see a refusal, also with flags of their own and inside each other", async () => {
    const ask = `require("worker_threads").parentPort.postMessage(await fetch("https://example.com/").catch((e) => e.cause.message))`;
    const nested = `const w = new (require("worker_threads").Worker)(${JSON.stringify(`(async () => { ${ask} })()`)}, { eval: true, execArgv: ["--no-warnings"] }); w.on("message", (m) => require("worker_threads").parentPort.postMessage(m));`;
    const outcome = await one(worker(nested, '{ execArgv: ["--no-warnings"] }'), { answer: () => new Error("the host says no") });
    expect(text(outcome)).toBe('["the host says no",0]');
  });
});

test("two descriptors work as well as one", async () => {
  const { spawn } = await import("node:child_process");
  const { encodeFrame, FrameDecoder } = await import("@plinth/core/protocol/frames.ts");
  const { PROTOCOL_VERSION } = await import("@plinth/core/protocol/runner-protocol.ts");
  const command = await runnerCommand(await writePackage(snapIn({})));
  const child = spawn(command.file, [...command.args, "--control=0,1"], { stdio: ["pipe", "pipe", "inherit"], env: command.env ?? {} });
  child.stdin.write(encodeFrame({ type: "hello", protocol: PROTOCOL_VERSION, isolates: 1, heapBytes: 1 }));
  const decoder = new FrameDecoder();
  const [chunk] = (await new Promise<Buffer[]>((resolve) => child.stdout.once("data", (data: Buffer) => resolve([data])))) as [Buffer];
  expect(new TextDecoder().decode(decoder.push(chunk)[0]?.envelopeBytes)).toContain('"ready"');
  child.stdin.end();
  expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
});
