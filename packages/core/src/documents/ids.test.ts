import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeDocumentId, encodeDocumentId, USER_TABLE_NUMBER_MIN } from "./ids.ts";

const internalId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const tableNumber = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 127, 128, 10_001, 16_383, 16_384, 2 ** 21, 2 ** 28, 0xffff_ffff),
);
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

describe("document ids", () => {
  test("decoding gives the id back", () => {
    fc.assert(
      fc.property(tableNumber, internalId, (number, internal) => {
        const text = encodeDocumentId({ tableNumber: number, internalId: internal });
        expect(text).toMatch(/^[0-9a-hjkmnp-tv-z]{31,37}$/);
        expect(decodeDocumentId(text)).toEqual({ tableNumber: number, internalId: internal });
      }),
      { numRuns: 1000 },
    );
  });

  test("ids of user tables have 32 characters", () => {
    fc.assert(
      fc.property(fc.integer({ min: USER_TABLE_NUMBER_MIN, max: 16_383 }), internalId, (number, internal) => {
        expect(encodeDocumentId({ tableNumber: number, internalId: internal })).toHaveLength(32);
      }),
    );
  });

  test("exact texts, which stores keep", () => {
    expect(encodeDocumentId({ tableNumber: 10_001, internalId: new Uint8Array(16) })).toBe("j5700000000000000000000000001qv0");
    expect(encodeDocumentId({ tableNumber: 1, internalId: new Uint8Array(16).fill(255) })).toHaveLength(31);
    expect(encodeDocumentId({ tableNumber: 0xffff_ffff, internalId: new Uint8Array(16) })).toHaveLength(37);
  });

  test("one wrong character is found", () => {
    fc.assert(
      fc.property(tableNumber, internalId, fc.nat(36), fc.nat(30), (number, internal, at, shift) => {
        const text = encodeDocumentId({ tableNumber: number, internalId: internal });
        const i = at % text.length;
        const other = ALPHABET[(ALPHABET.indexOf(text.charAt(i)) + 1 + shift) % 32];
        const wrong = decodeDocumentId(text.slice(0, i) + other + text.slice(i + 1));
        expect(wrong).toBe(null);
      }),
      { numRuns: 2000 },
    );
  });

  test("what decodes has that one text", () => {
    const near = fc.string({ unit: fc.constantFrom(...ALPHABET.split("")), minLength: 29, maxLength: 39 });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const id = decodeDocumentId(text);
        if (id !== null) expect(encodeDocumentId(id)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  test("other forms of a valid id are refused", () => {
    const text = encodeDocumentId({ tableNumber: 10_001, internalId: new Uint8Array(16).fill(9) });
    const others = [
      "",
      text.toUpperCase(),
      ` ${text}`,
      `${text} `,
      `${text}0`,
      text.slice(0, -1),
      `${text}00`,
      text.replace(/^./, "i"),
      text.replace(/.$/, "é"),
      `0${text}`,
    ];
    for (const other of others) expect(decodeDocumentId(other)).toBe(null);
    expect(decodeDocumentId("x".repeat(1_000_000))).toBe(null);
  });

  /** The text of bytes with the right checksum, whatever they say. */
  function textOf(bytes: readonly number[]): string {
    let [low, high] = [0, 0];
    for (const byte of bytes) {
      low = (low + byte) % 256;
      high = (high + low) % 256;
    }
    const all = [...bytes, low, high];
    const characters = Math.ceil((all.length * 8) / 5);
    let number = BigInt(`0x${Uint8Array.from(all).toHex()}`) << BigInt(characters * 5 - all.length * 8);
    let text = "";
    for (let i = 0; i < characters; i += 1) {
      text = (ALPHABET[Number(number % 32n)] ?? "") + text;
      number /= 32n;
    }
    return text;
  }

  test("table numbers have one form", () => {
    const internal = Array<number>(16).fill(3);
    expect(decodeDocumentId(textOf([0x91, 0x4e, ...internal]))?.tableNumber).toBe(10_001);
    const heads = [
      [0x91, 0xce, 0x00],
      [0x80, 0x00],
      [0x91, 0xce],
      [0x11, 0x4e],
      [0xff, 0xff, 0xff, 0xff, 0x10],
      [0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for (const head of heads) expect(decodeDocumentId(textOf([...head, ...internal]))).toBe(null);
    // Unused bits of the last character.
    const short = textOf([0x05, ...internal]);
    expect(decodeDocumentId(short)?.tableNumber).toBe(5);
    const last = ALPHABET.indexOf(short.slice(-1));
    for (let bits = 1; bits < 8; bits += 1) expect(decodeDocumentId(short.slice(0, -1) + ALPHABET[last | bits])).toBe(null);
  });

  test("what is no id cannot be written", () => {
    for (const number of [-1, 1.5, 2 ** 32, Number.NaN])
      expect(() => encodeDocumentId({ tableNumber: number, internalId: new Uint8Array(16) })).toThrow(RangeError);
    expect(() => encodeDocumentId({ tableNumber: 1, internalId: new Uint8Array(15) })).toThrow(RangeError);
  });
});
