/** `/v1/flow-script-reports`: where a script that ran apart from its run reports how it ended. The token is the right to, once. */
import { plinthError } from "@plinth/core/errors.ts";
import { jsonReply, type Reply, type Route } from "../door.ts";

export const postScriptReport: Route = {
  method: "POST",
  path: "/v1/flow-script-reports",
  access: "open",
  branchless: true,
  handle: async ({ scriptCallbacks }, { headers, bodyBytes }): Promise<Reply> => {
    const [, token] = /^Bearer (\S{1,1000})$/.exec(headers.authorization ?? "") ?? [];
    const signature = headers["x-plinth-signature"];
    if (token === undefined || typeof signature !== "string" || bodyBytes === undefined)
      throw plinthError("BadRequest", { detail: "A report has a body, its token in `authorization` and its `x-plinth-signature`." });
    await scriptCallbacks.take({ token, body: bodyBytes.toString("utf8"), signature, via: "http" });
    return jsonReply({ reported: true });
  },
};
