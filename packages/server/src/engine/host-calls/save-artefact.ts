/** A file that an action or handler leaves with its result: kept as a blob as long as the record of the invocation. */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "../call-run.ts";
import { resultSpace } from "../large-results.ts";
import { OUTGOING, type HostCall } from "./host-call.ts";
import { parseCall, textOf, wrong } from "./parse-call.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._ -]{0,127}$/;
const CONTENT_TYPE = /^[\x21-\x7e]{1,64}\/[\x20-\x7e]{1,128}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export const saveArtefact: HostCall = {
  kinds: OUTGOING,
  perform: async (frame, argText) => {
    const { core, run } = frame.options;
    const { blobs } = core.parts;
    if (blobs === undefined) throw plinthError("NotAvailable", { what: "Keeping artefacts" });
    const fields = parseCall("plinth/saveArtefact", argText);
    const name = textOf(fields, "name");
    if (!NAME.test(name)) throw wrong("name", "a file name of letters, digits, spaces and `._-`");
    const contentType = textOf(fields, "contentType");
    if (!CONTENT_TYPE.test(contentType)) throw wrong("contentType", "a media type");
    const text = textOf(fields, "bodyBase64");
    if (!BASE64.test(text)) throw wrong("bodyBase64", "base64");
    const body = Buffer.from(text, "base64");
    checkRoom(run.artefacts.length, body.length);
    countBytes(run.root, body.length);
    const source = (async function* () {
      yield body;
    })();
    const { digest, bytes } = await blobs.put(resultSpace(run.accepted.scope.tenant), source, { bytesMax: limit("artefactBytesMax") });
    checkRoom(run.artefacts.length, bytes);
    run.artefacts = [...run.artefacts.filter((artefact) => artefact.name !== name), { name, contentType, digest, bytes }];
    return JSON.stringify({ name, bytes });
  },
};

/** Before anything is written: files that are replaced, and those of attempts that failed, take room on the disk all the same. */
function countBytes(root: CallRun, bytes: number): void {
  const max = limit("artefactBytesPerInvocationMax");
  const actual = root.artefactBytes + bytes;
  if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of all artefacts of one call", actual, max });
  root.artefactBytes = actual;
}

function checkRoom(count: number, bytes: number): void {
  const max = limit("artefactsPerInvocationMax");
  if (count >= max) throw plinthError("LimitExceeded", { what: "Artefacts of one call", actual: count + 1, max });
  const bytesMax = limit("artefactBytesMax");
  if (bytes > bytesMax) throw plinthError("LimitExceeded", { what: "Bytes of an artefact", actual: bytes, max: bytesMax });
}
