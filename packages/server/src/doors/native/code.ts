/** `POST /v1/code/execute` with `{language, code, inputs?, timeoutMs?, keyrings?}`: runs inline code under its policy. */
import { outcomeText } from "./outcome-json.ts";
import { inlinePath } from "../../engine/inline-code.ts";
import { jsonTextReply, type Reply, type Route } from "../door.ts";
import { optionalTextField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";

export const executeCode: Route = {
  method: "POST",
  path: "/v1/code/execute",
  access: ["deploy"],
  handle: async (context, request): Promise<Reply> => {
    const { language: _, ...rest } = readJsonObject(request);
    const language = optionalTextField({ language: _ }, "language") ?? "python";
    const outcome = await context.engine.invoke({
      ...request.caller.scope,
      actor: request.caller.actor,
      source: "native",
      path: inlinePath(language),
      internalAllowed: true,
      argsText: JSON.stringify(rest),
      priority: "interactive",
    });
    if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
    return jsonTextReply(outcomeText(outcome, { redact: false }));
  },
};
