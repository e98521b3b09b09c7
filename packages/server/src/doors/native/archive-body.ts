import { plinthError } from "@plinth/core/errors.ts";
import type { DoorRequest } from "../door.ts";

const ARCHIVE_TYPES = /^application\/(?:gzip|x-gzip|x-tar|x-gtar|x-compressed-tar|zstd|octet-stream)\s*(?:;|$)/i;

/** The archive that is the body of a request, as it comes. */
export function archiveOf(request: DoorRequest): AsyncIterable<Uint8Array> {
  if (!ARCHIVE_TYPES.test(request.headers["content-type"] ?? "") || request.body === undefined) {
    throw plinthError("BadRequest", {
      detail:
        "The body must be the archive itself, as `application/gzip`, `application/x-tar`, `application/zstd` or `application/octet-stream`.",
    });
  }
  return untilGone(request.body);
}

/** A client that goes away in the middle is no failure of the host. */
async function* untilGone(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw plinthError("Cancelled", { detail: "the client went away while it sent the archive" }, { cause: error });
  }
}
