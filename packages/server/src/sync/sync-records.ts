/** Rows of sync units, their runs and what packages leave with them, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { SyncEventFamily, SyncPhase, SyncResult } from "@plinth/core/policy/sync-events.ts";
import type { SyncMode, SyncRunState } from "@plinth/core/policy/sync-run.ts";

/** Which external system's data a package keeps in step, and through which connection. */
export interface SyncUnitRow {
  readonly id: string;
  readonly snapInId: string;
  /** `slug` of the manifest's `imports`. */
  readonly importSlug: string;
  /** Name of an organisation's keyring of the branch. */
  readonly keyring: string;
  /** Of the other system: a project, a workspace. Null until somebody has chosen it. */
  readonly external: ExternalUnit | null;
  /** Item types and whether each is extracted; null for all. */
  readonly objects: Readonly<Record<string, unknown>> | null;
  /** How many mappings it has. */
  readonly mappers: number;
  /** The run that goes on; a unit has at most one. */
  readonly activeRunId: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export interface ExternalUnit {
  readonly id: string;
  readonly name: string;
}

export interface SyncRunRow {
  readonly id: string;
  readonly unitId: string;
  readonly snapInId: string;
  readonly function: string;
  readonly family: SyncEventFamily;
  readonly state: SyncRunState;
  /** What the tokens in its URLs are made from. They open nothing when it has ended. */
  readonly key: string;
  /** Parts of the event's context that its caller gave: times, scopes. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Callbacks that were refused. */
  readonly refused: number;
  readonly artefacts: number;
  readonly artefactBytes: number;
  readonly createdMs: number;
  readonly endedMs: number | null;
}

/** One invocation of the package. Key: run, number. */
export interface SyncCallRow {
  readonly call: number;
  readonly phase: SyncPhase;
  readonly resumed: boolean;
  /** Null until the engine has taken it. */
  readonly invocationId: string | null;
  readonly createdMs: number;
  readonly endedMs: number | null;
  /** What it reported. */
  readonly result: SyncResult | null;
  /** Why it failed, or why a report of it was refused. */
  readonly note: string | null;
  /** Of the report's bytes, so that its repetition is known. */
  readonly reportDigest: string | null;
  /** What a loader says that it did, by type of item. */
  readonly counts: readonly Readonly<Record<string, unknown>>[];
}

export interface SyncArtefactRow {
  readonly id: string;
  readonly name: string;
  readonly contentType: string;
  /** Number of the call that made it. */
  readonly call: number;
  /** Null until it was uploaded. */
  readonly digest: string | null;
  readonly bytes: number;
  /** A confirmed one does not change any more. */
  readonly confirmed: boolean;
  readonly itemType: string | null;
  readonly itemCount: number | null;
  readonly createdMs: number;
}

/** What is known of one item on both sides. */
export interface SyncMapperRow {
  readonly id: string;
  readonly unitId: string;
  readonly externalIds: readonly string[];
  readonly targets: readonly string[];
  readonly status: string;
  /** Whatever else the package wrote. */
  readonly rest: Readonly<Record<string, unknown>>;
}

export type StateDirection = "extracted" | "loaded";

export interface SyncStateRow {
  readonly text: string;
  readonly updatedMs: number;
}

export interface SyncBlueprintRow {
  readonly id: string;
  readonly text: string;
  readonly createdMs: number;
}

export function directionOf(mode: SyncMode): StateDirection {
  return mode === "LOADING" || mode === "DELETE_LOADED" ? "loaded" : "extracted";
}

export function parseSyncUnit(json: unknown): SyncUnitRow {
  const row = json as SyncUnitRow;
  assert(typeof row.id === "string" && typeof row.snapInId === "string", "a stored sync unit has its fields");
  return row;
}

export function parseSyncRun(json: unknown): SyncRunRow {
  const row = json as SyncRunRow;
  assert(typeof row.id === "string" && typeof row.state.status === "string", "a stored sync run has its fields");
  return row;
}

export function parseSyncCall(json: unknown): SyncCallRow {
  const row = json as SyncCallRow;
  assert(Number.isInteger(row.call) && typeof row.phase === "string", "a stored call of a sync run has its fields");
  return row;
}

export function parseSyncArtefact(json: unknown): SyncArtefactRow {
  const row = json as SyncArtefactRow;
  assert(typeof row.id === "string" && typeof row.name === "string", "a stored artefact of a sync run has its fields");
  return row;
}

export function parseSyncMapper(json: unknown): SyncMapperRow {
  const row = json as SyncMapperRow;
  assert(typeof row.id === "string" && Array.isArray(row.externalIds) && Array.isArray(row.targets), "a stored mapping has its fields");
  return row;
}

export function parseSyncState(json: unknown): SyncStateRow {
  const row = json as SyncStateRow;
  assert(typeof row.text === "string", "a stored state has its text");
  return row;
}

export function parseSyncBlueprint(json: unknown): SyncBlueprintRow {
  const row = json as SyncBlueprintRow;
  assert(typeof row.id === "string" && typeof row.text === "string", "a stored blueprint has its fields");
  return row;
}
