/**
 * What every runner must do, whatever its runtime: the contract of `core/protocol/runner-protocol.ts`,
 * proven against a real process over a real socketpair. A runtime brings the programs in its own language.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFrame } from "@plinth/core/protocol/frames.ts";
import { PROTOCOL_VERSION } from "@plinth/core/protocol/runner-protocol.ts";
import { type Invocation, type RunnerCommand, RunnerPeer } from "./runner-peer.ts";

export interface ConformancePrograms {
  /** Body of `load` for a version of the runtime's language that holds the functions below. */
  readonly script: string;
  /** A version that cannot be loaded. */
  readonly brokenScript: string;
  /** Returns its argument `value`. */
  readonly echo: FunctionOf;
  /** Asks the host once, with any operation, and returns what the host answered as its field `n`. */
  readonly ask: FunctionOf;
  /** Asks `count` times at the same time and returns how many answers came. */
  readonly askMany: FunctionOf;
  /** Throws an error with the message of its argument. */
  readonly fail: FunctionOf;
  /** Never ends and uses the processor. */
  readonly spin: FunctionOf;
  /** Asks the host, then never ends and uses the processor. */
  readonly spinAfterAsk: FunctionOf;
  /** Waits for something that can never happen. */
  readonly wait: FunctionOf;
  /** Fills memory. */
  readonly fill: FunctionOf;
  /** Logs `lines` lines of `chars` characters. */
  readonly log: FunctionOf;
  /** Leaves a mark where the next call of the same process would find it, and returns whether it found one. */
  readonly mark: FunctionOf;
}

export type FunctionOf = Pick<Invocation, "path" | "kind">;

export interface ConformanceOptions {
  readonly name: string;
  readonly command: () => Promise<RunnerCommand>;
  readonly programs: () => Promise<ConformancePrograms>;
  /** Behaviours that a runtime does not have, with the reason. */
  readonly gaps?: Readonly<Partial<Record<keyof ConformancePrograms, string>>>;
  /**
   * The runtime runs user code in its only thread: it serves one call at a time, and a limit that is broken ends the process. The
   * host then starts another; so does this suite.
   */
  readonly oneCallPerProcess?: boolean;
  /** Command of a process whose version cannot be loaded, where the version is a folder; else `brokenScript` goes to any process. */
  readonly brokenCommand?: () => Promise<RunnerCommand>;
}

/** A call that still runs after its limits is ended by the host. */
const HOST_GRACE_MS = 500;

/** Registers the suite with the test runner. */
export function describeRunner(options: ConformanceOptions): void {
  describe(`${options.name} conforms to the runner protocol`, () => {
    let peer: RunnerPeer;
    let programs: ConformancePrograms;
    const version = "sha256-conformance";
    const single = options.oneCallPerProcess === true;
    const start = async (): Promise<void> => {
      peer = new RunnerPeer(await options.command());
      await peer.hello();
      await peer.load(version, programs.script);
    };
    const invoke = async (program: FunctionOf, rest: Omit<Invocation, "version"> = {}) => {
      if (single && peer.hasExited) await start();
      return peer.invoke({ version, ...program, ...rest });
    };
    /** What the host sees of a call that breaks a limit: the runner's own word, or its end at the hands of the host. */
    const limited = async (program: FunctionOf, rest: Omit<Invocation, "version"> & { readonly limits: { readonly cpuMs: number } }) => {
      if (!single) return invoke(program, rest);
      if (peer.hasExited) await start();
      const begun = peer.start({ version, ...program, ...rest });
      const cancelling = setTimeout(() => peer.cancel(begun.call, "timeout"), rest.limits.cpuMs);
      const killing = setTimeout(() => peer.process.kill("SIGKILL"), rest.limits.cpuMs + HOST_GRACE_MS);
      const startMs = performance.now();
      const outcome = await begun.outcome.catch(async () => {
        await peer.exited;
        return { kind: "timeout" as const, ms: performance.now() - startMs };
      });
      clearTimeout(cancelling);
      clearTimeout(killing);
      return outcome;
    };

    beforeAll(async () => {
      programs = await options.programs();
      await start();
    });
    afterAll(() => peer.close());

    const behaviour = (needs: keyof ConformancePrograms, title: string, run: () => Promise<void>): void => {
      const gap = options.gaps?.[needs];
      if (gap === undefined) test(title, run);
      else test.skip(`${title} (gap: ${gap})`, run);
    };

    test("answers hello with its runtime and protocol", async () => {
      const other = new RunnerPeer(await options.command());
      const { envelope } = await other.hello();
      expect(envelope).toMatchObject({ type: "ready", protocol: PROTOCOL_VERSION });
      await other.close();
    });

    test("refuses a script that it cannot load, and goes on", async () => {
      let broken = peer;
      if (options.brokenCommand !== undefined) {
        broken = new RunnerPeer(await options.brokenCommand());
        await broken.hello();
      }
      const { envelope, text } = await broken.load("sha256-broken", programs.brokenScript);
      if (broken !== peer) await broken.close();
      expect(envelope.type).toBe("loadFailed");
      expect(JSON.parse(text)).toMatchObject({ message: expect.any(String) as string });
      expect(await invoke(programs.echo, { args: { value: 1 } })).toMatchObject({ kind: "result", text: "1" });
    });

    behaviour("echo", "returns results as text, also large ones and all of Unicode", async () => {
      for (const value of [null, "", "ä\u2028\u0000😀", "x".repeat(300_000), [1, { a: true }]]) {
        const outcome = await invoke(programs.echo, { args: { value } });
        expect(outcome.kind === "result" && JSON.parse(outcome.text)).toEqual(value);
      }
    });

    behaviour("echo", "serves many calls one after the other", async () => {
      for (let value = 0; value < 20; value++)
        expect(await invoke(programs.echo, { args: { value } })).toMatchObject({ kind: "result", text: String(value) });
    });

    behaviour("echo", "serves many calls at the same time", async () => {
      if (single) return;
      const values = Array.from({ length: 40 }, (_, value) => value);
      const outcomes = await Promise.all(values.map((value) => invoke(programs.echo, { args: { value } })));
      expect(outcomes.map((outcome) => outcome.kind === "result" && outcome.text)).toEqual(values.map(String));
    });

    behaviour("ask", "passes host calls and their answers", async () => {
      const outcome = await invoke(programs.ask, { answer: () => '{"n":42}' });
      expect(outcome).toMatchObject({ kind: "result", text: "42" });
      expect(outcome.calls).toHaveLength(1);
    });

    behaviour("ask", "passes a refusal of the host as an error", async () => {
      const outcome = await invoke(programs.ask, { answer: () => new Error("the host says no") });
      expect(outcome).toMatchObject({ kind: "error", failure: { message: expect.stringContaining("the host says no") as string } });
    });

    behaviour("askMany", "keeps many host calls open at the same time", async () => {
      const outcome = await invoke(programs.askMany, { args: { count: 50 }, answer: async () => Promise.resolve('{"n":1}') });
      expect(outcome).toMatchObject({ kind: "result", text: "50" });
    });

    behaviour("askMany", "holds the cap of open host calls itself", async () => {
      const outcome = await invoke(programs.askMany, { args: { count: 50 }, limits: { pendingHostCalls: 10 }, answer: () => '{"n":1}' });
      expect(outcome.kind).toBe("error");
      expect(outcome.calls.length).toBeLessThanOrEqual(10);
    });

    behaviour("fail", "reports what user code threw", async () => {
      const outcome = await invoke(programs.fail, { args: { message: "over the moon" } });
      expect(outcome).toMatchObject({ kind: "error", failure: { message: expect.stringContaining("over the moon") as string } });
    });

    behaviour("fail", "bounds what user code threw", async () => {
      const outcome = await invoke(programs.fail, { args: { message: "x".repeat(1_000_000) } });
      expect(outcome.kind === "error" && outcome.failure.message.length).toBeLessThanOrEqual(16_384);
    });

    behaviour("spin", "ends code that uses too much time", async () => {
      const outcome = await limited(programs.spin, { limits: { cpuMs: 200 } });
      expect(outcome.kind).toBe("timeout");
      expect(outcome.ms).toBeLessThan(2000);
      expect(await invoke(programs.echo, { args: { value: 1 } })).toMatchObject({ kind: "result" });
    });

    behaviour("spinAfterAsk", "ends code that uses too much time after it waited", async () => {
      const outcome = await limited(programs.spinAfterAsk, { limits: { cpuMs: 200 }, answer: () => '{"n":1}' });
      expect(outcome.kind).toBe("timeout");
      expect(outcome.ms).toBeLessThan(2000);
    });

    behaviour("wait", "says when a call can never end", async () => {
      expect((await invoke(programs.wait)).kind).toBe("neverResolves");
    });

    behaviour("ask", "ends a call that waits for the host when it is cancelled, and ignores late answers", async () => {
      let answer: (text: string) => void = () => {};
      const asked = new Promise<void>((resolve) => {
        answer = () => resolve();
      });
      const started = peer.start({ version, ...programs.ask, answer: () => (answer(""), new Promise(() => {})) });
      await asked;
      peer.cancel(started.call, "timeout");
      expect((await started.outcome).kind).toBe("timeout");
      // Code that is not waited for any more may end with its process.
      if (single) await Promise.race([peer.exited, new Promise((resolve) => setTimeout(resolve, HOST_GRACE_MS))]);
      peer.send({ type: "reply", call: started.call, id: 0, ok: true }, '{"n":1}');
      peer.send({ type: "reply", call: 4_000_000, id: 0, ok: true }, '{"n":1}');
      expect(await invoke(programs.echo, { args: { value: 1 } })).toMatchObject({ kind: "result" });
      expect(peer.strays).toEqual([]);
    });

    behaviour("fill", "ends code that uses too much memory", async () => {
      const outcome = await invoke(programs.fill, { limits: { cpuMs: 20_000, wallMs: 20_000 } }).catch(async (error: unknown) => {
        // A process of one call may die of it; the host sees why in how it ended.
        if (!single) throw error;
        await peer.exited;
        return { kind: "outOfMemory" };
      });
      expect(["outOfMemory", "error"]).toContain(outcome.kind);
      expect(await invoke(programs.echo, { args: { value: 1 } })).toMatchObject({ kind: "result" });
    });

    behaviour("log", "sends console lines within their limits", async () => {
      const outcome = await invoke(programs.log, { args: { lines: 30, chars: 500 }, limits: { logLines: 10, logLineBytes: 100 } });
      expect(outcome.kind).toBe("result");
      const lines = outcome.logs.filter((line) => line.dropped === 0);
      expect(lines).toHaveLength(10);
      for (const line of lines) expect(line).toMatchObject({ truncated: true, text: expect.stringMatching(/^.{1,100}$/) as string });
      expect(outcome.logs.reduce((sum, line) => sum + line.dropped, 0)).toBe(20);
    });

    behaviour("mark", "keeps nothing from one call to the next", async () => {
      for (let i = 0; i < 5; i++) expect(await invoke(programs.mark)).toMatchObject({ kind: "result", text: "false" });
    });

    behaviour("mark", "keeps nothing for calls of other keys, or of none, where calls may share contexts", async () => {
      for (const key of ["a", "b", "c"]) {
        const contextOf = { key, isAnew: false, own: [] };
        expect(await invoke(programs.mark, { contextOf })).toMatchObject({ kind: "result", text: "false" });
        expect(await invoke(programs.mark)).toMatchObject({ kind: "result", text: "false" });
      }
    });

    test("reads frames that arrive byte by byte", async () => {
      const other = new RunnerPeer(await options.command());
      const ready = other.next(({ type }) => type === "ready");
      for (const byte of encodeFrame({ type: "hello", protocol: PROTOCOL_VERSION, isolates: 1, heapBytes: 67_108_864 })) {
        other.sendBytes(new Uint8Array([byte]));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect((await ready).envelope.type).toBe("ready");
      await other.close();
    });

    test("ends when the host is gone", async () => {
      const other = new RunnerPeer(await options.command());
      await other.hello();
      other.disconnect();
      expect(await other.exited).not.toBe(undefined);
    });
  });
}
