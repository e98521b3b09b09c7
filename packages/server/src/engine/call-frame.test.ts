import { DEFAULT_PRICES } from "@plinth/core/policy/cost.ts";
import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { CallFrame, type FrameOptions } from "./call-frame.ts";
import { CallRun } from "./call-run.ts";

test("F4: the time to read large arguments is the call's own, and ends with it", async () => {
  let clockMs = 0;
  const runtime: Runtime = { ...createSystemRuntime(), monotonicMs: () => clockMs };
  let reads = 0;
  const transaction = {
    handles: () => true,
    syscall: async () => {
      reads++;
      clockMs += 60;
      await Promise.resolve();
      clockMs += 1000;
      return "null";
    },
  } as unknown as Transaction;
  const run = new CallRun({ id: "0".repeat(32), request: { priority: "normal" } } as never, { prices: DEFAULT_PRICES }, runtime);
  const frame = new CallFrame({
    core: { parts: { config: { userCpuMs: 100 }, runtime } },
    run,
    transaction,
    kind: "mutation",
    signal: run.signal,
  } as unknown as FrameOptions);
  const large = " ".repeat(limit("hostCallChargedBytes"));
  for (let i = 0; i < 5; i++) await frame.call("1.0/insert", "{}");
  expect(run.attemptUserMs).toBe(0);
  await frame.call("1.0/insert", large);
  await frame.call("1.0/insert", large);
  expect([run.attemptUserMs, run.userMs]).toEqual([120, 120]);
  await expect(frame.call("1.0/insert", large)).rejects.toMatchObject({ code: "FunctionTimeout" });
  expect(reads).toBe(7);
});
