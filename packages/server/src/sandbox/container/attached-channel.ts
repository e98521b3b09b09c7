/**
 * The control channel of a container: its standard input one way, and of the multiplexed outputs that come back the first
 * (standard output) the other way; the second (standard error) is what it printed. Bytes that are written before the connection
 * is open wait for it.
 */
import { Duplex } from "node:stream";

const HEADER_BYTES = 8;
const STDOUT = 1;
const STDERR = 2;

export class AttachedChannel extends Duplex {
  /** Resolves when the engine has closed the connection: the container has ended, or cannot be spoken to any more. */
  readonly ended: Promise<void>;
  readonly #printed: (bytes: Buffer) => void;
  readonly #resolveEnded: () => void;
  #socket: Duplex | undefined;
  /** What waits for the connection to open. */
  #waiting: (() => void) | undefined;
  #header = Buffer.alloc(0);
  #stream = 0;
  #leftBytes = 0;
  #resting = false;
  /** Somebody reads frames, or would. */
  #wanted = true;

  constructor(printed: (bytes: Buffer) => void) {
    super({ allowHalfOpen: true });
    this.#printed = printed;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  open({ socket, head }: { readonly socket: Duplex; readonly head: Buffer }): void {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    for (const event of ["end", "close", "error"]) socket.on(event, () => this.#resolveEnded());
    if (head.length > 0) this.#received(head);
    if (this.destroyed) return this.#abandon(socket);
    this.#waiting?.();
    this.#waiting = undefined;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenOpen((socket) => void socket.write(chunk, (error) => done(this.destroyed ? null : error)));
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "utf8", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#whenOpen((socket) => {
      socket.end();
      done();
    });
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#resting) this.#socket?.resume();
  }

  /** Reads nothing for a while: frames and what is printed come the same way, so a flood of one slows the other. */
  async rest(pause: Promise<void>): Promise<void> {
    this.#resting = true;
    this.#socket?.pause();
    await pause;
    this.#resting = false;
    if (this.#wanted || this.destroyed) this.#socket?.resume();
  }

  /** The end of its input ends the program. What it still sends is read, so that its end can be seen. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#socket !== undefined) this.#abandon(this.#socket);
    done(error);
  }

  /**
   * Ends what can be read. The end of the connection alone does not: readers would take it for a program that hides, while the
   * engine still finds out how it ended.
   */
  finish(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
    this.#socket?.destroy();
  }

  /** Closes the connection whatever the container does. */
  cut(): void {
    this.#socket?.destroy();
    this.destroy();
  }

  #abandon(socket: Duplex): void {
    socket.end();
    socket.resume();
  }

  #whenOpen(action: (socket: Duplex) => void): void {
    const socket = this.#socket;
    if (socket === undefined) this.#waiting = () => this.#socket !== undefined && action(this.#socket);
    else action(socket);
  }

  #received(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#leftBytes === 0) {
        const taken = Math.min(HEADER_BYTES - this.#header.length, rest.length);
        this.#header = Buffer.concat([this.#header, rest.subarray(0, taken)]);
        rest = rest.subarray(taken);
        if (this.#header.length < HEADER_BYTES) return;
        this.#stream = this.#header[0] ?? 0;
        this.#leftBytes = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        if (this.#stream !== STDOUT && this.#stream !== STDERR) return this.cut();
      }
      const part = rest.subarray(0, this.#leftBytes);
      this.#leftBytes -= part.length;
      rest = rest.subarray(part.length);
      if (part.length > 0) this.#give(part);
    }
  }

  #give(part: Buffer): void {
    if (this.#stream === STDERR) this.#printed(part);
    else if (!this.destroyed && !this.push(part)) {
      this.#wanted = false;
      this.#socket?.pause();
    }
  }
}
