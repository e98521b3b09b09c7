/** Files of a run: a place for one, its upload, its confirmation, and its way back. */
import { limit } from "@plinth/core/limits.ts";
import { runToken, runUrl } from "../../sync/run-tokens.ts";
import { jsonReply, type DoorRequest, type Route } from "../door.ts";
import { textField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { noSuchUrl, runOfAccount, runOfUrl } from "./access.ts";
import { multipartFile } from "./multipart-file.ts";

export const uploadUrl: Route = {
  method: "GET",
  path: "/internal/airdrop.artifacts.upload-url",
  access: ["invoke"],
  serviceTokens: true,
  handle: async (context, request) => {
    const { query } = request;
    const { scope, run } = await runOfAccount(context, request, query.get("request_id"));
    const file = { name: query.get("file_name") ?? "", contentType: query.get("file_type") ?? "application/octet-stream" };
    const { id } = await context.sync.artefactStore.announce(scope, run.id, file);
    const { api } = await context.urls;
    const upload_url = runUrl(api, scope, run.id, `files/${id}/${runToken(run.key, `upload:${id}`)}`);
    // Clients send the fields of the form before the file; there is nothing to say in them.
    return jsonReply({ artifact_id: id, upload_url, form_data: {} });
  },
};

export const uploadFile: Route = {
  method: "POST",
  path: "/sync/:branch/:run/files/:id/:token",
  access: "open",
  branchless: true,
  streamsBody: true,
  bodyBytesMax: limit("syncArtefactBytesMax") + limit("requestHeaderBytesMax"),
  handle: async (context, request) => {
    const id = idOf(request);
    const { scope, run } = await runOfUrl(context, request, `upload:${id}`);
    const source = multipartFile(request.headers["content-type"], request.body ?? emptyBody());
    await context.sync.artefactStore.upload(scope, { runId: run.id, id }, source);
    return jsonReply({});
  },
};

export const confirmUpload: Route = {
  method: "POST",
  path: "/internal/airdrop.artifacts.confirm-upload",
  access: ["invoke"],
  serviceTokens: true,
  handle: async (context, request) => {
    const body = readJsonObject(request);
    const { scope, run } = await runOfAccount(context, request, body["request_id"]);
    await context.sync.artefactStore.confirm(scope, { runId: run.id, id: textField(body, "artifact_id") });
    return jsonReply({});
  },
};

export const downloadUrl: Route = {
  method: "GET",
  path: "/internal/airdrop.artifacts.download-url",
  access: ["invoke"],
  serviceTokens: true,
  handle: async (context, request) => {
    const { query } = request;
    const { scope, run } = await runOfAccount(context, request, query.get("request_id"));
    const { id } = await context.sync.artefactStore.get(scope, { runId: run.id, id: query.get("artifact_id") ?? "" });
    const { api } = await context.urls;
    return jsonReply({ download_url: runUrl(api, scope, run.id, `files/${id}/${runToken(run.key, `download:${id}`)}`) });
  },
};

export const downloadFile: Route = {
  method: "GET",
  path: "/sync/:branch/:run/files/:id/:token",
  access: "open",
  branchless: true,
  handle: async (context, request) => {
    const id = idOf(request);
    const { scope, run } = await runOfUrl(context, request, `download:${id}`);
    const { row, body } = await context.sync.artefactStore.open(scope, { runId: run.id, id });
    return { kind: "file", body, bytes: row.bytes };
  },
};

function idOf({ params }: DoorRequest): string {
  const { id = "" } = params;
  if (!/^artefact_[0-9a-f]{32}$/.test(id)) throw noSuchUrl();
  return id;
}

async function* emptyBody(): AsyncIterable<Uint8Array> {}
