/**
 * Who reaches what of sync runs.
 *
 * W1 URLs that a call's event holds carry the run's token: they open that run's state, one call's report or one file, while the run
 *    goes on, and nothing else.
 * W2 Endpoints without such a URL take tokens of service accounts, and only for runs and sync units of the account's own snap-in.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { Scope } from "../../database/database.ts";
import { isTokenOf, type TokenPurpose } from "../../sync/run-tokens.ts";
import { directionOf, type StateDirection, type SyncRunRow, type SyncUnitRow } from "../../sync/sync-records.ts";
import type { DoorContext, DoorRequest } from "../door.ts";

export interface RunOfRequest {
  readonly scope: Scope;
  readonly run: SyncRunRow;
}

/** W1: the open run of a URL. Everything that is wrong with it answers the same. */
export async function runOfUrl(context: DoorContext, request: DoorRequest, purpose: TokenPurpose): Promise<RunOfRequest> {
  const scope = await scopeOfUrl(context, request);
  const run = await findRun(context, scope, request.params["run"] ?? "");
  if (run === undefined || !isTokenOf(run, purpose, request.params["token"] ?? "")) throw noSuchUrl();
  mustBeOpen(run);
  return { scope, run };
}

/** The tenant is in the URL's prefix and the branch in its path: the token says that both are meant. */
export async function scopeOfUrl(context: DoorContext, { caller, params }: DoorRequest): Promise<Scope> {
  const scope = { tenant: caller.scope.tenant, branch: params["branch"] ?? "" };
  if ((await context.tenants.find(scope.tenant)) === undefined || !(await context.branches.isServed(scope))) throw noSuchUrl();
  return scope;
}

/** W2: the open run that a request of a service account names. */
export async function runOfAccount(context: DoorContext, { caller }: DoorRequest, requestId: unknown): Promise<RunOfRequest> {
  const snapInId = snapInOf({ caller });
  const run = typeof requestId === "string" ? await findRun(context, caller.scope, requestId) : undefined;
  if (run === undefined || run.snapInId !== snapInId) throw plinthError("NotFound", { what: "sync run with this `request_id`" });
  mustBeOpen(run);
  return { scope: caller.scope, run };
}

/** W2: the sync unit that a request of a service account names, by its id or its name. */
export async function unitOfAccount(context: DoorContext, { caller }: DoorRequest, name: unknown): Promise<SyncUnitRow> {
  const snapInId = snapInOf({ caller });
  const id = /(?:^|\/)(syncunit_[0-9a-f]{32})$/.exec(typeof name === "string" ? name.slice(0, 600) : "")?.[1];
  const unit = id === undefined ? undefined : await found(context.sync.unit(caller.scope, id));
  if (unit === undefined || unit.snapInId !== snapInId) throw plinthError("NotFound", { what: "sync unit with this id" });
  return unit;
}

export function snapInOf({ caller }: Pick<DoorRequest, "caller">): string {
  const { service } = caller.actor;
  if (service === undefined) throw plinthError("Forbidden", { scope: "service account" });
  return service.snapInId;
}

export function stateKeyOf({ unitId, state }: SyncRunRow): { readonly unitId: string; readonly direction: StateDirection } {
  return { unitId, direction: directionOf(state.mode) };
}

export function noSuchUrl() {
  return plinthError("NotFound", { what: "sync run of this URL" });
}

async function findRun(context: DoorContext, scope: Scope, id: string): Promise<SyncRunRow | undefined> {
  return /^syncrun_[0-9a-f]{32}$/.test(id) ? await found(context.sync.runRow(scope, id)) : undefined;
}

async function found<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "NotFound") return undefined;
    throw error;
  }
}

function mustBeOpen(run: SyncRunRow): void {
  if (run.endedMs !== null) throw plinthError("SyncRunEnded", { state: run.state.status });
}
