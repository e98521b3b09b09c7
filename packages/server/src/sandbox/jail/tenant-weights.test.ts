import { expect, test } from "vitest";
import { TenantWeights } from "./tenant-weights.ts";

function jail() {
  const made = { part: 1, weigh: (part: number) => void (made.part = part) };
  return made;
}

test("the jails of a tenant weigh together what one of another weighs", () => {
  const weights = new TenantWeights();
  const [first, second, third, calm] = [jail(), jail(), jail(), jail()];
  weights.add("flood", first);
  const secondGone = weights.add("flood", second);
  weights.add("flood", third);
  weights.add("calm", calm);
  expect([first.part, second.part, third.part]).toEqual([1 / 3, 1 / 3, 1 / 3]);
  expect(calm.part).toBe(1);
  secondGone();
  expect([first.part, third.part]).toEqual([1 / 2, 1 / 2]);
  expect(calm.part).toBe(1);
});
