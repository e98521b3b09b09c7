/** What is written about the routes that the outside sends events to. */
import { json, jsonBody, type RouteDoc } from "../openapi/route-doc.ts";
import { always, anything, closed, flag, list, number, open, orNull, text } from "../openapi/schema.ts";

const TOKEN = { token: text("The secret part of the address, which is the right to send.") };
const ANY = { "*/*": anything() };

function webhook(summary: string, address: Pick<RouteDoc, "path" | "query">): RouteDoc {
  return {
    summary,
    description: "Without a key. The package's policy says what the answer is: its status, its headers and its body.",
    tag: "Events",
    ...address,
    answers: { 200: { description: "What the policy says; other statuses too.", content: ANY } },
    errors: ["WebhookRefused", "WebhookFailed", "TooManyEventsWaiting", "RateLimited", "BudgetExceeded", "NotAvailable"],
  };
}

function withBody(doc: RouteDoc): RouteDoc {
  return { ...doc, body: { required: false, content: ANY } };
}

const WEBHOOK = webhook("Send an event to a package", { path: TOKEN });
const EVENT_SOURCE = webhook("Send an event to a package, at the address that platforms of snap-ins give", {
  query: { "id!": TOKEN.token },
});

const FLOW_HOOK: RouteDoc = {
  summary: "Start a flow",
  description:
    "Without a key, at the address of a flow whose trigger is `webhook`. The answer is what its run says, or `{run}` with 202; 204 when " +
    "the filter of the trigger says no.",
  tag: "Flows",
  path: { address: text("The secret part of the address, which is the right to start the flow.") },
  answers: { 200: { description: "What the run or the policy says; other statuses too.", content: ANY } },
  errors: ["WebhookRefused", "WebhookFailed", "FlowFilterFailed", "FlowRunFailed", "RateLimited", "BudgetExceeded", "NotAvailable"],
};

const ANSWER_TOKEN = { token: text("From the address that was given; it is the right to answer, once.") };
const NO_ANSWER = ["AnswerRefused", "FlowRunRefused", "NotFound"] as const;

export const INBOUND_DOCS = {
  getFlowAnswer: {
    summary: "What a step of a flow asks",
    description: "Without a key. A browser gets a page with a form.",
    tag: "Flows",
    path: ANSWER_TOKEN,
    answers: { 200: { description: "The question.", content: { "application/json": anything(), "text/html": text() } } },
    errors: NO_ANSWER,
  },
  postFlowAnswer: {
    summary: "Answer a step of a flow",
    description:
      "Without a key. `{output}` completes the step and `{error: {code, message, retryable?}}` fails it; any other JSON is its output. " +
      "An approval is answered with `{approved, form?}`.",
    tag: "Flows",
    path: ANSWER_TOKEN,
    body: { required: true, content: { "application/json": anything(), "application/x-www-form-urlencoded": anything() } },
    answers: { 200: { description: "The answer is durable.", content: { "application/json": anything(), "text/html": text() } } },
    errors: NO_ANSWER,
  },
  postScriptReport: {
    summary: "Report the end of a script of a flow",
    description:
      "Without a key: `authorization: Bearer <token>` has the token that the script was given, and `x-plinth-signature` is `sha256=` " +
      "with the HMAC-SHA-256 of the body under it, in hexadecimal. Each token is good for one report.",
    tag: "Flows",
    body: jsonBody(
      open({
        success: flag(),
        workflow_log_id: text("The run."),
        script_api_name: text("The node."),
        s3_key: text("Name of the context."),
        "result?": anything(),
        "error?": orNull(text("Where it failed.")),
        "logs?": list(anything()),
        "execution_time_ms?": number(),
      }),
    ),
    answers: { 200: json(closed({ reported: always(true) })) },
    errors: NO_ANSWER,
  },
  getFlowHook: FLOW_HOOK,
  postFlowHook: withBody(FLOW_HOOK),
  getWebhook: WEBHOOK,
  postWebhook: withBody(WEBHOOK),
  getEventSource: EVENT_SOURCE,
  postEventSource: withBody(EVENT_SOURCE),
  postEmail: {
    summary: "Send an email to a package",
    description: "Without a key. The body is the raw email.",
    tag: "Events",
    path: TOKEN,
    query: {
      from: text("The sender that the receiving server was told; empty for bounces."),
      to: list(text(), "The receivers that it was told."),
    },
    body: { required: true, content: { "message/rfc822": text(undefined, { contentEncoding: "binary" }) } },
    answers: { 202: json(closed({ id: text("Id of the event."), isNew: flag("False when it came before.") }), "The email is stored.") },
    errors: ["EmailRefused", "TooManyEventsWaiting", "RateLimited", "BudgetExceeded", "NotAvailable"],
  },
  getArtefact: {
    summary: "Read a file that came with an email",
    tag: "Events",
    path: { id: text("As the event has it.") },
    answers: { 200: { description: "The file, with the type that it came with.", content: ANY } },
    errors: ["NotFound"],
  },
} as const satisfies Record<string, RouteDoc>;
