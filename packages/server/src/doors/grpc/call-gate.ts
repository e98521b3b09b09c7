/**
 * Who calls, found out before anything of the request's message is read. Metadata are the headers of the HTTP door; a tenant, which
 * no path names here, is named by `x-plinth-tenant`.
 */
import { createContextKey, type ContextValues, type HandlerContext } from "@connectrpc/connect";
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyScope } from "../../engine/invocation.ts";
import { authenticate } from "../authenticate.ts";
import type { Caller, DoorContext } from "../door.ts";
import { thrownAsGrpc } from "./grpc-error.ts";

export const TENANT_HEADER = "x-plinth-tenant";

/** What the HTTP server found in the path, for calls that came by the API's port. */
export const PATH_TENANT = createContextKey<string | undefined>(undefined);

const CALLER = createContextKey<Caller | undefined>(undefined);

interface MethodAccess {
  /** Any one of them is enough; `open`: no key is looked at. */
  readonly scopes: readonly KeyScope[] | "open";
  readonly serviceTokens: boolean;
}

const OPERATION: MethodAccess = { scopes: ["invoke", "deploy"], serviceTokens: true };

/** Who may call a method: the same who may call its route of the HTTP door. */
const ACCESS: Readonly<Record<string, MethodAccess>> = {
  ExecuteOperation: OPERATION,
  ExecuteSchemaHandler: OPERATION,
  ExecuteActivateHook: OPERATION,
  ExecuteDeactivateHook: OPERATION,
  Resolve: { scopes: ["invoke", "read", "deploy"], serviceTokens: false },
  Execute: { scopes: ["invoke"], serviceTokens: false },
  CompleteStep: { scopes: "open", serviceTokens: false },
};

/** Refuses calls of those who may not, and keeps the caller for the method. */
export function callGate(context: DoorContext): (call: HandlerContext) => Promise<void> {
  return async (call) => {
    try {
      const access = ACCESS[call.method.name];
      if (access === undefined) throw plinthError("NotFound", { what: `method ${call.method.name}` });
      const caller = await authenticate(context, {
        headers: Object.fromEntries(call.requestHeader),
        url: call.url,
        pathTenant: tenantOf(call),
        access: access.scopes,
        branched: true,
        serviceTokens: access.serviceTokens,
      });
      if (access.scopes !== "open") context.usedBranches.note(caller.scope);
      call.values.set(CALLER, caller);
    } catch (error) {
      throw thrownAsGrpc(context, error);
    }
  };
}

/** Whom the gate let in; undefined for methods without one. */
export function callerIn(values: ContextValues): Caller | undefined {
  return values.get(CALLER);
}

export function callerOf(call: HandlerContext): Caller {
  const caller = call.values.get(CALLER);
  if (caller === undefined) throw plinthError("Unauthenticated", {});
  return caller;
}

function tenantOf(call: HandlerContext): string | undefined {
  const named = call.requestHeader.get(TENANT_HEADER) ?? undefined;
  const inPath = call.values.get(PATH_TENANT);
  if (named !== undefined && inPath !== undefined && named !== inPath)
    throw plinthError("BadRequest", { detail: "The request names several tenants." });
  return inPath ?? named;
}
