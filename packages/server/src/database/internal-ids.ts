/** Internal ids: how new ones are made, and how bounds on the text of ids become bounds on them. */
import { must } from "@plinth/core/assert.ts";
import { decodeDocumentId, encodeDocumentId } from "@plinth/core/documents/ids.ts";
import { compareBytes, encodeKeyValues } from "@plinth/core/documents/keys.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { INTERNAL_ID_BYTES } from "./key-space.ts";

const TIME_BYTES = 6;
const POOL_BYTES = 4096;

/**
 * Makes internal ids: the time in milliseconds, then ten random bytes. Documents that are made one after the
 * other lie beside each other, and nobody can guess an id.
 */
export class InternalIds {
  readonly #runtime: Runtime;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  next(nowMs: number): Uint8Array {
    const id = Buffer.allocUnsafe(INTERNAL_ID_BYTES);
    id.writeUIntBE(Math.min(Math.max(Math.floor(nowMs), 0), 2 ** 48 - 1), 0, TIME_BYTES);
    id.set(this.random(INTERNAL_ID_BYTES - TIME_BYTES), TIME_BYTES);
    return id;
  }

  /** Random bytes that are given out once. */
  random(length: number): Uint8Array {
    if (this.#used + length > this.#pool.length) {
      this.#pool = this.#runtime.randomBytes(Math.max(POOL_BYTES, length));
      this.#used = 0;
    }
    this.#used += length;
    return this.#pool.subarray(this.#used - length, this.#used);
  }
}

const END = 1n << BigInt(8 * INTERNAL_ID_BYTES);

/**
 * The smallest internal id whose document id, encoded as an index key, is not below `bound`; null when all
 * are below. The text of an id begins with its table and internal id, so within a table both have one order.
 */
export function firstInternalIdFrom(table: number, bound: Uint8Array): Uint8Array | null {
  const known = idInBound(table, bound);
  const first = known === undefined ? search(table, bound) : compareBytes(encodedId(table, known), bound) >= 0 ? known : known + 1n;
  return first === END ? null : bytesOf(first);
}

/** Bounds are nearly always made of an id of the table itself, which saves the search. */
function idInBound(table: number, bound: Uint8Array): bigint | undefined {
  const text = Buffer.from(bound.buffer, bound.byteOffset, bound.byteLength).toString("latin1");
  // Behind the tag of strings.
  const candidate = /^[0-9a-z]{31,37}/.exec(text.slice(1))?.[0];
  const id = candidate === undefined ? null : decodeDocumentId(candidate);
  return id === null || id.tableNumber !== table ? undefined : BigInt(`0x${Buffer.from(id.internalId).toString("hex")}`);
}

function search(table: number, bound: Uint8Array): bigint {
  let low = 0n;
  let high = END;
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (compareBytes(encodedId(table, middle), bound) < 0) low = middle + 1n;
    else high = middle;
  }
  return low;
}

function encodedId(table: number, internalId: bigint): Uint8Array {
  return encodeKeyValues([encodeDocumentId({ tableNumber: table, internalId: bytesOf(internalId) })]);
}

function bytesOf(internalId: bigint): Uint8Array {
  return Buffer.from(must(internalId.toString(16), "an id has digits").padStart(2 * INTERNAL_ID_BYTES, "0"), "hex");
}
