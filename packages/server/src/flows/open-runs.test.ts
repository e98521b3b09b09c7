import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { OpenRuns, type OpenRunsParts } from "./open-runs.ts";
import type { RunAsRead } from "./run-driver.ts";

test("a tenant has so many runs in memory, and another one its own; those that are gone make room", async () => {
  // Nothing of it is asked before a run was read.
  const runs = new OpenRuns({ runtime: { sleep: () => Promise.resolve() } } as unknown as OpenRunsParts);
  const max = limit("flowRunsOpenPerTenantMax");
  const reading = Promise.withResolvers<RunAsRead>();
  const begin = (id: string): Promise<void> => runs.begin({ tenant: "a", branch: "main" }, id, reading.promise, () => Promise.resolve());
  const begun = Array.from({ length: max - 1 }, (_, i) => begin(`run${i}`));
  expect(() => runs.checkRoom("a")).not.toThrow();
  begun.push(begin("last"));
  expect(() => runs.checkRoom("a")).toThrow(expect.objectContaining({ code: "TooManyConcurrentRequests" }));
  expect(() => runs.checkRoom("b")).not.toThrow();
  reading.reject(plinthError("NotFound", { what: "run" }));
  const ends = await Promise.allSettled(begun);
  expect(ends.every(({ status }) => status === "rejected")).toBe(true);
  expect(() => runs.checkRoom("a")).not.toThrow();
});
