/** What a package remembers between the calls of its runs: `<worker_data_url>.get` and `<worker_data_url>.update`. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Route } from "../door.ts";
import { textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { runOfUrl, stateKeyOf } from "./access.ts";

export const getState: Route = {
  method: "GET",
  path: "/sync/:branch/:run/:token/state.get",
  access: "open",
  branchless: true,
  handle: async (context, request) => {
    const { scope, run } = await runOfUrl(context, request, "state");
    const state = await context.sync.states.get(scope, stateKeyOf(run));
    if (state === undefined) throw plinthError("NotFound", { what: "state of this sync unit" });
    const { objects } = await context.sync.unit(scope, run.unitId);
    return jsonReply({ state, ...(objects === null ? {} : { objects: JSON.stringify(objects) }) });
  },
};

export const updateState: Route = {
  method: "POST",
  path: "/sync/:branch/:run/:token/state.update",
  access: "open",
  branchless: true,
  // A text within JSON: each of its characters may be escaped.
  bodyBytesMax: 2 * limit("syncStateBytesMax") + 4096,
  handle: async (context, request) => {
    const { scope, run } = await runOfUrl(context, request, "state");
    await context.sync.states.put(scope, stateKeyOf(run), textField(readJsonObject(request), "state"));
    return jsonReply({});
  },
};
