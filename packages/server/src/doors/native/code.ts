/** `POST /v1/code/execute` with `{language, code, inputs?, timeoutMs?, keyrings?}`: runs inline code under its policy. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { readTrace } from "./call-settings.ts";
import { outcomeText } from "./outcome-json.ts";
import { INLINE_LANGUAGES, inlinePath } from "../../engine/inline-code.ts";
import { jsonTextReply, type Reply } from "../door.ts";
import { arrayField, choiceField, optionalNumberField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { json, jsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { anything, choice, list, number, open, orNull, text } from "../openapi/schema.ts";
import { OUTCOME } from "../openapi/schemas.ts";
import { RUN_ERRORS } from "../openapi/general-errors.ts";

export const executeCode: DocumentedRoute = {
  method: "POST",
  path: "/v1/code/execute",
  access: ["deploy"],
  doc: {
    summary: "Run inline code",
    tag: "Functions",
    body: jsonBody(
      open({
        "language?": orNull(choice(INLINE_LANGUAGES, "`python` when absent.")),
        code: text(),
        "inputs?": anything("What the code gets."),
        "timeoutMs?": orNull(number(undefined, { minimum: 1, maximum: limit("inlineWallMsMax") })),
        "keyrings?": orNull(list(text("Name of a keyring of the branch."))),
      }),
    ),
    answers: { 200: json(OUTCOME) },
    errors: RUN_ERRORS,
  },
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    // What is wrong with the request is told as such; what is wrong with the code is its result.
    const language = choiceField(body, "language", INLINE_LANGUAGES) ?? "python";
    const keyrings = (body["keyrings"] ?? null) === null ? [] : arrayField(body, "keyrings").map(nameOf);
    const timeoutMs = optionalNumberField(body, "timeoutMs", { min: 1, max: limit("inlineWallMsMax") });
    const code = textField(body, "code");
    const inputs = body["inputs"];
    const trace = readTrace(request);
    const outcome = await context.engine.invoke({
      ...request.caller.scope,
      actor: request.caller.actor,
      source: "native",
      path: inlinePath(language),
      internalAllowed: true,
      argsText: JSON.stringify({ code, inputs, timeoutMs, keyrings }),
      priority: "interactive",
      ...(trace === undefined ? {} : { trace }),
    });
    if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
    return jsonTextReply(outcomeText(outcome, { redact: false }));
  },
};

function nameOf(value: unknown): string {
  if (typeof value !== "string") throw plinthError("BadRequest", { detail: "`keyrings` must be a list of names." });
  return value;
}
