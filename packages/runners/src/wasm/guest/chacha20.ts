/** The random numbers of a call: the key stream of ChaCha20 (RFC 8439), under a key that is the call's own. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const BLOCK_BYTES = 64;

export class RandomStream {
  readonly #input = new Uint32Array(16);
  readonly #block = new Uint32Array(16);
  readonly #blockBytes = new Uint8Array(this.#block.buffer);
  #used = BLOCK_BYTES;

  /** 64 hexadecimal digits. */
  constructor(key: string) {
    this.#input.set(CONSTANTS);
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(key.slice(index * 2, index * 2 + 2), 16));
    this.#input.set(new Uint32Array(bytes.buffer), 4);
  }

  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length;) {
      if (this.#used === BLOCK_BYTES) this.#next();
      const part = this.#blockBytes.subarray(this.#used, this.#used + target.length - at);
      target.set(part, at);
      at += part.length;
      this.#used += part.length;
    }
  }

  #next(): void {
    const state = this.#block;
    const input = this.#input;
    state.set(input);
    for (let round = 0; round < 10; round++) {
      quarterRound(state, 0, 4, 8, 12);
      quarterRound(state, 1, 5, 9, 13);
      quarterRound(state, 2, 6, 10, 14);
      quarterRound(state, 3, 7, 11, 15);
      quarterRound(state, 0, 5, 10, 15);
      quarterRound(state, 1, 6, 11, 12);
      quarterRound(state, 2, 7, 8, 13);
      quarterRound(state, 3, 4, 9, 14);
    }
    for (let i = 0; i < 16; i++) state[i] = (state[i] ?? 0) + (input[i] ?? 0);
    // The counter has 64 bits here: more than a call can ask for.
    input[12] = (input[12] ?? 0) + 1;
    if (input[12] === 0) input[13] = (input[13] ?? 0) + 1;
    this.#used = 0;
  }
}

function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  mix(state, a, b, d, 16);
  mix(state, c, d, b, 12);
  mix(state, a, b, d, 8);
  mix(state, c, d, b, 7);
}

/** a += b; d = (d ^ a) turned left. */
function mix(state: Uint32Array, a: number, b: number, d: number, bits: number): void {
  const sum = ((state[a] ?? 0) + (state[b] ?? 0)) >>> 0;
  state[a] = sum;
  const mixed = (state[d] ?? 0) ^ sum;
  state[d] = ((mixed << bits) | (mixed >>> (32 - bits))) >>> 0;
}
