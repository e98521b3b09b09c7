/** What is written about the routes of keyrings. */
import type { Keyring } from "../../keyrings/keyrings.ts";
import { json, jsonBody, type AnswerDoc, type RouteDoc } from "../openapi/route-doc.ts";
import {
  always,
  choice,
  closed,
  list,
  mapOf,
  moment,
  named,
  open,
  orNull,
  text,
  whole,
  type Properties,
  type Schema,
} from "../openapi/schema.ts";

const ORGANIZATION = closed({ id: text(), name: text() });

const KEYRING = named(
  "Keyring",
  closed(
    {
      id: text(),
      name: text(),
      type: text("Name of a built-in type, or `<package>/<type id>`."),
      kind: choice(["secret", "oauth2"]),
      owner: closed({ "user?": text("Absent of keyrings of the organisation.") }),
      createdMs: moment(),
      updatedMs: moment(),
      state: choice(["active", "expired", "revoked", "pending"]),
      organization: orNull(named("KeyringOrganization", ORGANIZATION)),
      organizations: list(ORGANIZATION, "What to choose from, when the other system named several."),
      expiresMs: orNull(moment("When the access token ends.")),
    } satisfies Record<keyof Keyring, Schema>,
    "Credentials of another system, without the secret.",
  ),
);

const FIELDS = mapOf(text(), "The secret itself, or the values of the type's fields by id.");
const NEW: Properties = { name: text(), type: text(), "user?": orNull(text("For one user; for the organisation when absent.")) };
const PATH = { id: text("Id of the keyring.") };
const OTHER_SYSTEM = [
  "KeyringTypeWrong",
  "KeyringRefused",
  "KeyringUnavailable",
  "FetchRefused",
  "FetchFailed",
  "ToolFailed",
  "NotAvailable",
] as const;
const PAGE: Readonly<Record<"content", AnswerDoc["content"]>> = { content: { "text/html": text() } };

export const KEYRING_DOCS = {
  listKeyrings: {
    summary: "List keyrings",
    tag: "Keyrings",
    query: { user: text("Those of one user.") },
    answers: { 200: json(closed({ keyrings: list(KEYRING) })) },
  },
  createKeyring: {
    summary: "Store a secret",
    description: "After its verification, where the type says how.",
    tag: "Keyrings",
    body: jsonBody(open({ ...NEW, fields: FIELDS })),
    answers: { 201: json(KEYRING, "The keyring is made.") },
    errors: ["AlreadyExists", "LimitExceeded", ...OTHER_SYSTEM],
  },
  getKeyring: { summary: "Read a keyring", tag: "Keyrings", path: PATH, answers: { 200: json(KEYRING) }, errors: ["NotFound"] },
  changeKeyring: {
    summary: "Choose an organisation of the other system",
    tag: "Keyrings",
    path: PATH,
    body: jsonBody(open({ organization: text("Id of the one that the keyring is for.") })),
    answers: { 200: json(KEYRING) },
    errors: ["NotFound"],
  },
  revokeKeyring: {
    summary: "Revoke and delete a keyring",
    tag: "Keyrings",
    path: PATH,
    answers: { 200: json(closed({ id: text(), revoked: always(true) })) },
    errors: ["NotFound", ...OTHER_SYSTEM],
  },
  startOauth: {
    summary: "Begin a sign-in at another system",
    tag: "Keyrings",
    body: jsonBody(open({ ...NEW, "scopes?": list(text()), "fields?": FIELDS })),
    answers: {
      201: json(
        closed({ id: text(), authorizeUrl: text("Where to send the user's browser."), redirectUri: text("Where it comes back to.") }),
        "The keyring is pending.",
      ),
    },
    errors: ["AlreadyExists", "LimitExceeded", ...OTHER_SYSTEM],
  },
  finishOauth: {
    summary: "Where the user's browser comes back to",
    description: "Answers with a page for people.",
    tag: "Keyrings",
    query: { state: text(), code: text(), error: text() },
    answers: {
      200: { description: "The keyring is active.", ...PAGE },
      400: { description: "The sign-in failed.", ...PAGE },
    },
  },
  rotateKeyrings: {
    summary: "Encrypt all keyrings under the newest master key",
    tag: "Keyrings",
    answers: { 200: json(closed({ keyrings: whole() })) },
    errors: ["KeyringKeyMissing", "KeyringUnreadable"],
  },
} as const satisfies Record<string, RouteDoc>;
