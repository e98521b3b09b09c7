/** The runner's end of the control channel: the socketpair 3, or two descriptors where a container provider has no third one. */
import { Socket } from "node:net";
import { encodeFrame, FrameDecoder, HOST_FRAME_CAPS } from "@plinth/core/protocol/frames.ts";
import { parseHostEnvelope } from "@plinth/core/protocol/parse.ts";
import type { HostEnvelope, RunnerEnvelope } from "@plinth/core/protocol/runner-protocol.ts";

const CONTROL_FD = 3;
const CONTROL_FLAG = /^--control=(\d{1,4}),(\d{1,4})$/;

export interface ControlDescriptors {
  readonly read: number;
  readonly write: number;
}

/** `--control=<read>,<write>` among the arguments, else descriptor 3 for both directions. */
export function controlDescriptors(args: readonly string[]): ControlDescriptors {
  for (const arg of args) {
    const match = CONTROL_FLAG.exec(arg);
    if (match !== null) return { read: Number(match[1]), write: Number(match[2]) };
  }
  return { read: CONTROL_FD, write: CONTROL_FD };
}

export class ControlChannel {
  readonly #reader: Socket;
  readonly #writer: Socket;
  readonly #decoder = new FrameDecoder(HOST_FRAME_CAPS);

  constructor({ read, write }: ControlDescriptors, receive: (envelope: HostEnvelope, body: Buffer) => void) {
    this.#reader = new Socket({ fd: read, readable: true, writable: read === write });
    this.#writer = read === write ? this.#reader : new Socket({ fd: write, readable: false, writable: true });
    // A user of `process.exit` may be in the way of the one that user code sees.
    const exit = process.exit.bind(process);
    this.#reader.on("data", (chunk: Buffer) => {
      for (const { envelopeBytes, body } of this.#decoder.push(chunk))
        receive(parseHostEnvelope(envelopeBytes), Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    });
    // Without a host there is nothing left to do.
    for (const socket of [this.#reader, this.#writer]) for (const event of ["end", "error", "close"]) socket.on(event, () => exit(0));
  }

  /** Frames are written at once: what user code does afterwards may keep the event loop. */
  send(envelope: RunnerEnvelope, body?: Uint8Array): void {
    this.#writer.write(encodeFrame(envelope, body));
  }

  /** Whether the channel alone keeps the process alive. While it does not, an empty event loop shows. */
  keepAlive(keeps: boolean): void {
    if (keeps) this.#reader.ref();
    else this.#reader.unref();
    if (this.#writer !== this.#reader) this.#writer.unref();
  }

  owns(handle: unknown): boolean {
    return handle === this.#reader || handle === this.#writer;
  }
}
