import { expect, it } from "vitest";
import { checkFlow } from "./check-definition.ts";
import { scriptContext } from "./script-context.ts";
import { TestDriver } from "./test-driver.ts";

it("scripts see the trigger, variables, lookups by name, the company and their node", () => {
  const checked = checkFlow(
    {
      format: 1,
      name: "test",
      trigger: { type: "manual" },
      start: "customer",
      variables: { rate: { type: "number", initial: 3 } },
      nodes: {
        customer: { type: "lookup", data: { operation: "get_customer", input: {} }, next: "each" },
        each: { type: "for_each", data: { items: ["x", "y"], body: "price" } },
        price: { type: "script", label: "Price it", data: { code: "return 1", input: { i: "=index" } } },
      },
    },
    null,
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  const driver = new TestDriver(checked.program);
  driver.start({ json: { id: 1 } });
  const stored = [{ path: ["photo"], value: { digest: "sha256-a", bytes: 70_000, contentType: "image/png" } }];
  driver.send({
    kind: "completed",
    atMs: 1_000_000,
    key: "r1/customer/1",
    attempt: 1,
    output: { json: { tier: "gold", photo: null }, stored },
  });
  expect(scriptContext(checked.program, driver.state, "r1/price/3")).toEqual({
    json: {
      trigger: { id: 1 },
      variables: { rate: 3 },
      lookups: { customer: { tier: "gold", photo: null } },
      steps: { customer: { tier: "gold", photo: null } },
      company: { id: "c1", name: "Acme" },
      currentNode: { api_name: "price", name: "Price it" },
      item: "x",
      index: 0,
      input: { i: 0 },
    },
    stored: [
      { ...stored[0], path: ["lookups", "customer", "photo"] },
      { ...stored[0], path: ["steps", "customer", "photo"] },
    ],
  });
  expect(scriptContext(checked.program, driver.state, "r1/price/9")).toBeNull();
});

it("what undoes a step sees the run too", () => {
  const checked = checkFlow(
    {
      format: 1,
      name: "test",
      trigger: { type: "manual" },
      start: "book",
      nodes: {
        book: {
          type: "script",
          label: "Book it",
          data: { code: "return 1" },
          compensate: { type: "script", data: { code: "return 2", input: { booking: "=steps.book.output" } } },
          next: "pay",
        },
        pay: { type: "script", data: { code: "return 3" }, retry: { attempts: 1 } },
      },
    },
    null,
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  const driver = new TestDriver(checked.program);
  driver.start({ json: { id: 1 } });
  driver.send({ kind: "completed", atMs: 1_000_000, key: "r1/book/1", attempt: 1, output: { json: 7 } });
  driver.send({ kind: "failed", atMs: 1_000_000, key: "r1/pay/2", attempt: 1, error: { code: "x", message: "no", retryable: false } });
  expect(scriptContext(checked.program, driver.state, "r1/book/1/undo")?.json).toMatchObject({
    ...{ trigger: { id: 1 }, variables: {}, lookups: {}, company: { id: "c1", name: "Acme" }, input: { booking: 7 } },
    currentNode: { api_name: "book", name: "Book it" },
  });
});
