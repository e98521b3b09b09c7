/**
 * One invocation: its context, its clocks, what it waits for, and its one outcome.
 *
 * C1. Exactly one `result` or `failure` is sent, and nothing of the call after it.
 * C2. In queries and mutations answers are handed over one by one and in the order of the calls, each
 *     with all that follows from it, so that the same answers always lead to the same run.
 * C3. A call that waits for nothing and has no result ends as `neverResolves`.
 * C4. Its context serves another call only when this one has a result and nothing of it waits for anything.
 */
import {
  HOST_OPS,
  type InvokeEnvelope,
  type LogLevel,
  type RunnerFailure,
  type RunnerFailureKind,
} from "@plinth/core/protocol/runner-protocol.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CallContext } from "./call-context.ts";
import type { IsolateSlot, Slice, SliceOutcome } from "./isolate-slot.ts";
import { localOps } from "./local-ops.ts";
import { hasUserFrames, userFrames } from "./stack-mapper.ts";
import type { LoadedVersion } from "./version-store.ts";
import { moduleOfCall } from "./module-of-call.ts";
import { paceName } from "./pace.ts";
import { ENTER, type InvokeSettings, OBSERVED_RANDOM, OBSERVED_TIME, OBSERVED_UNSHARED, POST, RUNNER_OPS } from "./wire.ts";
import type { RunnerServices } from "./services.ts";

type Guested =
  | { readonly kind: "result"; readonly observed: number; readonly text: string }
  | { readonly kind: "failure"; readonly observed: number; readonly message: string; readonly stack: string; readonly dataText: string };

interface Answer {
  readonly op: number;
  readonly number: number;
  readonly text: string;
}

export class Call {
  readonly number: number;
  readonly slot: IsolateSlot;
  readonly version: LoadedVersion;
  readonly envelope: InvokeEnvelope;
  readonly startMs = performance.now();
  readonly #argsText: string;
  readonly #services: RunnerServices;
  readonly #quick: boolean;
  readonly #ordered: boolean;
  #context: CallContext | undefined;
  #usedMs = 0;
  #longestMs = 0;
  #queuedSlices = 0;
  /** Keys of the calls that wait for an answer, in the order of the calls. */
  #waiting: string[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #guested: Guested | undefined;
  #ended = false;
  #cutShort = false;
  /** Host calls whose answer nothing waits for. */
  #unawaited: Set<string> | undefined;
  #heapBytes = 0;

  constructor(options: {
    readonly envelope: InvokeEnvelope;
    readonly argsText: string;
    readonly version: LoadedVersion;
    readonly slot: IsolateSlot;
    readonly quick: boolean;
    readonly services: RunnerServices;
  }) {
    this.envelope = options.envelope;
    this.number = options.envelope.call;
    this.#argsText = options.argsText;
    this.version = options.version;
    this.slot = options.slot;
    this.#services = options.services;
    this.#quick = options.quick;
    this.#ordered = this.envelope.kind === "query" || this.envelope.kind === "mutation";
    this.slot.activeCalls++;
    if (!this.#quick) this.slot.slowCalls++;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  get module(): string {
    return moduleOfCall(this.envelope);
  }

  begin(): void {
    this.slot.submit(() => {
      if (this.#ended) return undefined;
      if (this.slot.isDisposed) return void this.#end("lost", { message: LOST });
      try {
        this.#enterContext();
      } catch {
        // Making a context fails only in an isolate that is over its limit.
        this.slot.dispose();
        this.#end("outOfMemory", { message: "" });
        this.#services.loseAll(this.slot);
      }
      return undefined;
    });
  }

  #enterContext(): void {
    this.#context = this.#services.contexts.take(this);
    this.#context.post = (code, number, a, b, c) => this.#posted(code, number, a, b, c);
    if (this.#context.isLoaded) this.#invoke(this.#context);
    else this.#load(this.#context);
  }

  #load(context: CallContext): void {
    const script = this.#services.contexts.scriptFor(this.slot, this.version);
    this.#run(context.load(script), () => {
      context.isLoaded = true;
      this.#invoke(context);
    });
  }

  #invoke(context: CallContext): void {
    const { kind, path, requestId, seed, nowMs, snapshotNs, limits } = this.envelope;
    if (kind === "handler" || kind === "inline") throw new Error(`the isolate runtime has no ${kind} functions`);
    const { resultBytes, logLines, logLineBytes, pendingHostCalls } = limits;
    const settings: InvokeSettings = {
      kind,
      path,
      requestId,
      seed,
      nowMs,
      snapshotNs: snapshotNs ?? null,
      resultBytes,
      logLines,
      logLineBytes,
      pendingHostCalls,
      timers: limit("timersPerCallMax"),
    };
    this.#run(context.enter(ENTER.invoke, 0, JSON.stringify(settings), this.#argsText));
  }

  /** Runs a slice within what is left of the call's processor time. */
  #run(slice: Slice, next?: () => void): void {
    this.#queuedSlices++;
    const leftMs = this.envelope.limits.cpuMs - this.#usedMs;
    this.slot.run(this.#ended ? NOTHING : slice, { owner: this, quick: this.#quick || this.#ended, timeoutMs: leftMs }, (outcome) => {
      this.#queuedSlices--;
      if (!this.#ended) this.#afterSlice(outcome, next);
    });
  }

  #afterSlice(outcome: SliceOutcome, next: (() => void) | undefined): void {
    if ("ms" in outcome) {
      this.#usedMs += outcome.ms;
      this.#longestMs = Math.max(this.#longestMs, outcome.ms);
    }
    switch (outcome.kind) {
      case "done":
        return this.#continue(next);
      case "timeout":
        return this.#end("timeout", { message: "" });
      case "outOfMemory":
        this.#end("outOfMemory", { message: "" });
        return this.#services.loseAll(this.slot);
      case "disposed":
        return this.#end("lost", { message: LOST });
      case "uncaught":
        return this.#fail({ observed: OBSERVED_TIME | OBSERVED_RANDOM, ...describe(outcome.error), dataText: "" });
      default:
        return outcome satisfies never;
    }
  }

  #continue(next: (() => void) | undefined): void {
    if (this.#guested?.kind === "result") return this.#succeed(this.#guested.text, this.#guested.observed);
    if (this.#guested !== undefined) return this.#fail(this.#guested);
    if (this.#usedMs >= this.envelope.limits.cpuMs) return this.#end("timeout", { message: "" });
    if (next !== undefined) return next();
    if (this.#queuedSlices === 0 && this.#waiting.length === 0 && this.#timers.size === 0) this.#end("neverResolves", { message: "" });
  }

  // What the guest posts.

  #posted(code: number, number: number, a: string, b: string, c: string): string | undefined {
    if (this.#ended) return undefined;
    switch (code) {
      case POST.call:
        this.#waiting.push(`host ${number}`);
        if (a === HOST_OPS.queryClose) (this.#unawaited ??= new Set()).add(`host ${number}`);
        this.#services.connection.send({ type: "call", call: this.number, id: number, op: a.slice(0, 64) }, Buffer.from(b));
        return undefined;
      case POST.log:
        return void this.#log(a as LogLevel, b, { truncated: c !== "", dropped: number });
      case POST.result:
        this.#guested = { kind: "result", observed: number, text: a };
        return undefined;
      case POST.failure:
        this.#guested = { kind: "failure", observed: number, message: a, stack: b, dataText: c };
        return undefined;
      case POST.setTimer:
        return void this.#setTimer(number, Number(a));
      case POST.clearTimer:
        clearTimeout(this.#timers.get(number));
        this.#timers.delete(number);
        return undefined;
      case POST.local:
        return void this.#local(number, a, b);
      case POST.localSync:
        return this.#localSync(a, b);
      default:
        return undefined;
    }
  }

  #log(level: LogLevel, text: string, { truncated, dropped }: { truncated: boolean; dropped: number }): void {
    const bytes = Buffer.from(text);
    const max = this.envelope.limits.logLineBytes;
    const body = bytes.length <= max ? bytes : cutUtf8(bytes, max);
    this.#services.connection.send({ type: "log", call: this.number, level, truncated: truncated || body !== bytes, dropped }, body);
  }

  #setTimer(id: number, ms: number): void {
    const waitMs = Number.isFinite(ms) ? Math.min(Math.max(ms, 0), this.envelope.limits.wallMs + 1000) : 0;
    const timer = setTimeout(() => {
      if (this.#ended || this.#context === undefined) return;
      this.#timers.delete(id);
      this.#run(this.#context.enter(ENTER.timer, id, "", ""));
    }, waitMs);
    this.#timers.set(id, timer);
  }

  #local(id: number, op: string, argText: string): void {
    const key = `local ${id}`;
    this.#waiting.push(key);
    const perform = Object.hasOwn(localOps.async, op) ? localOps.async[op] : undefined;
    const result = perform === undefined ? Promise.reject(new Error(`There is no operation ${op}.`)) : attempt(() => perform(argText));
    result.then(
      (text) => this.#answered(key, { op: ENTER.localReply, number: id, text }),
      (error: unknown) => this.#answered(key, { op: ENTER.localFailed, number: id, text: messageOf(error) }),
    );
  }

  #localSync(op: string, argText: string): string {
    try {
      if (op === RUNNER_OPS.environment) return `+${this.#services.contexts.readEnvironment(this.#context, this.envelope, argText)}`;
      if (op === RUNNER_OPS.tables) return `+${JSON.stringify(this.envelope.tables)}`;
      const perform = Object.hasOwn(localOps.sync, op) ? localOps.sync[op] : undefined;
      return perform === undefined ? `-There is no operation ${op}.` : `+${perform(argText)}`;
    } catch (error) {
      return `-${messageOf(error)}`;
    }
  }

  // What the host sends.

  reply(id: number, ok: boolean, text: string): void {
    this.#answered(`host ${id}`, { op: ok ? ENTER.reply : ENTER.replyFailed, number: id, text });
  }

  #answered(key: string, answer: Answer): void {
    if (this.#ended) return;
    if (!this.#ordered) {
      this.#waiting = this.#waiting.filter((each) => each !== key);
      this.#hand(answer);
      return;
    }
    this.#answers.set(key, answer);
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const next = this.#answers.get(first);
      if (next === undefined) return;
      this.#answers.delete(first);
      this.#waiting.shift();
      this.#hand(next);
      if (this.isEnded) return;
    }
  }

  #hand({ op, number, text }: Answer): void {
    if (this.#context !== undefined) this.#run(this.#context.enter(op, number, text, ""));
  }

  /** Ends the call early. */
  cancel(reason: "timeout" | "cancelled"): void {
    if (this.#ended) return;
    // Only the end of the isolate ends code that runs on its thread.
    if (this.slot.isRunning(this)) this.slot.dispose();
    this.#cutShort = true;
    if (reason === "timeout") this.#end("timeout", { message: "" });
    else this.#end("error", { message: "Error: The call was cancelled." });
  }

  /** Its isolate is gone, through no fault of this call. */
  lose(): void {
    if (!this.#ended) this.#end("lost", { message: LOST });
  }

  // Ends.

  #succeed(text: string, observed: number): void {
    const body = Buffer.from(text);
    const max = this.envelope.limits.resultBytes;
    if (body.length > max)
      return this.#end(
        "error",
        { message: `RangeError: Function return value is too large (${body.length} bytes, maximum ${max}).` },
        observed,
      );
    this.#close({ keep: this.#leavesNothing(observed) });
    this.#services.connection.send({ type: "result", call: this.number, ...this.#use(observed) }, body);
    this.#services.ended(this);
  }

  #fail({ observed, message, stack, dataText }: { observed: number; message: string; stack: string; dataText: string }): void {
    const data = dataText === "" || Buffer.byteLength(dataText) > this.envelope.limits.resultBytes ? {} : { dataText };
    if (!hasUserFrames(stack)) return this.#end("error", { message, ...data }, observed);
    this.#close();
    void this.#services.versions.mapper(this.version.digest).then((mapper) => {
      const frames = userFrames(stack, mapper);
      this.#sendFailure("error", { message, ...(frames === "" ? {} : { stack: frames }), ...data }, observed);
    });
  }

  #end(kind: RunnerFailureKind, failure: RunnerFailure, observed = OBSERVED_TIME | OBSERVED_RANDOM): void {
    this.#close();
    this.#sendFailure(kind, failure, observed);
  }

  #sendFailure(kind: RunnerFailureKind, failure: RunnerFailure, observed: number): void {
    this.#services.connection.send(
      { type: "failure", call: this.number, kind, ...this.#use(observed) },
      Buffer.from(JSON.stringify(cutFailure(failure))),
    );
    this.#services.ended(this);
  }

  /** C4 */
  #leavesNothing(observed: number): boolean {
    return (
      this.envelope.contextOf !== undefined &&
      this.envelope.kind === "mutation" &&
      (observed & OBSERVED_UNSHARED) === 0 &&
      this.#queuedSlices === 0 &&
      this.#timers.size === 0 &&
      this.#waiting.every((key) => this.#unawaited?.has(key) === true)
    );
  }

  /** From here on nothing of the call runs and nothing that it does counts. */
  #close({ keep }: { readonly keep: boolean } = { keep: false }): void {
    this.#ended = true;
    this.#heapBytes = this.slot.heapBytes();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting = [];
    this.#answers.clear();
    if (!this.slot.isDisposed && this.#context !== undefined) {
      if (keep && this.#services.hasRoomToKeep(this.slot)) this.slot.kept.keep(this.#context, this.envelope);
      else this.#context.release();
    }
    this.slot.activeCalls--;
    if (!this.#quick) this.slot.slowCalls--;
    const longestMs = this.slot.condemned ? Number.POSITIVE_INFINITY : this.#longestMs;
    this.#services.pace.record(paceName(this.envelope), { longestMs, cutShort: this.#cutShort });
  }

  #use(observed: number): { heapBytes: number; observedTime: boolean; observedRandom: boolean } {
    return {
      heapBytes: this.#heapBytes,
      observedTime: (observed & OBSERVED_TIME) !== 0,
      observedRandom: (observed & OBSERVED_RANDOM) !== 0,
    };
  }
}

/** A call that waited in an isolate that another call's code ended. */
const LOST = "Error: The call was ended because another one in the same isolate used too much time or memory.";

const NOTHING: Slice = { now: () => undefined, later: () => Promise.resolve() };

function describe(error: unknown): { message: string; stack: string } {
  if (!(error instanceof Error)) return { message: String(error), stack: "" };
  const name = error.name === "" ? "Error" : error.name;
  return { message: error.message === "" ? name : `${name}: ${error.message}`, stack: error.stack ?? "" };
}

function cutFailure(failure: RunnerFailure): RunnerFailure {
  const stack = failure.stack?.slice(0, limit("failureStackCharsMax"));
  return { ...failure, message: failure.message.slice(0, limit("failureMessageCharsMax")), ...(stack === undefined ? {} : { stack }) };
}

function cutUtf8(bytes: Buffer, max: number): Buffer {
  let end = max;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function attempt(perform: () => Promise<string>): Promise<string> {
  return perform();
}
