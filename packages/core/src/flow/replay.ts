/** Runs a recorded history against another version of its flow, dry, and shows where the two part. */
import { limit } from "../limits.ts";
import type { Command } from "./commands.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent } from "./events.ts";
import type { Versions } from "./move-run.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram } from "./program.ts";
import { NEW_RUN, type RunState } from "./state.ts";
import { transition } from "./transition.ts";

export interface ReplayDifference {
  /** Position of the event in the journal. */
  readonly event: number;
  /** `refused`: the other version has no place for the event. `step`, `command`: it does something else then. */
  readonly kind: "refused" | "step" | "command";
  readonly node: NodeId | null;
  /** One sentence. */
  readonly message: string;
  readonly before: StepNote | Command | null;
  readonly after: StepNote | Command | null;
}

/** Empty when the history gives the same steps and commands with both versions. */
export function compareReplay(before: FlowProgram, after: FlowProgram, journal: readonly FlowEvent[]): readonly ReplayDifference[] {
  const comparison = new ReplayComparison({ before, after });
  comparison.take(journal);
  return comparison.differences;
}

/** Takes a history part by part, so that a long one can be compared with pauses in between. */
export class ReplayComparison {
  readonly #versions: Versions;
  readonly #differences: ReplayDifference[] = [];
  readonly #differencesMax: number;
  #states: { readonly before: RunState; readonly after: RunState };
  #event: number;
  #isOver = false;

  /** `from`: where a run stands that was moved before, with both versions. */
  constructor(
    versions: Versions,
    options: {
      readonly from?: { readonly before: RunState; readonly after: RunState; readonly event: number };
      readonly differencesMax?: number;
    } = {},
  ) {
    this.#versions = versions;
    this.#states = options.from ?? { before: NEW_RUN, after: NEW_RUN };
    this.#event = options.from?.event ?? 0;
    this.#differencesMax = options.differencesMax ?? limit("flowFindingsMax");
  }

  get differences(): readonly ReplayDifference[] {
    return this.#differences.slice(0, this.#differencesMax);
  }

  /** What follows says nothing more: the versions have parted for good, or enough is known. */
  get isOver(): boolean {
    return this.#isOver || this.#differences.length >= this.#differencesMax;
  }

  take(events: Iterable<FlowEvent>): void {
    for (const event of events) {
      if (this.isOver) return;
      this.#takeOne(event);
    }
  }

  #takeOne(event: FlowEvent): void {
    const { before, after } = this.#versions;
    const [one, other] = [replayEvent(before, this.#states.before, event), replayEvent(after, this.#states.after, event)];
    this.#states = { before: one.state, after: other.state };
    const at = this.#event;
    this.#event += 1;
    if (one.refused === null && other.refused !== null) {
      const node = "key" in event ? (nodeOfKey(event.key) ?? null) : null;
      const message = `With the new version the event \`${event.kind}\`${node === null ? "" : ` of the step \`${node}\``} has no place: ${other.refused}`;
      this.#differences.push({ event: at, kind: "refused", node, message, before: null, after: null });
      this.#isOver = true;
      return;
    }
    const steps = differencesOf(at, one.notes, other.notes, "step");
    const commands = differencesOf(at, one.commands, other.commands, "command");
    this.#differences.push(...steps, ...(steps.some(isOfInput) ? [] : commands));
  }
}

/** The call that begins differs too, and says no more. */
function isOfInput({ before, after }: ReplayDifference): boolean {
  return before?.kind === "begun" && after?.kind === "begun" && before.node === after.node;
}

/** `<run>/<node>/<step>` */
function nodeOfKey(key: string): NodeId | undefined {
  return key.split("/")[1];
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
    const node = nodeOf(other) ?? nodeOf(one);
    return [{ event, kind, node, message: `After event ${event} ${partingText(one, other)}`, before: one, after: other }];
  }
  return [];
}

function nodeOf(compared: Compared | null): NodeId | null {
  return compared !== null && "node" in compared ? compared.node : null;
}

function partingText(one: Compared | null, other: Compared | null): string {
  if (one !== null && other !== null && one.kind === other.kind && nodeOf(one) === nodeOf(other))
    return `both versions have ${textOf(one)}, with other values.`;
  const [before, after] = [one === null ? "nothing more" : textOf(one), other === null ? "nothing more" : textOf(other)];
  return `the old version has ${before}, the new one ${after}.`;
}

function textOf(compared: Compared): string {
  return "node" in compared ? `\`${compared.kind}\` for the step \`${compared.node}\`` : `\`${compared.kind}\``;
}
