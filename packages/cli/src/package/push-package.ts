/** Sends an archive to the host and shows what the host does with it. */
import { openAsBlob } from "node:fs";
import { failureOf, field, type Json } from "../client.ts";
import type { Connection } from "../connection.ts";
import { readEvents } from "../event-stream.ts";
import { CommandFailure } from "../failure.ts";

export interface PushOptions {
  readonly name: string;
  readonly note?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** False: the version is stored, and the branch stays where it is. */
  readonly promote?: boolean | undefined;
  readonly update: (text: string) => void;
}

/** The host's UploadResult. */
export async function pushPackage(connection: Connection, archive: string, options: PushOptions): Promise<Json> {
  const query = new URLSearchParams();
  if (options.note !== undefined) query.set("note", options.note);
  if (options.dryRun === true) query.set("dryRun", "true");
  if (options.promote === false) query.set("promote", "false");
  const url = `${connection.url}/v1/packages/${encodeURIComponent(options.name)}/versions?${query}`;
  const headers: Record<string, string> = {
    accept: "text/event-stream",
    "content-type": "application/zstd",
    ...connection.branchHeaders,
  };
  if (connection.key !== undefined) headers["authorization"] = `Bearer ${connection.key}`;
  const response = await post(url, headers, archive, connection);
  if (!response.ok) throw failureOf(response.status, await jsonOf(response));
  for await (const { event, data } of readEvents(response)) {
    const json = JSON.parse(data) as Json;
    if (event === "progress") options.update(field(json, "text") ?? "");
    if (event === "error") throw failureOf(400, json);
    if (event === "done") return json;
  }
  // The commit may have come just before: its answer is what is missing.
  throw new CommandFailure(
    `The host went away before it answered. Either the old version serves or the whole new one; \`plinth package versions ${options.name}\` says which. Pushing again does no harm.`,
    7,
  );
}

async function post(url: string, headers: Readonly<Record<string, string>>, archive: string, connection: Connection): Promise<Response> {
  try {
    // A blob of a file is read as it is sent, with its length known.
    return await fetch(url, { method: "POST", headers, body: await openAsBlob(archive) });
  } catch {
    throw new CommandFailure(`No host answers at ${connection.url}. Start one with \`npm start\`, or name another with --url.`, 7);
  }
}

async function jsonOf(response: Response): Promise<Json | undefined> {
  try {
    return (await response.json()) as Json;
  } catch {
    return undefined;
  }
}
