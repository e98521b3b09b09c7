/**
 * The other end of every connection of this process: reads requests, asks the host for each (`plinth/fetch`) and writes the answer as
 * an HTTP/1.1 response. Requests of one connection are answered in order.
 */
import { HOST_OPS, type FetchRequest, type FetchResponse } from "@plinth/core/protocol/runner-protocol.ts";
import { HostCallError, type HostCaller } from "../host-calls.ts";
import { NotHttp, type ParsedRequest, RequestParser } from "./request-parser.ts";

/** Modules of Node that are slow to load are loaded when they are needed. */
const builtin = process.getBuiltinModule.bind(process);

export interface ConnectionTarget {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** The client's end. */
export interface ClientEnd {
  write(bytes: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

/** The host alone writes these; a request with them is refused. */
const FRAMING_HEADERS = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "keep-alive",
  "te",
  "trailer",
  "expect",
  "http2-settings",
]);
const RESPONSE_FRAMING = new Set(["content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "upgrade"]);
const BODILESS = new Set([204, 205, 304]);

/** An error of a connection as Node's own look, so that clients treat it as one. */
export function connectionError(message: string, code: string, target: ConnectionTarget): Error {
  return Object.assign(new Error(message), { code, syscall: "connect", address: target.host, port: target.port });
}

export class HttpPeer {
  readonly #target: ConnectionTarget;
  readonly #hostCall: HostCaller;
  readonly #client: ClientEnd;
  readonly #parser: RequestParser;
  readonly #waiting: ParsedRequest[] = [];
  #answering = false;
  #clientEnded = false;
  #closed = false;

  constructor(options: { readonly target: ConnectionTarget; readonly hostCall: HostCaller; readonly client: ClientEnd }) {
    this.#target = options.target;
    this.#hostCall = options.hostCall;
    this.#client = options.client;
    this.#parser = new RequestParser(() => this.#client.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n")));
  }

  receive(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      this.#waiting.push(...this.#parser.push(bytes));
    } catch (error) {
      if (!(error instanceof NotHttp)) throw error;
      return this.#fail(connectionError(error.message, "EPERM", this.#target));
    }
    if (!this.#answering) void this.#answerAll();
  }

  /** The client sends no more. */
  ended(): void {
    this.#clientEnded = true;
    if (!this.#answering && !this.#closed) this.#client.end();
  }

  /** The client is gone; answers that still come are dropped. */
  close(): void {
    this.#closed = true;
  }

  async #answerAll(): Promise<void> {
    this.#answering = true;
    for (let request = this.#waiting.shift(); request !== undefined && !this.#closed; request = this.#waiting.shift()) {
      const keepsOpen = await this.#answer(request);
      if (!keepsOpen) break;
    }
    this.#answering = false;
    if (this.#clientEnded && !this.#closed) this.#client.end();
  }

  /** False when the connection ends with this answer. */
  async #answer(request: ParsedRequest): Promise<boolean> {
    let response: FetchResponse;
    try {
      const answer = await this.#hostCall(HOST_OPS.fetch, JSON.stringify(this.#fetchRequest(request)));
      response = JSON.parse(answer) as FetchResponse;
    } catch (error) {
      this.#fail(this.#hostError(error));
      return false;
    }
    if (this.#closed) return false;
    this.#client.write(responseBytes(response, request));
    if (!request.keepAlive) this.#client.end();
    return request.keepAlive;
  }

  #fetchRequest(request: ParsedRequest): FetchRequest {
    return {
      url: this.#urlOf(request),
      method: request.method,
      headers: request.headers.filter(([name]) => !FRAMING_HEADERS.has(name.toLowerCase()) && !/^proxy-/i.test(name)),
      bodyBase64: request.body === null || request.method === "GET" || request.method === "HEAD" ? null : request.body.toString("base64"),
      redirect: "manual",
    };
  }

  /** Where the connection goes decides, not the Host header; a target that is a whole address (as for a proxy) stands for itself. */
  #urlOf({ target }: ParsedRequest): string {
    if (/^https?:\/\//i.test(target)) return target;
    const { secure, host, port } = this.#target;
    const shownHost = host.includes(":") ? `[${host}]` : host;
    const shownPort = port === (secure ? 443 : 80) ? "" : `:${port}`;
    return `${secure ? "https" : "http"}://${shownHost}${shownPort}${target.startsWith("/") ? target : `/${target}`}`;
  }

  #hostError(error: unknown): Error {
    if (!(error instanceof HostCallError)) return connectionError("the host's answer cannot be read", "EPROTO", this.#target);
    const code = error.code === "FetchRefused" ? "ECONNREFUSED" : error.code === "FetchFailed" ? "ECONNRESET" : error.code;
    return Object.assign(connectionError(error.message, code, this.#target), { hostCode: error.code });
  }

  #fail(error: Error): void {
    this.#closed = true;
    this.#client.fail(error);
  }
}

function responseBytes(response: FetchResponse, request: ParsedRequest): Buffer {
  const body = Buffer.from(response.bodyBase64, "base64");
  const bodiless = request.method === "HEAD" || BODILESS.has(response.status);
  const reason = response.statusText === "" ? (builtin("node:http").STATUS_CODES[response.status] ?? "") : response.statusText;
  const lines = [`HTTP/1.1 ${response.status} ${oneLine(reason)}`];
  for (const [name, value] of response.headers) {
    const lower = name.toLowerCase();
    // A HEAD says how long the body would be.
    if (!RESPONSE_FRAMING.has(lower) || (lower === "content-length" && request.method === "HEAD")) lines.push(`${name}: ${oneLine(value)}`);
  }
  if (!bodiless) lines.push(`Content-Length: ${body.length}`);
  lines.push(request.keepAlive ? "Connection: keep-alive" : "Connection: close");
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return bodiless ? head : Buffer.concat([head, body]);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}
