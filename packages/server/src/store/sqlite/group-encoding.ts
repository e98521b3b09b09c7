/**
 * The byte forms of the store: the keys of one commit, as the log keeps them for good, and a group of
 * batches, as the host hands it to the writer thread in one transferable buffer.
 *
 * Keys of a commit: for each key a u32 (little-endian) of `length << 1 | deleted`, then its bytes.
 * Group: for each batch an f64 timestamp, a u32 with the length of its keys, the keys in the form above,
 * then for each key that is not deleted a u32 with the length of its value, and the value.
 */
import { assert } from "@plinth/core/assert.ts";
import type { Key, Timestamp, Write } from "../store.ts";

/** A batch that was checked and has its timestamp. Its writes are sorted by key. */
export interface StampedBatch {
  readonly ts: Timestamp;
  readonly writes: readonly Write[];
}

/** A batch as the writer reads it: views into the buffer of its group. */
export interface DecodedBatch {
  readonly ts: Timestamp;
  readonly keys: Uint8Array;
  readonly writes: readonly Write[];
}

export interface KeyMark {
  readonly key: Key;
  readonly deleted: boolean;
}

const LENGTH_BYTES = 4;
const TS_BYTES = 8;

/** The size of a batch in a group. */
export function batchBytes(writes: readonly Write[]): number {
  let total = TS_BYTES + LENGTH_BYTES;
  for (const { key, value } of writes) {
    total += LENGTH_BYTES + key.length;
    if (value !== null) total += LENGTH_BYTES + value.length;
  }
  return total;
}

export function encodeGroup(batches: readonly StampedBatch[], bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  const target = new Uint8Array(buffer);
  const view = new DataView(buffer);
  let position = 0;
  for (const { ts, writes } of batches) {
    view.setFloat64(position, ts, true);
    const keysLengthAt = position + TS_BYTES;
    position = keysLengthAt + LENGTH_BYTES;
    const keysStart = position;
    for (const { key, value } of writes) {
      view.setUint32(position, key.length * 2 + (value === null ? 1 : 0), true);
      target.set(key, position + LENGTH_BYTES);
      position += LENGTH_BYTES + key.length;
    }
    view.setUint32(keysLengthAt, position - keysStart, true);
    for (const { value } of writes) {
      if (value === null) continue;
      view.setUint32(position, value.length, true);
      target.set(value, position + LENGTH_BYTES);
      position += LENGTH_BYTES + value.length;
    }
  }
  assert(position === bytes, "a group fills its buffer");
  return buffer;
}

export function decodeGroup(buffer: ArrayBuffer): DecodedBatch[] {
  const view = new DataView(buffer);
  const batches: DecodedBatch[] = [];
  let position = 0;
  while (position < buffer.byteLength) {
    const ts = view.getFloat64(position, true);
    const keysLength = view.getUint32(position + TS_BYTES, true);
    const keys = new Uint8Array(buffer, position + TS_BYTES + LENGTH_BYTES, keysLength);
    position += TS_BYTES + LENGTH_BYTES + keysLength;
    const writes: Write[] = [];
    for (const { key, deleted } of decodeKeys(keys)) {
      if (deleted) {
        writes.push({ key, value: null });
        continue;
      }
      const length = view.getUint32(position, true);
      writes.push({ key, value: new Uint8Array(buffer, position + LENGTH_BYTES, length) });
      position += LENGTH_BYTES + length;
    }
    batches.push({ ts, keys, writes });
  }
  return batches;
}

export function decodeKeys(bytes: Uint8Array): KeyMark[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keys: KeyMark[] = [];
  let position = 0;
  while (position < bytes.length) {
    const head = view.getUint32(position, true);
    const start = position + LENGTH_BYTES;
    position = start + (head >>> 1);
    assert(position <= bytes.length, "the keys of a commit are whole");
    keys.push({ key: bytes.subarray(start, position), deleted: (head & 1) === 1 });
  }
  return keys;
}
