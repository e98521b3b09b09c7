import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { createSystemRuntime } from "../runtime/system-runtime.ts";
import { BodyTurns } from "./body-turns.ts";

const LARGE = limit("largeBodyBytes");

function hold(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

test("T1 what is small waits for one large body at most, however many came at once", async () => {
  const turns = new BodyTurns(createSystemRuntime());
  let parsed = 0;
  const large = Array.from({ length: 8 }, async () => {
    await turns.turn("loud", LARGE);
    hold(20);
    parsed++;
  });
  const seen: number[] = [];
  const small = (async () => {
    while (parsed < 8) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      await turns.turn("calm", LARGE - 1);
      seen.push(parsed);
    }
  })();
  await Promise.all([...large, small]);
  for (let count = 1; count < 8; count++) expect(seen).toContain(count);
});

test("T2 tenants take turns", async () => {
  const turns = new BodyTurns(createSystemRuntime());
  const order: string[] = [];
  const take = async (tenant: string): Promise<void> => {
    await turns.turn(tenant, LARGE);
    order.push(tenant);
  };
  await Promise.all([...Array.from({ length: 6 }, () => take("loud")), take("calm")]);
  expect(order.indexOf("calm")).toBeLessThanOrEqual(2);
  expect(order).toHaveLength(7);
});
