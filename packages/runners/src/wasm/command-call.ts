/** One call: its log lines and its one outcome. */
import type { InvokeEnvelope, ObservedUse, RunnerFailure, RunnerFailureKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { ControlChannel } from "../node/control-channel.ts";

export const NOTHING_OBSERVED: ObservedUse = { heapBytes: 0, observedTime: true, observedRandom: true };

export class CommandCall {
  readonly envelope: InvokeEnvelope;
  readonly #channel: ControlChannel;
  #ended = false;

  constructor(envelope: InvokeEnvelope, channel: ControlChannel) {
    this.envelope = envelope;
    this.#channel = channel;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Lines are counted in the isolate. */
  log(text: string, truncated: boolean): void {
    if (this.#ended) return;
    this.#channel.send({ type: "log", call: this.envelope.call, level: "log", truncated, dropped: 0 }, Buffer.from(text));
  }

  logDropped(dropped: number): void {
    if (this.#ended || dropped === 0) return;
    const text = `${dropped} more lines were not kept: a call may log ${this.envelope.limits.logLines} lines.`;
    this.#channel.send({ type: "log", call: this.envelope.call, level: "warn", truncated: false, dropped }, Buffer.from(text));
  }

  succeed(text: string, use: ObservedUse): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#channel.send({ type: "result", call: this.envelope.call, ...use }, Buffer.from(text));
  }

  fail(kind: RunnerFailureKind, failure: RunnerFailure, use: ObservedUse = NOTHING_OBSERVED): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#channel.send({ type: "failure", call: this.envelope.call, kind, ...use }, Buffer.from(JSON.stringify(failure)));
  }
}
