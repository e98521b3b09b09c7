/** Sends a bundle to the host, which tries it in a jail. */
import { openAsBlob } from "node:fs";
import { failureOf, type Json } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CommandFailure } from "../failure.ts";

export async function uploadBundle(connection: Connection, archive: string): Promise<Json> {
  const headers: Record<string, string> = { accept: "application/json", "content-type": "application/zstd", ...connection.branchHeaders };
  if (connection.key !== undefined) headers["authorization"] = `Bearer ${connection.key}`;
  let response: Response;
  try {
    response = await fetch(`${connection.url}/v1/flow-bundles`, { method: "POST", headers, body: await openAsBlob(archive) });
  } catch {
    throw new CommandFailure(`No host answers at ${connection.url}. Start one with \`npm start\`, or name another with --url.`, 7);
  }
  const json = (await response.json().catch(() => undefined)) as Json | undefined;
  if (!response.ok) throw failureOf(response.status, json);
  return json ?? null;
}
