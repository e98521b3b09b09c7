/** The bytes that structure keys; `keys.ts` says how. Stores keep them: they never change. */

/** First byte of each value; the order of the tags is the order of the types. */
export const TAG = {
  undefined: 0x01,
  null: 0x03,
  /** 0x04–0x07: negative in 8, 4, 2, 1 bytes; 0x08: zero; 0x09–0x0c: positive in 1, 2, 4, 8 bytes. */
  int64Zero: 0x08,
  float64: 0x0d,
  false: 0x0e,
  true: 0x0f,
  string: 0x10,
  bytes: 0x11,
  array: 0x12,
  object: 0x15,
} as const;

/** Ends arrays, objects, strings and bytes. Within the last two, 0 and 1 are written as ESCAPE with ESCAPED_0 or ESCAPED_1. */
export const END = 0x00;
export const ESCAPE = 0x01;
export const ESCAPED_0 = 0x01;
export const ESCAPED_1 = 0x02;
