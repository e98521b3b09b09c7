import { describe, expect, it } from "vitest";
import { costNanosOf, DEFAULT_PRICES } from "./cost.ts";

const NOTHING = { executionMs: 0, userMs: 0, memoryBytes: 0, egressBytes: 0 };
const GIB = 1024 ** 3;

describe("the cost of an invocation", () => {
  it.each([
    ["a call that used nothing", NOTHING, { ...DEFAULT_PRICES, perMillionCalls: 1 }, 1000],
    ["a GiB for a second", { ...NOTHING, memoryBytes: GIB, executionMs: 1000 }, { ...DEFAULT_PRICES, perMillionCalls: 0 }, 16_667],
    [
      "half a GiB for two seconds",
      { ...NOTHING, memoryBytes: GIB / 2, executionMs: 2000 },
      { ...DEFAULT_PRICES, perMillionCalls: 0 },
      16_667,
    ],
    ["a second of CPU", { ...NOTHING, userMs: 1000 }, { ...DEFAULT_PRICES, perMillionCalls: 0, perCpuSecond: 0.1 }, 100_000_000],
    ["a GiB of egress", { ...NOTHING, egressBytes: GIB }, { ...DEFAULT_PRICES, perMillionCalls: 0 }, 90_000_000],
    ["a host without prices", { ...NOTHING, userMs: 9e9 }, { perGibSecond: 0, perCpuSecond: 0, perMillionCalls: 0, perEgressGib: 0 }, 0],
  ])("of %s", (_what, usage, prices, nanos) => {
    expect(costNanosOf(usage, prices)).toBe(nanos);
  });

  it("never loses a part of a nano", () => {
    expect(costNanosOf({ ...NOTHING, userMs: 0.000_001 }, { ...DEFAULT_PRICES, perMillionCalls: 0, perCpuSecond: 1 })).toBe(1);
  });
});
