/** `Math.random` from the call's 128-bit seed (xoshiro128**): the same call draws the same numbers. */
import { defineProperty } from "./realm.ts";
import { IMPORT_SEED, observeRandom } from "./session.ts";

let s0 = 0;
let s1 = 0;
let s2 = 0;
let s3 = 0;

/** `seed` is 32 hexadecimal digits. */
export function seedRandom(seed: string): void {
  s0 = word(seed, 0);
  s1 = word(seed, 8);
  s2 = word(seed, 16);
  s3 = word(seed, 24);
  // The generator stays at zero for ever when all of its state is zero.
  if ((s0 | s1 | s2 | s3) === 0) s0 = 1;
}

function word(seed: string, at: number): number {
  return Number(`0x${seed.slice(at, at + 8)}`) | 0;
}

function nextWord(): number {
  const times5 = Math.imul(s1, 5);
  const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
  const shifted = s1 << 9;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  s2 ^= shifted;
  s3 = (s3 << 11) | (s3 >>> 21);
  return result;
}

const random = {
  random(): number {
    observeRandom();
    return ((nextWord() >>> 5) * 0x400_0000 + (nextWord() >>> 6)) / 0x20_0000_0000_0000;
  },
}.random;

export function installRandom(): void {
  seedRandom(IMPORT_SEED);
  defineProperty(Math, "random", { value: random, writable: true, configurable: true, enumerable: false });
}
