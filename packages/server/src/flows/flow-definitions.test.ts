/** A check of a flow is bounded: by what there is to check, and by the time of the jail. */
import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { FlowDefinitions, type FlowDefinitionsParts } from "./flow-definitions.ts";

const SCOPE = { tenant: "a", branch: "main" };
const nothing = { list: () => Promise.resolve([]) };

/** On a host where each look at code takes so long. */
function definitionsWith(lookMs: number): { readonly definitions: FlowDefinitions; readonly looks: () => number } {
  let [ms, looks] = [0, 0];
  const parts = {
    runtime: { nowMs: () => 0, monotonicMs: () => ms },
    deploys: { ...nothing, version: () => Promise.resolve(undefined) },
    operations: nothing,
    keyrings: nothing,
    database: { read: () => Promise.resolve([]) },
    scripts: { flowFindings: () => Promise.resolve([]) },
    tools: {
      run: (_tenant: string, _tool: string, { check }: { readonly check: readonly unknown[] }) => {
        [ms, looks] = [ms + lookMs, looks + 1];
        return Promise.resolve({ findings: check.map(() => []) });
      },
    },
  };
  return { definitions: new FlowDefinitions(parts as unknown as FlowDefinitionsParts), looks: () => looks };
}

const ids = Array.from({ length: 30 }, (_, at) => `n${at}`);
const code = (at: number) => `x = ${at}\ny = "${"a".repeat(40_000)}"`;
const nodes = Object.fromEntries(ids.map((id, at) => [id, { type: "code", data: { code: code(at) }, next: ids[at + 1] ?? null }]));
const flow = (more: object = {}) => ({ format: 1, name: "f", trigger: { type: "api" }, start: "n0", nodes, ...more });

test("a check ends when its time is over", async () => {
  const quick = definitionsWith(1);
  expect((await quick.definitions.check(SCOPE, flow())).findings).toEqual([]);
  expect(quick.looks()).toBe(5);
  const slow = definitionsWith(limit("flowCheckMsMax") / 2 + 1);
  await expect(slow.definitions.check(SCOPE, flow())).rejects.toMatchObject({ code: "FlowCheckTooLong" });
  expect(slow.looks()).toBe(2);
});

test("what is too much is refused before any of it is checked", async () => {
  const { definitions, looks } = definitionsWith(1);
  const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  await expect(definitions.check(SCOPE, flow({ description: deep }))).rejects.toMatchObject({ code: "TooDeep" });
  await expect(definitions.check(SCOPE, flow({ description: "x".repeat(limit("flowDefinitionBytesMax")) }))).rejects.toMatchObject({
    code: "RequestTooLarge",
  });
  const many = Array.from({ length: limit("flowExpressionsMax") + 1 }, () => "=1");
  await expect(definitions.check(SCOPE, flow({ variables: many }))).rejects.toMatchObject({ code: "RequestTooLarge" });
  expect(looks()).toBe(0);
});
