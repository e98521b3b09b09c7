/** What is written about the routes of snap-ins. */
import type { SnapIn, SnapInState } from "../../snap-ins/snap-ins.ts";
import { json, jsonBody, jsonOrEvents, optionalJsonBody, type BodyDoc, type RouteDoc } from "../openapi/route-doc.ts";
import { always, anything, choice, closed, flag, list, mapOf, moment, named, open, orNull, text, type Schema } from "../openapi/schema.ts";
import { progressEvents } from "../openapi/schemas.ts";

const STATES = { draft: 0, activating: 0, active: 0, error: 0, deactivating: 0, inactive: 0 } satisfies Record<SnapInState, 0>;

const EVENT_SOURCE = named(
  "EventSource",
  closed({
    id: text(),
    name: text(),
    type: text(),
    owner: closed({ "user?": text() }),
    triggerUrl: orNull(text("Where others send events to.")),
    emailAddress: orNull(text("Where others send emails to.")),
    setupInstructions: orNull(text("Markdown.")),
  }),
);

const SNAP_IN = named(
  "SnapIn",
  closed({
    id: text(),
    package: text(),
    version: text(),
    state: choice(Object.keys(STATES)),
    stateReason: orNull(text("What went wrong last.")),
    inputs: mapOf(anything()),
    keyrings: mapOf(text(), "Name in the manifest to the name of a keyring of the branch."),
    eventSources: list(EVENT_SOURCE),
    serviceAccountId: orNull(text()),
    tags: mapOf(closed({ id: text() })),
    createdMs: moment(),
    updatedMs: moment(),
  } satisfies Record<keyof SnapIn, Schema>),
);

const PATH = { id: text("Id of the snap-in.") };
const USER = text("1 to 200 visible ASCII characters.", { minLength: 1, maxLength: 200 });
const SAGA_ERRORS = ["NotFound", "SagaInProgress", "WrongState", "HookRefused", "HookFailed"] as const;

/** Work in steps that are undone when one fails. */
function saga(summary: string, body?: BodyDoc): RouteDoc {
  return {
    summary,
    description: "Answers when it is done or undone; as a stream it says what happens meanwhile.",
    tag: "Snap-ins",
    path: PATH,
    ...(body === undefined ? {} : { body }),
    answers: { 200: jsonOrEvents(SNAP_IN, progressEvents(SNAP_IN)) },
    errors: [...SAGA_ERRORS, "KeyringMissing", "InvalidInputs", "UpgradeRefused", "VersionCollected", "InvalidPackage", "LimitExceeded"],
  };
}

export const SNAP_IN_DOCS = {
  listSnapIns: { summary: "List snap-ins", tag: "Snap-ins", answers: { 200: json(closed({ snapIns: list(SNAP_IN) })) } },
  installSnapIn: {
    summary: "Install a package",
    description: "Makes a draft, which is not active yet.",
    tag: "Snap-ins",
    body: jsonBody(open({ package: text(), "version?": orNull(text("The head of the branch when absent.")) })),
    answers: { 201: json(SNAP_IN, "The draft is made.") },
    errors: ["NotFound", "AlreadyExists", "LimitExceeded", "VersionCollected"],
  },
  getSnapIn: { summary: "Read a snap-in", tag: "Snap-ins", path: PATH, answers: { 200: json(SNAP_IN) }, errors: ["NotFound"] },
  configureSnapIn: {
    summary: "Set inputs and keyrings",
    tag: "Snap-ins",
    path: PATH,
    body: jsonBody(
      open({ "inputs?": mapOf(anything(), "Values by name."), "keyrings?": mapOf(text(), "Names of keyrings by name of the manifest.") }),
    ),
    answers: { 200: json(SNAP_IN) },
    errors: [...SAGA_ERRORS, "InvalidInputs", "KeyringMissing"],
  },
  activateSnapIn: saga("Activate"),
  deactivateSnapIn: saga("Deactivate", optionalJsonBody(open({ "force?": orNull(flag("Goes on where a hook fails.")) }))),
  upgradeSnapIn: saga("Move to another version of the package", jsonBody(open({ version: text() }))),
  removeSnapIn: {
    summary: "Deactivate and delete",
    tag: "Snap-ins",
    path: PATH,
    query: { force: choice(["true", "false"], "`true` goes on where a hook fails.") },
    answers: { 200: json(closed({ id: text(), deleted: always(true) })) },
    errors: SAGA_ERRORS,
  },
  openSnapInUser: {
    summary: "Set a package up for a user: open the event sources that it has for users, and set their inputs",
    tag: "Snap-ins",
    path: PATH,
    body: jsonBody(open({ user: USER, "inputs?": mapOf(anything(), "Values by name; null takes one away.") })),
    answers: { 200: json(SNAP_IN) },
    errors: ["NotFound", "WrongState", "SagaInProgress", "LimitExceeded", "InvalidInputs"],
  },
  closeSnapInUser: {
    summary: "End the event sources of a user",
    tag: "Snap-ins",
    path: PATH,
    query: { "user!": USER },
    answers: { 200: json(closed({ user: text(), deleted: always(true) })) },
    errors: ["NotFound", "SagaInProgress"],
  },
} as const satisfies Record<string, RouteDoc>;
