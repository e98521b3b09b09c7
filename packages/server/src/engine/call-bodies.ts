/**
 * Large bodies that go with a call of native code beside its arguments and its result, where nobody can write them: neither passes
 * through memory as a whole. Who calls gives the bodies; native code hands them to the egress guard.
 */

import type { Readable } from "node:stream";

/** Bytes that are stored. */
export interface StoredBody {
  /** sha-256 in hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
  readonly contentType: string;
}

export interface SentBody extends StoredBody {
  /** The bytes from the start, each time. */
  open(): Promise<Readable>;
}

export interface CallBodies {
  /** Is sent as the body of the request. */
  readonly sent: SentBody | null;
  /** Answers that are longer are given to `keep`. */
  readonly keptAboveBytes: number;
  /** Stores an answer; durable when it resolves. */
  keep(source: AsyncIterable<Uint8Array>, contentType: string): Promise<StoredBody>;
  /** Is sent with the request: for `{secret}` in its headers and query, or else as a bearer token. */
  readonly secret?: string;
}
