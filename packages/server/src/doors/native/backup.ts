/** `POST /v1/backup`: writes a consistent copy of the whole store while it is in use, and beside it a folder of the blobs. */
import { isAbsolute, join } from "node:path";
import { plinthError } from "@plinth/core/errors.ts";
import { jsonReply, type Reply } from "../door.ts";
import { optionalTextField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { json, optionalJsonBody, type DocumentedRoute } from "../openapi/route-doc.ts";
import { closed, number, open, text } from "../openapi/schema.ts";

/** `{path?}`: a new file on the host's machine; below the data folder when absent. */
export const backup: DocumentedRoute = {
  method: "POST",
  path: "/v1/backup",
  access: "operator",
  branchless: true,
  doc: {
    summary: "Write a consistent copy while the host runs",
    tag: "Host",
    body: optionalJsonBody(
      open({ "path?": text("Absolute path of a new file on the host's machine; below the data folder when absent.") }),
    ),
    answers: {
      200: json(
        closed({ path: text("Where the copy is; the folder of the blobs is beside it."), ts: number("The moment that it holds.") }),
      ),
    },
    errors: ["AlreadyExists"],
  },
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
