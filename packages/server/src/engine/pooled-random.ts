/** A runtime that draws its random bytes in blocks: a call needs few of them, and each draw costs as much as many bytes. */
import type { Runtime } from "../runtime/runtime.ts";

const BLOCK_BYTES = 4096;

export function withPooledRandom(runtime: Runtime): Runtime {
  let block: Uint8Array = new Uint8Array(0);
  let used = 0;
  return {
    ...runtime,
    randomBytes: (length) => {
      if (length > BLOCK_BYTES / 16) return runtime.randomBytes(length);
      if (used + length > block.length) {
        block = runtime.randomBytes(BLOCK_BYTES);
        used = 0;
      }
      used += length;
      return block.slice(used - length, used);
    },
  };
}
