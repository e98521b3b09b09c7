/** Idempotency keys of those who start runs with a key of the branch. */
import { optionalTextField } from "../fields.ts";
import type { JsonObject } from "../request-body.ts";
import { checkIdempotencyKey } from "./call-settings.ts";

/** Other starts have keys of their own, by which nobody can take the place of an event or of a webhook that is still to come. */
export function startKeyField(body: JsonObject): string | undefined {
  const key = optionalTextField(body, "idempotencyKey");
  if (key === undefined) return undefined;
  checkIdempotencyKey(key);
  return `api ${key}`;
}
