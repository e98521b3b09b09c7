import fc from "fast-check";
import { expect, test } from "vitest";
import { limit } from "../limits.ts";
import { readSyncReport, SYNC_PHASES, syncEventName, type SyncPhase } from "./sync-events.ts";
import { isSyncEnded, startSyncRun, SYNC_MODES, syncTransition, type SyncEvent, type SyncMode, type SyncMove } from "./sync-run.ts";

const PHASES = Object.keys(SYNC_PHASES) as SyncPhase[];
const MODES = Object.keys(SYNC_MODES) as SyncMode[];

function reported(call: number, phase: SyncPhase, result: "done" | "progress" | "delayed" | "error", delay?: unknown): SyncEvent {
  return { kind: "reported", call, report: { phase, result, delay }, nowMs: 1000 };
}

function after(mode: SyncMode, events: readonly SyncEvent[], hasUnit = false): SyncMove {
  return events.reduce((move, event) => syncTransition(move.state, event), startSyncRun(mode, { hasUnit }));
}

test.each(MODES)("%s goes through its phases one after the other", (mode) => {
  let move = startSyncRun(mode, { hasUnit: false });
  const seen: SyncPhase[] = [];
  for (let call = 1; !isSyncEnded(move.state);) {
    if (move.state.status === "choosing") {
      move = syncTransition(move.state, { kind: "chosen" });
      continue;
    }
    seen.push(move.state.phase);
    expect(move.commands).toEqual([{ kind: "call", call, phase: move.state.phase, resumed: false }]);
    move = syncTransition(move.state, reported(call++, move.state.phase, "done"));
  }
  expect(seen).toEqual(SYNC_MODES[mode]);
  expect(move.state.status).toBe("done");
});

test("progress goes on at once, a delay when its time has come, and both only where a phase can", () => {
  const start = after("INCREMENTAL", [reported(1, "metadata", "done")]);
  const more = syncTransition(start.state, reported(2, "data", "progress"));
  expect(more.commands).toEqual([{ kind: "call", call: 3, phase: "data", resumed: true }]);
  const paused = syncTransition(more.state, reported(3, "data", "delayed", "2.5"));
  expect(paused.commands).toEqual([{ kind: "pause", untilMs: 3500 }]);
  expect(syncTransition(paused.state, { kind: "pauseOver", nowMs: 3499 }).commands).toEqual([{ kind: "pause", untilMs: 3500 }]);
  expect(syncTransition(paused.state, { kind: "pauseOver", nowMs: 3500 }).commands).toEqual([
    { kind: "call", call: 4, phase: "data", resumed: true },
  ]);
  expect(syncTransition(more.state, reported(3, "data", "delayed", 1e12)).state.untilMs).toBe(1000 + limit("syncPauseMsMax"));
  for (const delay of [undefined, -1, Number.NaN, "soon", {}, "1e9"])
    expect(syncTransition(more.state, reported(3, "data", "delayed", delay)).state.status).toBe("failed");
  for (const result of ["progress", "delayed"] as const)
    expect(after("INCREMENTAL", [reported(1, "metadata", result, 1)]).state.status).toBe("failed");
});

test("P1 a report of another call or phase changes nothing", () => {
  const { state } = startSyncRun("INCREMENTAL", { hasUnit: true });
  for (const event of [reported(0, "metadata", "done"), reported(2, "metadata", "done"), reported(1, "data", "done")]) {
    const move = syncTransition(state, event);
    expect(move.state).toBe(state);
    expect([move.commands, move.refused]).toEqual([[], expect.any(String)]);
  }
});

test("P2 a call without a report fails the run", () => {
  expect(after("LOADING", [{ kind: "ended", call: 1, error: null }]).state).toMatchObject({
    status: "failed",
    reason: "the function ended without a report",
  });
  expect(after("LOADING", [{ kind: "timedOut", call: 1, maxMs: 2000 }]).state).toMatchObject({
    status: "failed",
    reason: "the function did not report within 2 s",
  });
});

test("P4 a lost call is made again as it was, and not for ever", () => {
  let move = after("LOADING", [reported(1, "loadData", "progress")]);
  for (let i = 0; i < limit("syncLossesMax"); i++) {
    move = syncTransition(move.state, { kind: "lost", call: move.state.call });
    expect(move.commands).toEqual([{ kind: "call", call: 3 + i, phase: "loadData", resumed: true }]);
  }
  expect(syncTransition(move.state, { kind: "lost", call: move.state.call }).state.status).toBe("failed");
  // Progress in between starts the count anew.
  expect(syncTransition(move.state, reported(move.state.call, "loadData", "progress")).state.losses).toBe(0);
});

const anyEvent: fc.Arbitrary<SyncEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("reported" as const),
    call: fc.integer({ min: 0, max: 6 }),
    report: fc.record({
      phase: fc.constantFrom(...PHASES),
      result: fc.constantFrom("done", "progress", "delayed", "error"),
      delay: fc.anything(),
    }),
    nowMs: fc.nat(),
  }),
  fc.record({ kind: fc.constant("ended" as const), call: fc.integer({ min: 0, max: 6 }), error: fc.option(fc.string()) }),
  fc.record({ kind: fc.constant("lost" as const), call: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constant("timedOut" as const), call: fc.integer({ min: 0, max: 6 }), maxMs: fc.nat() }),
  fc.record({ kind: fc.constant("pauseOver" as const), nowMs: fc.nat() }),
  fc.constant({ kind: "chosen" as const }),
  fc.constant({ kind: "cancelled" as const }),
);

test("P3 whatever happens: numbers of calls only grow, phases do not go back, and ends are ends", () => {
  fc.assert(
    fc.property(fc.constantFrom(...MODES), fc.boolean(), fc.array(anyEvent, { maxLength: 30 }), (mode, hasUnit, events) => {
      let { state } = startSyncRun(mode, { hasUnit });
      for (const event of events) {
        const move = syncTransition(state, event);
        expect(move.state.call - state.call).toBe(move.commands.filter(({ kind }) => kind === "call").length);
        expect(SYNC_MODES[mode].indexOf(move.state.phase)).toBeGreaterThanOrEqual(SYNC_MODES[mode].indexOf(state.phase));
        if (isSyncEnded(state) || move.refused !== undefined) expect(move.state).toBe(state);
        expect(move.state.untilMs === null).toBe(move.state.status !== "paused");
        ({ state } = move);
      }
    }),
  );
});

test("names of both families are understood, and each phase has its own", () => {
  for (const phase of PHASES) {
    for (const name of SYNC_PHASES[phase].reports)
      for (const [suffix, result] of [
        ["DONE", "done"],
        ["ERROR", "error"],
        ["PROGRESS", "progress"],
        ["DELAY", "delayed"],
        ["DELAYED", "delayed"],
      ] as const)
        expect(readSyncReport(`${name}_${suffix}`)).toEqual({ phase, result });
  }
  expect(syncEventName("data", "old", true)).toBe("EXTRACTION_DATA_CONTINUE");
  expect(syncEventName("data", "new", false)).toBe("START_EXTRACTING_DATA");
  for (const name of ["", "_DONE", "UNKNOWN_EVENT_TYPE", "constructor_DONE", "DATA_EXTRACTION", "__proto___DONE"])
    expect(readSyncReport(name)).toBeUndefined();
  const starts = PHASES.flatMap((phase) => [syncEventName(phase, "old", false), syncEventName(phase, "new", false)]);
  expect(new Set(starts).size).toBe(PHASES.length + 6);
});
