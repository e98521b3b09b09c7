/** `POST /v1/backup`: writes a consistent copy of the whole store while it is in use, and beside it a folder of the blobs. */
import { isAbsolute, join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { jsonReply, type Reply, type Route } from "../door.ts";
import { optionalTextField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";

/** `{path?}`: a new file on the host's machine; below the data folder when absent. */
export const backup: Route = {
  method: "POST",
  path: "/v1/backup",
  access: "operator",
  branchless: true,
  handle: async (context, request): Promise<Reply> => {
    const wanted = optionalTextField(readJsonObject(request, { optional: true }), "path");
    if (wanted !== undefined && (!isAbsolute(wanted) || wanted.includes("\0"))) {
      throw plinthError("BadRequest", { detail: "`path` must be an absolute path of a new file on the host's machine." });
    }
    const ts = context.database.latest();
    const path = wanted ?? join(context.config.dataDir, "backups", `${ts}.backup`);
    await context.backup(path);
    return jsonReply({ path, ts });
  },
};
