/** A request to the outside. A stored body is sent from where it lies, and a long answer is stored as it comes. */
import { isRecord, type StoredPart } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { CallKind, StepResult } from "./call.ts";
import { performOperation } from "./operation.ts";

export const httpCall: CallKind<"http"> = {
  classOf: () => "outside",
  takesStored: true,
  perform: async (parts, { input }, of) => {
    const { values } = parts;
    const isSent = ({ path }: StoredPart): boolean => path.length === 1 && path[0] === "body";
    const sent = input.stored?.find(isSent);
    const json = await values.inlined(of.scope, { json: input.json, stored: input.stored?.filter((part) => !isSent(part)) ?? [] });
    const fields = { ...(isRecord(json) ? json : {}), headers: headersOf(json, { key: of.command.key, type: sent?.value.contentType }) };
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
    const bodies = values.bodies(of.scope, sent?.value ?? null);
    return withStoredBody(await performOperation(parts, of, { operation: "plinth/http", input: given, bodies }));
  },
};

/** C3: whoever gets a request twice sees it by its key, which is the same in every attempt. */
function headersOf(input: Json, { key, type }: { readonly key: string; readonly type: string | undefined }): JsonObject {
  const headers = isRecord(input) && isRecord(input["headers"]) ? input["headers"] : {};
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return {
    ...headers,
    ...(names.has("idempotency-key") ? {} : { "idempotency-key": key }),
    ...(type === undefined || names.has("content-type") ? {} : { "content-type": type }),
  };
}

/** The operation is the host's own: what it says of a stored answer is true, also when its outcome was kept and comes again. */
function withStoredBody(result: StepResult): StepResult {
  if (!result.ok || !isRecord(result.output)) return result;
  const { stored_body: body, ...output } = result.output;
  if (!isRecord(body)) return result;
  const { digest, bytes, contentType } = body;
  if (typeof digest !== "string" || typeof bytes !== "number" || typeof contentType !== "string") return result;
  return { ok: true, output, stored: [{ path: ["body"], value: { digest, bytes, contentType } }] };
}
