import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkFlow } from "../check-definition.ts";
import { dryReport } from "../dry-report.ts";
import { dryRun } from "../dry-run.ts";
import type { FlowProgram } from "../program.ts";
import type { Json } from "../../operations/operation.ts";
import { isList, isRecord } from "../value.ts";
import { FLOW_TEST_SCHEMA } from "./flow-test-schema.ts";
import { parseFlowTest } from "./parse-flow-test.ts";
import { dryRunOf, type Mismatch, mismatches, mockProblems } from "./run-flow-test.ts";

const ORDER: FlowProgram = programOf({
  reserve: {
    type: "invoke",
    data: { function: "orders:reserve", input: { id: "=trigger.id" } },
    compensate: { type: "invoke", data: { function: "orders:release" } },
    next: "ask",
  },
  ask: { type: "wait", data: { for: "approval", title: "Pay?", deadline: "3d" }, next: "ship" },
  ship: { type: "wait", data: { for: "signal", signal: "shipped", deadline: "10d" }, next: "count" },
  count: { type: "assignment", data: { values: { orders: "=vars.orders + 1" } }, next: "done" },
  done: { type: "return", data: { output: { by: "=steps.ask.output.by", parcel: "=steps.ship.output" } } },
});

function programOf(nodes: Readonly<Record<string, unknown>>): FlowProgram {
  const start = Object.keys(nodes)[0];
  const variables = { orders: { type: "number", initial: 0 } };
  const checked = checkFlow({ format: 1, name: "test", trigger: { type: "manual" }, start, nodes, variables }, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

/** What one case comes to. */
function outcome(program: FlowProgram, test: Readonly<Record<string, unknown>>): readonly Mismatch[] {
  const parsed = parseFlowTest({ format: 1, cases: [{ name: "a case", ...test }] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  const [first] = parsed.file.cases;
  if (first === undefined) throw new Error("it has a case");
  return [...mockProblems(program, first), ...mismatches(first.expect, dryReport(dryRun(program, dryRunOf(parsed.file, first, "test"))))];
}

const GOOD = {
  input: { id: "o1" },
  mocks: {
    reserve: [{ error: { code: "unavailable", message: "it was away.", retryable: true } }, { output: {} }],
    ask: { after: "2d", output: { by: "anna" } },
  },
  events: [{ after: "4d", signal: "shipped", payload: 7 }],
};

describe("cases", () => {
  it("everything may be expected, in simulated time", () => {
    const expected = {
      output: { by: "anna", parcel: 7 },
      outputHas: { by: "anna" },
      path: ["reserve", "ask", "ship", "count", "done"],
      calls: [{ node: "reserve", target: "orders:reserve", input: { id: "o1" }, attempts: 2 }],
      variables: { orders: 1 },
      undone: [],
      elapsed: "4d",
    };
    expect(outcome(ORDER, { ...GOOD, expect: expected })).toEqual([]);
  });

  it("each difference is told", () => {
    const wrong = {
      output: { by: "bert", parcel: 7 },
      outputHas: { by: { name: "x" } },
      path: ["reserve", "ship"],
      calls: [{ node: "reserve", input: { id: "o2" } }],
      notCalled: ["reserve"],
      variables: { orders: 2, other: 1 },
      elapsed: "1h",
    };
    const found = outcome(ORDER, { ...GOOD, expect: wrong });
    expect(found.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "output: It differs at `by`.",
      "outputHas: It lacks that at `by`.",
      "path: After `reserve` it went to `ask` and not to `ship`.",
      "calls[0].input: It differs at `id`.",
      "notCalled: The step `reserve` was called.",
      "variables.orders: It differs.",
      "variables.other: The flow has no variable `other`.",
      "elapsed: The run took another time (ms).",
    ]);
    expect(found[0]).toMatchObject({ expected: { by: "bert" }, got: { by: "anna" } });
  });

  it("a deadline passes, what was done is undone, and the error is compared", () => {
    const late = { input: { id: 1 }, mocks: { reserve: { output: 1 }, ask: "late", "reserve/undo": { output: null } } };
    expect(outcome(ORDER, { ...late, expect: { error: { code: "deadline", node: "ask" }, undone: ["reserve"], elapsed: "3d" } })).toEqual(
      [],
    );
    expect(outcome(ORDER, { ...late, expect: {} })[0]).toMatchObject({ path: "status", expected: "completed", got: "failed" });
    expect(outcome(ORDER, { ...late, expect: { error: { code: "x" } } })).toMatchObject([{ path: "error.code", got: "deadline" }]);
  });

  it("what has no mock is refused by name", () => {
    const [only, ...others] = outcome(ORDER, { input: { id: 1 }, expect: { output: 1 } });
    expect(others).toEqual([]);
    expect(only?.message).toBe(
      'The step `reserve` calls the function `orders:reserve`, and no mock answers it; add `"reserve": {"output": …}` to the mocks.',
    );
    const real = outcome(ORDER, { input: { id: 1 }, mocks: { reserve: "run" }, expect: {} });
    expect(real[0]?.message).toContain("really, which needs a host");
  });

  it("mocks that answer nothing are told", () => {
    const mocks = { resrve: { output: 1 }, count: { output: 1 }, "ask/undo": { output: 1 }, ask: "run" };
    expect(outcome(ORDER, { input: { id: 1 }, mocks, expect: { status: "unanswered" } }).map(({ message }) => message)).toEqual([
      "The mock `resrve` names no node of the flow. Did you mean `reserve`?",
      "The mock `count` is for a `assignment` node, which asks nobody; take it away.",
      "The mock `ask/undo` is for what undoes `ask`, which nothing does.",
      "The mock `ask` is for a node that waits for somebody, and cannot be run.",
    ]);
  });

  it("a run is paused, resumed and cancelled at its time; what comes too late is told", () => {
    const nap = programOf({ nap: { type: "delay", data: { for: "5h" } } });
    const events = [
      { after: "1h", do: "pause" },
      { after: "9h", do: "resume" },
    ];
    expect(outcome(nap, { events, expect: { elapsed: "9h" } })).toEqual([]);
    expect(outcome(nap, { events: [{ after: "2h", do: "cancel" }], expect: { status: "cancelled", elapsed: "2h" } })).toEqual([]);
    const twice = [...events, { after: "2h", do: "pause" }];
    expect(outcome(nap, { events: twice, expect: {} })).toMatchObject([
      { path: "events", message: "Only a run that is running can be paused." },
    ]);
  });

  it("a flow that never ends is called endless", () => {
    const endless = programOf({
      work: { type: "while", data: { when: "true", body: "call", iterationsMax: 100_000 } },
      call: { type: "invoke", data: { function: "a:b" } },
    });
    expect(outcome(endless, { mocks: { call: { output: 1 } }, expect: {} })).toMatchObject([{ path: "status", got: "endless" }]);
  });
});

describe("files", () => {
  const findings = (json: unknown) => {
    const parsed = parseFlowTest(json);
    return parsed.ok ? [] : parsed.findings.map(({ message }) => message);
  };

  it("what is wrong is told with its path", () => {
    expect(findings([])).toEqual(["the file holds a list; write an object with `format` and `cases`."]);
    expect(findings({ format: 2 })).toHaveLength(2);
    const cases = [
      { name: "a", inptu: 1, mocks: { x: { output: 1, error: {} }, y: "never", z: [] }, expect: { statsu: 1, elapsed: "soon" } },
      { name: "a", now: "today", events: [{ after: "1h" }] },
    ];
    const found = findings({ format: 1, cases });
    for (const part of [
      "cases[0].mocks.x has an `output` and an `error`",
      "cases[0].mocks.y is the text `never`",
      "cases[0].mocks.z is an empty list",
      "`inptu` is no key of cases[0]; it would have no effect. Did you mean `input`?",
      "`statsu` is no key of cases[0].expect",
      "cases[0].expect.elapsed is no duration",
      "cases[1].now is no moment",
      "cases[1].events[0] says nothing",
      "cases[1].expect is missing",
      "two cases with the name `a`",
    ])
      expect(
        found.some((message) => message.includes(part)),
        `${part} in ${found.join("\n")}`,
      ).toBe(true);
  });

  it("hostile names do nothing", () => {
    expect(findings(JSON.parse('{"format":1,"cases":[{"name":"a","mocks":{"__proto__":{"output":1}},"expect":{}}]}'))).toHaveLength(1);
    expect(findings({ format: 1, cases: [{ name: "a", expect: { output: { a: { b: null } } } }] })).toEqual([]);
  });
});

it("the tests of the guide pass, but for the one that needs a host", () => {
  const block = (page: string, name: string): unknown => {
    const guide = readFileSync(join(import.meta.dirname, "../../../../../docs/guide", page), "utf8");
    const found = [...guide.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text ?? "").find((text) => text.includes(name));
    return JSON.parse(found ?? "null");
  };
  const checked = checkFlow(block("flows.md", '"name": "price"'), null);
  const parsed = parseFlowTest(block("flow-tests.md", '"cases"'));
  if (!checked.ok || !parsed.ok) throw new Error(JSON.stringify([checked.findings, parsed]));
  const wrong = parsed.file.cases.flatMap((test) =>
    mismatches(test.expect, dryReport(dryRun(checked.program, dryRunOf(parsed.file, test, "price")))).map(({ got }) => [test.name, got]),
  );
  expect(wrong).toEqual([["large teams pay less", "unanswered"]]);
});

describe("the schema for editors", () => {
  /** An object with all properties of a schema. */
  function sample(schema: Json, defs: Json): Json {
    if (!isRecord(schema)) return null;
    const { $ref, oneOf, enum: choices, const: only, properties, items, type } = schema;
    if (typeof $ref === "string") return sample(isRecord(defs) ? (defs["answer"] ?? null) : null, defs);
    if (isList(oneOf)) return sample(oneOf.at(-1) ?? null, defs);
    if (only !== undefined) return only;
    if (isList(choices)) return choices[0] ?? null;
    if (isRecord(properties))
      return Object.fromEntries(Object.keys(properties).map((name) => [name, sample(properties[name] ?? null, defs)]));
    if (type === "array") return [sample(items ?? null, defs)];
    if (type === "boolean") return false;
    if (type === "integer") return 1;
    if (type === "object") return {};
    if (typeof schema["pattern"] === "string") return "1h";
    return schema["format"] === "date-time" ? "2026-01-01T00:00:00Z" : "x";
  }

  it("names what the reader knows, and nothing else", () => {
    const all = sample(FLOW_TEST_SCHEMA, FLOW_TEST_SCHEMA["$defs"] ?? null);
    expect(JSON.stringify(all).length).toBeGreaterThan(400);
    const parsed = parseFlowTest(all);
    expect(parsed.ok ? [] : parsed.findings).toEqual([]);
  });
});
