/**
 * One runner: a cell that serves one tenant, seen from the host.
 *
 * Owns: the conversation with the process, the calls that are open on it, the watchdog over them.
 * Crosses the boundary: frames, all hostile. Invariants:
 *
 * - R1: whom a frame concerns is decided by this connection's own tables; a frame names only numbers that
 *   the host gave out on this connection. A frame that does not fit the state is a violation.
 * - R2: a violation ends the runner, and every call on it ends as `security`.
 * - R3: each call gets exactly one outcome, also when the process dies, hangs or lies.
 * - R4: a call ends by its deadline and `killGraceMs`, whatever the code does.
 * - R5: a reply goes only to a call that is still open.
 */
import { assert } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { ProtocolViolation } from "@plinth/core/protocol/frames.ts";
import { parseRunnerFailure } from "@plinth/core/protocol/parse.ts";
import {
  type HostCallFailure,
  type InvokeEnvelope,
  type ObservedUse,
  PROTOCOL_VERSION,
  type RunnerEnvelope,
  type RunnerFailureKind,
} from "@plinth/core/protocol/runner-protocol.ts";
import type { CallHandler, CallOutcome, VersionCode } from "./sandbox.ts";
import { type ChannelEnd, FrameChannel } from "./frame-channel.ts";
import { LoadedVersions } from "./loaded-versions.ts";
import { type AnyCallRequest, type CallEnd, OpenCall } from "./open-call.ts";
import { type Cell, type CellExit, type CellSpec, EXIT_SIGSYS, type SandboxProvider } from "./provider.ts";
import { RunnerMeter } from "./runner-meter.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Watchdog } from "./watchdog.ts";

/** Why a runner ended. */
export type RunnerEnd =
  | { readonly kind: "retired" | "evicted" | "closed" | "outOfMemory" | "startFailed"; readonly detail: string }
  | { readonly kind: "violation" | "crashed" | "stalled" | "stuck"; readonly detail: string };

type State = "starting" | "ready" | "dead";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/** What a frame's body may have beside the largest envelope. */
const BODY_BYTES_MAX = limit("frameBytesMax") - limit("envelopeBytesMax");
const MEMORY_SAMPLE_MS = 100;
/** Before each refusal of a host call over the limit of its call. */
const REFUSAL_PAUSE_MS = 50;
/** Where nothing counts the memory of a cell: a process can take a gigabyte per second. */
const MEMORY_WATCH_MS = 25;
const OUT_OF_MEMORY_TEXT = /out of memory|heap limit|allocation failed|bad_alloc|memory exhausted/i;

export interface RunnerOptions {
  readonly runtime: Runtime;
  readonly provider: SandboxProvider;
  readonly spec: CellSpec;
  readonly id: string;
  /** Calls at the same time that compute. */
  readonly places: number;
  readonly heapBytes: number;
  readonly onEnd: (end: RunnerEnd) => void;
}

export class Runner {
  readonly id: string;
  /** Resolves when the runner is ready; rejects when it could not start. */
  readonly started: Promise<void>;
  /** Resolves when nothing of it is left. */
  readonly exited: Promise<void>;
  readonly #runtime: Runtime;
  readonly #cell: Cell;
  readonly #channel: FrameChannel;
  readonly #calls = new Map<number, OpenCall>();
  readonly #versions: LoadedVersions;
  readonly #meter: RunnerMeter;
  readonly #watchdog: Watchdog;
  readonly #onEnd: (end: RunnerEnd) => void;
  readonly #startedMs: number;
  readonly #memoryBytesMax: number;
  /** Keys of the contexts that it may keep, those of last use last. */
  readonly #contextKeys = new Set<string>();
  #state: State = "starting";
  #end: RunnerEnd | undefined;
  #settleStart: { resolve(): void; reject(reason: unknown): void } | undefined;
  #callCount = 0;
  #retiring = false;
  #tenant: string | undefined;
  #startTimer: { cancel(): void } | undefined;

  constructor(options: RunnerOptions) {
    const { runtime, provider } = options;
    this.id = options.id;
    this.#runtime = runtime;
    this.#onEnd = options.onEnd;
    this.#startedMs = runtime.monotonicMs();
    this.#memoryBytesMax = options.spec.memoryBytesMax;
    this.started = new Promise((resolve, reject) => {
      this.#settleStart = { resolve, reject };
    });
    this.started.catch(() => undefined); // whoever waits handles it; nobody may be waiting
    this.#cell = provider.start(options.spec);
    this.#channel = new FrameChannel({
      runtime,
      socket: this.#cell.control,
      handler: { frame: (envelope, body) => this.#frame(envelope, body), ended: (end) => this.#channelEnded(end) },
    });
    this.#versions = new LoadedVersions({
      send: (envelope, body) => this.#channel.send(envelope, body),
      versionsMax: limit("runnerVersionsMax"),
      isUsed: (digest) => [...this.#calls.values()].some((call) => call.request.version.digest === digest),
      runtime,
      onStuck: () => this.kill({ kind: "stuck", detail: "a version did not load in time" }),
    });
    this.#meter = new RunnerMeter(runtime, { pid: () => this.#cell.insidePid(), memoryBytesMax: options.spec.memoryBytesMax });
    this.#watchdog = new Watchdog({
      runtime,
      meter: this.#meter,
      memoryPauseMs: provider.countsMemory === false ? MEMORY_WATCH_MS : MEMORY_SAMPLE_MS,
      askToEnd: (call, reason) => this.#channel.send({ type: "cancel", call: call.number, reason }),
      kill: (call, end) => this.#killFor(call, end),
      outOfMemory: () => this.kill({ kind: "outOfMemory", detail: "the runner took more memory than it may" }),
      isBusy: () => this.#calls.size > 0,
    });
    this.exited = this.#watchExit();
    this.#startTimer = runtime.timer(limit("runnerStartMsMax"), () =>
      this.kill({ kind: "startFailed", detail: "the runner was not ready in time" }),
    );
    this.#channel.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      isolates: options.places,
      heapBytes: options.heapBytes,
    });
  }

  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  /** Takes no new lease; the pool ends it when its last one is given back. */
  get isRetiring(): boolean {
    return this.#retiring;
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  get processId(): number | undefined {
    return this.#cell.insidePid();
  }

  /** What it wrote to standard output and error, cut. Hostile text, for the debug log only. */
  get output(): string {
    return this.#cell.output;
  }

  hasVersion(digest: string): boolean {
    return this.#versions.has(digest);
  }

  /** Whether a call of this key ended here not long ago. */
  mayKeep(contextKey: string | undefined): boolean {
    return contextKey !== undefined && this.#contextKeys.has(contextKey);
  }

  /** Memory that the runner does not share with others; measured, not asked. */
  memoryBytes(): number {
    return this.#meter.memoryBytes();
  }

  /** Processor time that it has used up to now, where the host can see it. */
  cpuMs(): number | undefined {
    return this.#meter.cpuNowMs();
  }

  /** Whom it serves from now on, for life. */
  serve(tenant: string): void {
    if (this.#tenant === tenant) return;
    assert(this.#tenant === undefined, "a runner serves one tenant for life");
    this.#tenant = tenant;
    this.#cell.serve?.(tenant);
  }

  retire(): void {
    this.#retiring = true;
  }

  /** Whether the runner is due to be replaced: many calls, great age, grown memory. */
  isWorn(): boolean {
    return (
      this.#callCount >= limit("runnerCallsMax") ||
      this.#runtime.monotonicMs() - this.#startedMs >= limit("runnerAgeMsMax") ||
      (this.#calls.size === 0 && this.memoryBytes() >= limit("runnerRetireMemoryBytes"))
    );
  }

  /** Loads a version ahead of its first call. Resolves with what its calls get instead where it does not load. */
  load(version: VersionCode): Promise<CallEnd | undefined> {
    return this.#versions.ensure(version);
  }

  async run(request: AnyCallRequest, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome> {
    const args = encoder.encode(request.argsText);
    if (args.length > BODY_BYTES_MAX) throw plinthError("RequestTooLarge", { what: "arguments", actual: args.length, max: BODY_BYTES_MAX });
    const begunMs = this.#runtime.monotonicMs();
    if (this.#state === "ready" && !signal.aborted) {
      const failure = await this.#versions.ensure(request.version);
      if (failure !== undefined) return { ...failure, usage: this.#noCallUsage(begunMs) };
    }
    if (signal.aborted) return { kind: "cancelled", usage: this.#noCallUsage(begunMs) };
    if (this.#state !== "ready") return { ...callEndOf(this.#end), usage: this.#noCallUsage(begunMs) };
    return this.#invoke(request, args, handler, signal);
  }

  /** Ends the runner and everything on it. */
  kill(end: RunnerEnd): void {
    // With one call open, that call took the memory; with several, nobody can know which.
    const sole = this.#calls.size === 1;
    this.#die(end, (call) =>
      end.kind === "outOfMemory" && sole ? { kind: "outOfMemory", maxBytes: call.request.limits.heapBytes } : callEndOf(end),
    );
  }

  // Calls

  async #invoke(request: AnyCallRequest, args: Uint8Array, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome> {
    const call = new OpenCall({
      runtime: this.#runtime,
      number: ++this.#callCount,
      request,
      handler,
      startCpuMs: this.#meter.recentCpuMs(),
    });
    this.#calls.set(call.number, call);
    const { version, kind, path, requestId, seed, nowMs, snapshotNs, tables, env, limits, contextOf } = request;
    const envelope: InvokeEnvelope = {
      type: "invoke",
      call: call.number,
      version: version.digest,
      kind,
      path,
      requestId,
      seed,
      nowMs,
      tables,
      env,
      limits,
      ...(snapshotNs === undefined ? {} : { snapshotNs }),
      ...(contextOf === undefined ? {} : { contextOf }),
    };
    this.#channel.send(envelope, args);
    this.#watchdog.watch(call);
    const abort = (): void => this.#watchdog.askToEnd(call, "cancelled");
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await call.outcome;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #finish(call: OpenCall, end: CallEnd): void {
    if (!this.#calls.delete(call.number)) return;
    this.#versions.used(call.request.version.digest);
    this.#noteContext(call.request.contextOf?.key, end);
    call.finish(end, this.#meter.memoryBytes());
    if (end.kind === "timeout" || end.kind === "outOfMemory") this.#retiring = true;
  }

  #noteContext(key: string | undefined, end: CallEnd): void {
    if (key === undefined) return;
    this.#contextKeys.delete(key);
    if (end.kind !== "ok") return;
    this.#contextKeys.add(key);
    const [oldest] = this.#contextKeys;
    if (this.#contextKeys.size > limit("runnerContextKeysMax") && oldest !== undefined) this.#contextKeys.delete(oldest);
  }

  // Frames

  #frame(envelope: RunnerEnvelope, body: Uint8Array): void {
    if (envelope.type === "ready") {
      this.#ready(envelope.protocol);
      return;
    }
    if (this.#state !== "ready") throw new ProtocolViolation(`${envelope.type} before ready`);
    switch (envelope.type) {
      case "loaded":
        return this.#versions.loaded(envelope.version);
      case "loadFailed":
        return this.#versions.failed(envelope.version, parseRunnerFailure(body));
      case "needSourceMap":
        return this.#versions.giveSourceMap(envelope.version);
      case "call":
        return this.#hostCall(this.#openCall(envelope.call), envelope.id, envelope.op, body);
      case "log":
        return this.#log(this.#openCall(envelope.call), envelope, body);
      case "result":
        return this.#result(this.#openCall(envelope.call), envelope, body);
      case "failure":
        if (envelope.final === true) this.#retiring = true;
        return this.#failure(this.#openCall(envelope.call), envelope.kind, body);
    }
  }

  #openCall(number: number): OpenCall {
    const call = this.#calls.get(number);
    if (call === undefined) throw new ProtocolViolation("a frame names a call that is not open");
    return call;
  }

  #ready(protocol: number): void {
    if (this.#state !== "starting" || this.#startTimer === undefined) throw new ProtocolViolation("ready twice");
    if (protocol !== PROTOCOL_VERSION) throw new ProtocolViolation(`the runner speaks protocol ${protocol}`);
    this.#startTimer.cancel();
    this.#startTimer = undefined;
    this.#meter.setBase();
    void this.#cell.limitMemory().then((limited) => {
      if (this.#state !== "starting") return;
      if (!limited) return this.kill({ kind: "startFailed", detail: "the memory of the runner could not be limited" });
      this.#state = "ready";
      this.#settleStart?.resolve();
    });
  }

  #hostCall(call: OpenCall, id: number, op: string, body: Uint8Array): void {
    if (!call.beginHostCall(id)) throw new ProtocolViolation("a host call has a taken id or is one too many");
    const argText = textOf(body);
    const heldBytes = body.length;
    this.#channel.hold(heldBytes);
    void this.#answerHostCall(call, op, argText).then((reply) => {
      this.#channel.free(heldBytes);
      if (call.isDone) return; // R5
      call.endHostCall(id);
      this.#channel.send({ type: "reply", call: call.number, id, ok: reply.ok }, reply.body);
    });
  }

  async #answerHostCall(call: OpenCall, op: string, argText: string): Promise<{ readonly ok: boolean; readonly body: Uint8Array }> {
    try {
      if (call.isOverHostCalls) {
        // Code that asks on would keep the host's thread busy with refusals.
        await this.#runtime.sleep(REFUSAL_PAUSE_MS);
        throw plinthError("LimitExceeded", {
          what: "host calls of one invocation",
          actual: call.hostCalls,
          max: limit("hostCallsPerInvocationMax"),
        });
      }
      const body = encoder.encode(await call.handler.call(op, argText));
      if (body.length > BODY_BYTES_MAX)
        throw plinthError("LimitExceeded", { what: `bytes of the result of ${op}`, actual: body.length, max: BODY_BYTES_MAX });
      return { ok: true, body };
    } catch (error) {
      return { ok: false, body: encoder.encode(JSON.stringify(failureOf(error))) };
    }
  }

  #log(call: OpenCall, line: Extract<RunnerEnvelope, { type: "log" }>, body: Uint8Array): void {
    const verdict = call.countLogLine();
    if (verdict === "violation") throw new ProtocolViolation("more console lines than a runner sends");
    if (verdict === "drop") return;
    const max = call.request.limits.logLineBytes;
    // Cut on bytes: what is left of a character at the cut becomes a replacement character.
    const text = body.length > max ? new TextDecoder().decode(body.subarray(0, max)) : textOf(body);
    call.handler.log({ level: line.level, text, truncated: line.truncated || body.length > max, dropped: line.dropped });
  }

  #result(call: OpenCall, observed: ObservedUse, body: Uint8Array): void {
    const max = call.request.limits.resultBytes;
    if (call.cancelling === "cancelled") this.#finish(call, { kind: "cancelled" });
    else if (body.length > max)
      this.#finish(call, { kind: "error", message: `LimitExceeded: bytes of the result: ${body.length} is over the limit of ${max}.` });
    else
      this.#finish(call, {
        kind: "ok",
        valueText: textOf(body),
        observedTime: observed.observedTime,
        observedRandom: observed.observedRandom,
      });
  }

  #failure(call: OpenCall, kind: RunnerFailureKind, body: Uint8Array): void {
    const failure = parseRunnerFailure(body);
    if (call.cancelling !== undefined) return this.#finish(call, endOfCancelled(call, call.cancelling));
    switch (kind) {
      case "error":
        return this.#finish(call, { kind, ...failure });
      case "timeout":
        return this.#finish(call, { kind, maxMs: call.exceededMs() });
      case "outOfMemory":
        return this.#finish(call, { kind, maxBytes: call.request.limits.heapBytes });
      case "neverResolves":
        return this.#finish(call, { kind });
      case "policy":
      case "invalid":
        return this.#finish(call, { kind, message: failure.message });
      case "lost":
        return this.#finish(call, { kind, reason: "another call ended the isolate that it shared" });
    }
  }

  // The end

  #killFor(call: OpenCall, reason: "timeout" | "cancelled"): void {
    const end: RunnerEnd = { kind: "stuck", detail: `a call did not end after its ${reason === "timeout" ? "deadline" : "cancellation"}` };
    this.#die(end, (each) => (each === call ? endOfCancelled(call, reason) : callEndOf(end)));
  }

  #channelEnded(end: ChannelEnd): void {
    if (this.#state === "dead") return;
    switch (end.kind) {
      case "violation":
        return this.kill({ kind: "violation", detail: end.detail });
      case "stalled":
        return this.kill({ kind: "stalled", detail: end.detail });
      case "closed": {
        // The process is most likely dying; how it died says more. If it lives on, it is ended.
        const timer = this.#runtime.timer(limit("killGraceMs"), () =>
          this.kill({ kind: "crashed", detail: "the runner closed its socket" }),
        );
        void this.#cell.exited.then(() => timer.cancel());
      }
    }
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#cell.exited;
    this.kill(this.#endFromExit(exit));
  }

  #endFromExit(exit: CellExit): RunnerEnd {
    if (this.#state === "starting" && exit.code !== EXIT_SIGSYS)
      return { kind: "startFailed", detail: `the runner ended with code ${exit.code} before it was ready: ${oneLine(this.#cell.output)}` };
    if (exit.code === EXIT_SIGSYS) return { kind: "violation", detail: "a system call that the jail forbids" };
    if (exit.outOfMemory || this.#meter.isNearLimit(exit.peakBytes ?? 0) || OUT_OF_MEMORY_TEXT.test(this.#cell.output))
      return { kind: "outOfMemory", detail: `the runner ran out of memory (code ${exit.code})` };
    return { kind: "crashed", detail: `the runner ended with code ${exit.code}` };
  }

  #die(end: RunnerEnd, outcomeOf: (call: OpenCall) => CallEnd): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#end = end;
    this.#startTimer?.cancel();
    this.#watchdog.stop();
    this.#cell.kill();
    this.#channel.end({ kind: "closed" });
    this.#settleStart?.reject(plinthError("RunnerLost", { detail: end.detail }));
    this.#versions.abandon(this.#loadEndOf(end));
    for (const call of Array.from(this.#calls.values())) {
      this.#calls.delete(call.number);
      call.finish(outcomeOf(call), this.#meter.lastBytes);
    }
    this.#onEnd(end);
  }

  /** What a version gets that was being loaded. Without calls, nothing else can have taken the memory. */
  #loadEndOf(end: RunnerEnd): CallEnd {
    if (end.kind === "outOfMemory" && this.#calls.size === 0) return { kind: "outOfMemory", maxBytes: this.#memoryBytesMax };
    const failure = callEndOf(end);
    return failure.kind === "lost" ? { kind: "lost", reason: "the runner ended while it loaded the code" } : failure;
  }

  #noCallUsage(begunMs: number): CallOutcome["usage"] {
    return { wallMs: this.#runtime.monotonicMs() - begunMs, userMs: 0, memoryBytes: this.#meter.lastBytes, hostCalls: 0 };
  }
}

function endOfCancelled(call: OpenCall, reason: "timeout" | "cancelled"): CallEnd {
  return reason === "timeout" ? { kind: "timeout", maxMs: call.exceededMs() } : { kind: "cancelled" };
}

/** What a runner's end means for a call that did not cause it. */
function callEndOf(end: RunnerEnd | undefined): CallEnd {
  switch (end?.kind) {
    case "violation":
      return { kind: "security", reason: end.detail };
    case "evicted":
    case "closed":
      return { kind: "cancelled" };
    default:
      return { kind: "lost", reason: end?.detail ?? "the runner is not ready" };
  }
}

/** What user code sees of a failed host call: errors of the registry; of others only that there was one. */
function failureOf(error: unknown): HostCallFailure {
  if (!(error instanceof PlinthError)) return { code: "InternalError", message: "The host could not perform the call." };
  return { code: error.code, message: error.message, ...(error.dataText === undefined ? {} : { dataText: error.dataText }) };
}

function textOf(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new ProtocolViolation("a body is not UTF-8");
  }
}

function oneLine(text: string): string {
  return (
    text
      .replace(/[^\x20-\x7e]+/g, " ")
      .trim()
      .slice(0, 300) || "no output"
  );
}
