/**
 * Port: large immutable bytes, named by their content, apart for each tenant. Adapters stand beside this file and pass
 * `blobs-contract.ts`.
 *
 * B1 Durable: when `put` resolves, the bytes survive a crash of process and machine.
 * B2 Atomic: a blob is there wholly or not at all, also after a crash while it was written.
 * B3 True: what is read has the digest it is named by; other bytes are an error, never an answer.
 * B4 Apart: a tenant cannot name, find or probe for a blob of another one.
 */
import type { Readable } from "node:stream";

export interface BlobInfo {
  /** sha-256 in hexadecimal. */
  readonly digest: string;
  readonly bytes: number;
  /** When it was last put; younger ones are not collected, because a transaction may be about to refer to them. */
  readonly putMs: number;
}

export interface Blobs {
  /** Stores what the source gives. Rejects with LimitExceeded above `bytesMax`, and then leaves nothing. */
  put(tenant: string, source: AsyncIterable<Uint8Array>, options: { readonly bytesMax: number }): Promise<BlobInfo>;
  /** The bytes in order, read as they are wanted; undefined when there is no such blob. */
  open(tenant: string, digest: string): Promise<Readable | undefined>;
  /** All bytes at once, checked. */
  read(tenant: string, digest: string): Promise<Buffer | undefined>;
  info(tenant: string, digest: string): Promise<BlobInfo | undefined>;
  /** Deletes one; harmless when there is none. With `putBeforeMs`, only when it was last put before that moment. */
  delete(tenant: string, digest: string, options?: { readonly putBeforeMs: number }): Promise<void>;
  list(tenant: string): AsyncIterable<BlobInfo>;
  tenants(): Promise<readonly string[]>;
  eraseTenant(tenant: string): Promise<void>;
  /**
   * Puts a copy of all blobs into the new folder `path`, while in use. `before` runs first, and from then on nothing is deleted
   * until the copy is done: whatever it copies refers to blobs that the copy has.
   */
  backup(path: string, before?: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}
