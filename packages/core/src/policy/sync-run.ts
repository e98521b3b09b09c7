/**
 * The course of a sync run. Pure: the caller commits the state that this file returns together with what the command says has to
 * happen next, performs it, and comes back with what became of it.
 *
 * P1 Each invocation of the package has a number, and may report once: a report with another number, or for another phase, is
 *    refused and changes nothing.
 * P2 An invocation that ends, or whose time ends, without its report fails the run.
 * P3 A run that has ended takes nothing any more.
 * P4 A call that was lost with its process is made again, under a new number, as often in a row as `syncLossesMax` says. The package
 *    goes on from the state that it left.
 */
import { assert } from "../assert.ts";
import { limit } from "../limits.ts";
import { SYNC_PHASES, type SyncPhase, type SyncResult } from "./sync-events.ts";

export type SyncMode = "INITIAL" | "INCREMENTAL" | "LOADING" | "DELETE_EXTRACTED" | "DELETE_LOADED";

export const SYNC_MODES: Readonly<Record<SyncMode, readonly SyncPhase[]>> = {
  INITIAL: ["externalUnits", "metadata", "data", "attachments"],
  INCREMENTAL: ["metadata", "data", "attachments"],
  LOADING: ["loadData", "loadAttachments"],
  DELETE_EXTRACTED: ["deleteData", "deleteAttachments"],
  DELETE_LOADED: ["deleteLoadedData", "deleteLoadedAttachments"],
};

export interface SyncRunState {
  readonly mode: SyncMode;
  readonly phase: SyncPhase;
  /**
   * `calling`: invocation `call` has to report. `paused`: the next one begins at `untilMs`. `choosing`: somebody has to say which
   * external unit is meant. The others are ends.
   */
  readonly status: "calling" | "paused" | "choosing" | "done" | "failed" | "cancelled";
  /** Number of the invocation that runs or ran last, from 1 over all phases. */
  readonly call: number;
  /** Whether the phase has begun before and goes on. */
  readonly resumed: boolean;
  /** Invocations of the phase. */
  readonly callsOfPhase: number;
  /** Invocations that were lost, one after the other. */
  readonly losses: number;
  readonly untilMs: number | null;
  /** Why it failed, for people. */
  readonly reason: string | null;
}

export interface SyncReport {
  readonly phase: SyncPhase;
  readonly result: SyncResult;
  /** Of `delayed`, as it was sent. Hostile. */
  readonly delay?: unknown;
  readonly message?: string;
}

export type SyncEvent =
  | { readonly kind: "reported"; readonly call: number; readonly report: SyncReport; readonly nowMs: number }
  /** The invocation ended; `error` is its failure. */
  | { readonly kind: "ended"; readonly call: number; readonly error: string | null }
  /** The process or the host that ran the invocation is gone. */
  | { readonly kind: "lost"; readonly call: number }
  | { readonly kind: "timedOut"; readonly call: number; readonly maxMs: number }
  | { readonly kind: "pauseOver"; readonly nowMs: number }
  | { readonly kind: "chosen" }
  | { readonly kind: "cancelled" };

export type SyncCommand =
  | { readonly kind: "call"; readonly call: number; readonly phase: SyncPhase; readonly resumed: boolean }
  | { readonly kind: "pause"; readonly untilMs: number }
  | { readonly kind: "choose" }
  | { readonly kind: "end" };

export interface SyncMove {
  readonly state: SyncRunState;
  readonly commands: readonly SyncCommand[];
  /** Why the event changed nothing. */
  readonly refused?: string;
}

/** A new run. `hasUnit`: the external unit is chosen already, so nobody has to be asked. */
export function startSyncRun(mode: SyncMode, { hasUnit }: { readonly hasUnit: boolean }): SyncMove {
  const phases = SYNC_MODES[mode].filter((phase) => phase !== "externalUnits" || !hasUnit);
  const [phase] = phases;
  assert(phase !== undefined, "a mode has phases");
  const blank = {
    mode,
    phase,
    status: "calling",
    call: 0,
    resumed: false,
    callsOfPhase: 0,
    losses: 0,
    untilMs: null,
    reason: null,
  } as const;
  return nextCall(blank, { phase, resumed: false });
}

export function isSyncEnded({ status }: Pick<SyncRunState, "status">): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

export function syncTransition(state: SyncRunState, event: SyncEvent): SyncMove {
  if (isSyncEnded(state)) return refused(state, `the run is ${state.status}`);
  switch (event.kind) {
    case "reported":
      return reported(state, event);
    case "ended":
      if (!isCurrent(state, event.call)) return refused(state, "it is about an earlier call");
      return failed(state, event.error ?? "the function ended without a report");
    case "lost":
      if (!isCurrent(state, event.call)) return refused(state, "it is about an earlier call");
      if (state.losses >= limit("syncLossesMax"))
        return failed(state, `the process of the function was lost ${state.losses + 1} times in a row`);
      return nextCall({ ...state, losses: state.losses + 1 }, { phase: state.phase, resumed: state.resumed });
    case "timedOut":
      if (!isCurrent(state, event.call)) return refused(state, "it is about an earlier call");
      return failed(state, `the function did not report within ${Math.round(event.maxMs / 1000)} s`);
    case "pauseOver":
      if (state.status !== "paused" || state.untilMs === null) return refused(state, "the run does not pause");
      if (event.nowMs < state.untilMs) return { state, commands: [{ kind: "pause", untilMs: state.untilMs }] };
      return nextCall({ ...state, losses: 0 }, { phase: state.phase, resumed: true });
    case "chosen":
      return state.status === "choosing" ? nextPhase(state) : refused(state, "the run does not wait for a choice");
    case "cancelled":
      return { state: { ...state, status: "cancelled", untilMs: null }, commands: [{ kind: "end" }] };
  }
}

/** Why a run waits, in words. */
export function syncWaitText({ status, phase, call, untilMs }: SyncRunState): string | null {
  switch (status) {
    case "calling":
      return `call ${call} of the function, phase ${phase}, has to report`;
    case "paused":
      return `the package asked for a pause in phase ${phase}, until ${new Date(untilMs ?? 0).toISOString()}`;
    case "choosing":
      return "somebody has to choose one of the external units that were found";
    default:
      return null;
  }
}

/** P1 */
function reported(state: SyncRunState, { call, report, nowMs }: Extract<SyncEvent, { readonly kind: "reported" }>): SyncMove {
  if (!isCurrent(state, call)) return refused(state, "the call has reported already");
  if (report.phase !== state.phase) return refused(state, `it is about the phase ${report.phase}, and ${state.phase} runs`);
  switch (report.result) {
    case "done":
      if (state.phase === "externalUnits") return { state: { ...state, status: "choosing" }, commands: [{ kind: "choose" }] };
      return nextPhase(state);
    case "error":
      return failed(state, report.message ?? "the package reported an error without a message");
    case "progress":
      if (SYNC_PHASES[state.phase].resume === null) return failed(state, `the phase ${state.phase} cannot go on after a report`);
      return nextCall({ ...state, losses: 0 }, { phase: state.phase, resumed: true });
    case "delayed":
      if (SYNC_PHASES[state.phase].resume === null) return failed(state, `the phase ${state.phase} cannot pause`);
      return pause(state, report.delay, nowMs);
  }
}

function pause(state: SyncRunState, delay: unknown, nowMs: number): SyncMove {
  const seconds =
    typeof delay === "number" ? delay : typeof delay === "string" && /^\d{1,9}(\.\d{1,9})?$/.test(delay) ? Number(delay) : NaN;
  if (!(seconds >= 0)) return failed(state, "the package asked for a pause and did not say how many seconds");
  const untilMs = nowMs + Math.min(Math.ceil(seconds * 1000), limit("syncPauseMsMax"));
  return { state: { ...state, status: "paused", untilMs }, commands: [{ kind: "pause", untilMs }] };
}

function nextPhase(state: SyncRunState): SyncMove {
  const phases = SYNC_MODES[state.mode];
  const phase = phases[phases.indexOf(state.phase) + 1];
  if (phase === undefined) return { state: { ...state, status: "done", untilMs: null }, commands: [{ kind: "end" }] };
  return nextCall({ ...state, callsOfPhase: 0, losses: 0 }, { phase, resumed: false });
}

function nextCall(state: SyncRunState, { phase, resumed }: { readonly phase: SyncPhase; readonly resumed: boolean }): SyncMove {
  if (state.callsOfPhase >= limit("syncCallsPerPhaseMax"))
    return failed(state, `the phase ${phase} was called ${state.callsOfPhase} times and is not done`);
  const call = state.call + 1;
  return {
    state: { ...state, phase, status: "calling", call, resumed, callsOfPhase: state.callsOfPhase + 1, untilMs: null },
    commands: [{ kind: "call", call, phase, resumed }],
  };
}

/** P2 */
function failed(state: SyncRunState, reason: string): SyncMove {
  return {
    state: { ...state, status: "failed", untilMs: null, reason: reason.slice(0, limit("syncReasonCharsMax")) },
    commands: [{ kind: "end" }],
  };
}

/** P3 */
function refused(state: SyncRunState, why: string): SyncMove {
  return { state, commands: [], refused: why };
}

function isCurrent({ status, call }: SyncRunState, given: number): boolean {
  return status === "calling" && call === given;
}
