/** Values of runs that are too large for an answer: what is told of them, and their bytes. */
import { plinthError } from "@plinth/core/errors.ts";
import type { StoredPart } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonReply, type Access, type Reply } from "../door.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { FLOW_DOCS } from "./flows-doc.ts";

const READ: Access = ["read", "invoke", "deploy"];
const RUN: Access = ["invoke"];

export const getFlowHistory: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs/:id/history",
  access: READ,
  doc: FLOW_DOCS.getFlowHistory,
  handle: async ({ flows }, { caller, params, query }): Promise<Reply> => {
    const max = limit("flowHistoryShownMax");
    const page = {
      after: wholeOf(query, "after", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0,
      limit: wholeOf(query, "limit", { min: 1, max }) ?? max,
    };
    const { steps, next } = await flows.history(caller.scope, params["id"] ?? "", page);
    return jsonReply({
      steps: steps.map((step) => ({ ...step, value: step.value?.json ?? null, stored: shownParts(step.value?.stored) })),
      next,
    });
  },
};

/** The bytes as they are stored; of a value that is JSON, its text. */
export const getFlowValue: DocumentedRoute = {
  method: "GET",
  path: "/v1/flow-runs/:id/values/:digest",
  access: RUN,
  doc: FLOW_DOCS.getFlowValue,
  handle: async ({ flows }, { caller, params }): Promise<Reply> => {
    const { value, body } = await flows.value(caller.scope, { run: params["id"] ?? "", digest: params["digest"] ?? "" });
    return { kind: "file", body, bytes: value.bytes };
  },
};

/** Where each stands, and what it is; its bytes are under `/v1/flow-runs/<id>/values/<digest>`. */
export function shownParts(stored: readonly StoredPart[] = []) {
  return stored.map(({ path, value: { digest, bytes, contentType } }) => ({ path, digest, bytes, contentType }));
}

function wholeOf(query: URLSearchParams, name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max)
    throw plinthError("BadRequest", { detail: `\`${name}\` is a number from ${min} to ${max}.` });
  return value;
}
