/** Emails over HTTP, and the files that came with them. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Reply, type Route } from "../door.ts";

/** The body is the raw email. `?from=` is the sender that the receiving server was told, empty for bounces. */
export const postEmail: Route = {
  method: "POST",
  path: "/v1/email/:token",
  access: "open",
  branchless: true,
  bodyBytesMax: limit("emailBytesMax"),
  handle: async (context, { caller, params, query, bodyBytes }): Promise<Reply> => {
    const from = query.get("from");
    const envelope = from === null ? null : { from: from === "" ? null : from, to: query.getAll("to") };
    const { id, isNew } = await context.emails.take(params["token"] ?? "", {
      raw: bodyBytes ?? Buffer.alloc(0),
      envelope,
      causeDepth: caller.actor.causeDepth ?? 0,
    });
    return jsonReply({ id, isNew }, 202);
  },
};

/** An attachment or a raw email, by the id that its event has. */
export const getArtefact: Route = {
  method: "GET",
  path: "/v1/artefacts/:id",
  access: ["read", "invoke"],
  serviceTokens: true,
  handle: async (context, { caller, params }): Promise<Reply> => {
    const found = await context.inboundArtefacts.read(caller.scope, params["id"] ?? "", caller.actor.service?.snapInId);
    if (found === undefined) throw plinthError("NotFound", { what: "file with this id" });
    // A browser must not run what somebody sent under the host's own origin.
    const headers = {
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(found.row.name.toWellFormed())}`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
    };
    return { kind: "text", status: 200, contentType: found.row.type, body: found.bytes, headers };
  },
};
