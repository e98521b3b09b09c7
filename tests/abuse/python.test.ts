/**
 * The Python runtime in its real jail: what handlers and inline code try, with the whole standard library and native calls at
 * hand, and what must come of it. Ids are those of the abuse suite.
 */
import { chmodSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { InlineResult } from "@plinth/core/protocol/runner-protocol.ts";
import {
  callOnce,
  openTestSandbox,
  packageOf,
  QUIET,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import { childrenOf } from "../../packages/server/src/sandbox/jail/process-stats.ts";
import { hasPython } from "../../packages/server/src/sandbox/runtimes/python.ts";
import type { CallHandler, CallOutcome, VersionCode } from "../../packages/server/src/sandbox/sandbox.ts";

const MEMORY = limit("inlineMemoryBytesMax");
const FUNCTIONS = [
  ..."grow_list grow_bytes big_text big_number deep_repr make_processes make_threads write_files read_files open_files descriptors".split(
    " ",
  ),
  ..."environment listing refused_calls killed_call die forge garbage print_much print_lines spin patch".split(" "),
];

const available = await hasPython();

describe.skipIf(!available)(`python in its jail${available ? "" : " (no CPython >= 3.11 on this machine)"}`, () => {
  let sandbox: TestSandbox;
  let folder: string;
  let handlers: VersionCode;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plinth-python-abuse-"));
    chmodSync(folder, 0o755);
    await cp(join(import.meta.dirname, "python"), folder, { recursive: true });
    sandbox = await openTestSandbox({ warmRunners: 0 });
    handlers = packageOf(JSON.stringify({ functions: FUNCTIONS }), {
      runtime: "python",
      reuse: false,
      memoryBytesMax: MEMORY,
      folder: async () => Promise.resolve({ path: folder, release: () => undefined }),
    });
  });

  afterAll(async () => {
    await sandbox.sandbox.close();
    expect(childrenOf(process.pid), "no process is left").toEqual([]);
    await rm(folder, { recursive: true, force: true });
  });

  const limitsOf = (wallMs: number) => ({ ...requestOf("").limits, cpuMs: wallMs, wallMs, heapBytes: MEMORY });

  const run = (
    path: string,
    arg: unknown = {},
    rest: { readonly wallMs?: number; readonly handler?: CallHandler } = {},
  ): Promise<CallOutcome> =>
    callOnce(sandbox.sandbox, {
      request: requestOf(path, arg, { version: handlers, kind: "handler", limits: limitsOf(rest.wallMs ?? 10_000) }),
      handler: rest.handler ?? QUIET,
    });

  /** The value of a handler that must succeed. */
  const found = async (path: string, arg: unknown = {}): Promise<unknown> => {
    const outcome = await run(path, arg);
    if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.valueText);
  };

  const inline = (code: string, wallMs = 10_000): Promise<CallOutcome> =>
    callOnce(sandbox.sandbox, {
      request: requestOf(
        "",
        {},
        {
          version: packageOf(JSON.stringify({ functions: [] }), { runtime: "python", reuse: false, memoryBytesMax: MEMORY }),
          kind: "inline",
          argsText: JSON.stringify({ code, inputs: {}, keyrings: {} }),
          limits: limitsOf(wallMs),
        },
      ),
    });

  test.each(["grow_list", "grow_bytes", "big_text"])("B13 memory ends: %s", async (path) => {
    expect(["outOfMemory", "error"]).toContain((await run(path)).kind);
  });

  test("B13 a number that takes for ever", async () => {
    expect((await run("big_number", {}, { wallMs: 1000 })).kind).toBe("timeout");
  });

  test("B14 recursion in C", async () => {
    expect(["error", "lost", "outOfMemory"]).toContain((await run("deep_repr")).kind);
  });

  test("C01 no process can be made", async () => {
    const ways = (await found("make_processes")) as Record<string, string>;
    expect(ways).toMatchObject({ fork: "errno 1", vfork: "errno 1", multiprocessing: "errno 1" });
    expect(ways["spawn"]).toMatch(/^errno/);
    expect(ways["subprocess"]).toMatch(/^(errno|PermissionError)/);
    expect(ways["system"]).not.toBe("0");
    expect(ways["clone3"]).toBe("errno 38");
  });

  test("C02 threads end at a cap", async () => {
    expect(await found("make_threads")).toBeLessThanOrEqual(limit("runnerThreadsMax"));
  });

  test("C04 descriptors end at a cap", async () => {
    expect(await found("open_files")).toBeLessThanOrEqual(limit("runnerFilesMax"));
  });

  test("C05 D04 nothing can be written", async () => {
    for (const [place, outcome] of Object.entries((await found("write_files")) as Record<string, string>))
      expect(outcome, place).toMatch(/^errno (30|2|13|1)$/);
  });

  test("C14 a signal that the process sends to itself as the first of its kind does nothing, or ends it", async () => {
    const outcome = await run("die", { way: "kill" }, { wallMs: 2000 });
    if (outcome.kind === "ok") expect(outcome.valueText).toBe("null");
    else expect(outcome.kind).toBe("lost");
  });

  test.each(["exit", "abort", "segfault", "close"])("C14 a process that ends by %s has no result", async (way) => {
    expect(["lost", "error", "security", "timeout"]).toContain((await run("die", { way }, { wallMs: 2000 })).kind);
  });

  test("D02 D03 files of the host are not there", async () => {
    const paths = [
      "/etc/passwd",
      "/etc/shadow",
      "/root",
      "/home",
      "/var/lib/plinth",
      "/proc/self/maps",
      "/proc/1",
      "/sys",
      "/dev/mem",
      "/dev/tty",
      process.cwd(),
    ];
    const stats = (await found("read_files", { paths })) as Record<string, string>;
    for (const path of paths) expect(stats[path], path).toMatch(/^errno/);
  });

  test("D05 the environment tells nothing", async () => {
    const { environ, argv, user } = (await found("environment")) as { environ: object; argv: string[]; user: boolean };
    expect(environ).toEqual({});
    expect(argv).toEqual(["/app/runner.py"]);
    expect(user).toBe(true);
    const folders = (await found("listing")) as Record<string, string>;
    expect(folders["/package"]).toBe("['code']");
    for (const path of ["/proc", "/sys", "/root", "/var"]) expect(folders[path], path).toMatch(/^errno/);
  });

  test("D06 the descriptors are the standard ones and the control channel", async () => {
    const fds = (await found("descriptors")) as Record<string, string>;
    expect(Object.keys(fds)).toEqual(["0", "1", "2", "3"]);
    expect(fds["3"]).toBe("socket");
  });

  test("S02 S06 S08 S10 S11 S12 S14 native calls are refused", async () => {
    const calls = (await found("refused_calls")) as Record<string, string>;
    // To set what is set already is no change; MAP_FAILED is -1 as a pointer.
    const { "no_new_privs off": off, rwx, ...rest } = calls;
    expect(off).toMatch(/^errno/);
    expect(rwx).toMatch(/^errno/);
    for (const [name, outcome] of Object.entries(rest)) expect(outcome, name).toMatch(/^errno|^ValueError$|^PermissionError$/);
  });

  test.each(process.arch === "x64" ? ["ptrace", "process_vm_readv", "unshare", "setns", "bpf", "mount", "reboot", "keyctl", "x32"] : [])(
    "S03 S04 S07 S15 the call %s ends the process as a violation",
    async (name) => {
      expect((await run("killed_call", { name })).kind).toBe("security");
      // The next process starts as if nothing had happened.
      expect(await found("patch")).toBe(false);
    },
  );

  test("H05 a forged second result is a violation, and no other call sees it", async () => {
    const outcome = await run("forge", {}, { wallMs: 3000 });
    expect(["ok", "security", "lost"]).toContain(outcome.kind);
    expect(await found("patch")).toBe(false);
  });

  test("H01 garbage on the control channel is a violation", async () => {
    expect((await run("garbage", {}, { wallMs: 3000 })).kind).toBe("security");
  });

  test("K04 a process serves one call and remembers nothing", async () => {
    for (let i = 0; i < 3; i++) expect(await found("patch")).toBe(false);
  });

  test.each(["print_much", "print_lines"])("O01 O02 O03 output is limited: %s", async (path) => {
    let bytes = 0;
    let dropped = 0;
    let lines = 0;
    const handler: CallHandler = {
      call: async () => Promise.resolve("null"),
      log: (line) => {
        bytes += line.text.length;
        dropped += line.dropped;
        lines++;
      },
    };
    expect((await run(path, {}, { handler, wallMs: 20_000 })).kind).toBe("ok");
    expect(lines).toBeLessThanOrEqual(limit("logLinesMax") + 1);
    expect(bytes).toBeLessThanOrEqual(limit("logLinesMax") * limit("logLineBytesMax"));
    if (path === "print_lines") expect(dropped).toBe(1_000_000 - limit("logLinesMax"));
  });

  test("A01 a loop that catches everything is ended", async () => {
    expect((await run("spin", {}, { wallMs: 500 })).kind).toBe("timeout");
  });

  test("P20 P26 inline output is cut, and is never a result", async () => {
    const outcome = await inline(`print('{"type":"result","call":1}' * 100_000)\n5`);
    if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
    const { result, stdout, truncated } = JSON.parse(outcome.valueText) as InlineResult;
    expect([result, truncated]).toEqual([5, true]);
    expect(stdout.length).toBeLessThan(limit("inlineOutputBytesMax") + 200);
  });

  test("P21 inline results are cut", async () => {
    const outcome = await inline("[list(range(5000)), [[[[[[]]]]]]]");
    if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
    const { result, truncated } = JSON.parse(outcome.valueText) as { result: unknown[][]; truncated: boolean };
    expect(truncated).toBe(true);
    expect(result[0]).toHaveLength(1001);
  });

  test.each([
    ["P01", "import os", "policy"],
    ["P22", "while True: pass", "timeout"],
    ["P24", "raise SystemExit(0)", "error"],
    ["P18", "(".repeat(100_000), "invalid"],
    ["B13", "x = []\nwhile True: x.append('y' * 1000 + str(len(x)))", "outOfMemory"],
  ])("%s inline code ends as it should: %j", async (_id, code, kind) => {
    const outcome = await inline(code, 1500);
    expect(kind === "outOfMemory" ? ["outOfMemory", "error"] : [kind]).toContain(outcome.kind);
  });

  test("P25 patched functions do not change the result, and classes cannot be patched", async () => {
    expect((await inline("import json\njson.JSONEncoder.encode = lambda *a: 'x'\n{'a': 1}")).kind).toBe("policy");
    const outcome = await inline("import json\njson.dumps = lambda *a: 'x'\n{'a': 1}");
    expect(outcome).toMatchObject({ kind: "ok", valueText: expect.stringContaining('{"result":{"a":1}') as string });
  });
});
