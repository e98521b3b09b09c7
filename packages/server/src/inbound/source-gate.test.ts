import { limit } from "@plinth/core/limits.ts";
import { expect, test } from "vitest";
import { SourceGate } from "./source-gate.ts";

const OWN = { what: "this flow", perSecond: 10, burst: 2, runningMax: limit("flowHookRequestsRunningMax") };

async function taken(raised?: { readonly perSecond: number; readonly burst: number } | null): Promise<number> {
  const gate = new SourceGate({ monotonicMs: () => 0 }, OWN);
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => gate.run("a", () => Promise.resolve(), raised)));
  return tries.filter(({ status }) => status === "fulfilled").length;
}

test("a greater rate of the operator counts in place of the gate's own, and a smaller one does not", async () => {
  expect(await taken()).toBe(2);
  expect(await taken(null)).toBe(2);
  expect(await taken({ perSecond: 1, burst: 8 })).toBe(2);
  expect(await taken({ perSecond: 100, burst: 7 })).toBe(7);
});
