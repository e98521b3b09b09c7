import { expect, it } from "vitest";
import { forwardClock } from "./forward-clock.ts";

it("Z07 follows the clock forward, and goes on in its own step when that goes back", () => {
  const machine = { nowMs: 1000, monotonicMs: 5.5 };
  const now = forwardClock({ nowMs: () => machine.nowMs, monotonicMs: () => machine.monotonicMs });
  const after = (wallMs: number, passedMs: number): number => {
    machine.nowMs += wallMs;
    machine.monotonicMs += passedMs;
    return now();
  };
  expect(now()).toBe(1000);
  expect(after(10, 10)).toBe(1010);
  expect(after(3_600_000, 0)).toBe(3_601_010);
  expect(after(-3_600_000, 20)).toBe(3_601_030);
  expect(after(20, 20)).toBe(3_601_050);
  expect(after(7_200_000, 1)).toBe(7_201_030);
});
