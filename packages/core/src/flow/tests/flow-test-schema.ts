/** JSON Schema of files of tests, for editors; `parse-flow-test.ts` reads them. */
import type { JsonObject } from "../../operations/operation.ts";

const ANYTHING: JsonObject = {};
const TEXTS: JsonObject = { type: "array", items: { type: "string" } };
const DURATION: JsonObject = {
  description: 'Milliseconds, or a text such as "90s", "15m", "6h" or "3d".',
  oneOf: [
    { type: "number", minimum: 0 },
    { type: "string", pattern: "^(\\d+(\\.\\d+)?(ms|[smhdw]))+$" },
  ],
};

const ANSWER: JsonObject = {
  oneOf: [
    { const: "late", description: "Nobody answers before the deadline." },
    { const: "run", description: "Code of a node is run; needs a host." },
    object({ output: ANYTHING, after: DURATION }, ["output"]),
    object(
      {
        error: object({ code: { type: "string" }, message: { type: "string" }, retryable: { type: "boolean" } }, ["code"]),
        after: DURATION,
      },
      ["error"],
    ),
  ],
};

const MOCKS: JsonObject = {
  type: "object",
  description: "Answers by node. Of a list the last one answers all that follow. What undoes a node is `<node>/undo`.",
  additionalProperties: { oneOf: [{ $ref: "#/$defs/answer" }, { type: "array", items: { $ref: "#/$defs/answer" }, minItems: 1 }] },
};

const EVENT: JsonObject = {
  description: "Comes to the run so long after its start.",
  oneOf: [
    object({ after: DURATION, signal: { type: "string" }, payload: ANYTHING }, ["signal"]),
    object({ after: DURATION, do: { enum: ["pause", "resume", "cancel"] } }, ["do"]),
  ],
};

const CALL = object(
  {
    node: { type: "string" },
    target: { type: "string", description: "Name of the operation, function, flow or agent." },
    input: { description: "All that it was given." },
    inputHas: { description: "Part of what it was given." },
    attempts: { type: "integer", minimum: 1 },
  },
  ["node"],
);

const EXPECTATION = object({
  status: {
    enum: ["completed", "failed", "cancelled", "unanswered", "endless"],
    description: "`completed` when absent, or `failed` where an `error` is expected.",
  },
  output: { description: "The whole result." },
  outputHas: { description: "Part of the result: objects may have more fields." },
  error: object({ code: { type: "string" }, node: { type: "string" }, message: { type: "string", description: "Part of the message." } }),
  path: { ...TEXTS, description: "All nodes in the order in which they began; loops and branches come when they have ended." },
  calls: { type: "array", items: CALL, description: "All calls in the order in which they began." },
  notCalled: TEXTS,
  undone: { ...TEXTS, description: "Nodes whose steps were undone, in that order." },
  variables: { type: "object", description: "Those that are named, at the end." },
  reply: { description: "Answer for an agent." },
  elapsed: DURATION,
});

const CASE = object(
  {
    name: { type: "string", minLength: 1 },
    skip: { type: "boolean" },
    input: { description: "What expressions see as `trigger`; {} when absent." },
    now: { type: "string", format: "date-time", description: "When the run begins; 2026-01-01T00:00:00Z when absent." },
    mocks: MOCKS,
    events: { type: "array", items: EVENT },
    expect: EXPECTATION,
  },
  ["name"],
);

export const FLOW_TEST_SCHEMA: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Tests of a flow",
  ...object(
    {
      $schema: { type: "string" },
      format: { const: 1 },
      flow: { type: "string", description: "File of the definition, from here; the one beside this file when absent." },
      mocks: { ...MOCKS, description: "For all cases; those of a case come first." },
      cases: { type: "array", items: CASE, minItems: 1 },
    },
    ["format", "cases"],
  ),
  $defs: { answer: ANSWER },
};

function object(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return { type: "object", properties, additionalProperties: false, ...(required.length === 0 ? {} : { required }) };
}
