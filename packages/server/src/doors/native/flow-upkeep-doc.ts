/** What is written about the routes of flow-upkeep.ts. */
import type { BulkSlice, ComparedRun, FlowDocument, PrintNews, RunPlace } from "../../flows/upkeep/upkeep.ts";
import { json, jsonBody, jsonOrEvents, optionalJsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import { anything, choice, closed, flag, list, mapOf, moment, named, open, orNull, text, whole, type Schema } from "../openapi/schema.ts";
import { LOG_LINE } from "../openapi/schemas.ts";
import { DEFINITION, FINDING, FLOW_PATH, RUN, RUN_FIELDS, RUN_PATH, STATUSES, STEP, VERSION } from "./flows-doc.ts";

const DIFFERENCE = named(
  "FlowReplayDifference",
  closed({
    event: whole("Position of the event in the journal."),
    kind: choice(["refused", "step", "command"]),
    node: orNull(text()),
    message: text(),
    before: anything("What the old version does."),
    after: anything("What the new one does."),
  }),
);

const COMPARED = named(
  "FlowComparedRun",
  closed({
    id: text(),
    version: text(),
    status: choice(Object.keys(STATUSES)),
    startedMs: moment(),
    misfits: { oneOf: [list(FINDING, "Why it cannot be moved; empty when it can."), { type: "null" }] },
    differences: list(DIFFERENCE),
    events: whole("Events that were replayed."),
    isCut: flag("Its history is longer."),
  } satisfies Record<keyof ComparedRun, Schema>),
);

const MOCKS = mapOf(anything(), "Answers by node: `{output}`, `{error}`, `late`, `run` (code alone), or a list of them.");

const REPORT = named(
  "FlowDryReport",
  open({
    status: choice(["completed", "failed", "cancelled", "unanswered", "endless"]),
    output: anything(),
    error: anything(),
    unanswered: anything("The step that has no mock."),
    path: list(text()),
    calls: list(anything()),
    undone: list(text()),
    variables: mapOf(anything()),
    elapsedMs: whole("In the time of the run."),
  }),
);

const PLACE = named(
  "FlowRunState",
  closed({
    ...RUN_FIELDS,
    reasons: list(
      closed({
        code: text(),
        words: text(),
        node: orNull(text()),
        key: orNull(text()),
        sinceMs: moment(),
        untilMs: orNull(moment()),
      }),
      "One of each place where it stands.",
    ),
    input: anything("What it was given."),
    variables: mapOf(anything()),
    steps: list(
      closed({ node: text(), chain: text(), place: whole(), output: anything(), error: anything() }),
      "Results of steps in the chains that are open.",
    ),
    deadlineMs: moment(),
    undone: whole(),
    undoFailures: list(text()),
    events: whole(),
    retryFrom: list(text(), "Nodes at which a retry may begin."),
  } satisfies Record<keyof RunPlace, Schema>),
);

const CURSOR = whole("Watching again with `after` goes on behind it.");

const PRINT = named(
  "FlowPrint",
  closed({
    id: text("The same for all that an attempt of a step prints."),
    key: text("Of the step."),
    attempt: whole(),
    node: text(),
    from: whole("Lines with this `id` that came before. A watcher that comes again is told all of them again."),
    lines: list(closed({ level: text(), text: text(), atMs: moment() })),
    dropped: whole("Lines beyond the limits, until now."),
  } satisfies Record<keyof PrintNews, Schema>),
);

const FILTER = closed({
  "flow?": orNull(text()),
  "status?": orNull(list(choice(Object.keys(STATUSES)))),
  "reason?": orNull(text("Code of the reason why it waits, or of its error.")),
  "version?": orNull(text("Digest, or its beginning.")),
  "startedAfter?": anything("A time, as text or in milliseconds."),
  "startedBefore?": anything("A time, as text or in milliseconds."),
});

const SLICE = named(
  "FlowRunChanges",
  closed({
    id: text("Of the whole change: send it with the next slice, and again after a failure."),
    seen: whole("Runs that were looked at."),
    matched: whole("Runs that fit the filter."),
    done: list(text(), "Ids; of a count, those that would be changed."),
    already: list(text(), "Changed by an earlier request with the same id."),
    refused: list(closed({ id: text(), message: text() })),
    next: orNull(text("Send it as `after` for the next slice; null at the end.")),
  } satisfies Record<keyof BulkSlice | "id", Schema>),
);

const DOCUMENT = named(
  "FlowDocument",
  closed({
    kind: text("`plinth-flow`"),
    format: whole(),
    name: text(),
    version: text(),
    note: orNull(text()),
    definition: DEFINITION,
    tests: anything("A file of tests."),
    runs: list(closed({ run: RUN, events: list(anything()), steps: list(anything()), isCut: flag() }), "Histories, for support."),
  } satisfies Record<keyof FlowDocument, Schema>),
);

const FINDINGS = list(FINDING);

export const FLOW_UPKEEP_DOCS = {
  compareFlow: {
    summary: "Compare a definition with recorded runs",
    description: "Histories of runs that go on, then of the newest others, are replayed dry. Nothing is published.",
    tag: "Flows",
    body: jsonBody(open({ definition: DEFINITION, "runs?": orNull(whole("At most so many.")) })),
    answers: { 200: json(closed({ findings: FINDINGS, runs: list(COMPARED), isCut: flag("Runs were left out.") })) },
  },
  dryRunFlow: {
    summary: "Run a flow against mocks",
    description: "Nothing reaches the outside but code whose mock is `run`. Time is simulated; nothing is stored.",
    tag: "Flows",
    body: jsonBody(
      open({
        "flow?": orNull(text("Name; or give a `definition`.")),
        "version?": orNull(text()),
        "definition?": DEFINITION,
        "input?": anything(),
        "now?": anything("When the run begins."),
        "mocks?": MOCKS,
        "events?": list(anything(), "Signals and the like: `{after, signal, payload}`, `{after, do}`."),
      }),
    ),
    answers: {
      200: json(closed({ report: orNull(REPORT), steps: list(STEP), logs: list(LOG_LINE, "What code printed."), findings: FINDINGS })),
    },
    errors: ["NotFound"],
  },
  getFlowRunState: {
    summary: "Where a run stands, or what it does",
    description:
      "As a stream it tells each step, from the first one or behind `after`, what code prints, and where the run stands, until its end.",
    tag: "Flows",
    path: RUN_PATH,
    query: { after: text("Cursor of an event.") },
    answers: {
      200: jsonOrEvents(PLACE, {
        step: closed({ cursor: CURSOR, step: STEP }),
        print: closed({ cursor: CURSOR, print: PRINT }),
        run: closed({ cursor: CURSOR, run: RUN }),
        end: closed({ cursor: CURSOR, run: RUN }),
      }),
    },
    errors: ["NotFound"],
  },
  moveFlowRun: {
    summary: "Move a run to another version of its flow",
    description: "It fits when the new version has the steps at which the run stands. The run goes on with the functions of now.",
    tag: "Flows",
    path: RUN_PATH,
    body: jsonBody(
      open({
        to: text("`head`, the number of a publication, or a digest or its beginning."),
        "dryRun?": orNull(flag("Only says whether it fits.")),
      }),
    ),
    answers: { 200: json(closed({ id: text(), version: text(), moved: flag(), findings: FINDINGS })) },
    errors: ["NotFound", "FlowRunRefused", "FlowVersionUnfit"],
  },
  rerunFlowRun: {
    summary: "Run a flow again with the input of a run",
    tag: "Flows",
    path: RUN_PATH,
    body: optionalJsonBody(open({ "input?": anything("In place of what the run was given."), "idempotencyKey?": orNull(text()) })),
    answers: { 202: json(RUN, "The new run is stored.") },
    errors: ["NotFound", "FlowRunRefused"],
  },
  changeFlowRuns: {
    summary: "Change many runs",
    description: "A slice at a time, the newest runs first: send `id` and `next` again until `next` is null. Moves need `deploy`.",
    tag: "Flows",
    body: jsonBody(
      open({
        filter: FILTER,
        action: open({
          kind: choice(["cancel", "pause", "resume", "retry", "signal", "rerun", "move"]),
          "reason?": orNull(text("Of `cancel` and `pause`.")),
          "node?": orNull(text("Of `retry`; where each run failed when absent.")),
          "input?": anything("Of `retry` and `rerun`."),
          "name?": orNull(text("Of `signal`.")),
          "payload?": anything("Of `signal`."),
          "to?": orNull(text("Of `move`: a version.")),
        }),
        "id?": orNull(text("From the answer before.")),
        "after?": orNull(text("`next` of the answer before.")),
        "max?": orNull(whole("Runs of this slice.")),
        "dryRun?": orNull(flag("Only counts.")),
      }),
    ),
    answers: { 200: json(SLICE) },
    errors: ["FlowRunRefused"],
  },
  exportFlow: {
    summary: "Export a flow as one document",
    tag: "Flows",
    path: FLOW_PATH,
    query: { version: text("`head` when absent."), run: text("Id of a run whose history goes along; may be repeated.") },
    answers: { 200: json(DOCUMENT) },
    errors: ["NotFound"],
  },
  importFlow: {
    summary: "Import an exported flow",
    description: "Everything is checked before anything changes, its tests included. Histories are not read.",
    tag: "Flows",
    body: jsonBody(open({ document: mapOf(anything()), "note?": orNull(text()), "dryRun?": orNull(flag("Only checks.")) })),
    answers: { 200: json(closed({ imported: flag(), version: orNull(VERSION), findings: FINDINGS })) },
    errors: ["LimitExceeded"],
  },
  getFlowTests: {
    summary: "Read the tests of a flow",
    tag: "Flows",
    path: FLOW_PATH,
    answers: { 200: json(closed({ tests: anything("A file of tests, or null.") })) },
    errors: ["NotFound"],
  },
  setFlowTests: {
    summary: "Keep tests with a flow",
    description: "They are exported with it. With findings they were not kept.",
    tag: "Flows",
    path: FLOW_PATH,
    body: jsonBody(open({ tests: mapOf(anything(), "A file of tests.") })),
    answers: { 200: json(closed({ findings: FINDINGS })) },
    errors: ["NotFound"],
  },
} as const satisfies Readonly<Record<string, RouteDoc>>;
