/** What the guide says of flows is what they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { must } from "../assert.ts";
import { checkFlow } from "./check-definition.ts";
import { NODE_TYPES } from "./nodes/table.ts";
import { TEST_CATALOGUE } from "./test-catalogue.ts";
import { TestDriver } from "./test-driver.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/guide/flows.md"), "utf8");

it("the flow of the guide has no finding, and charges gold customers less", () => {
  const checked = checkFlow(JSON.parse(must(/```json\n([\s\S]*?)```/.exec(guide)?.[1], "the guide has a flow")), TEST_CATALOGUE);
  expect(checked.findings).toEqual([]);
  if (!checked.ok) return;
  const driver = new TestDriver(checked.program);
  driver.start({ json: { customer: "c1", amount: 50 } });
  driver.send({
    kind: "completed",
    atMs: 1_000_000,
    key: "r1/customer/1",
    attempt: 1,
    output: { json: { name: "Ada", tier: "gold", spent: 1 } },
  });
  expect(driver.commands.at(-1)).toMatchObject({
    kind: "call",
    call: { operation: "create_invoice", input: { json: { customer: "c1", amount: 40 } } },
  });
});

it("the guide names every type of node, its other names and its fields", () => {
  for (const { type, aliases, fields } of NODE_TYPES) {
    const row = must(
      guide.split("\n").find((line) => line.startsWith(`| \`${type}\``)),
      `the guide has a row for ${type}`,
    );
    for (const alias of aliases) expect(row).toContain(`\`${alias}\``);
    if (type !== "code") for (const { name } of fields) expect(row, type).toContain(`\`${name}\``);
  }
});
