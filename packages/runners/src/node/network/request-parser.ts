/** Reads HTTP/1.1 requests from the bytes that a client in this process writes. */
import { limit } from "@plinth/core/limits.ts";

export type HeaderPair = readonly [name: string, value: string];

export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderPair[];
  /** null = there is none. */
  readonly body: Buffer | null;
  readonly keepAlive: boolean;
}

/** The bytes are no HTTP/1.1 request, or one that cannot leave. */
export class NotHttp extends Error {
  override name = "NotHttp";
}

const ONLY_HTTP = "only HTTP leaves the sandbox";
const HEAD_BYTES_MAX = 4 * limit("fetchHeaderBytesMax");
const BODY_BYTES_MAX = limit("fetchBodyBytesMax");
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/;
const METHOD_START = /^[A-Za-z!#$%&'*+.^_`|~0-9-]+(?: |$)/;
const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const EMPTY = Buffer.alloc(0);

type Head = Omit<ParsedRequest, "body">;
type State =
  | { readonly at: "head" }
  | { readonly at: "fixed"; readonly head: Head; left: number }
  | { readonly at: "chunkSize" | "chunkEnd" | "trailers"; readonly head: Head }
  | { readonly at: "chunk"; readonly head: Head; left: number };

export class RequestParser {
  readonly #onContinue: () => void;
  #state: State = { at: "head" };
  #rest: Buffer = EMPTY;
  #body: Buffer[] = [];
  #bodyBytes = 0;

  /** `onContinue` is called when a client waits for leave to send its body. */
  constructor(onContinue: () => void) {
    this.#onContinue = onContinue;
  }

  /** The requests that these bytes complete. Throws NotHttp. */
  push(bytes: Buffer): ParsedRequest[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const complete: ParsedRequest[] = [];
    while (this.#step(complete));
    return complete;
  }

  /** One step; false when more bytes are needed. */
  #step(complete: ParsedRequest[]): boolean {
    const state = this.#state;
    switch (state.at) {
      case "head":
        return this.#head(complete);
      case "fixed":
      case "chunk": {
        const piece = this.#rest.subarray(0, state.left);
        this.#keep(piece);
        this.#rest = this.#rest.subarray(piece.length);
        state.left -= piece.length;
        if (state.left > 0) return false;
        if (state.at === "fixed") this.#finish(state.head, complete);
        else this.#state = { at: "chunkEnd", head: state.head };
        return true;
      }
      case "chunkSize":
      case "chunkEnd":
      case "trailers": {
        const line = this.#line();
        if (line === undefined) return false;
        this.#chunkLine(state.at, line, state.head, complete);
        return true;
      }
      default:
        return state satisfies never;
    }
  }

  #head(complete: ParsedRequest[]): boolean {
    if (this.#rest.length === 0) return false;
    if (!METHOD_START.test(this.#rest.subarray(0, 32).toString("latin1"))) throw new NotHttp(ONLY_HTTP);
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#rest.length > HEAD_BYTES_MAX) throw new NotHttp(`the head of a request takes more than ${HEAD_BYTES_MAX} bytes`);
      return false;
    }
    const lines = this.#rest.subarray(0, end).toString("latin1").split("\r\n");
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    const head = parseHead(lines);
    this.#begin(head, complete);
    return true;
  }

  #begin(head: Head, complete: ParsedRequest[]): void {
    const value = (name: string): string | undefined => head.headers.find(([each]) => each.toLowerCase() === name)?.[1];
    if (value("upgrade") !== undefined && /upgrade/i.test(value("connection") ?? ""))
      throw new NotHttp(`${ONLY_HTTP}: the upgrade to ${value("upgrade")} is not possible`);
    if (head.method === "CONNECT") throw new NotHttp(`${ONLY_HTTP}: tunnels are not possible`);
    if (/chunked/i.test(value("transfer-encoding") ?? "")) this.#state = { at: "chunkSize", head };
    else {
      const length = Number(value("content-length") ?? "0");
      if (!Number.isSafeInteger(length) || length < 0) throw new NotHttp("the content-length of a request is not a number");
      if (length === 0) return this.#finish(head, complete);
      if (length > BODY_BYTES_MAX) throw tooLarge();
      this.#state = { at: "fixed", head, left: length };
    }
    if (/100-continue/i.test(value("expect") ?? "")) this.#onContinue();
  }

  #chunkLine(at: "chunkSize" | "chunkEnd" | "trailers", line: string, head: Head, complete: ParsedRequest[]): void {
    if (at === "chunkEnd") this.#state = { at: "chunkSize", head };
    else if (at === "trailers") {
      if (line === "") this.#finish(head, complete);
    } else {
      const size = Number.parseInt(line, 16);
      if (!Number.isSafeInteger(size) || size < 0) throw new NotHttp("a chunk of a request has no size");
      this.#state = size === 0 ? { at: "trailers", head } : { at: "chunk", head, left: size };
    }
  }

  #line(): string | undefined {
    const end = this.#rest.indexOf(LINE_END);
    if (end < 0) {
      if (this.#rest.length > HEAD_BYTES_MAX) throw new NotHttp("a line of a request is too long");
      return undefined;
    }
    const line = this.#rest.subarray(0, end).toString("latin1");
    this.#rest = this.#rest.subarray(end + LINE_END.length);
    return line;
  }

  #keep(piece: Buffer): void {
    this.#bodyBytes += piece.length;
    if (this.#bodyBytes > BODY_BYTES_MAX) throw tooLarge();
    if (piece.length > 0) this.#body.push(piece);
  }

  #finish(head: Head, complete: ParsedRequest[]): void {
    complete.push({ ...head, body: this.#bodyBytes === 0 ? null : Buffer.concat(this.#body) });
    this.#body = [];
    this.#bodyBytes = 0;
    this.#state = { at: "head" };
  }
}

function parseHead(lines: readonly string[]): Head {
  const match = REQUEST_LINE.exec(lines[0] ?? "");
  if (match === null) throw new NotHttp(`${ONLY_HTTP}: these bytes are no HTTP/1.1 request`);
  const headers = lines.slice(1).map((line): HeaderPair => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new NotHttp("a header of a request has no name");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const connection = headers.find(([name]) => name.toLowerCase() === "connection")?.[1] ?? "";
  return { method: match[1] ?? "", target: match[2] ?? "", headers, keepAlive: !/close/i.test(connection) };
}

function tooLarge(): NotHttp {
  return new NotHttp(`the body of a request may take ${BODY_BYTES_MAX} bytes`);
}
