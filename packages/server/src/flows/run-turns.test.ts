import { expect, test } from "vitest";
import { RunTurns } from "./run-turns.ts";

test("one slice is made in a turn, tenants after each other", async () => {
  const turns: (() => void)[] = [];
  const runs = new RunTurns({ sleep: () => new Promise((resolve) => turns.push(resolve)) });
  const made: string[] = [];
  const wanted = ["a", "a", "a", "b", "c"].map(async (tenant, i) => {
    await runs.next(tenant);
    made.push(`${tenant}${i}`);
  });
  for (let turn = 0; turn < 5; turn += 1) {
    expect(made).toHaveLength(turn);
    turns.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(wanted);
  expect(made).toEqual(["a0", "b3", "c4", "a1", "a2"]);
  expect(turns).toEqual([]);
  const later = runs.next("a");
  turns.shift()?.();
  await later;
});
