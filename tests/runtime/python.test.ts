/** Python in the real jail: handlers of a package, inline code, libraries, and how long they take. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { FetchRequest } from "@plinth/core/protocol/runner-protocol.ts";
import {
  callOnce,
  openTestSandbox,
  packageOf,
  QUIET,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import { hasPython } from "../../packages/server/src/sandbox/runtimes/python.ts";
import type { CallHandler, CallOutcome, PackageCode, VersionCode } from "../../packages/server/src/sandbox/sandbox.ts";
import { SCRATCH_MISSING } from "../../packages/server/src/sandbox/fixtures/scratch-missing.ts";

/** What a call may take on a machine that runs other tests beside. */
const BUSY_MS = 10_000;
const available = await hasPython();

describe.skipIf(!available)(`python${available ? "" : " (no CPython >= 3.11 on this machine)"}`, () => {
  let sandbox: TestSandbox;
  const folders: string[] = [];

  beforeAll(async () => {
    sandbox = await openTestSandbox({ warmRunners: 0 });
  });
  afterAll(async () => {
    await sandbox.sandbox.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function versionOf(files: Readonly<Record<string, string>>, functions: readonly string[], over: Partial<PackageCode> = {}): VersionCode {
    const path = mkdtempSync(join(tmpdir(), "plinth-python-runtime-"));
    folders.push(path);
    chmodSync(path, 0o755);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, "code", name)), { recursive: true, mode: 0o755 });
      writeFileSync(join(path, "code", name), text, { mode: 0o644 });
    }
    const folder = async () => Promise.resolve({ path, release: () => undefined });
    const script = JSON.stringify({ functions, of: path });
    return packageOf(script, { runtime: "python", reuse: false, memoryBytesMax: limit("packageMemoryBytes"), folder, ...over });
  }

  const limits = { ...requestOf("").limits, cpuMs: 10_000, wallMs: 10_000, heapBytes: limit("packageMemoryBytes") };
  const run = (version: VersionCode, path: string, arg: unknown = {}, handler: CallHandler = QUIET): Promise<CallOutcome> =>
    callOnce(sandbox.sandbox, { request: requestOf(path, arg, { version, kind: "handler", limits }), handler });
  const INLINE = packageOf('{"functions":[]}', { runtime: "python", reuse: false, memoryBytesMax: limit("inlineMemoryBytesMax") });
  const inline = (code: string, inputs: unknown = {}): Promise<CallOutcome> =>
    callOnce(sandbox.sandbox, {
      request: requestOf("", {}, { version: INLINE, kind: "inline", argsText: JSON.stringify({ code, inputs, keyrings: {} }), limits }),
    });

  /** Times of calls one after the other, in order of length. */
  async function times(count: number, work: () => Promise<CallOutcome>): Promise<{ readonly p50: number; readonly p95: number }> {
    const all: number[] = [];
    for (let i = 0; i < count; i++) {
      const fromMs = performance.now();
      expect(await work()).toMatchObject({ kind: "ok" });
      all.push(performance.now() - fromMs);
    }
    all.sort((a, b) => a - b);
    return { p50: all[Math.floor(count / 2)] ?? 0, p95: all[Math.floor(count * 0.95)] ?? 0 };
  }

  test("handlers run with the standard library, dependencies and asyncio", async () => {
    const version = versionOf(
      {
        "function_factory.py":
          "from work import own_loop, plain, waiting\nfunction_factory = {'plain': plain, 'waiting': waiting, 'own_loop': own_loop}",
        "work.py": `
import asyncio, datetime, decimal, hashlib, json, re, sqlite3, uuid, zlib
import dep
def plain(events):
    rows = sqlite3.connect(":memory:").execute("select 1 + 1").fetchall()
    return [events[0]["a"], dep.NAME, rows, hashlib.sha256(b"").hexdigest()[:4], str(decimal.Decimal("1.10"))]
def own_loop(events):
    return asyncio.run(asyncio.sleep(0.001, 7))
async def waiting(events):
    await asyncio.sleep(0.01)
    return sum(await asyncio.gather(*(asyncio.sleep(0.001, n) for n in range(5))))
`,
        "site-packages/dep.py": "NAME = 'dep'",
      },
      ["plain", "waiting", "own_loop"],
    );
    expect(await run(version, "plain", { a: 1 })).toMatchObject({ kind: "ok", valueText: '[1,"dep",[[2]],"e3b0","1.10"]' });
    expect(await run(version, "waiting")).toMatchObject({ kind: "ok", valueText: "10" });
    expect(await run(version, "own_loop")).toMatchObject({ kind: "ok", valueText: "7" });
  });

  test("requests of libraries leave through the host", async () => {
    const requests: FetchRequest[] = [];
    const handler: CallHandler = {
      call: async (_op, argText) => {
        requests.push(JSON.parse(argText) as FetchRequest);
        return Promise.resolve(
          JSON.stringify({ url: "", status: 201, statusText: "Created", headers: [["x", "y"]], redirected: false, bodyBase64: "aGk=" }),
        );
      },
      log: () => undefined,
    };
    const source = `
import http.client, urllib.request
def run(events):
    with urllib.request.urlopen("https://example.com/a") as answer:
        first = [answer.status, answer.read().decode()]
    connection = http.client.HTTPConnection("example.com", 8080)
    connection.request("PUT", "/b", body=iter([b"x", b"y"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    return [*first, connection.getresponse().reason]
`;
    const version = versionOf({ "functions/f.py": source }, ["f"]);
    expect(await run(version, "f", {}, handler)).toMatchObject({ kind: "ok", valueText: '[201,"hi","Created"]' });
    expect(requests.map(({ method, url, bodyBase64 }) => [method, url, bodyBase64])).toEqual([
      ["GET", "https://example.com/a", null],
      ["PUT", "http://example.com:8080/b", Buffer.from("xy").toString("base64")],
    ]);
  });

  test("a package that does not load says why", async () => {
    const outcome = await run(versionOf({ "functions/f.py": "import nowhere" }, ["f"]), "f");
    expect(outcome).toMatchObject({ kind: "error", message: expect.stringContaining("No module named 'nowhere'") as string });
    expect(JSON.stringify(outcome)).not.toContain("/tmp/");
  });

  test.skipIf(SCRATCH_MISSING !== undefined)("scratch can be written where the version has it", async () => {
    const source = "def run(events):\n  with open('/scratch/a', 'w') as f: f.write('x')\n  return open('/scratch/a').read()";
    const version = versionOf({ "functions/f.py": source }, ["f"], { scratchBytes: 1 << 20 });
    expect(await run(version, "f")).toMatchObject({ kind: "ok", valueText: '"x"' });
  });

  test("how long calls take", { timeout: 120_000 }, async () => {
    const source = "def run(events):\n  return events[0]";
    const code = await times(8, () => inline("import math, json\njson.dumps({'root': math.sqrt(inputs['a'])})", { a: 16 }));
    const cold = await times(4, () => run(versionOf({ "functions/f.py": source }, ["f"]), "f"));
    const kept = versionOf({ "functions/f.py": source }, ["f"], { reuse: true });
    await run(kept, "f");
    const warm = await times(100, () => run(kept, "f"));
    const shown = Object.entries({ cold, warm, inline: code }).map(
      ([name, { p50, p95 }]) => `${name} p50 ${p50.toFixed(1)} p95 ${p95.toFixed(1)}`,
    );
    process.stdout.write(`python, ms: ${shown.join("; ")}\n`);
    for (const { p50 } of [cold, warm, code]) expect(p50).toBeLessThan(BUSY_MS);
  });
});
