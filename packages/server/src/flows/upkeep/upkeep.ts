/**
 * What people do with flows and runs besides starting them. This file is the contract; `open-upkeep.ts` makes one.
 *
 * U1 Nothing here writes but what its name says: comparisons, dry runs and counts leave no trace.
 * U2 All of it is bounded in number and time, and says where it was cut.
 * U3 A change of many runs may be asked for again with its id after a crash: no run is changed twice.
 */
import type { FlowFinding } from "@plinth/core/flow/definition.ts";
import type { DryReport } from "@plinth/core/flow/dry-report.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { DryInput, Mocks } from "@plinth/core/flow/mocks.ts";
import type { StepNote } from "@plinth/core/flow/notes.ts";
import type { ReplayDifference } from "@plinth/core/flow/replay.ts";
import type { Reason, StepView } from "@plinth/core/flow/views.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import type { Actor, LogLine } from "../../engine/invocation.ts";
import type { Store } from "../../store/store.ts";
import type { FlowVersion, RunSummary } from "../flows.ts";

export interface MoveRequest {
  readonly by: string;
  /** A digest, its beginning, the number of a publication, or `head`. */
  readonly to: string;
  /** Says whether it fits, and moves nothing. */
  readonly isDry: boolean;
  /** Id of a change of many runs. */
  readonly request?: string;
}

export interface MoveOutcome {
  readonly id: string;
  readonly version: string;
  readonly moved: boolean;
  /** Why it does not fit, by node; empty when it does. */
  readonly findings: readonly FlowFinding[];
}

export interface CompareRequest {
  readonly definition: JsonObject;
  /** At most so many runs, those that go on first. */
  readonly runsMax: number;
}

export interface Comparison {
  /** Of the definition itself: with errors no run was looked at. */
  readonly findings: readonly FlowFinding[];
  readonly runs: readonly ComparedRun[];
  /** Runs that were left out for their number or for time. */
  readonly isCut: boolean;
}

export interface ComparedRun extends Pick<RunSummary, "id" | "version" | "status" | "startedMs"> {
  /** Why it cannot be moved to the definition; empty when it can. Null for runs that have completed. */
  readonly misfits: readonly FlowFinding[] | null;
  readonly differences: readonly ReplayDifference[];
  /** Events that were replayed. */
  readonly events: number;
  /** Its history is longer than what was replayed. */
  readonly isCut: boolean;
}

export interface DryRunRequest {
  readonly scope: Scope;
  readonly actor: Actor;
  /** A flow by its name and version, or a definition that need not be published. */
  readonly flow: { readonly name: string; readonly version: string | null } | { readonly definition: JsonObject };
  readonly input: Json;
  readonly atMs: number;
  readonly mocks: Mocks;
  readonly inputs: readonly DryInput[];
  readonly signal: AbortSignal;
}

export type DryRunOutcome =
  | {
      readonly ok: true;
      readonly report: DryReport;
      readonly steps: readonly StepNote[];
      /** What code that was run has printed. */
      readonly logs: readonly LogLine[];
    }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] };

/** Lines that a step has printed; each is told once, and all of them from the beginning to each watcher. */
export interface PrintNews {
  /** The same for all that an attempt of a step prints. */
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
  /** Lines with this `id` that came before these. */
  readonly from: number;
  readonly lines: readonly LogLine[];
  /** Lines beyond the limits, until now. */
  readonly dropped: number;
}

/** What those who watch a run are told. */
export type RunNews =
  /** `cursor`: watching again after it goes on with what follows. */
  | { readonly type: "step"; readonly cursor: number; readonly step: StepNote }
  | { readonly type: "print"; readonly cursor: number; readonly print: PrintNews }
  /** Where it stands: at first, and when that changes. */
  | { readonly type: "run"; readonly cursor: number; readonly run: RunSummary }
  /** The last one: it has ended. */
  | { readonly type: "end"; readonly cursor: number; readonly run: RunSummary };

export interface WatchRequest {
  /** Cursor of what is known already: that many steps. */
  readonly after: number;
  readonly signal: AbortSignal;
  readonly commits: Pick<Store, "onCommit">;
}

/** Queries on a run: where it is, why, and with what values. */
export interface RunPlace extends RunSummary {
  readonly reasons: readonly Reason[];
  readonly input: Json;
  readonly variables: JsonObject;
  /** Results of steps in the chains that are open. */
  readonly steps: readonly (Omit<StepView, "output"> & { readonly output: Json })[];
  readonly deadlineMs: number;
  readonly undone: number;
  readonly undoFailures: readonly string[];
  /** Events in its journal. */
  readonly events: number;
  /** Steps at which a retry could begin; empty when the run cannot be retried. */
  readonly retryFrom: readonly string[];
}

export interface RerunRequest {
  readonly actor: Actor;
  /** Of the run when absent. */
  readonly input?: Json;
  readonly idempotencyKey?: string;
}

export interface RunFilter {
  readonly flow?: string;
  readonly status?: readonly RunSummary["status"][];
  /** Code of the reason why it waits, or of its error. */
  readonly reason?: string;
  /** A digest, or its beginning. */
  readonly version?: string;
  readonly startedAfterMs?: number;
  readonly startedBeforeMs?: number;
}

export interface ListRequest {
  readonly filter: RunFilter;
  /** Those alone that have something to do which nobody does, or a time that is past. */
  readonly isStuck: boolean;
  readonly max: number;
  /** `next` of the page before. */
  readonly after?: string;
}

/** The newest first. */
export interface FoundRuns {
  readonly runs: readonly RunSummary[];
  /** Where older ones are; null at the end. A page may be empty and have more behind it. */
  readonly next: string | null;
}

export type BulkAction =
  | { readonly kind: "cancel" | "pause"; readonly reason: string }
  | { readonly kind: "resume" }
  /** Without a node: from where each of them failed. */
  | { readonly kind: "retry"; readonly node?: string; readonly input?: Json }
  | { readonly kind: "signal"; readonly name: string; readonly payload: Json }
  | { readonly kind: "rerun"; readonly input?: Json }
  | { readonly kind: "move"; readonly to: string };

export interface BulkRequest {
  readonly actor: Actor;
  readonly by: string;
  /** U3: of the whole change, chosen by who asks. */
  readonly id: string;
  readonly filter: RunFilter;
  readonly action: BulkAction;
  /** Runs of this slice at most. */
  readonly max: number;
  /** Of the slice before. */
  readonly after?: string;
  readonly isDry: boolean;
}

export interface BulkSlice {
  /** Runs that were looked at. */
  readonly seen: number;
  /** Those that fit the filter. */
  readonly matched: number;
  /** Ids. In a dry count, those that would be changed. */
  readonly done: readonly string[];
  /** Changed by an earlier request with the same id. */
  readonly already: readonly string[];
  readonly refused: readonly { readonly id: string; readonly message: string }[];
  /** Where the next slice begins; null at the end. */
  readonly next: string | null;
}

/** A flow as one document. */
export interface FlowDocument {
  readonly kind: "plinth-flow";
  readonly format: 1;
  readonly name: string;
  readonly version: string;
  readonly note: string | null;
  /** With the lock of the packages that its code uses. */
  readonly definition: JsonObject;
  readonly tests: JsonObject | null;
  /** For support: not read by an import. */
  readonly runs: readonly RecordedRun[];
}

export interface RecordedRun {
  readonly run: RunSummary;
  readonly events: readonly FlowEvent[];
  readonly steps: readonly StepNote[];
  /** Its history is longer. */
  readonly isCut: boolean;
}

export interface ExportRequest {
  readonly flow: string;
  /** The head when null. */
  readonly version: string | null;
  /** Ids of runs whose histories go along. */
  readonly runs: readonly string[];
}

export interface ImportRequest {
  readonly document: JsonObject;
  readonly note: string | null;
  /** Checks everything and changes nothing. */
  readonly isDry: boolean;
}

export type Imported =
  | { readonly ok: true; readonly name: string; readonly version: FlowVersion | null; readonly findings: readonly FlowFinding[] }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] };

export interface Upkeep {
  /** Rejects with FlowRunRefused when it does not fit. */
  move(scope: Scope, id: string, request: MoveRequest): Promise<MoveOutcome>;
  compare(scope: Scope, request: CompareRequest): Promise<Comparison>;
  dryRun(request: DryRunRequest): Promise<DryRunOutcome>;
  /** Ends with the run, or when the signal aborts. */
  watch(scope: Scope, id: string, request: WatchRequest): AsyncIterable<RunNews>;
  place(scope: Scope, id: string): Promise<RunPlace>;
  /** A new run of the same flow with the same input, or another. */
  rerun(scope: Scope, id: string, request: RerunRequest): Promise<RunSummary>;
  runs(scope: Scope, request: ListRequest): Promise<FoundRuns>;
  bulk(scope: Scope, request: BulkRequest): Promise<BulkSlice>;

  export(scope: Scope, request: ExportRequest): Promise<FlowDocument>;
  import(scope: Scope, request: ImportRequest): Promise<Imported>;
  /** A file of tests that is kept with the flow, for exports and the console. Reject with NotFound. */
  tests(scope: Scope, flow: string): Promise<JsonObject | null>;
  /** What is wrong with them: then they were not kept. */
  setTests(scope: Scope, request: { readonly flow: string; readonly tests: JsonObject }): Promise<readonly FlowFinding[]>;
}
