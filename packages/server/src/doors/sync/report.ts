/** Where a call reports: the `callback_url` of its event. */
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Route } from "../door.ts";
import { readJsonObject } from "../request-body.ts";
import { noSuchUrl, scopeOfUrl } from "./access.ts";

export const report: Route = {
  method: "POST",
  path: "/sync/:branch/:run/calls/:call/:token",
  access: "open",
  branchless: true,
  bodyBytesMax: limit("syncReportBytesMax"),
  handle: async (context, request) => {
    const scope = await scopeOfUrl(context, request);
    const { run = "", call = "", token = "" } = request.params;
    if (!/^[1-9]\d{0,8}$/.test(call) || !/^syncrun_[0-9a-f]{32}$/.test(run)) throw noSuchUrl();
    const body = readJsonObject(request);
    const bytes = request.bodyBytes ?? Buffer.alloc(0);
    const taken = await context.sync.reports.take(scope, { runId: run, call: Number(call), token, bytes, body });
    return jsonReply(taken === "repeated" ? { repeated: true } : {});
  },
};
