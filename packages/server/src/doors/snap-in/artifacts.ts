/** `artifacts.*`: files that packages leave, and the URLs by which they are sent and read. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FileUrl } from "../../inbound/uploads.ts";
import type { Scope } from "../../database/database.ts";
import { jsonReply, type Caller, type DoorContext, type DoorRequest, type Route } from "../door.ts";
import { optionalTextField, textField } from "../fields.ts";
import { scopeOfUrl } from "../sync/access.ts";
import { multipartFile } from "../sync/multipart-file.ts";
import type { FacadeCall } from "./call.ts";

const ID = /(?:^|\/)(art_[0-9a-z]{9}_[0-9a-f]{32})$/;
const MEDIA_TYPE = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;
const PATH = "/artifacts/:branch/:id/:expires/:token";

/** `{file_name, file_type?}` → `{id, url, form_data}`: the file is sent as the part `file` of a form with the fields before it. */
export const prepareArtifact: FacadeCall = {
  scope: "artifact:write",
  handle: async (context, { caller, args }) => {
    const name = textField(args, "file_name");
    const actual = name.length;
    const max = limit("artefactNameCharsMax");
    if (actual === 0 || actual > max) throw plinthError("RequestTooLarge", { what: "`file_name`", actual: `${actual} characters`, max });
    const type = optionalTextField(args, "file_type") ?? "application/octet-stream";
    // A type that is none, or carries parameters, is not one that files are shown with.
    const file = { snapInId: ownerOf(caller) ?? "", name, type: MEDIA_TYPE.test(type) ? type.toLowerCase() : "application/octet-stream" };
    const url = await context.artefactUploads.prepare(caller.scope, file);
    return { id: url.id, url: await addressOf(context, caller.scope, url), form_data: [] };
  },
};

/** `{id}` → `{url, expires_at}` */
export const locateArtifact: FacadeCall = {
  scope: "artifact:read",
  handle: async (context, { caller, args }) => {
    const url = await context.artefactUploads.locate(caller.scope, idOf(args["id"]), ownerOf(caller));
    return { url: await addressOf(context, caller.scope, url), expires_at: new Date(url.expiresMs).toISOString() };
  },
};

/** `{id}` → `{artifact, version}` */
export const getArtifact: FacadeCall = {
  scope: "artifact:read",
  handle: async (context, { caller, args }) => {
    const found = await context.artefactUploads.info(caller.scope, idOf(args["id"]), ownerOf(caller));
    if (found === undefined) throw noSuchArtifact();
    const { id, name, type, bytes, createdMs } = found;
    const created = new Date(createdMs).toISOString();
    return {
      artifact: { id, display_id: id, created_date: created, file: { name, type, ...(bytes === null ? {} : { size: bytes }) } },
      version: { timestamp: created, version: "1" },
    };
  },
};

export const uploadArtifact: Route = {
  method: "POST",
  path: PATH,
  access: "open",
  branchless: true,
  streamsBody: true,
  bodyBytesMax: limit("artefactUploadBytesMax") + limit("requestHeaderBytesMax"),
  handle: async (context, request) => {
    const scope = await scopeOfUrl(context, request);
    const source = multipartFile(request.headers["content-type"], request.body ?? emptyBody());
    await context.artefactUploads.upload(scope, urlIn(request), source);
    return jsonReply({});
  },
};

export const downloadArtifact: Route = {
  method: "GET",
  path: PATH,
  access: "open",
  branchless: true,
  handle: async (context, request) => {
    const { body, bytes } = await context.artefactUploads.open(await scopeOfUrl(context, request), urlIn(request));
    return { kind: "file", body, bytes };
  },
};

/** The snap-in whose token calls; keys are for all. */
function ownerOf({ actor }: Caller): string | undefined {
  return actor.service?.snapInId;
}

/** Plain, or at the end of a long name. */
function idOf(given: unknown): string {
  const id = typeof given === "string" ? ID.exec(given.slice(0, 600))?.[1] : undefined;
  if (id === undefined) throw noSuchArtifact();
  return id;
}

function noSuchArtifact(): Error {
  return plinthError("NotFound", { what: "artifact with this id" });
}

async function addressOf(context: DoorContext, { tenant, branch }: Scope, { id, expiresMs, token }: FileUrl): Promise<string> {
  const { api } = await context.urls;
  return `${api}/t/${tenant}/artifacts/${branch}/${id}/${expiresMs}/${token}`;
}

function urlIn({ params }: DoorRequest): FileUrl {
  const { id = "", expires = "", token = "" } = params;
  return { id: idOf(id), expiresMs: Number(expires), token };
}

async function* emptyBody(): AsyncIterable<Uint8Array> {}
