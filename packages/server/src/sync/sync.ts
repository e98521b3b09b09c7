/**
 * Sync: what an installed package extracts from another system, or loads into it, phase by phase. This file is the contract;
 * `open-sync.ts` makes one. The course of a run is `policy/sync-run.ts` of the core, which is pure.
 *
 * N1 A move of a run and what it causes (its call, its pause, its end, the unit's release) are committed together; what has to
 *    happen outside the store is found in the row and done again after a crash, under a key that makes it happen once.
 * N2 A sync unit has at most one run at a time.
 * N3 Keys of connections are made for an attempt of a call and are stored nowhere.
 * N4 A package reaches its own runs only: with a token of its service account and the run's token in the URL, or one of both
 *    where the contract has no room for the other.
 */
import type { SyncMode } from "@plinth/core/policy/sync-run.ts";
import type { Scope } from "../database/database.ts";
import type { Actor } from "../engine/invocation.ts";
import type { ItemsPage, ItemsRequest } from "./items.ts";
import type { LoadingSource } from "./loading-files.ts";
import type { ExternalUnit, SyncArtefactRow, SyncCallRow, SyncRunRow, SyncUnitRow } from "./sync-records.ts";

export interface ImportInfo {
  readonly snapInId: string;
  readonly package: string;
  readonly slug: string;
  readonly displayName: string;
  readonly description: string;
  readonly connectionTypes: readonly string[];
  readonly capabilities: readonly string[];
  readonly canLoad: boolean;
}

export type SyncUnit = SyncUnitRow;

/** A run as others may see it. */
export interface SyncRun extends Omit<SyncRunRow, "key" | "state"> {
  readonly mode: SyncMode;
  readonly phase: string;
  readonly status: SyncRunRow["state"]["status"];
  readonly call: number;
  readonly untilMs: number | null;
  readonly reason: string | null;
  /** Why it waits, in words; null when it does not. */
  readonly waits: string | null;
}

export interface CreateSyncUnit {
  readonly snapInId: string;
  readonly importSlug: string;
  readonly keyring: string;
  readonly external?: ExternalUnit;
  readonly objects?: Readonly<Record<string, unknown>>;
}

export interface StartSyncRun {
  readonly mode: SyncMode;
  /** Joins the event's context. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What a loading reads. */
  readonly load?: LoadingSource;
  readonly actor: Actor;
}

export interface Sync {
  /** Imports of the active snap-ins of the branch. */
  imports(scope: Scope): Promise<readonly ImportInfo[]>;
  createUnit(scope: Scope, request: CreateSyncUnit): Promise<SyncUnit>;
  listUnits(scope: Scope): Promise<readonly SyncUnit[]>;
  unit(scope: Scope, id: string): Promise<SyncUnit>;
  /** Says which external unit is meant; a run that waits for it goes on. */
  chooseExternal(scope: Scope, unitId: string, external: ExternalUnit): Promise<SyncUnit>;
  /** Deletes a unit with its state, mappings and runs. Rejects while one runs. */
  removeUnit(scope: Scope, unitId: string): Promise<void>;
  /** Durable when it resolves. */
  start(scope: Scope, unitId: string, request: StartSyncRun): Promise<SyncRun>;
  /** Newest first. */
  runs(scope: Scope, unitId: string): Promise<readonly SyncRun[]>;
  run(scope: Scope, runId: string): Promise<SyncRun>;
  /** The run as it is stored, with its key. */
  runRow(scope: Scope, runId: string): Promise<SyncRunRow>;
  calls(scope: Scope, runId: string, afterCall?: number): Promise<readonly SyncCallRow[]>;
  /** Resolves when the run has ended, waits for a choice, or `signal` aborts. */
  settled(scope: Scope, runId: string, signal: AbortSignal): Promise<SyncRun>;
  cancel(scope: Scope, runId: string): Promise<SyncRun>;
  artefacts(scope: Scope, runId: string, afterId?: string): Promise<readonly SyncArtefactRow[]>;
  /** What packages extracted in a run, item by item. */
  items(scope: Scope, runId: string, request: ItemsRequest): Promise<ItemsPage>;
}
