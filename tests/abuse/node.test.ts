/** Hostile packages in the node runtime: real jails, cases named by their ids in the abuse suite. */
import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { requestOf } from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import type { CallOutcome } from "../../packages/server/src/sandbox/sandbox.ts";
import { NodePackages, valueOf } from "../runtime/node-packages.ts";
import { SCRATCH_MISSING } from "../../packages/server/src/sandbox/fixtures/scratch-missing.ts";

/** The polite end, the kill and a busy machine. */
const LATE_MS = 15_000;
const CPU_MS = 600;

let packages: NodePackages;
let canary: Awaited<ReturnType<NodePackages["version"]>>;
beforeAll(async () => {
  packages = await NodePackages.start();
  canary = await packages.version({ f: "async () => 'alive'" });
}, 60_000);
afterAll(async () => packages.stop());
afterEach(async () => {
  expect(valueOf(await packages.run(canary, "f"))).toBe("alive");
  expect(packages.sandbox.status().busy).toBe(0);
});

interface Timed {
  readonly outcome: CallOutcome;
  readonly ms: number;
}

/** One call with little time, of a package of its own. */
async function attack(
  text: string,
  options: { readonly cpuMs?: number; readonly wallMs?: number; readonly before?: string; readonly memoryBytesMax?: number } = {},
): Promise<Timed> {
  const { cpuMs = CPU_MS, wallMs = 4000, ...code } = options;
  const version = await packages.version({ warm: "async () => 1", f: text }, code);
  valueOf(await packages.run(version, "warm"));
  const fromMs = performance.now();
  const outcome = await packages.run(version, "f", {}, { limits: { ...BASE_LIMITS, cpuMs, wallMs } });
  return { outcome, ms: performance.now() - fromMs };
}

const BASE_LIMITS = requestOf("").limits;

function expectTimeout({ outcome, ms }: Timed): void {
  expect(outcome.kind).toBe("timeout");
  expect(ms).toBeLessThan(4000 + LATE_MS);
}

describe("A: time", () => {
  const cases: Readonly<Record<string, string>> = {
    "A01 an endless loop": "async () => { for (;;); }",
    "A04 an endless loop after an await": "async () => { await new Promise((r) => setTimeout(r, 5)); for (;;); }",
    "A05 a regular expression that backtracks": "async () => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    "A06 a built-in that cannot be interrupted": "async () => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
    "A08 waiting for shared memory": "async () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "A12 a getter of what is thrown": "async () => { throw { get message() { for (;;); } }; }",
    "A12 a stack that is a getter": "async () => { throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } }); }",
    "A14 toJSON of the result": "async () => ({ toJSON() { for (;;); } })",
    "A14 then of the result": "async () => ({ get then() { for (;;); } })",
    "A14 a proxy as result": "async () => new Proxy({}, { ownKeys() { for (;;); } })",
  };
  test.each(Object.entries(cases))("%s ends as timeout", async (_name, text) => expectTimeout(await attack(text)));

  test("A02 an endless loop at load ends as an error of the version, and is not tried at every call", async () => {
    const version = await packages.version({ f: "() => 1" }, { before: "for (;;);" });
    const fromMs = performance.now();
    expect((await packages.run(version, "f")).kind).not.toBe("ok");
    expect(performance.now() - fromMs).toBeLessThan(20_000);
  }, 30_000);

  test("A09 a promise that never settles is found at once when nothing is left to wait for", async () => {
    expect((await attack("() => new Promise(() => {})")).outcome.kind).toBe("neverResolves");
    expect((await attack("() => new Promise(() => setInterval(() => {}, 1000))", { wallMs: 1000 })).outcome.kind).toBe("timeout");
  });

  test("A10 timers that are left do nothing in the next call", async () => {
    const version = await packages.version({
      leave:
        "async () => { for (let i = 0; i < 5000; i++) setInterval(() => { globalThis.ticks = (globalThis.ticks ?? 0) + 1; }, 1); return 1; }",
      look: "() => new Promise((ok) => setTimeout(() => ok(globalThis.ticks ?? 0), 30))",
    });
    valueOf(await packages.run(version, "leave"));
    expect(valueOf(await packages.run(version, "look"))).toBe(0);
  });

  test("A13 an endless Error.prepareStackTrace ends", async () => {
    const { outcome } = await attack("async () => { Error.prepareStackTrace = () => { for (;;); }; null.x; }");
    expect(["timeout", "error"]).toContain(outcome.kind);
  });
});

describe("B: memory", () => {
  const MEMORY = { memoryBytesMax: 128 * 1024 * 1024, cpuMs: 20_000, wallMs: 30_000 };
  const cases: Readonly<Record<string, string>> = {
    "B01 small objects for ever": "async () => { const all = []; for (;;) all.push({ a: [1, 2, 3] }); }",
    "B02 a huge filled array": "async () => { const all = []; for (;;) all.push(new Array(1e6).fill(1.5)); }",
    "B04 a string that doubles": "async () => { let s = 'x'.repeat(1000); const all = []; for (;;) { s += s; all.push(Buffer.from(s)); } }",
    "B05 touched buffers": "async () => { const all = []; for (;;) all.push(Buffer.alloc(1e6, 1)); }",
    "B09 deep recursion": "async () => { const f = () => f() + 1; return f(); }",
    "B09 recursion through built-ins": "async () => { const f = () => [1].map(f); return f(); }",
    "B10 a deep chain of proxies": "async () => { let p = {}; for (let i = 0; i < 1e6; i++) p = new Proxy(p, {}); return p.x; }",
  };
  test.each(Object.entries(cases))(
    "%s ends within its budget",
    async (_name, text) => {
      const { outcome } = await attack(text, MEMORY);
      expect(["outOfMemory", "error"]).toContain(outcome.kind);
    },
    60_000,
  );
});

describe("C: processes and threads", () => {
  test("C03 what computes on when its call has ended is ended too", async () => {
    const spin = "new (require('worker_threads').Worker)('for (;;);', { eval: true })";
    const left = await packages.version({ f: `async () => { ${spin}; return process.pid; }` });
    const loading = await packages.version({ f: "async () => 1" }, { before: `${spin};` });
    const quiet = await packages.version({ f: "async () => 1" });
    for (const version of [left, loading, quiet]) valueOf(await packages.run(version, "f"));
    const ended = () =>
      packages.events.filter((event) => event.type === "ended" && event.end.detail === "the process computed although no call was open");
    await expect.poll(() => ended().length, { timeout: 15_000 }).toBe(2);
    expect(packages.sandbox.status().warm).toBeGreaterThan(0);
  }, 30_000);

  test("C01 no process can be made", async () => {
    const { outcome } = await attack("async () => { require('child_process').execFileSync('/usr/bin/node', ['-v']); }");
    expect(outcome).toMatchObject({ kind: "error", message: expect.stringMatching(/EPERM|ENOSYS|EACCES/) as string });
    const spawned = await attack(
      "() => new Promise((ok) => { const c = require('child_process').spawn('/usr/bin/node', ['-v']); c.on('error', (e) => ok(e.code)); c.on('exit', () => ok('ran')); })",
    );
    expect(spawned.outcome.kind === "ok" ? valueOf(spawned.outcome) : "error").not.toBe("ran");
  });

  test("C02 threads are bounded, and the host has none more", async () => {
    const before = hostThreads();
    const { outcome } = await attack(
      `async () => { const { Worker } = require("worker_threads"); const all = [];
        for (let i = 0; i < 200; i++) { const w = new Worker("setInterval(() => {}, 1000)", { eval: true }); all.push(new Promise((ok) => { w.on("online", () => ok(1)); w.on("error", () => ok(0)); w.on("exit", () => ok(0)); })); }
        return (await Promise.all(all)).reduce((a, b) => a + b, 0); }`,
      { cpuMs: 8000, wallMs: 12_000 },
    );
    if (outcome.kind === "ok") expect(valueOf(outcome)).toBeLessThan(64);
    else expect(["error", "outOfMemory", "timeout", "lost"]).toContain(outcome.kind);
    expect(hostThreads()).toBeLessThanOrEqual(before + 4);
  }, 30_000);

  test("C04 C05 files cannot be filled, opened for ever or made", async () => {
    const { outcome } = await attack(
      "async () => { const fs = require('fs'); const tried = ['/tmp/x', '/x', '/package/x', '/app/x', '/package/code/dist/index.js', '/dev/x'].map((p) => { try { fs.writeFileSync(p, 'x'); return 'written'; } catch (e) { return e.code; } }); let open = 0; try { for (;;) { fs.openSync('/package/code/package.json'); open++; } } catch (e) { tried.push(e.code); } return [tried, open]; }",
    );
    const [codes, open] = valueOf(outcome) as [string[], number];
    for (const code of codes.slice(0, -1)) expect(["EROFS", "ENOENT", "EACCES", "EPERM"]).toContain(code);
    expect(codes.at(-1)).toBe("EMFILE");
    expect(open).toBeLessThan(64);
  });

  test.skipIf(SCRATCH_MISSING !== undefined)("C05 a scratch folder ends at its quota", async () => {
    const outcome = await packages.once(
      "async () => { const fs = require('fs'); let n = 0; try { for (;; n++) fs.writeFileSync('/scratch/f' + n, Buffer.alloc(100_000)); } catch (e) { return [e.code, n]; } }",
      {},
      { scratchBytes: 1024 * 1024 },
    );
    const [code, count] = valueOf(outcome) as [string, number];
    expect(["ENOSPC", "EFBIG"]).toContain(code);
    expect(count).toBeLessThanOrEqual(11);
  });

  test.each(["process.abort()", "process.reallyExit(0)"])("C14 %s is a crash of the call", async (how) => {
    const { outcome } = await attack(`async () => { ${how}; await new Promise((r) => setTimeout(r, 60_000)); }`);
    expect(outcome.kind).toBe("lost");
  });

  test("C14 signals are refused", async () => {
    expect((await attack("async () => { process.kill(process.pid, 'SIGKILL'); }")).outcome).toMatchObject({
      kind: "error",
      message: expect.stringContaining("EPERM") as string,
    });
  });

  test("C14 process.exit(0) is a failure that says so", async () => {
    expect((await attack("async () => { process.exit(0); }")).outcome).toMatchObject({
      kind: "error",
      message: "process.exit(0) was called.",
    });
  });
});

describe("D: what can be seen", () => {
  test("D02 D03 no file of the host and no system folder", async () => {
    const { outcome } = await attack(
      "async () => { const fs = require('fs'); const codes = ['/etc/passwd', '/root', '/home', '/proc/self/environ', '/proc', '/sys', '/var', '/tmp', '/dev/tty', '/dev/mem', '/run'].map((p) => { try { fs.statSync(p); return p; } catch (e) { return e.code; } }); return [codes, fs.readdirSync('/').sort(), fs.readdirSync('/dev').sort()]; }",
    );
    const [codes, root, dev] = valueOf(outcome) as [string[], string[], string[]];
    expect(new Set(codes)).toEqual(new Set(["ENOENT"]));
    for (const name of root) expect(["app", "dev", "lib", "lib64", "package", "usr"]).toContain(name);
    expect(dev).toEqual(["null", "urandom"]);
  });

  test("D04 neither its own code nor the runner can be changed", async () => {
    const { outcome } = await attack(
      "async () => { const fs = require('fs'); return [() => fs.writeFileSync(__filename, ''), () => fs.unlinkSync(__filename), () => fs.appendFileSync('/app/runner.js', ''), () => fs.mkdirSync('/package/new'), () => fs.chmodSync('/usr/bin/node', 0o777), () => fs.renameSync('/app', '/b'), () => fs.symlinkSync('/a', '/package/l')].map((f) => { try { f(); return 'done'; } catch (e) { return e.code; } }); }",
    );
    for (const code of valueOf(outcome) as string[]) expect(["EROFS", "EPERM", "EACCES", "EBUSY", "ENOSYS"]).toContain(code);
  });

  test("D06 the only inherited descriptor is the control socket", async () => {
    const { outcome } = await attack(
      "async () => { const fs = require('fs'); const kinds = []; for (let fd = 0; fd < 64; fd++) { try { const s = fs.fstatSync(fd); kinds.push([fd, s.isSocket() ? 'socket' : s.isFIFO() ? 'pipe' : s.isCharacterDevice() ? 'device' : s.isFile() ? 'file' : 'other']); } catch {} } return kinds; }",
    );
    const kinds = valueOf(outcome) as [number, string][];
    expect(kinds.filter(([, kind]) => kind === "socket").map(([fd]) => fd)).toContain(3);
    // No file of the host is open: what is there besides are the engine's own pipes and events.
    expect(kinds.filter(([, kind]) => kind === "file")).toEqual([]);
  });

  test("D06 sockets cannot be made, and what is written to the control socket is a violation", async () => {
    const { outcome } = await attack(
      "() => new Promise((ok) => { const s = require('net').createServer(); s.on('error', (e) => ok(e.code)); s.listen(0, () => ok('listens')); })",
    );
    expect(valueOf(outcome)).toMatch(/EPERM|ENOSYS|EINVAL/);
    const forged = await attack(
      "async () => { require('fs').writeSync(3, Buffer.from([255, 255, 255, 255, 1, 2, 3])); await new Promise((r) => setTimeout(r, 500)); return 1; }",
    );
    expect(forged.outcome.kind).toBe("security");
  });
});

describe("J, K, O: values, state, output", () => {
  test("O01 output that nobody keeps does not keep the host's thread busy", async () => {
    const step = "require('fs').writeSync(1, Buffer.alloc(1 << 20, 120))";
    const version = await packages.version({ f: `async () => { const end = Date.now() + 2000; while (Date.now() < end) ${step}; }` });
    const before = process.cpuUsage();
    const outcome = await packages.run(version, "f", {}, { limits: { ...BASE_LIMITS, cpuMs: 8000, wallMs: 8000 } });
    const { user, system } = process.cpuUsage(before);
    expect(outcome.kind).toBe("ok");
    // Without a brake it is more than a second.
    expect((user + system) / 1000).toBeLessThan(600);
  });

  test("H01 host calls over the limit are refused slowly", async () => {
    const step = "await Promise.all(Array.from({ length: 60 }, () => Convex.asyncSyscall('none', '{}').catch(() => 0))); n += 60;";
    const version = await packages.version({
      f: `async () => { let n = 0; const end = Date.now() + 4000; while (Date.now() < end) { ${step} } return n; }`,
    });
    const outcome = await packages.run(version, "f", {}, { limits: { ...BASE_LIMITS, cpuMs: 8000, wallMs: 8000 } });
    expect(valueOf(outcome)).toBeLessThan(limit("hostCallsPerInvocationMax") + 10_000);
  });

  test("J05 J06 hostile values end as errors", async () => {
    const thrown = [
      "undefined",
      "Symbol('s')",
      "(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy; })()",
      "'x'.repeat(5e6)",
      "1n",
    ];
    const returned = ["() => 1", "Symbol('s')", "10n", "(() => { const a = []; a.push(a); return a; })()"];
    const list = (values: readonly string[]): string => values.map((value) => `() => (${value})`).join(", ");
    const version = await packages.version({
      throws: `async ([{ index }]) => { throw [${list(thrown)}][index](); }`,
      returns: `async ([{ index }]) => [${list(returned)}][index]()`,
    });
    for (const index of thrown.keys()) {
      const outcome = await packages.run(version, "throws", { index });
      expect(outcome.kind).toBe("error");
      expect(outcome.kind === "error" && outcome.message.length).toBeLessThanOrEqual(16_384);
    }
    for (const index of returned.keys()) {
      const outcome = await packages.run(version, "returns", { index });
      expect(outcome).toMatchObject({ kind: "error", message: expect.stringContaining("cannot be sent as JSON") as string });
    }
  });

  test("J08 keys of prototypes are plain data", async () => {
    expect(await packages.once(`async () => JSON.parse('{"__proto__":{"x":1},"constructor":2}')`)).toMatchObject({
      kind: "ok",
      valueText: '{"__proto__":{"x":1},"constructor":2}',
    });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test("J16 O01 O02 O03 floods of output are cut and counted", async () => {
    const lines: { text: string; dropped: number }[] = [];
    const version = await packages.version({
      f: "async () => { for (let i = 0; i < 100_000; i++) console.log('line'); for (let i = 0; i < 50; i++) process.stdout.write('z'.repeat(1e6)); console.log('q'.repeat(2e7)); return 1; }",
    });
    const limits = BASE_LIMITS;
    const outcome = await packages.run(
      version,
      "f",
      {},
      {
        limits: { ...limits, cpuMs: 10_000, wallMs: 20_000 },
        handler: { call: async () => "null", log: ({ text, dropped }) => void lines.push({ text, dropped }) },
      },
    );
    expect(outcome.kind).toBe("ok");
    expect(lines.length).toBe(limits.logLines + 1);
    expect(lines.reduce((sum, line) => sum + line.dropped, 0)).toBe(100_002 - limits.logLines);
    for (const { text } of lines) expect(text.length).toBeLessThanOrEqual(limits.logLineBytes);
  }, 40_000);

  test("K01 a process serves one version, tenant and branch; K06 variables of a call are gone in the next", async () => {
    const version = await packages.version({
      f: "async () => { const before = [globalThis.mark ?? 0, process.env.SECRET ?? null]; globalThis.mark = 1; return before; }",
    });
    const other = await packages.version({ f: "async () => globalThis.mark ?? 0" });
    expect(valueOf(await packages.run(version, "f", {}, { env: { SECRET: "s3cret" } }))).toEqual([0, "s3cret"]);
    expect(valueOf(await packages.run(version, "f"))).toEqual([1, null]);
    expect(valueOf(await packages.run(other, "f"))).toBe(0);
    const lease = await packages.sandbox.acquire(
      { tenant: "other", branch: "main", lane: "action", version },
      new AbortController().signal,
    );
    const { callRequest } = {
      callRequest: (await import("../../packages/server/src/sandbox/fixtures/test-sandbox.ts")).requestOf(
        "f",
        {},
        { version, kind: "handler" },
      ),
    };
    const elsewhere = await lease.run(callRequest, { call: async () => "null", log: () => undefined }, new AbortController().signal);
    lease.release();
    expect(valueOf(elsewhere)).toEqual([0, null]);
  });

  test("O05 an error says nothing of the host", async () => {
    const { outcome } = await attack("async () => { const e = new Error('mine'); throw e; }");
    expect(outcome).toMatchObject({ kind: "error", message: "Error: mine" });
    expect(JSON.stringify(outcome)).not.toMatch(/\/work|\/tmp|runner\.js|node_modules/);
  });
});

function hostThreads(): number {
  return readdirSync("/proc/self/task").length;
}
