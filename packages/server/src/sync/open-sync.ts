/** Makes `Sync`. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { ImportSpec } from "@plinth/core/manifest/manifest.ts";
import { isSyncEnded, startSyncRun, syncWaitText, type SyncMode } from "@plinth/core/policy/sync-run.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { SNAP_INS, SYNC_ARTEFACTS, SYNC_CALLS, SYNC_RUNS, SYNC_RUNS_OF_UNIT, SYNC_STATES, SYNC_UNITS } from "../database/record-tables.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { Packages } from "../packages/packages.ts";
import { isLive, type SnapInRow } from "../snap-ins/snap-in-records.ts";
import { forwardClock } from "../runtime/forward-clock.ts";
import type { SnapIns } from "../snap-ins/snap-ins.ts";
import { SyncArtefacts } from "./artefacts.ts";
import { eventFamilyOf } from "./event-family.ts";
import { readItems, type ItemsPage, type ItemsRequest } from "./items.ts";
import { makeLoadingFiles } from "./loading-files.ts";
import { SyncMappers } from "./mappers.ts";
import { removeBlueprints, removeUnitRows, unitsOf } from "./remove-unit.ts";
import { RunDriver, type RunDriverOptions } from "./run-driver.ts";
import { dropOldRuns, mustHave, putNewRun } from "./run-store.ts";
import { SyncStates } from "./states.ts";
import type { ExternalUnit, SyncArtefactRow, SyncCallRow, SyncRunRow, SyncUnitRow } from "./sync-records.ts";
import type { CreateSyncUnit, ImportInfo, StartSyncRun, Sync, SyncRun, SyncUnit } from "./sync.ts";
import { ReportTaker } from "./take-report.ts";

export interface SyncOptions extends Omit<RunDriverOptions, "times"> {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly packages: Pick<Packages, "version">;
  readonly snapIns: Pick<SnapIns, "resolve">;
  readonly keyrings: Pick<Keyrings, "list">;
  /** Until a call that runs has to report; the usual time when absent. */
  readonly reportMs?: number;
}

/** The parts that the endpoints of packages work with, besides the contract. */
export interface SyncParts {
  readonly artefactStore: SyncArtefacts;
  readonly mappers: SyncMappers;
  readonly states: SyncStates;
  readonly reports: ReportTaker;
}

export interface OpenSync extends Sync, SyncParts {
  /** Goes on with the runs that the last host left. */
  resume(): Promise<void>;
  stop(): Promise<void>;
  endBranch(scope: Scope): Promise<void>;
  /** Ends the runs of a package that is about to be removed, and asks it to delete what it keeps elsewhere. */
  tidyUp(scope: Scope, snapInId: string): Promise<void>;
  /** Deletes the units of a package with everything about them. */
  forgetSnapIn(scope: Scope, snapInId: string): Promise<void>;
}

const RUN_MODES: Readonly<Record<SyncMode, "extractorFunction" | "loaderFunction">> = {
  INITIAL: "extractorFunction",
  INCREMENTAL: "extractorFunction",
  DELETE_EXTRACTED: "extractorFunction",
  LOADING: "loaderFunction",
  DELETE_LOADED: "loaderFunction",
};
const CALLS_PAGE = 200;

export function openSync(options: SyncOptions): OpenSync {
  return new StoredSync(options);
}

class StoredSync implements OpenSync {
  readonly artefactStore: SyncArtefacts;
  readonly mappers: SyncMappers;
  readonly states: SyncStates;
  readonly reports: ReportTaker;
  readonly #options: SyncOptions;
  readonly #driver: RunDriver;

  constructor(given: SyncOptions) {
    // Runs pause for as long as they are to pause, however the clock is moved meanwhile.
    const runtime = { ...given.runtime, nowMs: forwardClock(given.runtime) };
    const options = { ...given, runtime };
    this.#options = options;
    const { database, blobs, telemetry } = options;
    this.#driver = new RunDriver({
      ...options,
      times: {
        reportMs: options.reportMs ?? limit("syncReportMs"),
        queueMs: limit("syncQueueMs"),
        reportGraceMs: limit("syncReportGraceMs"),
        endGraceMs: limit("syncEndGraceMs"),
      },
    });
    this.artefactStore = new SyncArtefacts({ database, blobs, runtime });
    this.mappers = new SyncMappers({ database, runtime });
    this.states = new SyncStates({ database, runtime });
    this.reports = new ReportTaker({ database, runtime, telemetry, artefacts: this.artefactStore, driver: this.#driver });
  }

  resume(): Promise<void> {
    return this.#driver.start();
  }

  stop(): Promise<void> {
    return this.#driver.stop();
  }

  endBranch(scope: Scope): Promise<void> {
    return this.#driver.endBranch(scope);
  }

  async imports(scope: Scope): Promise<readonly ImportInfo[]> {
    const snapIns = await this.#options.database.read(scope, async ({ records }) =>
      (await records.range(SNAP_INS, { prefix: [], limit: limit("snapInsPerBranchMax") })).map(({ value }) => value),
    );
    const found = await Promise.all(
      snapIns.filter(isLive).map(async (snapIn) => (await this.#manifestImports(scope, snapIn)).map((spec) => shownImport(snapIn, spec))),
    );
    return found.flat();
  }

  async createUnit(scope: Scope, request: CreateSyncUnit): Promise<SyncUnit> {
    const { database, keyrings, runtime } = this.#options;
    const snapIn = await database.read(scope, ({ records }) => records.get(SNAP_INS, [request.snapInId]));
    if (snapIn === undefined) throw plinthError("NotFound", { what: "snap-in with this id" });
    await this.#importOf(scope, snapIn, request.importSlug);
    if (!(await keyrings.list(scope)).some(({ name, owner }) => name === request.keyring && owner.user === undefined))
      throw plinthError("NotFound", { what: `keyring '${request.keyring.slice(0, 64)}' of the organisation` });
    const nowMs = runtime.nowMs();
    const unit: SyncUnitRow = {
      id: `syncunit_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`,
      snapInId: request.snapInId,
      importSlug: request.importSlug,
      keyring: request.keyring,
      external: request.external ?? null,
      objects: request.objects ?? null,
      mappers: 0,
      activeRunId: null,
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    await database.update(scope, async ({ records }) => {
      const max = limit("syncUnitsPerBranchMax");
      const { length } = await records.range(SYNC_UNITS, { prefix: [], limit: max });
      if (length >= max) throw plinthError("RequestTooLarge", { what: "branch", actual: `${length} sync units`, max });
      records.put(SYNC_UNITS, [unit.id], unit);
    });
    return unit;
  }

  async listUnits(scope: Scope): Promise<readonly SyncUnit[]> {
    return await this.#options.database.read(scope, async ({ records }) =>
      (await records.range(SYNC_UNITS, { prefix: [], limit: limit("syncUnitsPerBranchMax") })).map(({ value }) => value),
    );
  }

  async unit(scope: Scope, id: string): Promise<SyncUnit> {
    return await this.#options.database.read(scope, (transaction) => mustHaveUnit(transaction, id));
  }

  async chooseExternal(scope: Scope, unitId: string, external: ExternalUnit): Promise<SyncUnit> {
    const { database, runtime } = this.#options;
    const unit = await database.update(scope, async (transaction) => {
      const before = await mustHaveUnit(transaction, unitId);
      const run = before.activeRunId === null ? undefined : await transaction.records.get(SYNC_RUNS, [before.activeRunId]);
      // Calls that began with one unit must not go on with another.
      if (run !== undefined && run.state.status !== "choosing") throw plinthError("SyncInProgress", { run: run.id });
      const changed = { ...before, external, updatedMs: runtime.nowMs() };
      transaction.records.put(SYNC_UNITS, [unitId], changed);
      return changed;
    });
    if (unit.activeRunId !== null) await this.#driver.tell(scope, unit.activeRunId, { kind: "chosen" });
    return unit;
  }

  async removeUnit(scope: Scope, unitId: string): Promise<void> {
    const { activeRunId } = await this.unit(scope, unitId);
    if (activeRunId !== null) throw plinthError("SyncInProgress", { run: activeRunId });
    await removeUnitRows(this.#options.database, scope, { unitId, nowMs: this.#options.runtime.nowMs() });
  }

  async runs(scope: Scope, unitId: string): Promise<readonly SyncRun[]> {
    return await this.#options.database.read(scope, async (transaction) => {
      await mustHaveUnit(transaction, unitId);
      const { records } = transaction;
      const keys = await records.range(SYNC_RUNS_OF_UNIT, { prefix: [unitId], order: "desc", limit: limit("syncRunsKeptMax") });
      const rows = await Promise.all(keys.map(({ key }) => records.get(SYNC_RUNS, [String(key[2])])));
      return rows.flatMap((row) => (row === undefined ? [] : [shownRun(row)]));
    });
  }

  async run(scope: Scope, runId: string): Promise<SyncRun> {
    return shownRun(await this.runRow(scope, runId));
  }

  async runRow(scope: Scope, runId: string): Promise<SyncRunRow> {
    return mustHave(await this.#options.database.read(scope, ({ records }) => records.get(SYNC_RUNS, [runId])));
  }

  async calls(scope: Scope, runId: string, afterCall?: number): Promise<readonly SyncCallRow[]> {
    return await this.#options.database.read(scope, async ({ records }) => {
      mustHave(await records.get(SYNC_RUNS, [runId]));
      const after = afterCall === undefined ? {} : { after: [runId, afterCall] };
      return (await records.range(SYNC_CALLS, { prefix: [runId], limit: CALLS_PAGE, ...after })).map(({ value }) => value);
    });
  }

  async settled(scope: Scope, runId: string, signal: AbortSignal): Promise<SyncRun> {
    for (;;) {
      const looked = new AbortController();
      // Before the row is read, so that no change is missed.
      const changed = this.#driver.changed(scope, runId, AbortSignal.any([signal, looked.signal]));
      const row = await this.runRow(scope, runId);
      if (isSyncEnded(row.state) || row.state.status === "choosing" || signal.aborted) {
        looked.abort();
        await changed;
        return shownRun(row);
      }
      await changed;
    }
  }

  async cancel(scope: Scope, runId: string): Promise<SyncRun> {
    const moved = await this.#driver.tell(scope, runId, { kind: "cancelled" });
    if (moved?.refused !== undefined) throw plinthError("SyncRunEnded", { state: moved.run.state.status });
    return shownRun(mustHave(moved?.run));
  }

  artefacts(scope: Scope, runId: string, afterId?: string): Promise<readonly SyncArtefactRow[]> {
    return this.artefactStore.list(scope, runId, afterId);
  }

  items(scope: Scope, runId: string, request: ItemsRequest): Promise<ItemsPage> {
    return readItems(this.artefactStore, scope, { id: runId, ...request });
  }

  async tidyUp(scope: Scope, snapInId: string): Promise<void> {
    const snapIn = await this.#options.database.read(scope, ({ records }) => records.get(SNAP_INS, [snapInId]));
    const isActive = snapIn !== undefined && isLive(snapIn);
    for (const unitId of await this.#unitsOf(scope, snapInId)) {
      await this.#endRun(scope, unitId);
      if (isActive) await this.#tidyUpUnit(scope, unitId);
    }
  }

  async forgetSnapIn(scope: Scope, snapInId: string): Promise<void> {
    const { database, runtime } = this.#options;
    for (const unitId of await this.#unitsOf(scope, snapInId)) {
      await this.#endRun(scope, unitId);
      await removeUnitRows(database, scope, { unitId, nowMs: runtime.nowMs() });
    }
    await removeBlueprints(database, scope, snapInId);
  }

  /** Asks the package to delete what it keeps for a unit elsewhere. That it cannot is no reason to keep the unit. */
  async #tidyUpUnit(scope: Scope, unitId: string): Promise<void> {
    const { database, telemetry } = this.#options;
    for (const [direction, mode] of [
      ["extracted", "DELETE_EXTRACTED"],
      ["loaded", "DELETE_LOADED"],
    ] as const) {
      const has = await database.read(scope, ({ records }) => records.get(SYNC_STATES, [unitId, direction]));
      if (has === undefined) continue;
      try {
        const { id } = await this.start(scope, unitId, { mode, actor: { kind: "function", scopes: ["admin"] } });
        const late = new AbortController();
        const timer = this.#options.runtime.timer(limit("syncDeletionMs"), () => late.abort());
        const run = await this.settled(scope, id, late.signal).finally(() => timer.cancel());
        if (run.endedMs === null) await this.#driver.tell(scope, id, { kind: "cancelled" });
      } catch (error) {
        telemetry.log.warn({ error, unit: unitId }, "a package could not be asked to delete the state of a sync unit");
      }
    }
  }

  async #endRun(scope: Scope, unitId: string): Promise<void> {
    const { activeRunId } = await this.unit(scope, unitId);
    if (activeRunId !== null) await this.#driver.tell(scope, activeRunId, { kind: "cancelled" });
  }

  async #unitsOf(scope: Scope, snapInId: string): Promise<readonly string[]> {
    return await this.#options.database.read(scope, ({ records }) => unitsOf(records, snapInId));
  }

  async start(scope: Scope, unitId: string, request: StartSyncRun): Promise<SyncRun> {
    const { database, runtime, snapIns } = this.#options;
    const { mode } = request;
    const unit = await this.unit(scope, unitId);
    if (unit.activeRunId !== null) throw plinthError("SyncInProgress", { run: unit.activeRunId });
    if (mode === "INCREMENTAL" && unit.external === null)
      throw plinthError("BadRequest", {
        detail: "Which external unit is meant is not known yet: run the mode `initial` first, or choose one.",
      });
    const snapIn = await database.read(scope, ({ records }) => records.get(SNAP_INS, [unit.snapInId]));
    if (snapIn === undefined) throw plinthError("NotFound", { what: "snap-in of the sync unit" });
    if (!isLive(snapIn)) throw plinthError("WrongState", { what: "snap-in", state: snapIn.state, wanted: "active" });
    const name = (await this.#importOf(scope, snapIn, unit.importSlug))[RUN_MODES[mode]];
    if (name === null) throw plinthError("BadRequest", { detail: `The import '${unit.importSlug}' has no loader.` });
    const fn = await snapIns.resolve(scope, `@${snapIn.package}/${name}`);
    if (fn === undefined) throw plinthError("FunctionNotFound", { path: `@${snapIn.package}/${name}` });
    const files =
      request.load === undefined
        ? undefined
        : await makeLoadingFiles({ blobs: this.#options.blobs, runtime, artefacts: this.artefactStore }, scope, request.load);
    const options = { ...request.options, ...(files === undefined ? {} : { event_data: { stats_file: files.statsFile } }) };
    checkOptions(options);
    const move = startSyncRun(mode, { hasUnit: unit.external !== null });
    const run: SyncRunRow = {
      id: `syncrun_${Buffer.from(runtime.randomBytes(16)).toString("hex")}`,
      unitId,
      snapInId: unit.snapInId,
      function: name,
      family: await eventFamilyOf(fn.version),
      state: move.state,
      key: Buffer.from(runtime.randomBytes(32)).toString("hex"),
      options,
      refused: 0,
      artefacts: files?.rows.length ?? 0,
      artefactBytes: files?.rows.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
      createdMs: runtime.nowMs(),
      endedMs: null,
    };
    await database.update(scope, async (transaction) => {
      const now = await mustHaveUnit(transaction, unitId);
      if (now.activeRunId !== null) throw plinthError("SyncInProgress", { run: now.activeRunId });
      await putNewRun(transaction, run, { unit: now, move });
      for (const row of files?.rows ?? []) transaction.records.put(SYNC_ARTEFACTS, [run.id, row.id], row);
      await dropOldRuns(transaction.records, unitId, { keep: limit("syncRunsKeptMax"), nowMs: run.createdMs });
    });
    this.#driver.moved(scope, run);
    return shownRun(run);
  }

  async #importOf(scope: Scope, snapIn: SnapInRow, slug: string): Promise<ImportSpec> {
    const spec = (await this.#manifestImports(scope, snapIn)).find((each) => each.slug === slug);
    if (spec === undefined) throw plinthError("NotFound", { what: `import '${slug.slice(0, 64)}' of the package '${snapIn.package}'` });
    return spec;
  }

  async #manifestImports(scope: Scope, snapIn: SnapInRow): Promise<readonly ImportSpec[]> {
    return (await this.#options.packages.version(scope, snapIn.package, snapIn.version))?.manifest.imports ?? [];
  }
}

/** Without its key. */
function shownRun(run: SyncRunRow): SyncRun {
  const { key: _, state, ...row } = run;
  const { mode, phase, status, call, untilMs, reason } = state;
  return { ...row, mode, phase, status, call, untilMs, reason, waits: syncWaitText(state) };
}

async function mustHaveUnit({ records }: Pick<Transaction, "records">, id: string): Promise<SyncUnitRow> {
  const row = await records.get(SYNC_UNITS, [id]);
  if (row === undefined) throw plinthError("NotFound", { what: "sync unit with this id" });
  return row;
}

function shownImport(snapIn: SnapInRow, spec: ImportSpec): ImportInfo {
  return {
    snapInId: snapIn.id,
    package: snapIn.package,
    slug: spec.slug,
    displayName: spec.displayName,
    description: spec.description,
    connectionTypes: spec.allowedConnectionTypes,
    capabilities: spec.capabilities,
    canLoad: spec.loaderFunction !== null,
  };
}

function checkOptions(options: Readonly<Record<string, unknown>>): void {
  const [actual, max] = [Buffer.byteLength(JSON.stringify(options)), limit("syncOptionsBytesMax")];
  if (actual > max) throw plinthError("RequestTooLarge", { what: "options of the run", actual: `${actual} bytes`, max: `${max} bytes` });
}
