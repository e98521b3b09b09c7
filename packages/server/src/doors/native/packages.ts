/** Packages of handlers: uploads, what a branch serves, the ledger, and moves of a head. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { UploadRequest } from "../../packages/packages.ts";
import { jsonReply, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { optionalTextField, textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { archiveOf } from "./archive-body.ts";
import { PACKAGE_DOCS } from "./packages-doc.ts";

/** Body: the archive. `?note=&dryRun=&promote=`. */
export const uploadVersion: DocumentedRoute = {
  method: "POST",
  path: "/v1/packages/:name/versions",
  access: ["deploy"],
  bodyBytesMax: limit("archiveBytesMax"),
  streamsBody: true,
  doc: PACKAGE_DOCS.uploadVersion,
  handle: async (context, request): Promise<Reply> => {
    const { scope } = request.caller;
    const wanted = parseUpload(request);
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) return jsonReply(await context.packages.upload(scope, wanted));
    return {
      kind: "stream",
      form,
      write: async (stream) => {
        try {
          const progress = (text: string): void => stream.send("progress", JSON.stringify({ text }));
          stream.send("done", JSON.stringify(await context.packages.upload(scope, { ...wanted, progress })));
        } catch (error) {
          const { code, message, next } = registeredError(context, error);
          stream.send("error", JSON.stringify({ code, message, next }));
        }
      },
    };
  },
};

export const listPackages: DocumentedRoute = {
  method: "GET",
  path: "/v1/packages",
  access: ["deploy"],
  doc: PACKAGE_DOCS.listPackages,
  handle: async (context, request): Promise<Reply> => jsonReply({ packages: await context.packages.list(request.caller.scope) }),
};

/** The ledger, the latest entry first. */
export const getPackage: DocumentedRoute = {
  method: "GET",
  path: "/v1/packages/:name",
  access: ["deploy"],
  doc: PACKAGE_DOCS.getPackage,
  handle: async (context, request): Promise<Reply> => {
    const name = nameOf(request);
    const ledger = await context.packages.ledger(request.caller.scope, name);
    const [last] = ledger;
    if (last === undefined) throw plinthError("NotFound", { what: `package ${name.slice(0, 64)}` });
    return jsonReply({ name, version: last.version, ledger });
  },
};

export const getPackageVersion: DocumentedRoute = {
  method: "GET",
  path: "/v1/packages/:name/versions/:version",
  access: ["deploy"],
  doc: PACKAGE_DOCS.getPackageVersion,
  handle: async (context, request): Promise<Reply> => {
    const [name, version] = [nameOf(request), request.params["version"] ?? ""];
    const stored = await context.packages.version(request.caller.scope, name, version);
    if (stored === undefined) throw plinthError("NotFound", { what: `stored version ${version.slice(0, 64)} of the package ${name}` });
    return jsonReply(stored);
  },
};

/** `{version, fromBranch?, fromBranchKey?, note?}` */
export const promotePackage: DocumentedRoute = {
  method: "POST",
  path: "/v1/packages/:name/promote",
  access: ["deploy"],
  doc: PACKAGE_DOCS.promotePackage,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request);
    const version = textField(body, "version");
    const fromBranch = optionalTextField(body, "fromBranch");
    if (fromBranch !== undefined) await checkBranch(context, request, fromBranch, optionalTextField(body, "fromBranchKey"));
    const entry = await context.packages.promote(request.caller.scope, {
      name: nameOf(request),
      version,
      ...(fromBranch === undefined ? {} : { fromBranch }),
      ...moveOf(request, optionalTextField(body, "note")),
    });
    return jsonReply(entry);
  },
};

/** `{version?, note?}` */
export const rollbackPackage: DocumentedRoute = {
  method: "POST",
  path: "/v1/packages/:name/rollback",
  access: ["deploy"],
  doc: PACKAGE_DOCS.rollbackPackage,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request, { optional: true });
    const version = optionalTextField(body, "version");
    const entry = await context.packages.rollback(request.caller.scope, {
      name: nameOf(request),
      ...(version === undefined ? {} : { version }),
      ...moveOf(request, optionalTextField(body, "note")),
    });
    return jsonReply(entry);
  },
};

/** `?from=&to=` */
export const diffPackage: DocumentedRoute = {
  method: "GET",
  path: "/v1/packages/:name/diff",
  access: ["deploy"],
  doc: PACKAGE_DOCS.diffPackage,
  handle: async (context, request): Promise<Reply> => {
    const [from, to] = [request.query.get("from"), request.query.get("to")];
    if (from === null || to === null) throw plinthError("BadRequest", { detail: "`from` and `to` must name two versions." });
    return jsonReply(await context.packages.diff(request.caller.scope, { name: nameOf(request), from, to }));
  },
};

function parseUpload(request: DoorRequest): UploadRequest {
  const note = request.query.get("note");
  return {
    name: nameOf(request),
    archive: archiveOf(request),
    dryRun: flagOf(request, "dryRun", false),
    promote: flagOf(request, "promote", true),
    ...moveOf(request, note ?? undefined),
  };
}

function flagOf(request: DoorRequest, name: string, otherwise: boolean): boolean {
  const text = request.query.get(name);
  if (text === null) return otherwise;
  if (text !== "true" && text !== "false") throw plinthError("BadRequest", { detail: `\`${name}\` must be true or false.` });
  return text === "true";
}

function moveOf(request: DoorRequest, note: string | undefined): { readonly by: string; readonly note?: string } {
  const max = limit("noteBytesMax");
  const bytes = note === undefined ? 0 : Buffer.byteLength(note);
  if (bytes > max) throw plinthError("RequestTooLarge", { what: "note", actual: `${bytes} bytes`, max: `${max} bytes` });
  return { by: request.caller.actor.keyId ?? "admin", ...(note === undefined ? {} : { note: note.toWellFormed() }) };
}

function nameOf(request: DoorRequest): string {
  return request.params["name"] ?? "";
}

/** A version of another branch is that branch's code: its key is needed as for any other request. */
async function checkBranch(context: DoorContext, request: DoorRequest, branch: string, key: string | undefined): Promise<void> {
  const { tenant } = request.caller.scope;
  if (branch === request.caller.scope.branch) return;
  if (!(await context.branches.opens({ tenant, branch }, key))) throw plinthError("BranchAccessDenied", {});
}
