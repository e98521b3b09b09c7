/** Every trigger that the guide shows can be published, and every type stands in its table. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkFlow } from "./check-definition.ts";
import { parseDefinition } from "./parse-definition.ts";
import { Report } from "../manifest/report.ts";
import { TEST_CATALOGUE } from "./test-catalogue.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/guide/flow-triggers.md"), "utf8");
const blocks = [...guide.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? "") as { readonly type?: string });
const nodes = { done: { type: "return" } };
const withTrigger = (trigger: unknown) => ({ format: 1, name: "shown", trigger, start: "done", nodes });

it("the triggers of the guide have no finding", () => {
  const triggers = blocks.filter(({ type }) => type !== undefined && type !== "return");
  expect(triggers.length).toBeGreaterThanOrEqual(8);
  for (const trigger of triggers) expect(checkFlow(withTrigger(trigger), TEST_CATALOGUE).findings, JSON.stringify(trigger)).toEqual([]);
  for (const flow of blocks.filter(({ type }) => type === undefined)) expect(checkFlow(flow, TEST_CATALOGUE).findings).toEqual([]);
});

it("the guide has a row for every type", () => {
  const report = new Report(null);
  parseDefinition(withTrigger({ type: "" }), report);
  const types = /write one of (.*)\./.exec(report.findings.map(({ message }) => message).join("\n"))?.[1]?.split(", ") ?? [];
  expect(types.length).toBeGreaterThanOrEqual(10);
  for (const type of types) expect(guide).toContain(`| \`${type}\` |`);
});
