/** What is written about the routes of sync. */
import { limit } from "@plinth/core/limits.ts";
import { SYNC_PHASES, type SyncResult } from "@plinth/core/policy/sync-events.ts";
import { SYNC_MODES, type SyncRunState } from "@plinth/core/policy/sync-run.ts";
import type { ImportInfo, SyncRun, SyncUnit } from "../../sync/sync.ts";
import type { SyncArtefactRow, SyncCallRow } from "../../sync/sync-records.ts";
import { json, jsonBody, type RouteDoc } from "../openapi/route-doc.ts";
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

const STATUSES = { calling: 0, paused: 0, choosing: 0, done: 0, failed: 0, cancelled: 0 } satisfies Record<SyncRunState["status"], 0>;
const RESULTS = { done: 0, progress: 0, delayed: 0, error: 0 } satisfies Record<SyncResult, 0>;
const PHASE = choice(Object.keys(SYNC_PHASES));

const IMPORT = named(
  "SyncImport",
  closed({
    snapInId: text(),
    package: text(),
    slug: text(),
    displayName: text(),
    description: text(),
    connectionTypes: list(text()),
    capabilities: list(text()),
    canLoad: flag(),
  } satisfies Record<keyof ImportInfo, Schema>),
);

const UNIT_PROPERTIES = {
  id: text(),
  snapInId: text(),
  importSlug: text(),
  keyring: text("Name of a keyring of the organisation."),
  external: orNull(named("ExternalUnit", closed({ id: text(), name: text() }, "Of the other system: a project, a workspace."))),
  objects: orNull(mapOf(anything(), "Item types and whether each is extracted.")),
  mappers: whole("How many mappings it has."),
  activeRunId: orNull(text("The run that goes on.")),
  createdMs: moment(),
  updatedMs: moment(),
} satisfies Record<keyof SyncUnit, Schema>;
const UNIT = named("SyncUnit", closed(UNIT_PROPERTIES));

const RUN_PROPERTIES = {
  id: text(),
  unitId: text(),
  snapInId: text(),
  function: text(),
  family: choice(["old", "new"], "Which names of events the package knows."),
  mode: choice(Object.keys(SYNC_MODES)),
  phase: PHASE,
  status: choice(Object.keys(STATUSES)),
  call: whole("Number of the invocation that runs or ran last."),
  untilMs: orNull(moment("Until when it pauses.")),
  reason: orNull(text("Why it failed.")),
  waits: orNull(text("Why it waits, in words.")),
  options: mapOf(anything()),
  refused: whole("Callbacks that were refused."),
  artefacts: whole(),
  artefactBytes: whole(),
  createdMs: moment(),
  endedMs: orNull(moment()),
} satisfies Record<keyof SyncRun, Schema>;
const RUN = named("SyncRun", closed(RUN_PROPERTIES));

const CALL = named(
  "SyncCall",
  closed({
    call: whole(),
    phase: PHASE,
    resumed: flag(),
    invocationId: orNull(text()),
    createdMs: moment(),
    endedMs: orNull(moment()),
    result: orNull(choice(Object.keys(RESULTS))),
    note: orNull(text("Why it failed, or why a report of it was refused.")),
    reportDigest: orNull(text()),
    counts: list(mapOf(anything()), "What a loader says that it did, by type of item."),
  } satisfies Record<keyof SyncCallRow, Schema>),
);

const ARTEFACT = named(
  "SyncArtefact",
  closed({
    id: text(),
    name: text(),
    contentType: text(),
    call: whole(),
    digest: orNull(text("Null until it was uploaded.")),
    bytes: whole(),
    confirmed: flag("A confirmed one does not change any more."),
    itemType: orNull(text()),
    itemCount: orNull(whole()),
    createdMs: moment(),
  } satisfies Record<keyof SyncArtefactRow, Schema>),
);

const EXTERNAL_WANTED = open({
  id: text(undefined, { minLength: 1, maxLength: 1024 }),
  "name?": orNull(text(undefined, { maxLength: 1024 })),
});
const UNIT_PATH = { unit: text("Id of the sync unit.") };
const RUN_PATH = { run: text("Id of the run.") };

export const SYNC_DOCS = {
  listSyncImports: { summary: "List imports of active packages", tag: "Sync", answers: { 200: json(closed({ imports: list(IMPORT) })) } },
  listSyncUnits: { summary: "List sync units", tag: "Sync", answers: { 200: json(closed({ units: list(UNIT) })) } },
  createSyncUnit: {
    summary: "Create a sync unit",
    tag: "Sync",
    body: jsonBody(
      open({
        snapIn: text("Id of the snap-in."),
        import: text("Slug of the import."),
        keyring: text("Name of a keyring of the organisation."),
        "external?": EXTERNAL_WANTED,
        "objects?": mapOf(anything()),
      }),
    ),
    answers: { 201: json(UNIT, "The unit is made.") },
    errors: ["NotFound", "LimitExceeded"],
  },
  getSyncUnit: {
    summary: "Read a sync unit with its runs",
    tag: "Sync",
    path: UNIT_PATH,
    answers: { 200: json(named("SyncUnitWithRuns", closed({ ...UNIT_PROPERTIES, runs: list(RUN, "The newest first.") }))) },
    errors: ["NotFound"],
  },
  chooseSyncUnit: {
    summary: "Choose the external unit",
    description: "A run that waits for the choice goes on.",
    tag: "Sync",
    path: UNIT_PATH,
    body: jsonBody(open({ external: EXTERNAL_WANTED })),
    answers: { 200: json(UNIT) },
    errors: ["NotFound", "SyncInProgress"],
  },
  removeSyncUnit: {
    summary: "Delete a sync unit",
    description: "With its state, mappings and runs.",
    tag: "Sync",
    path: UNIT_PATH,
    answers: { 200: json(closed({ removed: always(true) })) },
    errors: ["NotFound", "SyncInProgress"],
  },
  startSyncRun: {
    summary: "Start a run",
    tag: "Sync",
    path: UNIT_PATH,
    body: jsonBody(
      open({
        "mode?": orNull(choice(["initial", "incremental", "loading"], "`initial` when absent.")),
        "context?": mapOf(anything(), "Joins the event's context."),
        "items?": mapOf(list(anything()), "What to load, by type of item."),
        "fromRun?": orNull(text("A run whose items are loaded.")),
      }),
    ),
    answers: { 202: json(RUN, "The run is stored.") },
    errors: ["NotFound", "SyncInProgress", "WrongState", "LimitExceeded"],
  },
  getSyncRun: {
    summary: "Read a run with its calls",
    tag: "Sync",
    path: RUN_PATH,
    query: {
      wait: choice(["true", "false"], "`true` answers when the run has ended or waits for a choice, or after 25 s."),
      afterCall: whole("Calls after the one with this number."),
    },
    answers: { 200: json(named("SyncRunWithCalls", closed({ ...RUN_PROPERTIES, calls: list(CALL) }))) },
    errors: ["NotFound"],
  },
  cancelSyncRun: {
    summary: "Cancel a run",
    tag: "Sync",
    path: RUN_PATH,
    answers: { 200: json(RUN) },
    errors: ["NotFound", "SyncRunEnded"],
  },
  listSyncArtefacts: {
    summary: "List what a run left",
    tag: "Sync",
    path: RUN_PATH,
    query: { after: text("Id of the last one of the page before.") },
    answers: { 200: json(closed({ artefacts: list(ARTEFACT) })) },
    errors: ["NotFound"],
  },
  getSyncArtefact: {
    summary: "Read the bytes of an artefact",
    tag: "Sync",
    path: { ...RUN_PATH, id: text("Id of the artefact.") },
    answers: {
      200: { description: "The bytes.", content: { "application/octet-stream": text(undefined, { contentEncoding: "binary" }) } },
    },
    errors: ["NotFound"],
  },
  listSyncItems: {
    summary: "What packages extracted in a run, item by item",
    tag: "Sync",
    path: RUN_PATH,
    query: {
      type: text("Of items."),
      after: text("`next` of the page before."),
      limit: whole(undefined, { minimum: 1, maximum: limit("syncItemsShownMax") }),
    },
    answers: {
      200: json(
        closed({
          items: list(closed({ type: text(), artefact: text("Id of the artefact."), item: anything("As the package wrote it.") })),
          next: orNull(text("What the next page is asked for with.")),
        }),
      ),
    },
    errors: ["NotFound"],
  },
} as const satisfies Record<string, RouteDoc>;
