/** One call in this process: its log lines, its host calls and its one outcome. */
import { getHeapStatistics } from "node:v8";
import { FRAME_CAPS } from "@plinth/core/protocol/frames.ts";
import { parseHostCallFailure } from "@plinth/core/protocol/parse.ts";
import type { InvokeEnvelope, LogLevel, RunnerFailure, RunnerFailureKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { ControlChannel } from "./control-channel.ts";
import { HostCallError } from "./host-calls.ts";

/** What the host would end the process for; told to the code that asks instead. */
const OP = /^[A-Za-z0-9./_-]{1,64}$/;
const ARG_BYTES_MAX = FRAME_CAPS.frameBytesMax - FRAME_CAPS.envelopeBytesMax;

interface PendingHostCall {
  readonly resolve: (text: string) => void;
  readonly reject: (error: HostCallError) => void;
}

export class HandlerCall {
  readonly envelope: InvokeEnvelope;
  readonly #channel: ControlChannel;
  readonly #pending = new Map<number, PendingHostCall>();
  #nextHostCall = 0;
  #lines = 0;
  #dropped = 0;
  #ended = false;

  constructor(envelope: InvokeEnvelope, channel: ControlChannel) {
    this.envelope = envelope;
    this.#channel = channel;
    channel.keepAlive(false);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  get isWaitingForHost(): boolean {
    return this.#pending.size > 0;
  }

  /** Sends one line; what comes after the end or over the limits is counted or discarded. */
  log(level: LogLevel, text: string): void {
    if (this.#ended) return;
    const { logLines, logLineBytes } = this.envelope.limits;
    if (this.#lines >= logLines) {
      this.#dropped++;
      return;
    }
    this.#lines++;
    const truncated = text.length > logLineBytes;
    this.#sendLog(level, truncated ? text.slice(0, logLineBytes) : text, truncated, 0);
  }

  #sendLog(level: LogLevel, text: string, truncated: boolean, dropped: number): void {
    this.#channel.send({ type: "log", call: this.envelope.call, level, truncated, dropped }, Buffer.from(text));
  }

  /** Asks the host and resolves with its answer. */
  hostCall(op: string, argText: string): Promise<string> {
    const max = this.envelope.limits.pendingHostCalls;
    if (this.#ended) return Promise.reject(new HostCallError("CallEnded", "The call that asked has ended."));
    if (this.#pending.size >= max)
      return Promise.reject(new HostCallError("LimitExceeded", `More than ${max} host calls of one call wait at the same time.`));
    if (!OP.test(op)) return Promise.reject(new HostCallError("InvalidArgument", "There is no host call of this name."));
    const body = Buffer.from(argText);
    if (body.length > ARG_BYTES_MAX)
      return Promise.reject(new HostCallError("LimitExceeded", `The argument of a host call may take ${ARG_BYTES_MAX} bytes.`));
    const id = this.#nextHostCall++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#channel.keepAlive(true);
      this.#channel.send({ type: "call", call: this.envelope.call, id, op }, body);
    });
  }

  reply(id: number, ok: boolean, body: Buffer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || this.#ended) return;
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#channel.keepAlive(false);
    if (ok) return pending.resolve(body.toString());
    const { code, message } = parseHostCallFailure(body);
    pending.reject(new HostCallError(code, message));
  }

  succeed(text: string): void {
    if (this.#ended) return;
    this.#end();
    this.#channel.send({ type: "result", call: this.envelope.call, ...observedUse() }, Buffer.from(text));
  }

  /** `final`: the process is about to end. */
  fail(kind: RunnerFailureKind, failure: RunnerFailure, final = false): void {
    if (this.#ended) return;
    this.#end();
    const envelope = { type: "failure", call: this.envelope.call, kind, ...observedUse(), ...(final ? { final } : {}) } as const;
    this.#channel.send(envelope, Buffer.from(JSON.stringify(failure)));
  }

  #end(): void {
    this.#ended = true;
    this.#pending.clear();
    if (this.#dropped > 0) {
      const max = this.envelope.limits.logLines;
      this.#sendLog("warn", `${this.#dropped} more lines were not kept: a call may log ${max} lines.`, false, this.#dropped);
    }
    this.#channel.keepAlive(true);
  }
}

function observedUse(): { readonly heapBytes: number; readonly observedTime: boolean; readonly observedRandom: boolean } {
  return { heapBytes: getHeapStatistics().used_heap_size, observedTime: true, observedRandom: true };
}
