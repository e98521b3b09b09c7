/** `POST /v1/code/execute` with `{language, code, inputs?, timeoutMs?, keyrings?}`: runs inline code under its policy. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { readTrace } from "./call-settings.ts";
import { outcomeText } from "./outcome-json.ts";
import { INLINE_LANGUAGES, inlinePath } from "../../engine/inline-code.ts";
import { jsonTextReply, type Reply, type Route } from "../door.ts";
import { arrayField, choiceField, optionalNumberField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";

export const executeCode: Route = {
  method: "POST",
  path: "/v1/code/execute",
  access: ["deploy"],
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
