/** What a command finds: the behaviour of WASI here, seen from inside. What hostile modules try is in tests/abuse. */
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { RunnerPeer, type Invocation, type PeerOutcome } from "../conformance/runner-peer.ts";
import { command, loadFailure, runnerCommand, startRunner, VERSION, writeModules } from "./test-modules.ts";

let peer: RunnerPeer | undefined;
afterEach(async () => {
  await peer?.close();
  peer = undefined;
});

async function start(modules: Readonly<Record<string, string | Uint8Array>>): Promise<RunnerPeer> {
  peer = await startRunner(modules);
  return peer;
}

const invoke = (on: RunnerPeer, path: string, rest: Omit<Invocation, "version"> = {}): Promise<PeerOutcome> =>
  on.invoke({ version: VERSION, kind: "handler", path, ...rest });

async function once(text: string, rest: Omit<Invocation, "version"> = {}): Promise<PeerOutcome> {
  return invoke(await start({ f: text }), "f", rest);
}

/** A command that prints this text. */
const printing = (text: string): string =>
  command(`(call $write (i32.const 1) (i32.const 1024) (i32.const ${Buffer.byteLength(text)}))`, {
    more: `(data (i32.const 1024) "${[...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}")`,
  });

/** Prints the bytes from 2048 on, as a text. */
const quoted = (length: string): string => `
  (i32.store8 (i32.const 2047) (i32.const 34)) (i32.store8 (i32.add (i32.const 2048) ${length}) (i32.const 34))
  (call $write (i32.const 1) (i32.const 2047) (i32.add (i32.const 2) ${length}))`;

test("standard input is the event and nothing around it", async () => {
  const echo = command(`(call $write (i32.const 1) (i32.const 4096) (call $read))`);
  expect(await once(echo, { args: '[ {"a": [1,  "]"]} ]' })).toMatchObject({ kind: "result", text: '{"a": [1,  "]"]}' });
});

test.each([
  ["", "null"],
  [" \n", "null"],
  [' {"a": 1}\n', '{"a": 1}'],
  ['"ä😀"', '"ä😀"'],
])("the output %j is the result %j", async (output, result) => {
  expect(await once(printing(output))).toMatchObject({ kind: "result", text: result });
});

test.each([
  ["{", /is not JSON/],
  ["1 2", /is not JSON/],
  ["undefined", /is not JSON/],
])("the output %j is an error", async (output, message) => {
  expect(await once(printing(output))).toMatchObject({ kind: "error", failure: { message: expect.stringMatching(message) as string } });
});

test("output that is no UTF-8 is an error", async () => {
  const text = command("(i32.store8 (i32.const 1024) (i32.const 255)) (call $write (i32.const 1) (i32.const 1024) (i32.const 1))");
  expect(await once(text)).toMatchObject({ kind: "error", failure: { message: expect.stringMatching(/UTF-8/) as string } });
});

test("a result up to the limit is one, and a byte more is not", async () => {
  const on = await start({ f: printing('"12345678"') });
  expect((await invoke(on, "f", { limits: { resultBytes: 10 } })).kind).toBe("result");
  expect(await invoke(on, "f", { limits: { resultBytes: 9 } })).toMatchObject({ kind: "error" });
});

test("the program's name is the function's, and its variables are the call's", async () => {
  const name = command(`(if (call $args_get (i32.const 16) (i32.const 2048)) (then (unreachable))) ${quoted("(i32.const 5)")}`, {
    imports: ["args_get"],
  });
  const env = command(
    `(if (call $environ_sizes_get (i32.const 16) (i32.const 20)) (then (unreachable)))
    (if (i32.ne (i32.load (i32.const 16)) (i32.const 2)) (then (unreachable)))
    (if (call $environ_get (i32.const 1024) (i32.const 2048)) (then (unreachable)))
    (i32.store8 (i32.sub (i32.load (i32.const 1028)) (i32.const 1)) (i32.const 124))
    ${quoted("(i32.sub (i32.load (i32.const 20)) (i32.const 1))")}`,
    { imports: ["environ_get", "environ_sizes_get"] },
  );
  const on = await start({ namer: name, env });
  expect(await invoke(on, "namer")).toMatchObject({ text: '"namer"' });
  expect(await invoke(on, "env", { env: { A: "1", GREETING: "ä😀" } })).toMatchObject({ text: '"A=1|GREETING=ä😀"' });
});

test("realtime begins when the host says, other clocks at zero", async () => {
  const clock = (id: number): string =>
    command(
      `(if (call $clock_time_get (i32.const ${id}) (i64.const 1) (i32.const 16)) (then (unreachable)))
      (call $print (i32.wrap_i64 (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000000))))`,
      { imports: ["clock_time_get"] },
    );
  const on = await start({ realtime: clock(0), monotonic: clock(1), process: clock(2) });
  expect(await invoke(on, "realtime", { nowMs: 1_700_000_000_500.25 })).toMatchObject({ text: "1700000000", observedTime: true });
  expect(await invoke(on, "monotonic")).toMatchObject({ text: "0" });
  expect(await invoke(on, "process")).toMatchObject({ text: "0" });
});

test("random numbers are those of the call's seed", async () => {
  const random = command(
    `(if (call $random_get (i32.const 16) (i32.const 4)) (then (unreachable))) (call $print (i32.load (i32.const 16)))`,
    { imports: ["random_get"] },
  );
  const on = await start({ f: random });
  const draw = async (seed: string): Promise<unknown> => {
    const outcome = await invoke(on, "f", { seed });
    expect(outcome).toMatchObject({ kind: "result", observedRandom: true });
    return outcome.kind === "result" && outcome.text;
  };
  const seeds = ["00", "01", "02", "03"].map((byte) => byte.repeat(16));
  const drawn = await Promise.all(seeds.map(draw));
  expect(new Set(drawn).size).toBe(seeds.length);
  expect(await Promise.all(seeds.map(draw))).toEqual(drawn);
});

test("a call that is cancelled ends, and the next one runs in a new isolate", async () => {
  const on = await start({ spin: command("(loop $more (br $more))"), f: printing("1") });
  const begun = on.start({ version: VERSION, kind: "handler", path: "spin", limits: { cpuMs: 60_000, wallMs: 60_000 } });
  const waiting = on.start({ version: VERSION, kind: "handler", path: "f" });
  setTimeout(() => on.cancel(begun.call, "cancelled"), 50);
  expect(await begun.outcome).toMatchObject({ kind: "error", failure: { message: expect.stringMatching(/cancelled/) as string } });
  expect(await waiting.outcome).toMatchObject({ kind: "result", text: "1" });
  expect(on.strays).toEqual([]);
});

test("a call that waits for its turn can be cancelled", async () => {
  const on = await start({ spin: command("(loop $more (br $more))"), f: printing("1") });
  const spinning = on.start({ version: VERSION, kind: "handler", path: "spin", limits: { cpuMs: 300 } });
  const waiting = on.start({ version: VERSION, kind: "handler", path: "f" });
  on.cancel(waiting.call, "cancelled");
  expect(await waiting.outcome).toMatchObject({ kind: "error" });
  expect((await spinning.outcome).kind).toBe("timeout");
  expect(on.strays).toEqual([]);
});

test("what is no handler is not run", async () => {
  const on = await start({ f: printing("1") });
  expect((await invoke(on, "g")).kind).toBe("error");
  expect((await invoke(on, "f", { kind: "query" })).kind).toBe("invalid");
  const analysis = await invoke(on, "", { kind: "analyze" });
  expect(analysis.kind === "result" && JSON.parse(analysis.text)).toMatchObject({
    functions: [{ path: "f", kind: "handler" }],
    schema: null,
  });
});

test.each([
  [30, 50],
  [2, 500],
  [1, 1000],
])("calls with memories of %i MiB leave none of it behind", { timeout: 30_000 }, async (mib, calls) => {
  const on = await start({
    f: command(`(memory.fill (i32.const 1024) (i32.const 1) (i32.const ${mib * 1_000_000}))`, { pages: String(mib * 16) }),
  });
  const peakMib = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${on.process.pid}/status`, "utf8"))?.[1]) / 1024;
  const idleMib = peakMib();
  for (let i = 0; i < calls; i++) expect(await invoke(on, "f")).toMatchObject({ kind: "result" });
  // The memory of the call, and what of earlier ones the engine has not collected yet.
  expect(peakMib() - idleMib).toBeLessThan(mib + 64);
});

test("modules that are missing, or no modules, are said by name", async () => {
  expect(await loadFailure(Buffer.from("text"))).toContain("code/f.wasm cannot be run: it is no WebAssembly");
  // Correct as far as it is counted, but not to the engine: the function leaves a value behind.
  const bad = Uint8Array.from([...Buffer.from("0061736d01000000", "hex"), 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 19, 2, 6]);
  const named = Uint8Array.from([...bad, ...Buffer.from("memory"), 2, 0, 6, ...Buffer.from("_start"), 0, 0, 10, 6, 1, 4, 0, 0x41, 1, 0x0b]);
  expect(await loadFailure(named)).toMatch(/code\/f\.wasm cannot be compiled: .*expected 0 elements/);
  const other = new RunnerPeer(await runnerCommand(await writeModules({})));
  await other.hello();
  for (const name of ["absent", "../f", "a/b"]) {
    const { envelope } = await other.load(VERSION, JSON.stringify({ functions: [name] }));
    expect(envelope.type, name).toBe("loadFailed");
  }
  await other.close();
});
