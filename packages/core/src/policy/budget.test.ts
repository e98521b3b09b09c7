import { describe, expect, it } from "vitest";
import { dayOf, isInPeriod, periodEndMs, stageOf, throttleDelayMs, type Budget } from "./budget.ts";

const BUDGET: Budget = { period: "day", amountNanos: 1000, warnAt: 0.8, throttleAt: 0.9, whenSpent: "refuse" };
const NOW = Date.UTC(2026, 11, 31, 23, 59);

describe("a budget", () => {
  it.each([
    [0, "ok"],
    [799, "ok"],
    [800, "warn"],
    [899, "warn"],
    [900, "throttle"],
    [999, "throttle"],
    [1000, "refuse"],
    [5000, "refuse"],
  ])("of 1000 with %d spent is at %s", (spent, stage) => {
    expect(stageOf(spent, BUDGET)).toBe(stage);
  });

  it("goes on slowly when it says so, and refuses at once when nothing may be spent", () => {
    expect(stageOf(1000, { ...BUDGET, whenSpent: "degrade" })).toBe("degrade");
    expect(stageOf(0, { ...BUDGET, amountNanos: 0 })).toBe("refuse");
  });

  it("throttles more the more is spent", () => {
    const delays = [0, 850, 900, 950, 999].map((spent) => throttleDelayMs(spent, BUDGET, { delayMsMax: 1000 }));
    expect(delays).toEqual([0, 0, 0, 500, 990]);
    expect(throttleDelayMs(2000, { ...BUDGET, whenSpent: "degrade" }, { delayMsMax: 1000 })).toBe(1000);
  });

  it("knows its period by the calendar", () => {
    expect(dayOf(NOW)).toBe("2026-12-31");
    expect(periodEndMs("day", NOW)).toBe(Date.UTC(2027, 0, 1));
    expect(periodEndMs("month", NOW)).toBe(Date.UTC(2027, 0, 1));
    expect(isInPeriod("2026-12-01", "month", NOW)).toBe(true);
    expect(isInPeriod("2026-12-01", "day", NOW)).toBe(false);
    expect(isInPeriod("2025-12-31", "month", NOW)).toBe(false);
  });
});
