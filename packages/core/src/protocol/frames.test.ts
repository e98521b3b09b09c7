import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, FRAME_CAPS, FrameDecoder, ProtocolViolation } from "./frames.ts";

const CAPS = { frameBytesMax: 1000, envelopeBytesMax: 100 };
const text = new TextDecoder();

const anyFrame = fc.record({
  envelope: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), { maxKeys: 4 }),
  body: fc.uint8Array({ maxLength: 300 }),
});

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

test("frames survive any cutting of the stream", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, sizes) => {
      const stream = concat(frames.map((frame) => encodeFrame(frame.envelope, frame.body)));
      const decoder = new FrameDecoder();
      const got: { envelope: unknown; body: number[] }[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        for (const frame of decoder.push(stream.slice(at, at + size))) {
          got.push({ envelope: JSON.parse(text.decode(frame.envelopeBytes)), body: [...frame.body] });
        }
        at += size;
      }
      expect(decoder.pendingBytes).toBe(0);
      expect(JSON.stringify(got)).toBe(JSON.stringify(frames.map((frame) => ({ envelope: frame.envelope, body: [...frame.body] }))));
    }),
  );
});

test("a stream that arrives byte by byte gives the same frames", () => {
  const stream = concat([encodeFrame({ a: 1 }, new Uint8Array([7, 8])), encodeFrame({}), encodeFrame({ b: "ü" }, new Uint8Array(5))]);
  const decoder = new FrameDecoder();
  const bodies: number[] = [];
  for (const byte of stream) for (const frame of decoder.push(new Uint8Array([byte]))) bodies.push(frame.body.length);
  expect(bodies).toEqual([2, 0, 5]);
});

test("garbage is a violation or waits, and never keeps more than arrived", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const decoder = new FrameDecoder(CAPS);
      let arrived = 0;
      for (const chunk of chunks) {
        arrived += chunk.length;
        try {
          decoder.push(chunk);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
          expect(() => decoder.push(new Uint8Array(1))).toThrow(ProtocolViolation);
          return;
        }
        expect(decoder.pendingBytes).toBeLessThanOrEqual(Math.min(arrived, CAPS.frameBytesMax));
      }
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["a frame over the cap", [0xff, 0xff, 0xff, 0xff]],
  ["a frame one byte over the cap", [0xe9, 0x03, 0, 0]],
  ["a frame without room for the envelope length", [3, 0, 0, 0]],
  ["an envelope over the cap", [0xe8, 0x03, 0, 0, 101, 0, 0, 0]],
  ["an envelope longer than its frame", [10, 0, 0, 0, 7, 0, 0, 0]],
])("%s is refused before the rest arrives", (_, bytes) => {
  expect(() => new FrameDecoder(CAPS).push(new Uint8Array(bytes))).toThrow(ProtocolViolation);
});

test("what does not fit is not encoded", () => {
  expect(() => encodeFrame({}, new Uint8Array(1000), CAPS)).toThrow(ProtocolViolation);
  expect(() => encodeFrame({ a: "x".repeat(100) }, undefined, CAPS)).toThrow(ProtocolViolation);
  expect(FRAME_CAPS.frameBytesMax).toBeGreaterThan(FRAME_CAPS.envelopeBytesMax);
});
