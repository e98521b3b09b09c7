/** A request to the outside. A stored body is sent from where it lies, and a long answer is stored as it comes. */
import { isRecord, type StoredPart } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CallBodies } from "../../engine/call-bodies.ts";
import type { StepCallback } from "../../engine/step-of-run.ts";
import { deferralOf, offerCallback } from "../callbacks.ts";
import type { CallKind, StepResult } from "./call.ts";
import { performOperation } from "./operation.ts";

export const httpCall: CallKind<"http"> = {
  classOf: () => "outside",
  takesStored: true,
  perform: async (parts, { input, laterMs, anyStatus, connection }, of) => {
    const { values } = parts;
    const callback = laterMs === undefined ? undefined : await offerCallback(parts, of, laterMs);
    const isSent = ({ path }: StoredPart): boolean => path.length === 1 && path[0] === "body";
    const sent = input.stored?.find(isSent);
    const json = await values.inlined(of.scope, { json: input.json, stored: input.stored?.filter((part) => !isSent(part)) ?? [] });
    const headers = headersOf(json, { key: of.command.key, type: sent?.value.contentType, callback });
    const fields = { ...(isRecord(json) ? json : {}), headers };
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
    const delivered = connection === null ? {} : await parts.keyrings.deliver(of.scope, [connection]);
    const secret = connection === null ? undefined : delivered[connection]?.secret;
    if (connection !== null && secret === undefined) return disconnected(connection);
    const plain = values.bodies(of.scope, sent?.value ?? null);
    const bodies = secret === undefined ? plain : { ...plain, secret, ...UNSTORED };
    const performed = await performOperation(parts, of, { operation: "plinth/http", input: given, bodies });
    const answered = withStoredBody(
      connection === null ? performed : withoutSecret(performed, (text) => parts.keyrings.redact(text, delivered)),
    );
    const result = anyStatus === true ? answered : refused(answered);
    // Whoever was given a callback accepts the request with any success, and answers by the callback.
    return callback === undefined || result.ok !== true ? result : deferralOf(callback);
  },
};

const ANSWER_BYTES_MAX = limit("httpOperationBodyBytesMax");

/** An answer that may repeat a secret is looked through for it, so it has to fit into memory. */
const UNSTORED: Pick<CallBodies, "keptAboveBytes" | "keep"> = {
  keptAboveBytes: ANSWER_BYTES_MAX,
  keep: () => {
    throw plinthError("LimitExceeded", {
      what: "Bytes of the answer to a request with a connection",
      actual: "more",
      max: ANSWER_BYTES_MAX,
    });
  },
};

function disconnected(connection: string): StepResult {
  const message = `its connection \`${connection}\` is not there any more; connect it again under this name, and retry the run from here.`;
  return { ok: false, error: { code: "no_connection", message, retryable: false } };
}

/** Some systems answer with what they were sent. */
function withoutSecret(result: StepResult, redact: (text: string) => string): StepResult {
  return JSON.parse(redact(JSON.stringify(result))) as StepResult;
}

/** A status that says that it did not work fails the step: to be tried again where it may work later. */
function refused(result: StepResult): StepResult {
  if (result.ok !== true || !isRecord(result.output)) return result;
  const { status } = result.output;
  if (typeof status !== "number" || status < 400) return result;
  const retryable = status >= 500 || status === 429 || status === 408;
  return { ok: false, error: { code: "http_status", message: `the request was answered with the status ${status}.`, retryable } };
}

/** C3: whoever gets a request twice sees it by its key, which is the same in every attempt. */
function headersOf(
  input: Json,
  { key, type, callback }: { readonly key: string; readonly type: string | undefined; readonly callback: StepCallback | undefined },
): JsonObject {
  const headers = isRecord(input) && isRecord(input["headers"]) ? input["headers"] : {};
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return {
    ...headers,
    ...(names.has("idempotency-key") ? {} : { "idempotency-key": key }),
    ...(type === undefined || names.has("content-type") ? {} : { "content-type": type }),
    ...(callback === undefined ? {} : { "plinth-callback-url": callback.url, "plinth-callback-token": callback.token }),
  };
}

/** The operation is the host's own: what it says of a stored answer is true, also when its outcome was kept and comes again. */
function withStoredBody(result: StepResult): StepResult {
  if (result.ok !== true || !isRecord(result.output)) return result;
  const { stored_body: body, ...output } = result.output;
  if (!isRecord(body)) return result;
  const { digest, bytes, contentType } = body;
  if (typeof digest !== "string" || typeof bytes !== "number" || typeof contentType !== "string") return result;
  return { ok: true, output, stored: [{ path: ["body"], value: { digest, bytes, contentType } }] };
}
