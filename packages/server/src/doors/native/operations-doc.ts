/** What is written about the routes of operations. */
import { RUN_ERRORS } from "../openapi/general-errors.ts";
import { json, jsonOrEvents, optionalJsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import {
  always,
  anything,
  choice,
  closed,
  flag,
  itself,
  list,
  mapOf,
  named,
  number,
  oneOf,
  open,
  orNull,
  text,
  whole,
  type Properties,
} from "../openapi/schema.ts";
import { invocationEvents, LOCATION, outcome, queued } from "../openapi/schemas.ts";
import { CALL_HEADERS, CALL_PROPERTIES } from "./call-settings.ts";

const PATH = { id: text("Slug of the operation, or `<namespace>/<slug>` as one part of the path (`%2F`).") };

const SUMMARY: Properties = {
  name: text("`<namespace>/<slug>`"),
  slug: text(),
  namespace: text("`plinth`, `objects`, `functions`, or the name of a package."),
  displayName: text(),
  description: text(),
  type: choice(["action", "trigger"]),
  origin: choice(["native", "object", "package", "function", "flow"]),
  effect: choice(["read", "write", "outside"], "`outside` may reach other systems."),
  isAgentSkill: flag(),
};

const JSON_SCHEMA = mapOf(anything(), "JSON Schema 2020-12.");

const FIELD = named(
  "OperationField",
  closed({
    name: text(),
    description: text(),
    fieldType: text(),
    baseType: orNull(text("Type of the elements of an array.")),
    idType: list(text()),
    allowedValues: list(text()),
    isRequired: flag(),
    "defaultValue?": anything(),
    ui: mapOf(anything()),
    "fields?": list(itself("OperationField"), "Of composites and structs."),
    "schema?": { ...JSON_SCHEMA, description: "The exact schema of a value that fields cannot say." },
  }),
);

const FORM_FIELD = named(
  "FormField",
  closed({
    name: text(),
    label: text(),
    widget: text(),
    required: flag(),
    help: text("Shown below the field."),
    "options?": list(closed({ value: text(), label: text() })),
    "references?": list(text(), "Whose ids."),
    "step?": number("1 for whole numbers."),
    "fields?": list(itself("FormField")),
    "item?": text("What each item of a list is shown with."),
    "initial?": anything(),
    "hidden?": flag(),
    "placeholder?": text(),
  }),
);

const PORT: Properties = {
  name: text("`default` unless there are several."),
  fields: list(FIELD),
  "isOpen?": flag("Takes and gives other fields too."),
  schema: JSON_SCHEMA,
};
const PORTS: Properties = {
  inputs: list(named("InputPort", closed({ ...PORT, form: list(FORM_FIELD) }))),
  outputs: list(named("OutputPort", closed(PORT))),
};

const VALUES = list(mapOf(anything()));
export const OPERATION_RESULT = named(
  "OperationResult",
  oneOf(
    closed({ output: closed({ values: VALUES }, "Values of the port `default`.") }),
    closed({ ports: list(closed({ port: text(), values: VALUES })) }),
    closed({
      error: closed({ type: choice(["unknown", "invalidRequest", "retryExecution"]), message: text() }, "The operation says no: a result."),
    }),
  ),
);

const EXECUTED = outcome("OperationOutcome", {
  both: { operation: text("`<namespace>/<slug>`"), result: OPERATION_RESULT },
  succeeded: {},
});

const CALL: Properties = {
  "input?": orNull(mapOf(anything(), "Values of the port's fields.")),
  "port?": orNull(text("`default` when absent.")),
  "userId?": orNull(text("For whom; takes an admin key.")),
};
const CALL_ERRORS = [
  "OperationNotFound",
  "OperationForbidden",
  "OperationNotExecutable",
  "PortUnknown",
  "WrongState",
  ...RUN_ERRORS,
] as const;

function hook(summary: string): RouteDoc {
  return {
    summary,
    tag: "Operations",
    path: PATH,
    body: optionalJsonBody(open(CALL)),
    answers: { 200: json(closed({ done: always(true) })) },
    errors: [...CALL_ERRORS, "HookRefused", "HookFailed"],
  };
}

export const OPERATION_DOCS = {
  listOperations: {
    summary: "Search the catalogue",
    description: "All operations of the branch, or the best matches first.",
    tag: "Operations",
    query: {
      text: text("What to search for."),
      type: choice(["action", "trigger"]),
      agentSkills: choice(["true", "false"], "`true` leaves out what is no skill of agents."),
      limit: whole(undefined, { minimum: 1 }),
    },
    answers: { 200: json(closed({ branch: text(), operations: list(named("OperationSummary", closed(SUMMARY))) })) },
  },
  getOperation: {
    summary: "Read an operation",
    description: "Its ports as fields, as JSON Schema and as forms.",
    tag: "Operations",
    path: PATH,
    answers: {
      200: json(
        named(
          "Operation",
          closed({
            ...SUMMARY,
            isWorkflowNode: flag(),
            scopes: list(text("`object:permission`")),
            timeoutMs: orNull(number()),
            inputSchema: JSON_SCHEMA,
            outputSchema: JSON_SCHEMA,
            form: list(FORM_FIELD, "Of the first port."),
            ...PORTS,
          }),
        ),
      ),
    },
    errors: ["OperationNotFound"],
  },
  executeOperation: {
    summary: "Execute an operation",
    description: "An operation that says no answers 200 with `result.error`.",
    tag: "Operations",
    path: PATH,
    headers: CALL_HEADERS,
    body: optionalJsonBody(open({ ...CALL, ...CALL_PROPERTIES })),
    answers: {
      200: withProtobuf(jsonOrEvents(EXECUTED, invocationEvents(EXECUTED), "The operation was executed.")),
      202: { ...json(queued("QueuedOperation", { operation: text() }), "The call is stored durably."), headers: { Location: LOCATION } },
    },
    errors: CALL_ERRORS,
  },
  operationSchema: {
    summary: "Ports that depend on the input",
    tag: "Operations",
    path: PATH,
    body: optionalJsonBody(open(CALL)),
    answers: { 200: json(closed(PORTS)) },
    errors: CALL_ERRORS,
  },
  activateOperation: hook("Begin a trigger"),
  deactivateOperation: hook("End a trigger"),
} as const satisfies Record<string, RouteDoc>;

function withProtobuf<T extends RouteDoc["answers"][number]>(answer: T): T {
  const media = { type: "string", description: "The result alone, as `devrev.operation.OperationOutput`.", contentEncoding: "binary" };
  return { ...answer, content: { ...answer.content, "application/x-protobuf": media } };
}
