/**
 * Payloads of the calls of runs. What is stored names run and call; connection, URLs and times are put in for each attempt (N3).
 */
import { plinthError } from "@plinth/core/errors.ts";
import { syncEventName } from "@plinth/core/policy/sync-events.ts";
import type { SyncMode } from "@plinth/core/policy/sync-run.ts";
import type { Database, Scope } from "../database/database.ts";
import { SNAP_INS, SYNC_RUNS, SYNC_UNITS } from "../database/record-tables.ts";
import type { HandlerEventRequest, HandlerEvents } from "../engine/handler-event.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import { objectName, organisationName } from "../snap-ins/ids.ts";
import { isLive, type SnapInRow } from "../snap-ins/snap-in-records.ts";
import { runToken, runUrl } from "./run-tokens.ts";
import type { SyncRunRow, SyncUnitRow } from "./sync-records.ts";

export interface CallPayloadOptions {
  readonly database: Database;
  readonly keyrings: Pick<Keyrings, "deliver" | "redact">;
  readonly urls: Promise<{ readonly api: string }>;
}

/** What an extraction or a loading is called in the event's context; a deletion is about one or the other. */
const MODE_NAMES: Readonly<Record<SyncMode, string>> = {
  INITIAL: "INITIAL",
  INCREMENTAL: "INCREMENTAL",
  LOADING: "LOADING",
  DELETE_EXTRACTED: "INITIAL",
  DELETE_LOADED: "LOADING",
};

/** Makes the events of runs, and leaves all others to `events`. */
export function withSyncPayloads(options: CallPayloadOptions, events: HandlerEvents): HandlerEvents {
  return {
    keyrings: (scope, names) => events.keyrings(scope, names),
    build: async (request) => {
      const about = request.subject.syncRun;
      if (about === undefined) return await events.build(request);
      const { payload, redact } = await payloadOf(options, request, about);
      const event = await events.build({ ...request, payload });
      return { ...event, redact: (text) => redact(event.redact(text)) };
    },
  };
}

interface Found {
  readonly run: SyncRunRow;
  readonly unit: SyncUnitRow;
  readonly snapIn: SnapInRow;
}

async function payloadOf(
  options: CallPayloadOptions,
  { scope, fn }: HandlerEventRequest,
  about: { readonly id: string; readonly call: number },
) {
  const found = await find(options.database, scope, about);
  const { run, unit } = found;
  const delivered = await options.keyrings.deliver(scope, [unit.keyring]);
  const keyring = delivered[unit.keyring];
  if (keyring === undefined) throw plinthError("NotFound", { what: `keyring '${unit.keyring.slice(0, 64)}'` });
  const { api } = await options.urls;
  const { key, state } = run;
  const report = runToken(key, `callback:${state.call}`);
  const worker = runToken(key, "state");
  const payload = {
    connection_data: {
      key: keyring.secret,
      key_type: keyring.typeId,
      org_id: keyring.organization?.id ?? unit.external?.id ?? "",
      org_name: keyring.organization?.name ?? unit.external?.name ?? "",
    },
    event_context: {
      ...contextOf(scope, found, fn.version.digest),
      callback_url: runUrl(api, scope, run.id, `calls/${state.call}/${report}`),
      worker_data_url: runUrl(api, scope, run.id, `${worker}/state`),
    },
    event_type: syncEventName(state.phase, run.family, state.resumed),
    event_data: run.options["event_data"] ?? {},
  };
  return { payload, redact: (text: string) => options.keyrings.redact(withoutTokens(text, [report, worker]), delivered) };
}

/** Libraries log the URLs that they call; what opens something stays out of it. */
function withoutTokens(text: string, tokens: readonly string[]): string {
  const bare = tokens.reduce((rest, token) => rest.replaceAll(token, "[token]"), text);
  return bare.replace(/(\/files\/artefact_[0-9a-f]{32}\/)[\w-]{43}/g, "$1[token]");
}

function contextOf(scope: Scope, { run, unit, snapIn }: Found, version: string) {
  const organisation = organisationName(scope);
  const { event_data: _, ...given } = run.options;
  return {
    extraction_start_time: { type: "unbounded" },
    extraction_end_time: { type: "current_time" },
    ...given,
    mode: MODE_NAMES[run.state.mode],
    request_id: run.id,
    request_id_adaas: run.id,
    run_id: run.id,
    sync_run: objectName(scope, "sync_run", run.id),
    sync_run_id: run.id,
    uuid: run.id,
    sync_unit: objectName(scope, "sync_unit", unit.id),
    sync_unit_id: unit.id,
    external_sync_unit: unit.external?.id ?? "",
    external_sync_unit_id: unit.external?.id ?? "",
    external_sync_unit_name: unit.external?.name ?? "",
    external_system: unit.importSlug,
    external_system_id: unit.importSlug,
    external_system_name: unit.importSlug,
    external_system_type: "ADaaS",
    import_slug: unit.importSlug,
    snap_in_slug: snapIn.package,
    snap_in_version_id: objectName(scope, "snap_in_version", version),
    dev_oid: organisation,
    dev_org: organisation,
    dev_org_id: organisation,
    dev_uid: "",
    dev_user: "",
    dev_user_id: "",
    sync_tier: "sync_tier_2",
    sequence_version: "1",
  };
}

/** Only the call that the run waits for gets an event: one that was cancelled meanwhile must not reach the other system. */
async function find(database: Database, scope: Scope, about: { readonly id: string; readonly call: number }): Promise<Found> {
  return await database.read(scope, async ({ records }) => {
    const run = await records.get(SYNC_RUNS, [about.id]);
    const unit = run === undefined ? undefined : await records.get(SYNC_UNITS, [run.unitId]);
    const snapIn = run === undefined ? undefined : await records.get(SNAP_INS, [run.snapInId]);
    if (run === undefined || unit === undefined || snapIn === undefined) throw plinthError("NotFound", { what: "sync run of the call" });
    if (run.state.status !== "calling" || run.state.call !== about.call)
      throw plinthError("WrongState", { what: "sync run", state: run.state.status, wanted: `waiting for call ${about.call}` });
    if (!isLive(snapIn)) throw plinthError("WrongState", { what: "snap-in", state: snapIn.state, wanted: "active" });
    return { run, unit, snapIn };
  });
}
