import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { patienceLeftMs } from "./version-groups.ts";

const PATIENCE_MS = limit("packageStartPatienceMs");
const waiting = [{ sinceMs: 1000 }, { sinceMs: 1010 }];
const one = new Set(["ready"]);
const two = new Set(["ready", "starting"]);

test("who waits for a process that serves again has some patience, and as much again for each that starts", () => {
  const group = { use: "again", processes: one, waiting } as const;
  expect(patienceLeftMs(group, 0, 1000)).toBe(PATIENCE_MS);
  expect(patienceLeftMs(group, 0, 1000 + PATIENCE_MS)).toBe(0);
  expect(patienceLeftMs({ ...group, processes: two }, 1, 1000 + PATIENCE_MS)).toBe(PATIENCE_MS);
  expect(patienceLeftMs({ ...group, processes: two }, 1, 1000 + 2 * PATIENCE_MS)).toBe(0);
});

test("the first process, and those that serve one call each, start at once", () => {
  expect(patienceLeftMs({ use: "again", processes: new Set(), waiting }, 0, 1000)).toBe(0);
  expect(patienceLeftMs({ use: "again", processes: new Set(["starting"]), waiting }, 1, 1000)).toBe(0);
  expect(patienceLeftMs({ use: "once", processes: one, waiting }, 0, 1000)).toBe(0);
});
