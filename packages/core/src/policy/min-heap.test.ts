import fc from "fast-check";
import { expect, test } from "vitest";
import { MinHeap } from "./min-heap.ts";

test("takes items in order, whatever the order of adding, and after pruning", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new MinHeap<number>((a, b) => a - b);
      for (const each of numbers) heap.push(each);
      heap.prune((each) => each % 3 !== 0);
      const wanted = numbers.filter((each) => each % 3 !== 0).sort((a, b) => a - b);
      expect(heap.size).toBe(wanted.length);
      expect(heap.peek()).toBe(wanted[0]);
      expect(wanted.map(() => heap.pop())).toEqual(wanted);
      expect(heap.pop()).toBeUndefined();
    }),
  );
});
