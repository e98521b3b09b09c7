import { expect, test } from "vitest";
import { ChildStarts } from "./child-starts.ts";

test("beyond the burst runs begin as fast as the rate says, each tenant by itself, until their step is ended", async () => {
  let nowMs = 0;
  const slept: number[] = [];
  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    slept.push(delayMs);
    nowMs += delayMs;
    return Promise.resolve();
  };
  const starts = new ChildStarts({ monotonicMs: () => nowMs, sleep }, { perSecond: 10, burst: 3 });
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i += 1) await starts.take("a", signal);
  expect(slept).toEqual([]);
  await starts.take("a", signal);
  await starts.take("a", signal);
  expect(slept).toEqual([100, 100]);
  await starts.take("b", signal);
  expect(slept).toHaveLength(2);
  await expect(starts.take("a", AbortSignal.abort(new Error("ended")))).rejects.toThrow("ended");
});
