/**
 * Finds out who calls and which tenant is meant.
 *
 * A1 A key works for its own tenant only; at another one it answers as if that tenant did not exist.
 * A2 The operator's key works for every tenant; without `/t/<tenant>` it means `default`.
 * A3 A credential that is not valid is refused, also where none is needed.
 * A4 Another branch than `main` needs its own key besides, whoever calls; routes about no branch ignore what names one.
 * A5 A service token works for its own tenant and branch, and stands for the branch's key there.
 */
import type { IncomingHttpHeaders } from "node:http";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { MAIN_BRANCH } from "../branches/branches.ts";
import { atDepth, causeDepthOf } from "../engine/cause-depth.ts";
import type { Actor, KeyScope } from "../engine/invocation.ts";
import { looksLikeKey } from "../tenants/keys.ts";
import { DEFAULT_TENANT } from "../tenants/tenants.ts";
import type { Tenant } from "../tenants/tenant-records.ts";
import type { Access, Caller, DoorContext } from "./door.ts";
import { looksLikeServiceToken, placeOf } from "../snap-ins/service-tokens.ts";
import { namedBranch, requestBranch } from "./request-branch.ts";

const ANONYMOUS: Actor = { kind: "anonymous", scopes: [] };

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly pathTenant: string | undefined;
  readonly access: Access;
  /** Whether the route is about a branch. */
  readonly branched: boolean;
  /** Whether tokens of service accounts open the route. */
  readonly serviceTokens?: boolean;
}

/** The caller of a request, after the check that it may use a route with `access`. */
export async function authenticate(context: DoorContext, request: Request): Promise<Caller> {
  const caller = await callerOf(context, request);
  return { ...caller, actor: atDepth(caller.actor, causeDepthOf(request.headers)) };
}

async function callerOf(context: DoorContext, request: Request): Promise<Caller> {
  const { access, pathTenant } = request;
  const prefix = pathTenant === undefined ? "" : `/t/${pathTenant}`;
  if (access === "open") {
    const scope = { tenant: pathTenant ?? DEFAULT_TENANT, branch: MAIN_BRANCH };
    return { scope, actor: ANONYMOUS, instanceAdmin: false, prefix, query: "" };
  }
  const { authorization } = request.headers;
  if (request.serviceTokens === true) {
    const token = authorization === undefined ? undefined : parseAuthorization(authorization, { raw: true })?.token;
    if (token !== undefined && looksLikeServiceToken(token)) return await serviceCaller(context, request, token);
  }
  const holder = await holderOf(context, authorization, { raw: request.serviceTokens === true });
  if (holder.tenant !== undefined && pathTenant !== undefined && holder.tenant !== pathTenant) throw noTenant(pathTenant);
  const name = pathTenant ?? holder.tenant ?? DEFAULT_TENANT;
  const tenant = await context.tenants.find(name);
  if (tenant === undefined) throw noTenant(name);
  checkAccess(access, holder, tenant);
  const branch = request.branched ? await requestBranch(context.branches, name, request) : MAIN_BRANCH;
  const query = branch === MAIN_BRANCH ? "" : `?branch=${branch}`;
  return { scope: { tenant: name, branch }, actor: holder.actor, instanceAdmin: holder.instanceAdmin, prefix, query };
}

/** Whether the actor's key has the scope; `admin` includes all. */
export function hasScope(actor: Actor, scope: KeyScope): boolean {
  return actor.scopes.includes(scope) || actor.scopes.includes("admin");
}

interface Holder {
  readonly actor: Actor;
  readonly instanceAdmin: boolean;
  /** The tenant that the credential is bound to. */
  readonly tenant: string | undefined;
}

/** A5 */
async function serviceCaller(
  context: DoorContext,
  request: { readonly headers: IncomingHttpHeaders; readonly url: string; readonly pathTenant: string | undefined },
  token: string,
): Promise<Caller> {
  const scope = placeOf(token);
  if (scope === undefined) throw plinthError("Unauthenticated", {});
  if (request.pathTenant !== undefined && request.pathTenant !== scope.tenant) throw noTenant(request.pathTenant);
  if ((await context.tenants.find(scope.tenant)) === undefined || !(await context.branches.isServed(scope)))
    throw plinthError("Unauthenticated", {});
  const named = namedBranch(request);
  if (named !== undefined && named !== scope.branch) throw plinthError("BranchAccessDenied", {});
  const holder = await context.serviceTokens.holder(scope, token);
  if (holder === undefined) throw plinthError("Unauthenticated", {});
  const { account, snapInId, user, scopes } = holder;
  const actor: Actor = {
    kind: "service",
    scopes: [],
    service: { account: account.id, snapInId, user, objectScopes: scopes },
  };
  const prefix = request.pathTenant === undefined ? "" : `/t/${request.pathTenant}`;
  return { scope, actor, instanceAdmin: false, prefix, query: scope.branch === MAIN_BRANCH ? "" : `?branch=${scope.branch}` };
}

async function holderOf(context: DoorContext, authorization: string | undefined, form: { readonly raw: boolean }): Promise<Holder> {
  if (authorization === undefined) return { actor: ANONYMOUS, instanceAdmin: false, tenant: undefined };
  const credential = parseAuthorization(authorization, form);
  if (credential === undefined) throw plinthError("Unauthenticated", {});
  if (!looksLikeKey(credential.token) && context.adminKey.matches(credential.token)) {
    return { actor: actorOf("admin", ["admin"], credential.identityText), instanceAdmin: true, tenant: undefined };
  }
  const record = await context.keys.authenticate(credential.token);
  if (record === undefined) throw plinthError("Unauthenticated", {});
  return { actor: actorOf(record.id, record.scopes, credential.identityText), instanceAdmin: false, tenant: record.tenant };
}

function checkAccess(access: Access, holder: Holder, tenant: Tenant): void {
  if (access === "open") return;
  if (access === "public" && !tenant.requireKey && holder.actor.kind === "anonymous") return;
  if (holder.actor.kind === "anonymous") throw plinthError("Unauthenticated", {});
  if (access === "operator") {
    if (!holder.instanceAdmin) throw plinthError("Forbidden", { scope: "operator" });
    return;
  }
  const scopes: readonly KeyScope[] = access === "public" ? ["invoke"] : access;
  if (!scopes.some((scope) => hasScope(holder.actor, scope))) throw plinthError("Forbidden", { scope: scopes.join("` or `") });
}

/** `Bearer <key>`, or `Convex <key>` with `:<base64 of identity JSON>` behind it; where `raw` is set, also the key alone. */
function parseAuthorization(
  header: string,
  { raw }: { readonly raw: boolean },
): { readonly token: string; readonly identityText: string | undefined } | undefined {
  if (raw && /^[\x21-\x7e]+$/.test(header)) return { token: header, identityText: undefined };
  const match = /^(Bearer|Convex) +([\x21-\x7e]+)$/i.exec(header);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const credential = match[2];
  const colon = match[1].toLowerCase() === "convex" ? credential.indexOf(":") : -1;
  if (colon === -1) return { token: credential, identityText: undefined };
  return { token: credential.slice(0, colon), identityText: Buffer.from(credential.slice(colon + 1), "base64").toString("utf8") };
}

/** Only an admin key may act as somebody. */
function actorOf(keyId: string, scopes: readonly KeyScope[], identityText: string | undefined): Actor {
  if (identityText === undefined) return { kind: "key", keyId, scopes };
  if (!scopes.includes("admin")) throw plinthError("Forbidden", { scope: "admin" });
  return { kind: "key", keyId, scopes, identity: parseIdentity(identityText) };
}

function parseIdentity(text: string): Readonly<Record<string, unknown>> {
  const wrong = () =>
    plinthError("BadRequest", { detail: "The identity behind the key must be base64 of a JSON object with a text `subject`." });
  if (Buffer.byteLength(text) > limit("identityBytesMax")) {
    throw plinthError("RequestTooLarge", { what: "identity", actual: Buffer.byteLength(text), max: limit("identityBytesMax") });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong();
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw wrong();
  const claims = json as Record<string, unknown>;
  const subject = claims["subject"];
  const issuer = claims["issuer"] ?? "admin";
  if (typeof subject !== "string" || typeof issuer !== "string") throw wrong();
  return { ...claims, subject, issuer, tokenIdentifier: claims["tokenIdentifier"] ?? `${issuer}|${subject}` };
}

function noTenant(name: string) {
  return plinthError("NotFound", { what: `tenant '${name.slice(0, 64)}' for this caller` });
}
