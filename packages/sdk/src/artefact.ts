import { syscall } from "./impl/syscall.ts";

/**
 * Keeps a file with the result of an action: it is listed in the record of the invocation and can be fetched as long as the record
 * is kept (`GET /v1/invocations/<id>/artefacts/<name>`). A later file of the same name replaces an earlier one. Resolves when the
 * file is durable; rejects in queries and mutations, and above 8 MiB.
 */
export async function saveArtefact(artefact: {
  readonly name: string;
  readonly contentType: string;
  readonly body: string | Uint8Array;
}): Promise<void> {
  const bytes = typeof artefact.body === "string" ? new TextEncoder().encode(artefact.body) : artefact.body;
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x2000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  await syscall("plinth/saveArtefact", { name: artefact.name, contentType: artefact.contentType, bodyBase64: btoa(binary) });
}
