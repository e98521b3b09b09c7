import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { LoopTurns } from "./loop-turns.ts";

function turns() {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const order: string[] = [];
  const made = new LoopTurns({ monotonicMs: () => nowMs }, (callback) => void due.push(callback));
  return {
    order,
    pass: (ms: number) => (nowMs += ms),
    turn: async () => {
      for (const callback of due.splice(0)) callback();
      await new Promise((resolve) => setImmediate(resolve));
    },
    call: async (tenant: string, name = tenant) => {
      await made.take(tenant);
      order.push(name);
    },
    takes: (tenant: string) => made.take(tenant) === undefined,
  };
}

const max = limit("callsPerTurnMax");

test("T2 a tenant alone waits for nothing", () => {
  const { takes } = turns();
  for (let count = 0; count < 100; count++) expect(takes("loud")).toBe(true);
});

test("T1 one that calls often lets others go first", async () => {
  const { call, turn, order } = turns();
  await Promise.all([call("loud"), call("calm")]);
  await turn();
  order.length = 0;
  const loud = Array.from({ length: max * 10 }, () => call("loud"));
  const calm = call("calm");
  await calm;
  expect(order).toEqual([...Array.from({ length: max }, () => "loud"), "calm"]);
  for (let count = 1; count <= 9; count++) {
    await turn();
    expect(order).toHaveLength(max * (count + 1) + 1);
  }
  await Promise.all(loud);
});

test("T3 in the order in which they asked, and alone again after a while", async () => {
  const { call, turn, order, pass, takes } = turns();
  await Promise.all([call("loud"), call("calm")]);
  const calls = Array.from({ length: max * 3 }, (_, i) => call("loud", `${i}`));
  for (let count = 0; count < 4; count++) await turn();
  await Promise.all(calls);
  expect(order.slice(2)).toEqual(Array.from({ length: max * 3 }, (_, i) => `${i}`));
  pass(limit("sharedLoopMs") + 1);
  await turn();
  for (let count = 0; count < 100; count++) expect(takes("loud")).toBe(true);
});
