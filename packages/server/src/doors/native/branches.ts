/** `/v1/branches`: branches of the tenant and their keys. The branch meant stands in the path or the body. */
import { plinthError } from "@plinth/core/errors.ts";
import { BRANCH_NAME, MAIN_BRANCH, type Branch } from "../../branches/branches.ts";
import type { Timestamp } from "../../store/store.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { optionalBooleanField, optionalTextField, textField, wrongField } from "../fields.ts";
import { readJsonObject, type JsonObject } from "../request-body.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import {
  always,
  closed,
  flag,
  list,
  mapOf,
  moment,
  named,
  NULL,
  oneOf,
  open,
  orNull,
  type Properties,
  text,
  whole,
} from "../openapi/schema.ts";

const BRANCH: Properties = {
  name: text(),
  "createdMs?": moment("Absent of `main`."),
  base: orNull(named("BranchBase", closed({ branch: text(), at: whole("In microseconds.") }, "What the branch started from."))),
};
const SNAPSHOT = closed({
  day: text("UTC, `2026-01-31`."),
  atMs: moment(),
  heads: mapOf(closed({ version: text(), seq: whole() }), "By package; the branch's own functions under the empty name."),
});

const US_PER_MS = 1000;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/;

/** `main` is always there. */
export const listBranches: DocumentedRoute = {
  method: "GET",
  path: "/v1/branches",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "List branches",
    description: "`main` is always there.",
    tag: "Branches",
    answers: { 200: json(closed({ branches: list(named("Branch", closed(BRANCH))) })) },
  },
  handle: async (context, { caller }): Promise<Reply> => {
    const branches = await context.branches.list(caller.scope.tenant);
    return jsonReply({ branches: [{ name: MAIN_BRANCH, base: null }, ...branches.map(shown)] });
  },
};

/** `{name, from?, at?, copyEnvironment?}`; `at` is a timestamp in microseconds or an ISO time. The answer holds the key, this once. */
export const createBranch: DocumentedRoute = {
  method: "POST",
  path: "/v1/branches",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Create a branch",
    tag: "Branches",
    body: jsonBody(
      open({
        name: text("1 to 63 lower-case letters, digits, `-`, `_` and `.`.", { pattern: BRANCH_NAME.source }),
        "from?": orNull(text("The branch whose data and heads it starts with; empty when absent.")),
        "at?": oneOf(whole("The moment of `from`, in microseconds; now when absent."), text("As a time: `2026-01-31T12:00:00Z`."), NULL),
        "copyEnvironment?": orNull(flag("Copies the environment variables too, which are secrets often.")),
      }),
    ),
    answers: {
      201: json(named("CreatedBranch", closed({ key: text("The key of the branch, shown this once."), ...BRANCH })), "The branch is made."),
    },
    errors: ["AlreadyExists", "NotFound", "SnapshotTooOld", "LimitExceeded"],
  },
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const from = optionalTextField(body, "from");
    const at = readMoment(body, context);
    const { key, ...branch } = await context.branches.create(request.caller.scope.tenant, {
      name: textField(body, "name"),
      ...(from === undefined ? {} : { from }),
      ...(at === undefined ? {} : { at }),
      copyEnvironment: optionalBooleanField(body, "copyEnvironment") ?? false,
    });
    return jsonReply({ key, ...shown(branch) }, 201);
  },
};

export const deleteBranch: DocumentedRoute = {
  method: "DELETE",
  path: "/v1/branches/:name",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Delete a branch",
    tag: "Branches",
    answers: { 200: json(closed({ name: text(), deleted: always(true) })) },
    errors: ["NotFound"],
  },
  handle: async (context, { caller, params }): Promise<Reply> => {
    const name = params["name"] ?? "";
    await context.branches.delete(caller.scope.tenant, name);
    return jsonReply({ name, deleted: true });
  },
};

/** Gives the branch a new key; the old one ends at once, and with it the streams that it opened. */
export const rotateBranchKey: DocumentedRoute = {
  method: "POST",
  path: "/v1/branches/:name/key",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Give a branch a new key",
    description: "The old one ends at once, and with it the streams that it opened.",
    tag: "Branches",
    answers: { 200: json(closed({ name: text(), key: text("Shown this once.") })) },
    errors: ["NotFound"],
  },
  handle: async (context, { caller, params }): Promise<Reply> => {
    const name = params["name"] ?? "";
    if (name === MAIN_BRANCH) throw plinthError("BadRequest", { detail: "The branch 'main' needs no key." });
    const { key } = await context.branches.rotateKey(caller.scope.tenant, name);
    context.streams.endOfBranch({ tenant: caller.scope.tenant, branch: name });
    return jsonReply({ name, key });
  },
};

/** Heads of the branch at the end of past days. */
export const listHeadSnapshots: DocumentedRoute = {
  method: "GET",
  path: "/v1/branches/:name/snapshots",
  access: ["admin"],
  branchless: true,
  doc: {
    summary: "Heads of a branch at the end of past days",
    tag: "Branches",
    answers: { 200: json(closed({ name: text(), snapshots: list(SNAPSHOT, "The latest first.") })) },
    errors: ["NotFound"],
  },
  handle: async (context, request): Promise<Reply> => {
    const scope = await existing(context, request);
    return jsonReply({ name: scope.branch, snapshots: await context.headSnapshots.list(scope) });
  },
};

async function existing(context: DoorContext, { caller, params }: DoorRequest) {
  const scope = { tenant: caller.scope.tenant, branch: params["name"] ?? "" };
  if (!BRANCH_NAME.test(scope.branch) || !(await context.branches.isServed(scope)))
    throw plinthError("NotFound", { what: `branch '${scope.branch.slice(0, 64)}'` });
  return scope;
}

function shown({ name, createdMs, base }: Branch) {
  return { name, createdMs, base };
}

function readMoment(body: JsonObject, context: DoorContext): Timestamp | undefined {
  const value = body["at"];
  if (value === undefined || value === null) return undefined;
  const us = typeof value === "string" && ISO_TIME.test(value) ? Date.parse(value) * US_PER_MS : value;
  if (typeof us !== "number" || !Number.isInteger(us) || us < 0)
    throw wrongField("at", "a timestamp in microseconds or a time as 2026-01-31T12:00:00Z", value);
  // A moment that has not come is the caller's mistake, whatever the clock of the store.
  if (us > context.runtime.nowMs() * US_PER_MS) throw plinthError("SnapshotTooOld", { at: us });
  return us;
}
