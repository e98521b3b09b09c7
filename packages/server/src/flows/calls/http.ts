/** A request to the outside. */
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { CallKind } from "./call.ts";
import { performOperation } from "./operation.ts";

export const httpCall: CallKind<"http"> = {
  classOf: () => "outside",
  perform: (parts, { input }, of) =>
    performOperation(parts, of, { operation: "plinth/http", input: httpInput(input.json, of.command.key) }),
};

/** C3: whoever gets a request twice sees it by its key, which is the same in every attempt. */
function httpInput(input: Json, key: string): JsonObject {
  const fields = isRecord(input) ? input : {};
  const given = isRecord(fields["headers"]) ? fields["headers"] : {};
  const hasKey = Object.keys(given).some((name) => name.toLowerCase() === "idempotency-key");
  const headers = hasKey ? given : { ...given, "idempotency-key": key };
  return Object.fromEntries(Object.entries({ ...fields, headers }).filter(([, value]) => value !== null));
}
