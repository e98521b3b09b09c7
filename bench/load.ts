/**
 * A small HTTP/1.1 load generator: `clients` keep-alive connections, each with one request under way. It writes bytes
 * that are made beforehand and reads answers by their content-length, so that it takes little of the machine it measures.
 */
import { connect, type Socket } from "node:net";

export interface Load {
  readonly url: URL;
  readonly clients: number;
  readonly durationMs: number;
  /** It ends earlier when so many requests were sent. */
  readonly requestsMax?: number;
  /** Bodies of POST requests, taken in turn. */
  readonly bodies: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the expected answers; 200 when absent. */
  readonly status?: number;
  /** Throws when an answer is not the expected one. */
  readonly check: (body: string) => void;
}

export interface LoadResult {
  /** Sorted. */
  readonly latenciesMs: readonly number[];
  readonly perSecond: number;
}

export async function run(load: Load): Promise<LoadResult> {
  const requests = load.bodies.map((body) => request(load, body));
  const latenciesMs: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + load.durationMs;
  let turn = 0;
  await Promise.all(
    Array.from({ length: load.clients }, async () => {
      const connection = await Connection.open(load.url);
      while (performance.now() < endMs && turn < (load.requestsMax ?? Number.POSITIVE_INFINITY)) {
        const fromMs = performance.now();
        const { status, body } = await connection.exchange(requests[turn++ % requests.length] ?? Buffer.alloc(0));
        latenciesMs.push(performance.now() - fromMs);
        if (status !== (load.status ?? 200)) throw new Error(`the host answered ${status}: ${body}`);
        load.check(body);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  return { latenciesMs: latenciesMs.sort((a, b) => a - b), perSecond: latenciesMs.length / seconds };
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function request({ url, headers }: Load, body: string): Buffer {
  const lines = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: { status: number; body: string }) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the host closed the connection")));
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Connection(socket);
  }

  exchange(bytes: Buffer): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return;
    const body = this.#received.toString("utf8", headEnd + 4, end);
    this.#received = this.#received.subarray(end);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }
}
