/** What is written about the routes of flows. */
import type { FlowSummary, FlowVersion, RunDetail, RunSummary } from "../../flows/flows.ts";
import { json, jsonBody, optionalJsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import {
  always,
  anything,
  choice,
  closed,
  flag,
  list,
  mapOf,
  moment,
  named,
  open,
  orNull,
  text,
  whole,
  type Schema,
} from "../openapi/schema.ts";

export const FINDING = named(
  "FlowFinding",
  closed({
    path: text("Where in the definition."),
    node: orNull(text()),
    message: text(),
    severity: choice(["error", "warning"]),
    "position?": closed({ line: whole(), column: whole() }),
  }),
);

export const VERSION = named(
  "FlowVersion",
  closed({
    flow: text(),
    version: text("Digest of the definition."),
    seq: whole(),
    createdMs: moment(),
    note: orNull(text()),
  } satisfies Record<keyof FlowVersion, Schema>),
);

const SUMMARY = {
  name: text(),
  description: text(),
  trigger: text("What starts it."),
  version: text("Digest of the definition that new runs get."),
  isOn: flag("Whether runs may begin."),
} satisfies Record<keyof FlowSummary, Schema>;

const STORED = list(
  closed({ path: list(anything(), "Names and places on the way to it."), digest: text("sha-256."), bytes: whole(), contentType: text() }),
  "Parts that are too large to be told; null stands for them.",
);

export const STATUSES = { running: 0, waiting: 0, paused: 0, undoing: 0, completed: 0, failed: 0, cancelled: 0 } satisfies Record<
  RunSummary["status"],
  0
>;

export const RUN_FIELDS = {
  id: text(),
  flow: text(),
  version: text(),
  status: choice(Object.keys(STATUSES)),
  reason: orNull(closed({ code: text(), text: text(), untilMs: orNull(moment()), node: orNull(text()) }, "Why it does not go on.")),
  trigger: text(),
  startedMs: moment(),
  endedMs: orNull(moment()),
  error: orNull(open({ code: text(), message: text(), node: orNull(text()) }, "Why it failed.")),
} satisfies Record<keyof RunSummary, Schema>;

export const RUN = named("FlowRun", closed(RUN_FIELDS));

const DETAIL_FIELDS = {
  parent: orNull(closed({ run: text(), node: text() }, "The step of another run that began it.")),
  ...RUN_FIELDS,
  output: anything("Of a run that has completed."),
  reply: anything("What it has told the agent that called it."),
  variables: mapOf(anything()),
  stored: STORED,
  answers: list(
    closed({
      node: text(),
      kind: choice(["callback", "approval"]),
      token: orNull(
        text("Null for keys without `admin` where it is an approver's, and where the host has the key no more with which it was made."),
      ),
      url: orNull(text("Where it is answered without a key.")),
      untilMs: moment(),
      approver: orNull(text()),
    }),
    "What waits for an answer.",
  ),
} satisfies Record<keyof RunDetail, Schema>;

const DETAIL = named("FlowRunDetail", closed(DETAIL_FIELDS));

const SHOWN = named(
  "FlowRunShown",
  closed({
    ...DETAIL_FIELDS,
    children: list(text(), "Runs that its steps have begun, the newest first."),
    refusedAnswers: list(
      closed({ atMs: moment(), code: choice(["late", "double", "forged"]), message: text(), node: orNull(text()), via: text() }),
      "Answers that changed nothing, the first ones.",
    ),
  }),
);

const ADDRESS = named(
  "FlowAddress",
  closed({ name: text(), url: text("Who knows it may start the flow."), isOn: flag("Whether it starts the flow now.") }),
);

export const STEP = named(
  "FlowStep",
  open({
    kind: choice(["begun", "ended", "failed", "retrying", "undone"]),
    node: text(),
    chain: text(),
    place: whole("Item, iteration or branch."),
    atMs: moment(),
    key: orNull(text("The same in every attempt.")),
    attempt: whole(),
    value: anything("Input of a call that begins, output of a step that ends."),
    stored: STORED,
    error: anything(),
  }),
);

export const DEFINITION = mapOf(anything(), "The definition.");
export const FLOW_PATH = { name: text("Name of the flow.") };
export const RUN_PATH = { id: text("Id of the run.") };
const CHANGED = { 200: json(closed({ id: text(), changed: always(true) })) };

function change(summary: string, doc: Partial<RouteDoc> = {}): RouteDoc {
  return { summary, tag: "Flows", path: RUN_PATH, answers: CHANGED, errors: ["NotFound", "FlowRunRefused"], ...doc };
}

const REASON = optionalJsonBody(open({ "reason?": orNull(text("For people.")) }));

const STEP_LOG = closed({
  key: text("Of the step."),
  attempt: whole(),
  node: text(),
  lines: list(closed({ level: text(), text: text(), atMs: moment() })),
  dropped: whole("Lines beyond the limits."),
  cursor: text(),
});

/** Code is parsed in the jail. */
const CHECK_ERRORS = ["FlowCheckTooLong", "FunctionTimeout", "ExpiredInQueue", "RunnerLost"] as const;

export const FLOW_DOCS = {
  checkFlow: {
    summary: "Check a definition",
    tag: "Flows",
    body: jsonBody(open({ definition: DEFINITION })),
    answers: { 200: json(closed({ findings: list(FINDING) })) },
    errors: CHECK_ERRORS,
  },
  publishFlow: {
    summary: "Publish a definition",
    description: "New runs get it, those under way keep theirs. A definition with errors is not published: `version` is null then.",
    tag: "Flows",
    body: jsonBody(open({ definition: DEFINITION, "note?": orNull(text("For people.")) })),
    answers: { 200: json(closed({ version: orNull(VERSION), findings: list(FINDING) })) },
    errors: [...CHECK_ERRORS, "LimitExceeded", "FlowBeingDeleted"],
  },
  listFlows: { summary: "List flows", tag: "Flows", answers: { 200: json(closed({ flows: list(named("Flow", closed(SUMMARY))) })) } },
  getFlow: {
    summary: "Show a flow",
    tag: "Flows",
    path: FLOW_PATH,
    query: { version: text("Digest; that of new runs when absent.") },
    answers: { 200: json(named("FlowDefinition", closed({ definition: DEFINITION, versions: list(VERSION) }))) },
    errors: ["NotFound"],
  },
  switchFlow: {
    summary: "Turn a flow on or off",
    tag: "Flows",
    path: FLOW_PATH,
    body: jsonBody(open({ isOn: flag() })),
    answers: { 200: json(closed({ name: text(), isOn: flag() })) },
    errors: ["NotFound"],
  },
  deleteFlow: {
    summary: "Delete a flow",
    description: "With its versions, tests and ended runs. Refused while runs go on: bulk changes cancel them.",
    tag: "Flows",
    path: FLOW_PATH,
    answers: { 200: json(closed({ name: text(), deleted: always(true) })) },
    errors: ["NotFound", "FlowHasRuns"],
  },
  getFlowAddress: {
    summary: "The address that starts a flow whose trigger is `webhook`",
    tag: "Flows",
    path: FLOW_PATH,
    answers: { 200: json(ADDRESS) },
    errors: ["NotFound"],
  },
  renewFlowAddress: {
    summary: "Give a flow another address",
    description: "The old one starts nothing any more.",
    tag: "Flows",
    path: FLOW_PATH,
    answers: { 200: json(ADDRESS) },
    errors: ["NotFound"],
  },
  startFlow: {
    summary: "Start a run",
    description:
      "With `waitMs` it answers when the run has ended or waits, or after that time; else when the run is stored. An `api` trigger with the reply `sync` waits a minute.",
    tag: "Flows",
    path: FLOW_PATH,
    body: optionalJsonBody(
      open({
        "input?": anything("What its expressions see as `trigger`."),
        "waitMs?": orNull(whole()),
        "idempotencyKey?": orNull(text("A second start with the key is the same run.")),
      }),
    ),
    answers: { 200: json(DETAIL, "It has ended, or waits, or the time is over."), 202: json(RUN, "It is stored and goes on by itself.") },
    errors: ["NotFound", "FlowRunRefused", "FlowFiltered", "FlowFilterFailed"],
  },
  listFlowRuns: {
    summary: "List runs, the newest first",
    tag: "Flows",
    description: "A page may be shorter than `limit`, or empty, and have more behind it: `next` says so.",
    query: {
      flow: text("Runs of this flow alone."),
      status: text("Runs with one of these statuses, with commas between them."),
      reason: text("Code of the reason why they wait, or of their error."),
      stuck: text("`true`: those alone that have something to do which nobody does, or a time that is past by more than a minute."),
      after: text("`next` of the page before, or the id of the last run that is known."),
      limit: text("At most this many."),
    },
    answers: { 200: json(closed({ runs: list(RUN), next: orNull(text("Where older ones are.")) })) },
  },
  getFlowRun: { summary: "Show a run", tag: "Flows", path: RUN_PATH, answers: { 200: json(SHOWN) }, errors: ["NotFound"] },
  getFlowHistory: {
    summary: "What the steps of a run did",
    tag: "Flows",
    path: RUN_PATH,
    query: { after: text("`next` of the page before."), limit: text("At most this many.") },
    answers: { 200: json(closed({ steps: list(STEP), next: orNull(whole("There is more after this many.")) })) },
    errors: ["NotFound"],
  },
  getFlowLogs: {
    summary: "What code of the steps of a run printed",
    description: "Also while it prints. A step that is done again has an entry for each time.",
    tag: "Flows",
    path: RUN_PATH,
    query: { after: text("`cursor` of the last entry of the page before.") },
    answers: { 200: json(closed({ steps: list(STEP_LOG) })) },
    errors: ["NotFound"],
  },
  getFlowValue: {
    summary: "The bytes of a large value of a run",
    tag: "Flows",
    path: { ...RUN_PATH, digest: text("As `stored` tells it.") },
    answers: {
      200: { description: "The bytes.", content: { "application/octet-stream": text(undefined, { contentEncoding: "binary" }) } },
    },
    errors: ["NotFound"],
  },
  signalFlowRun: change("Send a signal", { body: jsonBody(open({ name: text(), "payload?": anything() })) }),
  cancelFlowRun: change("Cancel a run", { description: "What its steps did is undone where they say how.", body: REASON }),
  pauseFlowRun: change("Pause a run", { body: REASON }),
  resumeFlowRun: change("Resume a run"),
  retryFlowRun: change("Let a run that failed or was cancelled go on from a node", {
    body: jsonBody(open({ node: text(), "input?": anything("In place of what its node would be given.") })),
  }),
  answerFlowStep: {
    summary: "Answer a step that waits",
    tag: "Flows",
    body: jsonBody(
      open({
        token: text("From `answers` of the run."),
        "output?": anything(),
        "error?": orNull(open({ code: text(), message: text() }, "The step fails with it.")),
      }),
    ),
    answers: { 200: json(closed({ answered: always(true) })) },
    errors: ["AnswerRefused", "FlowRunRefused", "NotFound"],
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
