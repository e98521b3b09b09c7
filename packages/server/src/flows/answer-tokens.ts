/**
 * Tokens that answer a step of a run. A token says where it belongs, so that whoever has it needs nothing else, and what is wrong with
 * one can be told of its run; the rest of it is random, and the store has its digest only.
 */
import { createHash } from "node:crypto";
import type { Scope } from "../database/database.ts";
import { isInvocationId } from "../engine/invocation-ids.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface RunPlace {
  readonly scope: Scope;
  readonly run: string;
}

const PREFIX = "pa_";
const FORM = /^pa_([A-Za-z0-9_-]{8,400})\.([A-Za-z0-9_-]{32})$/;
const PLACE = /^([^/]{1,100})\/([^/]{1,100})\/([0-9a-f]{32})$/;

export function newAnswerToken({ scope, run }: RunPlace, runtime: Pick<Runtime, "randomBytes">): string {
  const place = Buffer.from(`${scope.tenant}/${scope.branch}/${run}`).toString("base64url");
  return `${PREFIX}${place}.${Buffer.from(runtime.randomBytes(24)).toString("base64url")}`;
}

/** Where a token says that it belongs. Hostile. */
export function placeOfAnswer(token: string): RunPlace | undefined {
  const place = FORM.exec(token)?.[1];
  const match = place === undefined ? null : PLACE.exec(Buffer.from(place, "base64url").toString("utf8"));
  const [, tenant, branch, run] = match ?? [];
  if (tenant === undefined || branch === undefined || run === undefined || !isInvocationId(run)) return undefined;
  return { scope: { tenant, branch }, run };
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
