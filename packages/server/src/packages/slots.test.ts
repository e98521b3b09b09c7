import { expect, test } from "vitest";
import { Slots } from "./slots.ts";

test("keys take turns, and one key's bodies come in their order", async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const body = (name: string) => async () => {
    await Promise.resolve();
    order.push(name);
  };
  const names = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"];
  await Promise.all(names.map((name) => slots.run(name.slice(0, 1), body(name))));
  expect(order).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});

test("a body that fails gives its place on", async () => {
  const slots = new Slots(1);
  const results = await Promise.allSettled([
    slots.run("a", () => Promise.reject(new Error("no"))),
    slots.run("b", () => Promise.resolve("second")),
    slots.run("a", () => Promise.resolve("third")),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(await slots.run("a", () => Promise.resolve("later"))).toBe("later");
});
