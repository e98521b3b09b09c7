/** The operations of this folder, through the API of a real host. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, type Json } from "../../packages/cli/src/client.ts";
import { callFunction, deployFolder, startLocalHost, type LocalHost } from "../../tools/local-host.ts";

let host: LocalHost;

beforeAll(async () => {
  host = await startLocalHost();
  await deployFolder(host.connection, join(import.meta.dirname, "convex"));
  await callFunction(host.connection, "orders:place", { number: "A1", cents: 1250 });
}, 60_000);
afterAll(() => host.stop());

const post = (operation: string, method: string, input: Json) =>
  call(host.connection, `/v1/operations/${operation}/${method}`, { body: { input } });

test("agents find the operations that are meant for them", async () => {
  const listed = await call(host.connection, "/v1/operations?text=order&agentSkills=true");
  expect(listed).toMatchObject({
    operations: expect.arrayContaining([expect.objectContaining({ slug: "find_order", namespace: "functions" })]),
  });
  expect(JSON.stringify(listed)).not.toContain("shipping_costs");
  expect(await call(host.connection, "/v1/operations/refund_order")).toMatchObject({
    inputSchema: {
      properties: { reason: { enum: ["damaged", "late", "other"], description: "Why it is paid back" } },
      required: ["number"],
    },
  });
});

test("an operation answers, says no, or refuses its input", async () => {
  expect(await post("find_order", "execute", { number: "A1" })).toMatchObject({
    result: { output: { values: [{ status: "open", euros: 12.5 }] } },
  });
  const refund = await post("refund_order", "execute", { number: "A1", reason: "late" });
  expect(refund).toMatchObject({ result: { output: { values: [{ euros: 12.5, reason: "late" }] } } });
  expect(await post("refund_order", "execute", { number: "A1" })).toMatchObject({
    result: { error: { type: "invalidRequest", message: "There is nothing to pay back for A1." } },
  });
  expect(await post("refund_order", "execute", { number: "B1" })).toMatchObject({
    result: { error: { message: expect.stringContaining("A number is an A and digits.") } },
  });
  await expect(post("find_order", "execute", { nummer: "A1" })).rejects.toThrow(/\.nummer|\.number/);
});

test("a form follows what is filled in", async () => {
  const letter = await post("shipping_costs", "schema", { kind: "letter" });
  expect(letter).toMatchObject({ inputs: [{ fields: [{ name: "kind", allowedValues: ["letter", "parcel"] }] }] });
  const parcel = await post("shipping_costs", "schema", { kind: "parcel" });
  expect(parcel).toMatchObject({ inputs: [{ fields: [{ name: "kind" }, { name: "grams" }] }] });
  expect(await post("shipping_costs", "execute", { kind: "parcel", grams: 1500 })).toMatchObject({
    result: { output: { values: [{ cents: 700 }] } },
  });
});
