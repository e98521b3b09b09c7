/** The runner's end of the control socket. Frames of one turn of the event loop leave in one write. */
import { Socket } from "node:net";
import { encodeFrame, FrameDecoder, HOST_FRAME_CAPS, type Frame } from "@plinth/core/protocol/frames.ts";
import { parseHostEnvelope } from "@plinth/core/protocol/parse.ts";
import type { HostEnvelope, RunnerEnvelope } from "@plinth/core/protocol/runner-protocol.ts";
import type { ControlDescriptors } from "../node/control-channel.ts";

/** While user code keeps the event loop, frames that are older than this are not held back any longer. */
const HOLD_MS = 5;

export class HostConnection {
  readonly #reader: Socket;
  readonly #writer: Socket;
  readonly #decoder = new FrameDecoder(HOST_FRAME_CAPS);
  #frames: Uint8Array[] = [];
  #heldSinceMs = 0;
  #flushed = false;

  constructor({ read, write }: ControlDescriptors, receive: (envelope: HostEnvelope, body: Buffer) => void) {
    this.#reader = new Socket({ fd: read, readable: true, writable: read === write });
    this.#writer = read === write ? this.#reader : new Socket({ fd: write, readable: false, writable: true });
    this.#reader.on("data", (chunk: Buffer) => {
      for (const frame of this.#decoder.push(chunk)) receive(parseHostEnvelope(frame.envelopeBytes), bodyOf(frame));
      this.flush();
    });
    // Without a host there is nothing left to do.
    for (const socket of [this.#reader, this.#writer])
      for (const event of ["end", "error", "close"]) socket.on(event, () => process.exit(0));
  }

  send(envelope: RunnerEnvelope, body?: Uint8Array): void {
    const frame = encodeFrame(envelope, body);
    const nowMs = performance.now();
    if (this.#frames.length === 0) {
      this.#heldSinceMs = nowMs;
      if (!this.#flushed) {
        this.#flushed = true;
        process.nextTick(() => this.flush());
      }
    }
    this.#frames.push(frame);
    if (nowMs - this.#heldSinceMs > HOLD_MS) this.flush();
  }

  flush(): void {
    this.#flushed = false;
    const frames = this.#frames;
    const first = frames[0];
    if (first === undefined) return;
    this.#frames = [];
    this.#writer.write(frames.length === 1 ? first : Buffer.concat(frames));
  }
}

function bodyOf({ body }: Frame): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
