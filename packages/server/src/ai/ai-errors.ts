/** What went wrong between the host and a model's endpoint, in the words of the registry. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { AiEndpoint } from "./ai-client.ts";

const CAUSES_FOLLOWED = 8;

/** A3. `error` is what an SDK threw; its text is the endpoint's, and hostile. */
export function aiError(error: unknown, endpoint: Pick<AiEndpoint, "redact">): PlinthError {
  const own = plinthCause(error);
  if (own !== undefined) return own;
  const status = statusOf(error);
  if (status === undefined) return plinthError("AiUnavailable", { detail: "the answer does not follow the protocol, or ended early" });
  if (status === 429) return plinthError("AiUnavailable", { detail: "it answered 429, too many requests or a used-up quota" });
  if (status === 408 || status === 409 || status >= 500) return plinthError("AiUnavailable", { detail: `it answered ${status}` });
  // Endpoints repeat parts of a wrong key, so their words about it stay here.
  if (status === 401) return plinthError("AiRefused", { detail: "it answered 401; the key is missing or wrong" });
  if (status === 403) return plinthError("AiRefused", { detail: "it answered 403; the key may not do this" });
  const words = wordsOf(error, endpoint);
  return plinthError("AiRefused", { detail: `it answered ${status}${words === "" ? "" : `, "${words}"`}` });
}

/** SDKs wrap what their fetch threw. */
function plinthCause(error: unknown): PlinthError | undefined {
  let at = error;
  for (let i = 0; i < CAUSES_FOLLOWED && at instanceof Error; i += 1) {
    if (at instanceof PlinthError) return at;
    at = at.cause;
  }
  return undefined;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : undefined;
}

function wordsOf(error: unknown, { redact }: Pick<AiEndpoint, "redact">): string {
  const text = error instanceof Error ? error.message.slice(0, 4 * limit("aiErrorTextCharsMax")) : "";
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  const line = redact(text.toWellFormed()).replace(/[\u0000-\u001f\u007f"]+/g, " ");
  return line.slice(0, limit("aiErrorTextCharsMax")).trim();
}
