/** The host's end of a runner, for tests: starts the process and speaks the protocol over its socketpair. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { encodeFrame, FrameDecoder, HOST_FRAME_CAPS } from "@plinth/core/protocol/frames.ts";
import { parseRunnerEnvelope, parseRunnerFailure } from "@plinth/core/protocol/parse.ts";
import {
  type CallLimits,
  type FunctionKind,
  type HostEnvelope,
  type InvokeEnvelope,
  PROTOCOL_VERSION,
  type RunnerEnvelope,
  type RunnerFailure,
  type RunnerFailureKind,
  type SharedContext,
} from "@plinth/core/protocol/runner-protocol.ts";

export interface RunnerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ReceivedFrame {
  readonly envelope: RunnerEnvelope;
  readonly text: string;
}

export type PeerOutcome = {
  readonly logs: readonly { readonly level: string; readonly text: string; readonly truncated: boolean; readonly dropped: number }[];
  readonly calls: readonly { readonly op: string; readonly argText: string }[];
  readonly ms: number;
} & (
  | {
      readonly kind: "result";
      readonly text: string;
      readonly observedTime: boolean;
      readonly observedRandom: boolean;
      readonly heapBytes: number;
    }
  | { readonly kind: RunnerFailureKind; readonly failure: RunnerFailure }
);

/** Answers a host call: a text, or an Error for a refusal, or a promise of one of them. */
export type CallAnswerer = (op: string, argText: string, index: number) => string | Error | Promise<string | Error>;

export interface Invocation {
  readonly version: string;
  readonly path?: string;
  readonly kind?: FunctionKind | "analyze";
  /** The one object of the arguments, or the whole text. */
  readonly args?: object | string;
  readonly answer?: CallAnswerer;
  readonly limits?: Partial<CallLimits>;
  readonly seed?: string;
  readonly nowMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly tables?: Readonly<Record<string, number>>;
  readonly snapshotNs?: string;
  readonly contextOf?: SharedContext;
}

export const TEST_LIMITS: CallLimits = {
  cpuMs: 1000,
  wallMs: 5000,
  heapBytes: 64 * 1024 * 1024,
  resultBytes: 16 * 1024 * 1024,
  logLines: 256,
  logLineBytes: 4096,
  pendingHostCalls: 1024,
};

export const TEST_NOW_MS = 1_750_000_000_123.5;
export const TEST_SEED = "0123456789abcdef0123456789abcdef";

export class RunnerPeer {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  /** Everything that is no part of an open call. */
  readonly strays: ReceivedFrame[] = [];
  sourceMaps = new Map<string, string>();
  #socket: Socket;
  #nextCall = 1;
  readonly #lost = new Set<() => void>();
  readonly #calls = new Map<number, (frame: ReceivedFrame) => void>();
  readonly #waiting: { readonly matches: (envelope: RunnerEnvelope) => boolean; readonly resolve: (frame: ReceivedFrame) => void }[] = [];

  constructor(command: RunnerCommand) {
    this.process = spawn(command.file, [...command.args], { stdio: ["ignore", "inherit", "inherit", "pipe"], env: command.env ?? {} });
    this.exited = new Promise((resolve) => {
      this.process.once("exit", (code) => {
        resolve(code);
        // A test fails at once, not by its own timeout.
        for (const lose of this.#lost) lose();
      });
    });
    this.#socket = this.process.stdio[3] as Socket;
    this.#socket.on("error", () => {});
    const decoder = new FrameDecoder();
    this.#socket.on("data", (chunk: Buffer) => {
      for (const { envelopeBytes, body } of decoder.push(chunk))
        this.#received({ envelope: parseRunnerEnvelope(envelopeBytes), text: new TextDecoder().decode(body) });
    });
  }

  get hasExited(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  #received(frame: ReceivedFrame): void {
    const { envelope } = frame;
    const call = "call" in envelope ? this.#calls.get(envelope.call) : undefined;
    if (call !== undefined) return call(frame);
    if (envelope.type === "needSourceMap")
      return this.send({ type: "sourceMap", version: envelope.version }, this.sourceMaps.get(envelope.version) ?? "");
    const index = this.#waiting.findIndex(({ matches }) => matches(envelope));
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(frame);
    else this.strays.push(frame);
  }

  send(envelope: HostEnvelope, body = ""): void {
    this.sendBytes(encodeFrame(envelope, new TextEncoder().encode(body), HOST_FRAME_CAPS));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  next(matches: (envelope: RunnerEnvelope) => boolean): Promise<ReceivedFrame> {
    return new Promise((resolve) => {
      this.#waiting.push({ matches, resolve });
    });
  }

  async hello(options: { readonly isolates?: number; readonly heapBytes?: number } = {}): Promise<ReceivedFrame> {
    const ready = this.next(({ type }) => type === "ready");
    this.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      isolates: options.isolates ?? 2,
      heapBytes: options.heapBytes ?? TEST_LIMITS.heapBytes,
    });
    return ready;
  }

  async load(version: string, script: string, sourceMap?: string): Promise<ReceivedFrame> {
    if (sourceMap !== undefined) this.sourceMaps.set(version, sourceMap);
    const loaded = this.next((envelope) => (envelope.type === "loaded" || envelope.type === "loadFailed") && envelope.version === version);
    this.send({ type: "load", version }, script);
    return loaded;
  }

  invoke(invocation: Invocation): Promise<PeerOutcome> {
    return this.start(invocation).outcome;
  }

  /** Sends an invoke; the outcome collects what belongs to the call. */
  start(invocation: Invocation): { readonly call: number; readonly outcome: Promise<PeerOutcome> } {
    const call = this.#nextCall++;
    const { args = {} } = invocation;
    const outcome = this.#collect(call, invocation.answer ?? (() => new Error("no host calls here")));
    this.send(envelopeOf(call, invocation), typeof args === "string" ? args : JSON.stringify([args]));
    return { call, outcome };
  }

  #collect(call: number, answer: CallAnswerer): Promise<PeerOutcome> {
    const startMs = performance.now();
    const logs: PeerOutcome["logs"][number][] = [];
    const calls: PeerOutcome["calls"][number][] = [];
    return new Promise((resolve, reject) => {
      const lose = (): void => reject(new Error("the runner ended"));
      this.#lost.add(lose);
      this.#calls.set(call, ({ envelope, text }) => {
        const settle = (end: object): void => {
          this.#calls.delete(call);
          this.#lost.delete(lose);
          resolve({ logs, calls, ms: performance.now() - startMs, ...end } as unknown as PeerOutcome);
        };
        switch (envelope.type) {
          case "log":
            return void logs.push({ level: envelope.level, text, truncated: envelope.truncated, dropped: envelope.dropped });
          case "call":
            calls.push({ op: envelope.op, argText: text });
            return void this.#answer(call, envelope.id, Promise.resolve(answer(envelope.op, text, calls.length - 1)));
          case "result":
            return settle({ ...envelope, kind: "result", text });
          case "failure":
            return settle({ kind: envelope.kind, failure: parseRunnerFailure(new TextEncoder().encode(text)) });
          default:
            return undefined;
        }
      });
    });
  }

  async #answer(call: number, id: number, answer: Promise<string | Error>): Promise<void> {
    const value = await answer;
    if (typeof value === "string") this.send({ type: "reply", call, id, ok: true }, value);
    else
      this.send(
        { type: "reply", call, id, ok: false },
        JSON.stringify({ code: codeOf(value), message: value.message, ...("dataText" in value ? { dataText: value.dataText } : {}) }),
      );
  }

  cancel(call: number, reason: "timeout" | "cancelled"): void {
    this.send({ type: "cancel", call, reason });
  }

  /** Closes the socket, as a host that dies does. */
  disconnect(): void {
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

/** The code of a refusal, as the host's errors have one. */
function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "FunctionError";
}

export function envelopeOf(call: number, invocation: Invocation): InvokeEnvelope {
  return {
    type: "invoke",
    call,
    version: invocation.version,
    kind: invocation.kind ?? "query",
    path: invocation.path ?? "",
    requestId: `request-${call}`,
    seed: invocation.seed ?? TEST_SEED,
    nowMs: invocation.nowMs ?? TEST_NOW_MS,
    ...(invocation.snapshotNs === undefined ? {} : { snapshotNs: invocation.snapshotNs }),
    tables: invocation.tables ?? {},
    env: invocation.env ?? {},
    limits: { ...TEST_LIMITS, ...invocation.limits },
    ...(invocation.contextOf === undefined ? {} : { contextOf: invocation.contextOf }),
  };
}
