import { plinthError } from "@plinth/core/errors.ts";
import { expect, test } from "vitest";
import { NativeTime } from "./native-time.ts";

function timed() {
  const timers: { readonly delayMs: number; readonly run: () => void }[] = [];
  const clock = { nowMs: 0 };
  const call = new AbortController();
  const runtime = {
    monotonicMs: () => clock.nowMs,
    timer: (delayMs: number, run: () => void) => {
      timers.push({ delayMs, run });
      return { cancel: () => void timers.pop() };
    },
  };
  return { clock, call, timers, time: new NativeTime(call.signal, { runtime, wallMs: 100 }) };
}

test("code that never asks for the signal takes no timer, and is late all the same", () => {
  const { clock, timers, time } = timed();
  clock.nowMs = 100;
  expect(time.reason()).toBeUndefined();
  clock.nowMs = 101;
  expect(time.reason()).toMatchObject({ code: "FunctionTimeout" });
  expect(timers).toHaveLength(0);
});

test("a signal that is asked for late aborts at the same moment", () => {
  const { clock, timers, time } = timed();
  clock.nowMs = 70;
  const { signal } = time;
  expect(timers).toMatchObject([{ delayMs: 30 }]);
  timers[0]?.run();
  expect(signal.aborted).toBe(true);
  expect(time.reason()).toMatchObject({ code: "FunctionTimeout" });
  time.close();
  expect(timers).toHaveLength(0);
});

test("the end of the call is its end, asked for or not", () => {
  for (const isAsked of [false, true]) {
    const { call, time } = timed();
    const signal = isAsked ? time.signal : undefined;
    call.abort(plinthError("Cancelled", { detail: "on request" }));
    expect(time.reason()).toMatchObject({ code: "Cancelled" });
    expect(signal?.aborted ?? true).toBe(true);
    expect(time.signal.aborted).toBe(true);
  }
});
