/**
 * The WASM runtime in its real jail: what modules try, and what must come of it. Ids are those of the abuse suite. What is refused
 * before it runs is tested byte by byte beside `module-reader.ts`.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { assemble, command } from "../../packages/runners/src/wasm/test-modules.ts";
import { WASI_PARAMETERS, type WasiName } from "../../packages/runners/src/wasm/wasi-functions.ts";
import {
  callOnce,
  openTestSandbox,
  packageOf,
  QUIET,
  requestOf,
  type TestSandbox,
} from "../../packages/server/src/sandbox/fixtures/test-sandbox.ts";
import { childrenOf } from "../../packages/server/src/sandbox/jail/process-stats.ts";
import type { CallHandler, CallOutcome, VersionCode } from "../../packages/server/src/sandbox/sandbox.ts";

const MIB = 1024 * 1024;
const MEMORY = 128 * MIB;
const ERRNO = { badf: 8, fault: 21, inval: 28, nosys: 52, notcapable: 76, max: 76 } as const;
const NAMES = Object.keys(WASI_PARAMETERS) as WasiName[];
/** Calls that end the module are tested on their own. */
const ANSWERING: readonly WasiName[] = NAMES.filter((name) => name !== "proc_exit");
const RECURSION = "(func $deep (call $deep) (call $deep))";

/** Calls of functions of WASI, each with one value for all its i32 parameters but the first; prints the answers as an array. */
function answersOf(calls: readonly { readonly name: WasiName; readonly first: number; readonly others: number }[]): string {
  const lines = calls.map(({ name, first, others }, index) => {
    const parameters = Array.from(WASI_PARAMETERS[name], (letter, at) =>
      letter === "I" ? "(i64.const -1)" : `(i32.const ${at === 0 ? first : others})`,
    );
    return `(local.set $answer (call $${name} ${parameters.join(" ")}))
      ${index === 0 ? "" : "(call $write (i32.const 1) (i32.const 1025) (i32.const 1))"} (call $print (local.get $answer))`;
  });
  return command(
    `(local $answer i32) (call $write (i32.const 1) (i32.const 1024) (i32.const 1)) ${lines.join("\n")}
    (call $write (i32.const 1) (i32.const 1026) (i32.const 1))`,
    { imports: calls.map(({ name }) => name), more: '(data (i32.const 1024) "[,]")' },
  );
}

/** For the first parameters 0 and 1: to close the output, or to fill memory from there on, is allowed and ends the report. */
const SPARED = ANSWERING.filter((name) => name !== "fd_close" && name !== "random_get");
/** Beside the end of 64 pages, the greatest numbers, and one that overflows with any length. */
const BAD_PLACES = [64 * 65536 - 1, 64 * 65536, -1, -4, -2147483648];

describe("wasm in its jail", () => {
  let sandbox: TestSandbox;
  const folders: string[] = [];

  beforeAll(async () => {
    sandbox = await openTestSandbox({ warmRunners: 0 });
  });

  afterEach(() => {
    expect(sandbox.events.filter((event) => JSON.stringify(event).includes("violation"))).toEqual([]);
  });

  afterAll(async () => {
    await sandbox.sandbox.close();
    expect(childrenOf(process.pid), "no process is left").toEqual([]);
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  });

  async function versionOf(modules: Readonly<Record<string, string>>): Promise<VersionCode> {
    const path = await mkdtemp(join(tmpdir(), "plinth-wasm-abuse-"));
    folders.push(path);
    await chmod(path, 0o755);
    await mkdir(join(path, "code"), { mode: 0o755 });
    for (const [name, text] of Object.entries(modules))
      await writeFile(join(path, "code", `${name}.wasm`), await assemble(text), { mode: 0o644 });
    const version = packageOf(JSON.stringify({ functions: Object.keys(modules) }), {
      runtime: "wasm",
      memoryBytesMax: MEMORY,
      folder: async () => Promise.resolve({ path, release: () => undefined }),
    });
    return { ...version, digest: Buffer.from(path).toString("hex").slice(-64) };
  }

  const run = (version: VersionCode, path: string, over: { readonly wallMs?: number; readonly handler?: CallHandler } = {}) => {
    const base = requestOf(path, { n: 1 }, { version, kind: "handler" });
    const wallMs = over.wallMs ?? 5000;
    const limits = { ...base.limits, cpuMs: wallMs, wallMs, heapBytes: MEMORY };
    return callOnce(sandbox.sandbox, { request: { ...base, limits }, lane: "action", handler: over.handler ?? QUIET });
  };

  /** What becomes of a module; the next call of the same version then works, and nobody is told where things lie. */
  async function outcomeOf(text: string, wallMs?: number): Promise<CallOutcome> {
    const version = await versionOf({
      bad: text,
      good: command("(drop (call $read)) (call $write (i32.const 1) (i32.const 4096) (i32.const 7))"),
    });
    const outcome = await run(version, "bad", wallMs === undefined ? {} : { wallMs });
    expect(await run(version, "good"), "the next call").toMatchObject({ kind: "ok", valueText: '{"n":1}' });
    expect(JSON.stringify(outcome)).not.toMatch(/\/(work|tmp|app|package|usr|root)\b|\.ts:|plinth:guest|isolated-vm/);
    return outcome;
  }

  const valueOf = async (text: string): Promise<unknown> => {
    const outcome = await outcomeOf(text);
    if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
    return JSON.parse(outcome.valueText);
  };

  const refusalOf = async (text: string): Promise<string> => {
    const version = await versionOf({ f: text });
    return sandbox.sandbox.analyze({ tenant: "a", version, env: {} }).then(
      () => "not refused",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  };

  test.each([
    ["in _start", command("(loop $more (br $more))")],
    ["in the start section", command("", { more: "(func $first (loop $more (br $more))) (start $first)" })],
    ["with calls of WASI", command("(loop $more (drop (call $sched_yield)) (br $more))", { imports: ["sched_yield"] })],
  ])("W01 an endless loop %s is ended", async (_where, text) => {
    const fromMs = performance.now();
    expect((await outcomeOf(text, 400)).kind).toBe("timeout");
    expect(performance.now() - fromMs).toBeLessThan(20_000);
  });

  test("W02 memory ends at its maximum, and what a call took is free for the next", async () => {
    const grow = command(
      `(local $pages i32)
      (loop $more
        (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then
          (memory.fill (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1048576)) (i32.const 1) (i32.const 1048576))
          (br $more))))
      (call $print (memory.size))`,
      { pages: "1" },
    );
    const version = await versionOf({ grow });
    for (let i = 0; i < 10; i++) {
      const outcome = await run(version, "grow");
      expect(outcome, `call ${i}: ${JSON.stringify(outcome)}`).toMatchObject({ kind: "ok" });
      if (outcome.kind === "ok") expect(Number(outcome.valueText) * 65536).toBeLessThanOrEqual(MEMORY / 2);
    }
  });

  test("W02 memory that begins too large is refused", async () => {
    expect(await refusalOf(command("", { pages: "60000" }))).toMatch(/memory begins with/);
  });

  test("W02 tables take the engine's heap, which ends too", async () => {
    const text = command(
      "(loop $more (br_if $more (i32.ne (table.grow (ref.null func) (i32.const 100000)) (i32.const -1)))) (unreachable)",
      {
        more: "(table 1 funcref)",
      },
    );
    expect(["outOfMemory", "error", "lost"]).toContain((await outcomeOf(text)).kind);
  });

  test("W03 many functions and a jump with many places are compiled within the time of a start", async () => {
    const functions = Array.from({ length: 20_000 }, () => "(func (local i32) (drop (local.get 0)))").join("\n");
    const places = "0 ".repeat(65_000);
    const text = command("(call $jump)", { more: `${functions} (func $jump (block (br_table ${places} (i32.const 7))))` });
    expect((await outcomeOf(text)).kind).toBe("ok");
  });

  test("W03 too many exports are refused", async () => {
    const more = Array.from({ length: limit("wasmExportsMax") + 1 }, (_, index) => `(export "e${index}" (func $read))`).join("\n");
    expect(await refusalOf(command("", { more }))).toMatch(/exports and may have/);
  });

  test("W05 imports that do not exist are listed", async () => {
    const text = `(module (import "env" "system" (func)) (import "wasi_unstable" "fd_write" (func))
      (import "wasi_snapshot_preview1" "proc_fork" (func)) (memory (export "memory") 1) (func (export "_start")))`;
    expect(await refusalOf(text)).toMatch(/env\.system, wasi_unstable\.fd_write, wasi_snapshot_preview1\.proc_fork/);
  });

  test.each(BAD_PLACES.flatMap((place) => [[place, place] as const, [place, 0] as const, [place, 1] as const]))(
    "W06 every function answers a bad place %i (first parameter %i) with an error number",
    async (place, first) => {
      const names = first === place ? ANSWERING : SPARED;
      const answers = (await valueOf(answersOf(names.map((name) => ({ name, first, others: place }))))) as readonly number[];
      expect(answers).toHaveLength(names.length);
      for (const [index, answer] of answers.entries()) {
        expect(answer, names[index]).toBeGreaterThanOrEqual(0);
        expect(answer, names[index]).toBeLessThanOrEqual(ERRNO.max);
      }
      const pointers: readonly WasiName[] = ["args_sizes_get", "environ_sizes_get", "random_get"];
      if (first === place) for (const name of pointers) expect(answers[names.indexOf(name)], name).toBe(ERRNO.fault);
    },
  );

  test("W06 vectors out of place and vectors over themselves", async () => {
    const text = command(
      `(i32.store (i32.const 100) (i32.const -16)) (i32.store (i32.const 104) (i32.const 32))
      (call $print (call $fd_write (i32.const 1) (i32.const 100) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 100) (i32.const 100)) (i32.store (i32.const 104) (i32.const 8))
      (drop (call $fd_read (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 104)))
      (call $print (call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8)))`,
    );
    expect(await valueOf(text)).toBe(Number(`${ERRNO.fault}${ERRNO.inval}`));
  });

  test("W07 after the memory grew, WASI reads and writes the new one", async () => {
    const text = command(
      `(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 16)))
      (drop (memory.grow (i32.const 2)))
      (i64.store (i32.const 4194400) (i64.const -1))
      (if (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 4194400)) (then (unreachable)))
      (if (i64.eq (i64.load (i32.const 4194400)) (i64.const -1)) (then (unreachable)))
      (i32.store8 (i32.const 4194500) (i32.const 55))
      (call $write (i32.const 1) (i32.const 4194500) (i32.const 1))`,
      { imports: ["clock_time_get"] },
    );
    expect(await valueOf(text)).toBe(7);
  });

  test("W09 there are no files, whatever is asked for", async () => {
    const paths = NAMES.filter((name) => name.startsWith("path_"));
    expect(await valueOf(answersOf(paths.map((name) => ({ name, first: 3, others: 0 }))))).toEqual(paths.map(() => ERRNO.notcapable));
  });

  test("W10 nothing is open but the streams", async () => {
    const calls = (["fd_prestat_get", "fd_readdir", "fd_renumber", "fd_close"] as const).flatMap((name) =>
      [3, 4, 1000, -1].map((first) => ({ name, first, others: first })),
    );
    expect(await valueOf(answersOf(calls))).toEqual(calls.map(() => ERRNO.badf));
  });

  test("W10 a stream that is closed is closed", async () => {
    const text = command(
      `(call $print (i32.const 5))
      (if (call $fd_close (i32.const 1)) (then (unreachable)))
      (if (i32.ne (call $fd_close (i32.const 1)) (i32.const ${ERRNO.badf})) (then (unreachable)))
      (if (i32.ne (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (i32.const ${ERRNO.badf})) (then (unreachable)))`,
      { imports: ["fd_close"] },
    );
    expect(await valueOf(text)).toBe(5);
  });

  test("W11 a long sleep ends with the time of the call", async () => {
    const text = command(
      `(i64.store (i32.const 1048) (i64.const 3600000000000)) (i32.store (i32.const 1040) (i32.const 1))
      (drop (call $poll_oneoff (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 16)))`,
      { imports: ["poll_oneoff"] },
    );
    expect((await outcomeOf(text, 500)).kind).toBe("timeout");
  });

  test("W11 a short sleep is one", async () => {
    const text = command(
      `(i64.store (i32.const 1048) (i64.const 50000000)) (i32.store (i32.const 1040) (i32.const 1))
      (if (call $poll_oneoff (i32.const 1024) (i32.const 2048) (i32.const 1) (i32.const 16)) (then (unreachable)))
      (call $print (i32.load (i32.const 16)))`,
      { imports: ["poll_oneoff"] },
    );
    const outcome = await outcomeOf(text);
    expect(outcome).toMatchObject({ kind: "ok", valueText: "1" });
    expect(outcome.usage.wallMs).toBeGreaterThanOrEqual(49);
  });

  test("W11 a million subscriptions are refused", async () => {
    const text = command("(call $print (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1000000) (i32.const 16)))", {
      imports: ["poll_oneoff"],
    });
    expect(await valueOf(text)).toBe(ERRNO.inval);
  });

  test("W13 an exit deep in the stack has its code and the last line of standard error", async () => {
    const text = command("(call $down (i32.const 1000))", {
      more: `(data (i32.const 2048) "first\\nthe reason\\n")
      (func $down (param $left i32)
        (if (local.get $left) (then (call $down (i32.sub (local.get $left) (i32.const 1))) (unreachable)))
        (call $write (i32.const 2) (i32.const 2048) (i32.const 17))
        (call $proc_exit (i32.const 7)))`,
    });
    expect(await outcomeOf(text)).toMatchObject({ kind: "error", message: "Error: exit code 7: the reason" });
  });

  test("W13 a module that catches its exit has exited", async () => {
    const text = command(
      `(try (do (call $proc_exit (i32.const 9))) (catch_all))
      (try (do (call $print (i32.const 1))) (catch_all))
      (try (do (call $proc_exit (i32.const 0))) (catch_all))`,
    );
    expect(await outcomeOf(text)).toMatchObject({ kind: "error", message: "Error: exit code 9" });
  });

  test("W13 there are no signals", async () => {
    expect(await valueOf(answersOf([{ name: "proc_raise", first: 9, others: 0 }]))).toEqual([ERRNO.nosys]);
  });

  test.each([
    ["a stack that overflows", command("(call $deep)", { more: RECURSION }), /^RangeError/, "deep"],
    ["an unreachable place", command("(call $down)", { more: "(func $down (unreachable))" }), /^RuntimeError: unreachable/, "down"],
    ["a place outside of its memory", command("(drop (i32.load (i32.const -4)))"), /^RuntimeError: memory access/, "start"],
    ["a division by zero", command("(drop (i32.div_s (i32.const 1) (i32.const 0)))"), /^RuntimeError: divide by zero/, "start"],
  ])("W14 %s is an error with the functions of the module", async (_what, text, message, name) => {
    const outcome = await outcomeOf(text);
    expect(outcome).toMatchObject({ kind: "error", message: expect.stringMatching(message) as string });
    if (outcome.kind === "error") expect(outcome.stack).toMatch(new RegExp(`^    at .*${name} \\(wasm-function\\[\\d+\\]\\)`));
  });

  test("W14 an exception that nobody catches is an error", async () => {
    expect((await outcomeOf(command("(throw $thrown)", { more: "(tag $thrown)" }))).kind).toBe("error");
  });

  test.each([
    ["exceptions", command("(loop $more (try (do (throw $thrown)) (catch_all)) (br $more))", { more: "(tag $thrown)" })],
    ["tail calls", command("(call $again)", { more: "(func $again (return_call $again))" })],
  ])("W14 an endless loop of %s is ended", async (_what, text) => {
    expect((await outcomeOf(text, 400)).kind).toBe("timeout");
  });

  test.each([
    ["1 1 shared", /shared/],
    ["i64 1", /64-bit/],
  ])("W15 the memory %s is refused", async (pages, message) => {
    const text = `(module (memory (export "memory") ${pages}) (func (export "_start")))`;
    expect(await refusalOf(text)).toMatch(message);
  });

  test("K01 nothing of a call is there for the next one, nor of another function", async () => {
    const text = command(
      `(call $print (i32.add (global.get $mark) (i32.load (i32.const 4194300))))
      (global.set $mark (i32.const 1)) (i32.store (i32.const 4194300) (i32.const 1))`,
      { more: "(global $mark (mut i32) (i32.const 0))" },
    );
    const version = await versionOf({ a: text, b: text });
    for (const name of ["a", "b", "a", "a"]) expect(await run(version, name)).toMatchObject({ kind: "ok", valueText: "0" });
  });

  test("O01 output is limited: lines, and the result", async () => {
    let lines = 0;
    let dropped = 0;
    const handler: CallHandler = {
      call: async () => Promise.resolve("null"),
      log: (line) => {
        lines++;
        dropped += line.dropped;
      },
    };
    const much = command(
      `(local $left i32) (local.set $left (i32.const 100000))
      (loop $more (call $write (i32.const 2) (i32.const 1024) (i32.const 2)) (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`,
      { more: '(data (i32.const 1024) "x\\n")' },
    );
    const endless = command("(loop $more (call $write (i32.const 1) (i32.const 0) (i32.const 4000000)) (br $more))");
    const version = await versionOf({ much, endless });
    expect((await run(version, "much", { handler })).kind).toBe("ok");
    expect(lines).toBeLessThanOrEqual(limit("logLinesMax") + 1);
    expect(dropped).toBe(100_000 - limit("logLinesMax"));
    expect(await run(version, "endless")).toMatchObject({ kind: "error", message: expect.stringMatching(/more than \d+ bytes/) as string });
  });
});
