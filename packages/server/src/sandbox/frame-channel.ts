/**
 * Frames over the control socket of one runner: strict reading, bounded writing.
 *
 * Everything that arrives is hostile. The first illegal frame ends the channel; nothing of it is used.
 * Reading pauses while the host has enough to do (`hold`), so a runner cannot fill the host's memory. A
 * runner that does not read what it asked for is ended after `runnerStallMsMax`.
 */
import type { Duplex } from "node:stream";
import { limit } from "@plinth/core/limits.ts";
import { encodeFrame, FrameDecoder, HOST_FRAME_CAPS, ProtocolViolation } from "@plinth/core/protocol/frames.ts";
import { parseRunnerEnvelope } from "@plinth/core/protocol/parse.ts";
import type { HostEnvelope, RunnerEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";

export type ChannelEnd =
  | { readonly kind: "violation"; readonly detail: string }
  | { readonly kind: "stalled"; readonly detail: string }
  /** The other side closed the socket, which a healthy runner never does. */
  | { readonly kind: "closed" };

export interface FrameHandler {
  /** May throw ProtocolViolation: then the channel ends as for a malformed frame. */
  frame(envelope: RunnerEnvelope, body: Uint8Array): void;
  /** Called once. */
  ended(end: ChannelEnd): void;
}

export class FrameChannel {
  readonly #runtime: Runtime;
  readonly #socket: Duplex;
  readonly #handler: FrameHandler;
  readonly #decoder = new FrameDecoder();
  #open = true;
  #queuedBytes = 0;
  #heldBytes = 0;
  #corked = false;
  /** When the oldest bytes that the runner has not taken yet were queued, one entry per write. */
  readonly #writes: { readonly atMs: number; readonly bytes: number }[] = [];
  #stallTimer: { cancel(): void } | undefined;

  constructor(options: { readonly runtime: Runtime; readonly socket: Duplex; readonly handler: FrameHandler }) {
    this.#runtime = options.runtime;
    this.#socket = options.socket;
    this.#handler = options.handler;
    this.#socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    this.#socket.on("end", () => this.end({ kind: "closed" }));
    this.#socket.on("error", () => this.end({ kind: "closed" }));
    this.#socket.on("close", () => this.end({ kind: "closed" }));
  }

  /** Queues a frame. Frames to an ended channel vanish: its calls have their outcome already. */
  send(envelope: HostEnvelope, body?: Uint8Array): void {
    if (!this.#open) return;
    const bytes = encodeFrame(envelope, body, HOST_FRAME_CAPS);
    this.#queuedBytes += bytes.length;
    this.#writes.push({ atMs: this.#runtime.monotonicMs(), bytes: bytes.length });
    this.#cork();
    this.#socket.write(bytes, () => this.#written());
    if (this.#queuedBytes > limit("runnerWriteQueueBytesMax")) this.end({ kind: "stalled", detail: "too many bytes wait to be read" });
    else {
      this.#stallTimer ??= this.#runtime.timer(limit("runnerStallMsMax"), () => this.#checkStall());
      this.#adjustReading();
    }
  }

  /** Counts bytes of the runner's frames that the host still works on. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#adjustReading();
  }

  free(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#adjustReading();
  }

  end(end: ChannelEnd): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stallTimer?.cancel();
    this.#socket.destroy();
    this.#handler.ended(end);
  }

  /** Frames of one turn of the event loop leave in one write. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #received(chunk: Uint8Array): void {
    if (!this.#open) return;
    try {
      for (const frame of this.#decoder.push(chunk)) {
        this.#handler.frame(parseRunnerEnvelope(frame.envelopeBytes), frame.body);
        if (!this.#isOpen()) return;
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.end({ kind: "violation", detail: error.message });
    }
  }

  /** The handler may have ended the channel; asked through a method because the compiler cannot know. */
  #isOpen(): boolean {
    return this.#open;
  }

  #written(): void {
    const write = this.#writes.shift();
    if (write === undefined || !this.#open) return;
    this.#queuedBytes -= write.bytes;
    if (this.#writes.length === 0) {
      this.#stallTimer?.cancel();
      this.#stallTimer = undefined;
    }
    this.#adjustReading();
  }

  #checkStall(): void {
    this.#stallTimer = undefined;
    const oldest = this.#writes[0];
    if (oldest === undefined || !this.#open) return;
    const waitedMs = this.#runtime.monotonicMs() - oldest.atMs;
    const leftMs = limit("runnerStallMsMax") - waitedMs;
    if (leftMs <= 0) this.end({ kind: "stalled", detail: `the runner read nothing for ${Math.round(waitedMs)} ms` });
    else this.#stallTimer = this.#runtime.timer(leftMs, () => this.#checkStall());
  }

  #adjustReading(): void {
    const full = this.#heldBytes > limit("runnerPendingArgBytesMax") || this.#queuedBytes > limit("frameBytesMax") * 2;
    if (full && !this.#socket.isPaused()) this.#socket.pause();
    else if (!full && this.#socket.isPaused()) this.#socket.resume();
  }
}
