/**
 * Takes the reports of packages.
 *
 * R1 A report that was taken is answered the same again, and changes nothing again: clients repeat what they got no answer to.
 * R2 Any other report of a call that is not the one that has to report is refused with SyncReportStale, and counted.
 */
import { createHash } from "node:crypto";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { readSyncReport } from "@plinth/core/policy/sync-events.ts";
import type { SyncReport } from "@plinth/core/policy/sync-run.ts";
import type { Database, Scope } from "../database/database.ts";
import { SYNC_CALLS, SYNC_RUNS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isJsonObject } from "../snap-ins/json-object.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { noteItems, type SyncArtefacts } from "./artefacts.ts";
import type { RunDriver } from "./run-driver.ts";
import { isTokenOf } from "./run-tokens.ts";

export interface ReportTakerOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly telemetry: Telemetry;
  readonly artefacts: SyncArtefacts;
  readonly driver: RunDriver;
}

/** A report as it arrived. */
export interface ArrivedReport {
  readonly runId: string;
  readonly call: number;
  readonly token: string;
  readonly bytes: Buffer;
  /** The bytes, parsed. */
  readonly body: Readonly<Record<string, unknown>>;
}

type Taken = "taken" | "repeated";

export class ReportTaker {
  readonly #options: ReportTakerOptions;

  constructor(options: ReportTakerOptions) {
    this.#options = options;
  }

  async take(scope: Scope, arrived: ArrivedReport): Promise<Taken> {
    const { database, runtime, telemetry, driver } = this.#options;
    const { runId, call } = arrived;
    const { run, row } = await database.read(scope, async ({ records }) => ({
      run: await records.get(SYNC_RUNS, [runId]),
      row: await records.get(SYNC_CALLS, [runId, call]),
    }));
    if (run === undefined || !isTokenOf(run, `callback:${call}`, arrived.token))
      throw plinthError("NotFound", { what: "sync run of this URL" });
    const reportDigest = createHash("sha256").update(arrived.bytes).digest("hex");
    if (row?.reportDigest === reportDigest) return "repeated";
    const report = readReport(arrived.body);
    if (report === undefined) {
      telemetry.metrics.syncReportRefused("unreadable");
      throw plinthError("BadRequest", { detail: "`event_type` is the name of no report." });
    }
    const isAwaited = run.state.status === "calling" && run.state.call === call && run.state.phase === report.phase;
    // What a report that is refused says about artefacts is not kept.
    if (isAwaited) await this.#keepArtefacts(scope, runId, arrived.body);
    const counts = countsOf(arrived.body);
    const moved = await driver.tell(scope, runId, { kind: "reported", call, report, nowMs: runtime.nowMs() }, { reportDigest, counts });
    if (moved?.refused === undefined) return "taken";
    if (moved.isRepeated) return "repeated";
    telemetry.metrics.syncReportRefused("stale");
    throw plinthError("SyncReportStale", { detail: moved.refused });
  }

  async #keepArtefacts(scope: Scope, runId: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const data = isJsonObject(body["event_data"]) ? body["event_data"] : {};
    const reported = data["artifacts"];
    if (Array.isArray(reported)) await this.#options.database.update(scope, ({ records }) => noteItems(records, runId, reported));
    const units = data["external_sync_units"];
    if (!Array.isArray(units) || units.length === 0) return;
    try {
      await this.#options.artefacts.keepInline(scope, runId, units);
    } catch (error) {
      // The run has had its share; it can still be told which unit is meant.
      if (!(error instanceof PlinthError) || error.code !== "RequestTooLarge") throw error;
    }
  }
}

function readReport(body: Readonly<Record<string, unknown>>): SyncReport | undefined {
  const type = body["event_type"];
  const known = typeof type === "string" ? readSyncReport(type.slice(0, 200)) : undefined;
  if (known === undefined) return undefined;
  const data = isJsonObject(body["event_data"]) ? body["event_data"] : {};
  const message = messageOf(data["error"]);
  return { ...known, delay: data["delay"], ...(message === undefined ? {} : { message }) };
}

function messageOf(error: unknown): string | undefined {
  const text = isJsonObject(error) ? error["message"] : error;
  return typeof text === "string" && text !== "" ? text.slice(0, limit("syncReasonCharsMax")) : undefined;
}

/** What a loader did: `[{item_type, created, updated, …}]`. */
function countsOf(body: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  const reports = isJsonObject(body["event_data"]) ? body["event_data"]["reports"] : undefined;
  if (!Array.isArray(reports)) return [];
  return reports.slice(0, limit("syncReportsKeptMax")).flatMap((each: unknown) => (isJsonObject(each) ? [shortCounts(each)] : []));
}

function shortCounts(report: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const fields = Object.entries(report).filter(
    ([, value]) => typeof value === "number" || (typeof value === "string" && value.length <= 256),
  );
  return Object.fromEntries(fields.slice(0, 16).map(([name, value]) => [name.slice(0, 64), value]));
}
