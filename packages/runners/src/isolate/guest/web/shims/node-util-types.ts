/** What undici asks of `node:util/types`. */
export const isArrayBufferView = ArrayBuffer.isView;

export function isUint8Array(value: unknown): boolean {
  return value instanceof Uint8Array;
}

export function isArrayBuffer(value: unknown): boolean {
  return value instanceof ArrayBuffer;
}

/** User code has no SharedArrayBuffer. */
export function isSharedArrayBuffer(): boolean {
  return false;
}

export function isAnyArrayBuffer(value: unknown): boolean {
  return value instanceof ArrayBuffer;
}

export function isTypedArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

export function isDataView(value: unknown): boolean {
  return value instanceof DataView;
}

export function isProxy(): boolean {
  return false;
}
