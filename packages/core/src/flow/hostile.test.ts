/** Documents that nobody would write: the check tells what is wrong and never throws, in bounded time. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Json, JsonObject } from "../operations/operation.ts";
import { checkFlow } from "./check-definition.ts";
import { NODE_TYPES } from "./nodes/table.ts";
import { TEST_CATALOGUE } from "./test-catalogue.ts";
import { TestDriver } from "./test-driver.ts";

const TEXTS = [
  "",
  "=",
  "==",
  "=1 +",
  "=steps",
  "=steps.a.output",
  "=item",
  "a",
  "b",
  "c",
  "3d",
  "__proto__",
  "constructor",
  "toString",
  "\u0000",
  "=vars.n",
];
const anyText = fc.constantFrom(...TEXTS);
const anyJson: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.constantFrom(0, -1, 1, 1e9, 0.5),
    anyText,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(anyText, tie("json"), { maxKeys: 3 }),
  ),
})).json;

/** Data that is right for each type. */
const RIGHT: Readonly<Record<string, JsonObject>> = {
  action: { operation: "charge_card", input: { amount: 1 } },
  lookup: { operation: "get_customer", input: { id: "c" } },
  invoke: { function: "orders:reserve" },
  webhook: { url: "https://x.example" },
  script: { code: "return 1" },
  code: { code: "return 1" },
  subflow: { flow: "notify" },
  talk_to_agent: { agent: "a", message: "b" },
  decision: { when: "true" },
  router: { cases: [{ when: "false" }] },
  assignment: { values: { n: 2 } },
  for_each: { items: [1, 2] },
  while: { when: "index < 2" },
  parallel: { branches: [{ name: "one" }] },
  delay: { for: "1s" },
  wait: { for: "callback" },
  go_back: { to: "a", whenSpent: "continue" },
  set_ai_agent_skill_output: { output: 1 },
  return: {},
};

/** Right data, of which some fields have any values; pointers mostly lead forward. */
const anyNode = (next: string | null): fc.Arbitrary<Json> =>
  fc.constantFrom(...NODE_TYPES).chain(({ type, fields }) =>
    fc
      .record({
        wrong: fc.oneof(
          { weight: 3, arbitrary: fc.constant({}) },
          fc.record(Object.fromEntries(fields.map(({ name }) => [name, fc.oneof(anyJson, anyText)])), { requiredKeys: [] }),
        ),
        next: fc.oneof({ weight: 5, arbitrary: fc.constant(next) }, fc.constantFrom("a", "b", "c", null)),
        onError: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constantFrom("a", "b", "c")),
        retry: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, anyJson),
        compensate: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, anyJson),
      })
      .map(({ wrong, ...node }) => ({ ...node, type, data: { ...RIGHT[type], ...wrong } }) as JsonObject),
  );

it("any document is read or refused, and what can be published can be run", () => {
  const document = fc.record(
    {
      format: fc.constant(1),
      name: fc.oneof({ weight: 9, arbitrary: fc.constant("x") }, anyJson),
      trigger: fc.oneof({ weight: 9, arbitrary: fc.constant({ type: "manual" }) }, anyJson),
      variables: fc.oneof({ weight: 3, arbitrary: fc.constant({ n: { type: "number", initial: 1 } }) }, anyJson),
      start: fc.constant("a"),
      nodes: fc.oneof({ weight: 9, arbitrary: fc.record({ a: anyNode("b"), b: anyNode("c"), c: anyNode(null) }) }, anyJson),
      onError: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constantFrom("a", "b")),
    },
    { requiredKeys: ["format", "name", "trigger", "start", "nodes"] },
  );
  let published = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: document }, anyJson), fc.boolean(), (json, hasCatalogue) => {
      const checked = checkFlow(json, hasCatalogue ? TEST_CATALOGUE : null);
      if (!checked.ok) {
        expect(checked.findings.some(({ severity }) => severity === "error")).toBe(true);
        return;
      }
      published += 1;
      const driver = new TestDriver(checked.program);
      driver.start({ json: { a: 1 } });
    }),
    { numRuns: 3000 },
  );
  expect(published).toBeGreaterThan(100);
});

it("the largest flow is checked in a moment", () => {
  const nodes = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [
      `n${i}`,
      {
        type: "script",
        data: { code: "return 1", input: { x: `=steps.n${Math.max(0, i - 1)}.output` } },
        next: i < 499 ? `n${i + 1}` : null,
      },
    ]),
  );
  const flow = {
    format: 1,
    name: "large",
    trigger: { type: "manual" },
    start: "n0",
    nodes: { ...nodes, n0: { type: "script", data: { code: "x" }, next: "n1" } },
  };
  const startedMs = performance.now();
  expect(checkFlow(flow, TEST_CATALOGUE).ok).toBe(true);
  // Some tens of milliseconds on an idle machine.
  expect(performance.now() - startedMs).toBeLessThan(9000);
});

it("pointers of every node to every other are laid out in a moment", () => {
  const cases = (i: number): JsonObject[] =>
    Array.from({ length: 50 }, (_, k) => ({ when: "true", to: `n${Math.min(499, i + 1 + k * 9)}` }));
  const nodes = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [
      `n${i}`,
      i === 499 ? { type: "return", data: {} } : { type: "router", data: { cases: cases(i) } },
    ]),
  );
  const startedMs = performance.now();
  expect(checkFlow({ format: 1, name: "dense", trigger: { type: "manual" }, start: "n0", nodes }, null).ok).toBe(true);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
