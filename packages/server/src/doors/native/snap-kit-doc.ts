/** What is written about the routes of Snap Kit. */
import { limit } from "@plinth/core/limits.ts";
import { RUN_ERRORS } from "../openapi/general-errors.ts";
import { json, jsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import { anything, choice, closed, list, mapOf, named, open, orNull, text } from "../openapi/schema.ts";
import { OUTCOME } from "../openapi/schemas.ts";
import { ACTING_USER, IDEMPOTENCY_HEADER, IDEMPOTENCY_PROPERTY } from "./commands.ts";

const SNAP_IN = text("Id of the snap-in.");
const ELEMENT = named(
  "SnapKitElement",
  open({
    "id?": text("Of the element."),
    "action_id?": text("In place of `id`."),
    type: text(),
    "value?": anything(),
    "block_id?": orNull(text()),
    "timestamp?": anything("Seconds since 1970."),
  }),
);
const ERRORS = ["WrongState", "ReturnsValidation", "FunctionError", "FunctionTimeout", ...RUN_ERRORS] as const;

export const SNAP_KIT_DOCS = {
  runSnapKitAction: {
    summary: "Tell a package what a user did with an element",
    description: "With `element` it runs at once; with `elements` the actions are stored, and the answer is 202.",
    tag: "Commands",
    headers: IDEMPOTENCY_HEADER,
    body: jsonBody(
      open({
        snapIn: SNAP_IN,
        action: text("Name in the manifest."),
        "element?": ELEMENT,
        "elements?": list(ELEMENT, undefined, { minItems: 1, maxItems: limit("snapKitActionsMax") }),
        "body?": mapOf(anything(), "What was shown."),
        "context?": mapOf(anything()),
        user: ACTING_USER,
        ...IDEMPOTENCY_PROPERTY,
      }),
    ),
    answers: {
      200: json(OUTCOME),
      202: json(closed({ invocations: list(text("Id of an invocation.")) }), "The actions are stored durably."),
    },
    errors: ERRORS,
  },
  initializeSnapKit: {
    summary: "What a component shows first",
    tag: "Commands",
    body: jsonBody(
      open({
        snapIn: SNAP_IN,
        "component?": orNull(text("Name in the manifest; either this or `configuration`.")),
        "configuration?": orNull(choice(["organization", "user"])),
        "object?": orNull(text("Id of the object at which it is shown.")),
        user: ACTING_USER,
      }),
    ),
    answers: { 200: json(closed({ snap_kit_body: anything(), snap_kit_action_name: orNull(text("Whose action the elements call.")) })) },
    errors: ERRORS,
  },
} as const satisfies Record<string, RouteDoc>;
