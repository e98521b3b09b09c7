/** First stage: which function is meant, may it be called, and are its arguments values. Nothing has run yet. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Lane } from "@plinth/core/policy/admission.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { Value } from "@plinth/core/documents/values.ts";
import type { Scope } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import type { VersionCode } from "../sandbox/sandbox.ts";
import { checkCauseDepth } from "./cause-depth.ts";
import { checkPayload, parseArgs } from "./check-values.ts";
import { isHandlerPath, normalizePath } from "./function-address.ts";
import { type InlineBundle, inlineCall, isInlinePath, type InlineRequest } from "./inline-code.ts";
import { isNativePath, type NativeCode } from "./native-code.ts";
import { newInvocationId } from "./invocation-ids.ts";
import type { InvocationRequest } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";

export interface AcceptedCall {
  readonly id: string;
  readonly request: InvocationRequest;
  readonly scope: Scope;
  readonly kind: FunctionKind;
  readonly lane: Lane;
  readonly path: string;
  readonly version: VersionCode;
  /** Absent for HTTP actions, whose router finds the handler, and for inline code. */
  readonly fn?: ResolvedFunction;
  /** Of functions with validators. */
  readonly args?: Value;
  readonly inline?: InlineRequest;
  /** Code of the host in place of a version's. */
  readonly native?: NativeCode;
  /** What the runner gets; of handlers their payload, around which the event is made. */
  readonly argsText: string;
  readonly createdMs: number;
  /** On the clock that never jumps, like `deadlineAtMs`. */
  readonly acceptedAtMs: number;
  readonly deadlineAtMs?: number;
}

/** Accepts a call, or rejects with the caller's error. */
export async function intake(parts: EngineParts, request: InvocationRequest, id = newInvocationId(parts.runtime)): Promise<AcceptedCall> {
  const acceptedAtMs = parts.runtime.monotonicMs();
  const scope: Scope = { tenant: request.tenant, branch: request.branch };
  checkRequest(request);
  const times = {
    createdMs: parts.runtime.nowMs(),
    acceptedAtMs,
    ...(request.deadlineMs === undefined ? {} : { deadlineAtMs: acceptedAtMs + request.deadlineMs }),
  };
  if (request.source === "httpAction" || request.kind === "httpAction")
    return { ...(await httpAction(parts, request, scope)), ...times, id };
  if (isInlinePath(request.path)) return { ...inlineCall(request, await bundleOf(parts, request, scope)), request, scope, ...times, id };
  if (isNativePath(request.path)) return { ...(await nativeCall(parts, request, scope)), request, scope, ...times, id };
  const path = normalizePath(request.path);
  const fn = await resolvePublic(parts, { scope, path, version: request.version, internalAllowed: request.internalAllowed });
  checkKind(path, fn.kind, request.kind);
  if (fn.kind === "handler") {
    checkPayload(request.argsText);
    return {
      id,
      request,
      scope,
      kind: fn.kind,
      lane: laneOf(fn.kind),
      path,
      version: fn.version,
      fn,
      argsText: request.argsText,
      ...times,
    };
  }
  const args = parseArgs(request.argsText);
  return {
    id,
    request,
    scope,
    kind: fn.kind,
    lane: laneOf(fn.kind),
    path,
    version: fn.version,
    fn,
    args,
    argsText: `[${request.argsText}]`,
    ...times,
  };
}

/** Finds a function; an internal one only where it may be called. Both misses look the same from outside. */
export async function resolvePublic(
  parts: Pick<EngineParts, "deploys" | "packages">,
  target: { readonly scope: Scope; readonly path: string; readonly version: string | undefined; readonly internalAllowed: boolean },
): Promise<ResolvedFunction> {
  const source = isHandlerPath(target.path) ? parts.packages : parts.deploys;
  const fn = await source?.resolve(target.scope, target.path, target.version);
  if (fn === undefined || fn.kind === "httpAction" || (fn.visibility === "internal" && !target.internalAllowed)) {
    throw plinthError(isHandlerPath(target.path) ? "HandlerNotFound" : "FunctionNotFound", { path: shownPath(target.path) });
  }
  return fn;
}

export function checkKind(path: string, actual: FunctionKind, wanted: FunctionKind | undefined): void {
  if (wanted === undefined || wanted === actual) return;
  throw plinthError("WrongFunctionKind", { path: shownPath(path), wanted: KIND_NAMES[wanted], actual: KIND_NAMES[actual] });
}

export function laneOf(kind: FunctionKind): Lane {
  return kind === "query" || kind === "mutation" ? kind : "action";
}

export const KIND_NAMES: Readonly<Record<FunctionKind, string>> = {
  query: "Query",
  mutation: "Mutation",
  action: "Action",
  httpAction: "HttpAction",
  handler: "Handler",
  inline: "InlineCode",
};

function checkRequest(request: InvocationRequest): void {
  checkCauseDepth(request.actor);
  const max = limit("invocationDepthMax");
  const depth = request.parent?.depth ?? 0;
  if (depth > max) throw plinthError("LimitExceeded", { what: "Calls that cause calls", actual: depth, max });
  const key = request.idempotencyKey;
  const keyMax = limit("idempotencyKeyBytesMax");
  if (key !== undefined && (key === "" || Buffer.byteLength(key) > keyMax || !key.isWellFormed())) {
    throw plinthError("BadRequest", { detail: `An idempotency key has 1 to ${keyMax} bytes.` });
  }
}

async function nativeCall(
  parts: EngineParts,
  request: InvocationRequest,
  scope: Scope,
): Promise<Pick<AcceptedCall, "kind" | "lane" | "path" | "version" | "args" | "argsText" | "native">> {
  const native = request.internalAllowed ? await parts.natives?.resolve(scope, request.path) : undefined;
  if (native === undefined) throw plinthError("FunctionNotFound", { path: shownPath(request.path) });
  checkKind(request.path, native.kind, request.kind);
  return {
    kind: native.kind,
    lane: laneOf(native.kind),
    path: request.path,
    version: NATIVE_VERSION,
    args: parseArgs(request.argsText),
    argsText: request.argsText,
    native,
  };
}

/** Native code comes with the host. */
const NATIVE_VERSION: VersionCode = {
  digest: "native",
  script: () => Promise.resolve(""),
  sourceMap: () => Promise.resolve(null),
};

async function httpAction(
  parts: EngineParts,
  request: InvocationRequest,
  scope: Scope,
): Promise<Omit<AcceptedCall, "id" | "createdMs" | "acceptedAtMs" | "deadlineAtMs">> {
  const version = await parts.deploys.version(scope, request.version);
  if (version === undefined) throw plinthError("NotFound", { what: "deployed version" });
  return { request, scope, kind: "httpAction", lane: "action", path: "http", version, argsText: request.argsText };
}

async function bundleOf({ bundles }: EngineParts, { bundle }: InvocationRequest, scope: Scope): Promise<InlineBundle | undefined> {
  if (bundle === undefined) return undefined;
  const found = await bundles?.find(scope, bundle);
  if (found === undefined) throw plinthError("NotFound", { what: `bundle ${bundle.slice(0, 16)}; publish the flow again` });
  return found;
}

/** Paths come from callers: short and without control characters. */
function shownPath(path: string): string {
  return JSON.stringify(path.slice(0, 200)).slice(1, -1);
}
