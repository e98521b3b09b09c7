import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSystemRuntime } from "./system-runtime.ts";

const runtime = createSystemRuntime();
const DAY_MS = 86_400_000;

describe("clocks and randomness", () => {
  test("nowMs is the time of day and monotonicMs never goes back", () => {
    expect(Math.abs(runtime.nowMs() - Date.now())).toBeLessThan(1000);
    const first = runtime.monotonicMs();
    expect(runtime.monotonicMs()).toBeGreaterThanOrEqual(first);
  });

  test("randomBytes has the length that was asked for and differs each time", () => {
    const bytes = runtime.randomBytes(32);
    expect(bytes.length).toBe(32);
    expect(runtime.randomBytes(32)).not.toEqual(bytes);
    expect(runtime.randomBytes(0).length).toBe(0);
  });

  test("random lies in [0, 1)", () => {
    for (let i = 0; i < 100; i++) {
      const value = runtime.random();
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
    }
  });
});

describe("timers on the real clock", () => {
  test("a timer never fires early", async () => {
    for (const delayMs of [0, 0.4, 1, 7.9]) {
      const startMs = runtime.monotonicMs();
      await new Promise<void>((resolve) => runtime.timer(delayMs, resolve));
      expect(runtime.monotonicMs() - startMs).toBeGreaterThanOrEqual(delayMs);
    }
  });

  test("sleep ends with the reason of its signal", async () => {
    const reason = new Error("stop");
    const controller = new AbortController();
    const sleeping = runtime.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(runtime.sleep(1, controller.signal)).rejects.toBe(reason);
    await runtime.sleep(1, new AbortController().signal);
  });
});

describe("long timers", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a timer of 100 days fires after 100 days, once", () => {
    const callback = vi.fn();
    runtime.timer(100 * DAY_MS, callback);
    vi.advanceTimersByTime(100 * DAY_MS - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a timer is cancelled in a later link of its chain", () => {
    const callback = vi.fn();
    const waiting = runtime.timer(100 * DAY_MS, callback);
    vi.advanceTimersByTime(30 * DAY_MS);
    waiting.cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a negative delay means now", () => {
    const callback = vi.fn();
    runtime.timer(-5, callback);
    vi.advanceTimersByTime(0);
    expect(callback).toHaveBeenCalledOnce();
  });
});
