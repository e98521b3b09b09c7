import { createCipheriv } from "node:crypto";
import { expect, test } from "vitest";
import { RandomStream } from "./guest/chacha20.ts";

test("the random numbers are the key stream of ChaCha20, however they are taken", () => {
  const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  const expected = createCipheriv("chacha20", Buffer.from(key, "hex"), Buffer.alloc(16)).update(Buffer.alloc(1000));
  const stream = new RandomStream(key);
  const taken = new Uint8Array(1000);
  let at = 0;
  for (const length of [1, 63, 64, 65, 0, 7, 800]) {
    stream.fill(taken.subarray(at, at + length));
    at += length;
  }
  expect(at).toBe(1000);
  expect(Buffer.from(taken).equals(expected)).toBe(true);
});
