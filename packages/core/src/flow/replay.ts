/** Runs a recorded history against another version of its flow, dry, and shows where the two part. */
import { limit } from "../limits.ts";
import type { Command } from "./commands.ts";
import type { FlowEvent } from "./events.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";

export interface ReplayDifference {
  /** Position of the event in the journal. */
  readonly event: number;
  /** `refused`: the other version has no place for the event. `step`, `command`: it does something else then. */
  readonly kind: "refused" | "step" | "command";
  /** One sentence. */
  readonly message: string;
  readonly before: StepNote | Command | null;
  readonly after: StepNote | Command | null;
}

/** Empty when the history gives the same steps and commands with both versions. */
export function compareReplay(before: FlowProgram, after: FlowProgram, journal: readonly FlowEvent[]): readonly ReplayDifference[] {
  const differences: ReplayDifference[] = [];
  let [left, right] = [NEW_RUN, NEW_RUN];
  for (const [index, event] of journal.entries()) {
    const [one, other] = [replayEvent(before, left, event), replayEvent(after, right, event)];
    [left, right] = [one.state, other.state];
    if (one.refused === null && other.refused !== null) {
      const message = `With the new version the event ${event.kind} is refused: ${other.refused}`;
      differences.push({ event: index, kind: "refused", message, before: null, after: null });
    } else {
      differences.push(
        ...differencesOf(index, one.notes, other.notes, "step"),
        ...differencesOf(index, one.commands, other.commands, "command"),
      );
    }
    if (differences.length >= limit("flowFindingsMax")) break;
  }
  return differences.slice(0, limit("flowFindingsMax"));
}

interface Replayed {
  readonly state: RunState;
  readonly notes: readonly StepNote[];
  readonly commands: readonly Command[];
  readonly refused: string | null;
}

function replayEvent(program: FlowProgram, from: RunState, event: FlowEvent): Replayed {
  const notes: StepNote[] = [];
  const { state, commands, refusal } = transition(program, from, event, { onNote: (note) => notes.push(note) });
  return { state, notes, commands, refused: refusal?.message ?? null };
}

type Compared = StepNote | Command;

/** The first place at which two lists part: what follows differs because of it. */
function differencesOf(
  event: number,
  before: readonly Compared[],
  after: readonly Compared[],
  kind: "step" | "command",
): readonly ReplayDifference[] {
  for (let i = 0; i < Math.max(before.length, after.length); i += 1) {
    const [one, other] = [before[i] ?? null, after[i] ?? null];
    if (JSON.stringify(one) === JSON.stringify(other)) continue;
    const message = `After event ${event} the old version ${textOf(one)}, the new one ${textOf(other)}.`;
    return [{ event, kind, message, before: one, after: other }];
  }
  return [];
}

function textOf(compared: Compared | null): string {
  if (compared === null) return "does nothing more";
  return "node" in compared ? `has \`${compared.kind}\` for the step \`${compared.node}\`` : `has \`${compared.kind}\``;
}
