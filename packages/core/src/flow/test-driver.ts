/** Drives runs in tests: keeps what the commands have begun, and checks after each event what must always hold. */
import { expect } from "vitest";
import type { Command } from "./commands.ts";
import { endsCommand, outstanding } from "./commands.ts";
import type { FlowEvent, RunInfo } from "./events.ts";
import { fold, snapshotOf, stateOfSnapshot } from "./fold.ts";
import type { FlowProgram } from "./program.ts";
import { type Frame, NEW_RUN, type RunState } from "./state.ts";
import { transition, type Transition } from "./transition.ts";
import { bytesOf, type FlowValue } from "./value.ts";
import { reasonsOf } from "./views.ts";

export const RUN: RunInfo = { id: "r1", flow: "test", version: "v1", company: { id: "c1", name: "Acme" }, environment: "main" };

export class TestDriver {
  readonly program: FlowProgram;
  readonly journal: FlowEvent[] = [];
  readonly commands: Command[] = [];
  /** What is under way, by a text that names it. */
  readonly open = new Map<string, Command>();
  state: RunState = NEW_RUN;
  /** Costs time. */
  readonly #isStrict: boolean;

  constructor(program: FlowProgram, { isStrict = true }: { readonly isStrict?: boolean } = {}) {
    this.program = program;
    this.#isStrict = isStrict;
  }

  start(trigger: FlowValue = { json: {} }, atMs = 1_000_000): Transition {
    return this.send({ kind: "started", atMs, run: RUN, trigger });
  }

  send(event: FlowEvent): Transition {
    const before = this.state;
    if (this.#isStrict) deepFreeze(before);
    const result = transition(this.program, before, event);
    if (result.refusal !== null) {
      expect(result.state).toBe(before);
      expect(result.commands).toEqual([]);
      return result;
    }
    this.journal.push(event);
    this.state = result.state;
    for (const [name, command] of this.open) if (endsCommand(event, command)) this.open.delete(name);
    for (const command of result.commands) this.#take(command);
    if (this.#isStrict) this.check();
    return result;
  }

  #take(command: Command): void {
    this.commands.push(command);
    switch (command.kind) {
      case "call":
        this.open.set(`call ${command.key}`, command);
        return;
      case "cancelCall":
        this.open.delete(`call ${command.key}`);
        return;
      case "startTimer":
        this.open.set(`timer ${command.timer}`, command);
        return;
      case "cancelTimer":
        this.open.delete(`timer ${command.timer}`);
        return;
      case "openWait":
        this.open.set(`wait ${command.key}`, command);
        return;
      case "closeWait":
        this.open.delete(`wait ${command.key}`);
        return;
      case "continue":
        this.open.set("continue", command);
        return;
      case "reply":
      case "end":
        return;
    }
  }

  check(): void {
    const { state } = this;
    expect(stateOfSnapshot(snapshotOf(state)), "a snapshot is the state").toEqual(state);
    const { kind } = state.status;
    if (kind === "ended") {
      expect(outstanding(state)).toEqual([]);
      return;
    }
    expect(reasonsOf(state).length, "a run that has not ended has a reason").toBeGreaterThan(0);
    // What is left to do is not begun while the run is paused.
    if (kind === "paused") this.open.delete("continue");
    expect([...new Set(outstanding(state).flatMap(nameOf))].toSorted(), "what is outstanding is what was begun and not ended").toEqual(
      [...this.open.keys()].toSorted(),
    );
    expect(state.bytes, "bytes are counted right").toBe(bytesHeld(state));
  }

  /** Folds the journal, and folds its second half from a snapshot of its first. */
  checkFold(): void {
    const whole = fold(this.program, this.journal);
    expect(whole).toEqual(this.state);
    const middle = Math.floor(this.journal.length / 2);
    const half = stateOfSnapshot(snapshotOf(fold(this.program, this.journal.slice(0, middle))));
    expect(fold(this.program, this.journal.slice(middle), half)).toEqual(this.state);
  }
}

function nameOf(command: Command): string[] {
  switch (command.kind) {
    case "call":
      return [`call ${command.key}`];
    case "startTimer":
      return [`timer ${command.timer}`];
    case "openWait":
      return [`wait ${command.key}`];
    case "continue":
      return ["continue"];
    default:
      return [];
  }
}

function bytesHeld(state: RunState): number {
  const frames = state.frames.filter((frame): frame is Frame => frame !== null);
  const inFrames = frames.flatMap(({ steps, wait }) => [
    ...steps.map((record) => record?.bytes ?? 0),
    wait?.kind === "each" || wait?.kind === "branches" ? wait.bytes : 0,
  ]);
  const inVariables = Object.values(state.variables).map((value) => bytesOf(value, Infinity));
  return [...inFrames, ...inVariables].reduce((sum, bytes) => sum + bytes, 0);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
