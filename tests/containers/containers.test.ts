/**
 * Packages and inline code in containers, through a whole host as its users have it: uploads, calls, what hostile code gets, and
 * that nothing is left. Once with runc and once with gVisor, over podman.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeTar } from "@plinth/core/archive/tar-writer.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, send } from "../../packages/cli/src/client.ts";
import { assemble, command } from "../../packages/runners/src/wasm/test-modules.ts";
import {
  engineMissing,
  startEngine,
  type TestEngine,
  type TestRuntime,
} from "../../packages/server/src/sandbox/fixtures/container-engine.ts";
import { hasPython } from "../../packages/server/src/sandbox/runtimes/python.ts";
import { startLocalHost, type LocalHost } from "../../tools/local-host.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

const PATIENCE = { timeout: 120_000 };
const python = await hasPython();

const HOSTILE = `
const fs = require("node:fs"), cp = require("node:child_process");
const attempt = async (action) => { try { return String(await action()); } catch (error) { return error.code ?? error.message; } };
exports.functionFactory = {
  hello: async ([event]) => ({ doubled: event.payload.n * 2 }),
  prints: async () => { fs.writeSync(1, "no frame\\n"); console.log("a line"); process.stdout.write("\\0\\0\\0\\1x"); return "kept apart"; },
  memory: async () => { const all = []; for (;;) all.push(Buffer.alloc(16 * 1024 * 1024, 1)); },
  forks: async () => {
    const children = [];
    for (let i = 0; i < 600; i++) {
      try { const child = cp.spawn("/bin/sh", ["-c", "kill -STOP $$"], { stdio: "ignore" }); child.on("error", () => undefined); if (child.pid) children.push(child); }
      catch {}
    }
    for (const child of children) child.kill("SIGKILL");
    return children.length;
  },
  spin: async () => { for (;;); },
  scratch: async () => {
    const found = {};
    found.outside = await attempt(() => fs.writeFileSync("/app/x", "x"));
    found.tmp = await attempt(() => fs.writeFileSync("/tmp/x", "x"));
    try { for (let i = 0; i < 100; i++) fs.writeFileSync("/scratch/" + i, Buffer.alloc(512 * 1024)); found.full = "never"; }
    catch (error) { found.full = error.code; }
    return found;
  },
};
`;

function manifest(names: readonly string[]): string {
  const functions = names.map((name) => `  - name: ${name}\n    description: ${name}\n${name === "scratch" ? SCRATCH : ""}`);
  return `version: "2"\nname: test\ndescription: test\nfunctions:\n${functions.join("")}`;
}
const SCRATCH = "    config:\n      runtime:\n        scratch_mb: 2\n";

const NODE: Files = {
  "manifest.yaml": manifest(["hello", "prints", "memory", "forks", "spin", "scratch"]),
  "code/package.json": '{"name":"test","main":"./dist/index.js"}',
  "code/dist/index.js": HOSTILE,
};
const PYTHON: Files = {
  "manifest.yaml": manifest(["hello", "network"]),
  "code/functions/hello.py":
    "import math\n\ndef run(events):\n    return {'doubled': events[0]['payload']['n'] * 2, 'root': math.sqrt(16)}\n",
  // Below what the runtime replaces, with the engine's own sockets.
  "code/functions/network.py": `
import _socket
def run(events):
    found = []
    for host in ("127.0.0.1", "169.254.169.254", "192.0.2.1"):
        try:
            one = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            one.settimeout(1)
            one.connect((host, 80))
            found.append("connected")
        except OSError as error:
            found.append(str(error.errno))
    return found
`,
};

for (const oci of ["runc", "runsc"] satisfies TestRuntime[]) {
  const missing = engineMissing(oci);
  const title = `a host whose packages run in containers of ${oci}`;
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, () => {
    let engine: TestEngine;
    let host: LocalHost;
    let settings: readonly string[];
    const dataDir = mkdtempSync(join(tmpdir(), "plinth-containers-"));
    const tookMs: Record<string, number> = {};

    beforeAll(async () => {
      engine = await startEngine(oci, "host");
      settings = ["--sandbox", "container", "--container-engine", engine.url, "--container-runtime", engine.ociRuntime];
      host = await startLocalHost(settings, dataDir);
    }, 120_000);

    afterAll(async () => {
      try {
        await host.stop();
        expect(engine.containers(), "no container is left").toEqual([]);
      } finally {
        await engine.stop();
        rmSync(dataDir, { recursive: true, force: true });
        console.log(`${oci}: ${JSON.stringify(tookMs)} ms`);
      }
    }, 60_000);

    async function upload(name: string, files: Files): Promise<void> {
      const tar = [...writeTar(Object.entries(files).map(([path, body]) => ({ path, bytes: Buffer.from(body) })))];
      const response = await fetch(`${host.connection.url}/v1/packages/${name}/versions`, {
        method: "POST",
        headers: { authorization: `Bearer ${host.connection.key ?? ""}`, "content-type": "application/gzip" },
        body: gzipSync(Buffer.concat(tar)),
      });
      expect(response.status, await response.text()).toBe(200);
    }

    async function execute(path: string, args: Readonly<Record<string, number>> = {}): Promise<unknown> {
      return await (await send(host.connection, `/v1/functions/${encodeURIComponent(path)}/execute`, { body: { args } })).json();
    }

    async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
      const startMs = performance.now();
      const result = await work();
      tookMs[name] = Math.round(performance.now() - startMs);
      return result;
    }

    /** The first call may start a container, the second finds it. */
    async function twice(name: string, work: () => Promise<unknown>): Promise<unknown> {
      await timed(`${name} first`, work);
      return await timed(`${name} again`, work);
    }

    test("it says what it runs in", async () => {
      const health = await call(host.connection, "/healthz");
      expect(health).toMatchObject({ packages: { provider: "container", tier: oci === "runsc" ? 4 : 3 } });
    });

    test("a Node package is analysed and serves", PATIENCE, async () => {
      await timed("node upload", () => upload("node", NODE));
      expect(await twice("node", () => execute("@node/hello", { n: 21 }))).toMatchObject({ value: { doubled: 42 } });
    });

    test.skipIf(!python)("a Python package is analysed and serves", PATIENCE, async () => {
      await timed("python upload", () => upload("python", PYTHON));
      expect(await twice("python", () => execute("@python/hello", { n: 21 }))).toMatchObject({ value: { doubled: 42, root: 4 } });
    });

    test.skipIf(!python)("Python inline code runs, and its policy holds", PATIENCE, async () => {
      const run = (code: string) => call(host.connection, "/v1/code/execute", { body: { code, inputs: { n: 4 } } });
      expect(await twice("inline", () => run("result = inputs['n'] + 1"))).toMatchObject({ value: { result: 5 } });
      expect(await run("import subprocess")).toMatchObject({ error: { exitCode: 3 } });
    });

    test("a package of WebAssembly serves", PATIENCE, async () => {
      const echo = "(local $n i32) (local.set $n (call $read)) (call $write (i32.const 1) (i32.const 4096) (local.get $n))";
      await timed("wasm upload", async () =>
        upload("wasm", { "manifest.yaml": manifest(["echo"]), "code/echo.wasm": await assemble(command(echo)) }),
      );
      expect(await twice("wasm", () => execute("@wasm/echo", { n: 21 }))).toMatchObject({ value: { payload: { n: 21 } } });
    });

    test("what code prints does not come between frames", PATIENCE, async () => {
      expect(await execute("@node/prints")).toMatchObject({ value: "kept apart" });
    });

    test.skipIf(!python)("there is no network", PATIENCE, async () => {
      const { value } = (await execute("@python/network")) as { value: string[] };
      expect(value).toHaveLength(3);
      expect(value.join()).not.toContain("connected");
    });

    test("the scratch folder is bounded, nothing else can be written", PATIENCE, async () => {
      // gVisor looks at permissions before it looks at the mount.
      const refused = expect.stringMatching(/^(EROFS|EACCES)$/);
      expect(await execute("@node/scratch")).toMatchObject({ value: { full: "ENOSPC", outside: refused, tmp: refused } });
    });

    test("code that takes all memory ends, and others go on", PATIENCE, async () => {
      const outcome = await timed("memory bomb", () => execute("@node/memory"));
      expect(JSON.stringify(outcome)).toMatch(/memory/i);
      expect(await execute("@node/hello", { n: 1 })).toMatchObject({ value: { doubled: 2 } });
    });

    test("code that starts processes gets none, or a bounded number", PATIENCE, async () => {
      const outcome = await timed("fork bomb", () => execute("@node/forks"));
      const { value = 0 } = outcome as { value?: number };
      // The policy of system calls lets nothing start a process; the kernel of gVisor does, up to what its container may have.
      if (oci === "runc") expect(value).toBe(0);
      else expect(value).toBeLessThan(600);
      expect(await execute("@node/hello", { n: 1 })).toMatchObject({ value: { doubled: 2 } });
    });

    test("L2 a host that is killed leaves no container, also when code ignores the end of its input", PATIENCE, async () => {
      expect(await execute("@node/hello", { n: 1 })).toMatchObject({ value: { doubled: 2 } });
      void execute("@node/spin").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300)); // until it spins
      expect(engine.containers().length).toBeGreaterThan(0);
      process.kill(host.process.ready.pid, "SIGKILL");
      await host.process.ended;
      await expect.poll(() => engine.containers(), { timeout: 30_000 }).toEqual([]);
      host = await startLocalHost(settings, dataDir);
      expect(await execute("@node/hello", { n: 2 })).toMatchObject({ value: { doubled: 4 } });
    });
  });
}
