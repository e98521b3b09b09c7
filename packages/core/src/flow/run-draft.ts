/**
 * One transition at work: a copy of the state that may be changed, and the commands so far. Only what changes is copied; frames are
 * replaced, never changed.
 */
import { must } from "../assert.ts";
import { limit } from "../limits.ts";
import type { ChunkedList } from "./chunked-list.ts";
import { type Command, commandsOf } from "./commands.ts";
import type { NodeId } from "./definition.ts";
import type { FlowEvent, RunInfo, StepKey } from "./events.ts";
import type { FlowError } from "./flow-error.ts";
import type { StepNote } from "./notes.ts";
import type { FlowProgram, ProgramNode } from "./program.ts";
import {
  type Compensation,
  type Frame,
  type FrameId,
  placeOf,
  type RunState,
  type RunStatus,
  type Signal,
  type StepRecord,
  type Wait,
} from "./state.ts";
import { bytesOf, type FlowValue, NOTHING } from "./value.ts";

export interface OpenFrame {
  readonly chain: string;
  readonly parent: FrameId | null;
  readonly place: number;
  readonly item: FlowValue | null;
}

const BYTES_MAX = limit("flowContextBytesMax");
const FRAMES_MAX = limit("flowFramesMax");

export class RunDraft {
  readonly program: FlowProgram;
  readonly nowMs: number;
  readonly commands: Command[] = [];
  /** Frames that can go on, in the order in which they do. */
  readonly ready: FrameId[] = [];
  /** Steps and cost of expressions of this transition. */
  moves = 0;
  cost = 0;
  info: RunInfo | null;
  status: RunStatus;
  startedMs: number;
  deadlineMs: number;
  steps: number;
  trigger: FlowValue;
  variables: Readonly<Record<string, FlowValue>>;
  bytes: number;
  compensations: ChunkedList<Compensation>;
  signals: readonly Signal[];
  held: ChunkedList<FlowEvent>;
  reply: FlowValue | null;
  saved: readonly (Frame | null)[] | null;
  readonly #before: RunState;
  readonly #onNote: ((note: StepNote) => void) | null;
  #frames: (Frame | null)[] | null = null;
  #atFailure: readonly (Frame | null)[] | null = null;

  constructor(program: FlowProgram, state: RunState, atMs: number, onNote: ((note: StepNote) => void) | null) {
    this.program = program;
    this.nowMs = Math.max(state.nowMs, atMs);
    this.#before = state;
    this.#onNote = onNote;
    this.info = state.info;
    this.status = state.status;
    this.startedMs = state.startedMs;
    this.deadlineMs = state.deadlineMs;
    this.steps = state.steps;
    this.trigger = state.trigger;
    this.variables = state.variables;
    this.bytes = state.bytes;
    this.compensations = state.compensations;
    this.signals = state.signals;
    this.held = state.held;
    this.reply = state.reply;
    this.saved = state.saved;
  }

  get frames(): readonly (Frame | null)[] {
    return this.#frames ?? this.#before.frames;
  }

  get isTooLarge(): boolean {
    return this.bytes > BYTES_MAX;
  }

  get hasRoomForFrames(): boolean {
    return this.frames.length < FRAMES_MAX || this.frames.includes(null);
  }

  /** Of an ended run, which has none. */
  restoreFrames(frames: readonly (Frame | null)[]): void {
    this.#frames = frames.slice();
    this.bytes += bytesOfFrames(frames);
  }

  frame(id: FrameId): Frame {
    return must(this.frames[id], "the frame is open");
  }

  openFrames(): Frame[] {
    return this.frames.filter((frame) => frame !== null);
  }

  node(id: NodeId): ProgramNode {
    return must(this.program.nodes.get(id), "a frame is at a node of its definition");
  }

  /** Of a frame that waits. */
  nodeAt(frame: Frame): ProgramNode {
    return this.node(must(placeOf(this.frames, frame), "only a node waits"));
  }

  set(frame: Frame): Frame {
    this.#owned()[frame.id] = frame;
    return frame;
  }

  open({ chain, parent, place, item }: OpenFrame): Frame {
    const frames = this.#owned();
    const free = frames.indexOf(null);
    const id = free === -1 ? frames.length : free;
    const { start } = must(this.program.chains.get(chain), "the chain exists");
    const node = start;
    return this.set({
      id,
      chain,
      parent,
      place,
      item,
      node,
      wait: null,
      steps: [],
      bytes: 0,
      last: NOTHING,
      jumps: {},
      edited: null,
      isDetached: false,
    });
  }

  /** `frame` itself or the one around it that runs `chain`. */
  frameOfChain(frame: Frame, chain: string): Frame {
    let at = frame;
    while (at.chain !== chain) at = this.frame(must(at.parent, "the chain is around the frame"));
    return at;
  }

  /** Frames inside `id`, those around others first. */
  framesInside(id: FrameId): Frame[] {
    const open = this.openFrames();
    const inside: Frame[] = [];
    for (let level = [id]; level.length > 0;) {
      const children = open.filter(({ parent }) => parent !== null && level.includes(parent));
      inside.push(...children);
      level = children.map((frame) => frame.id);
    }
    return inside;
  }

  /** Removes it, unless detached frames inside still need what it knows; then it stays until they have ended. */
  close(frame: Frame): void {
    if (this.#hasInside(frame.id)) {
      this.set({ ...frame, wait: null, isDetached: true });
      return;
    }
    this.remove(frame);
    const around = frame.parent === null ? null : (this.frames[frame.parent] ?? null);
    if (around !== null && around.isDetached && around.wait === null) this.close(around);
  }

  #hasInside(id: FrameId): boolean {
    return this.frames.some((frame) => frame !== null && frame.parent === id);
  }

  /** Frames as they are where a step has failed, in case the run fails with it. */
  rememberFailure(failed: Frame): void {
    this.#atFailure ??= this.frames.map((frame) => (frame?.id === failed.id ? failed : frame));
  }

  /** The failure was taken over. */
  forgetFailure(): void {
    this.#atFailure = null;
  }

  keepFailure(): void {
    this.saved = (this.#atFailure ?? this.frames).map((frame) => (frame?.isDetached === true ? null : frame));
  }

  /** What an ended run need not know. */
  dropRemains(canBeRetried: boolean): void {
    this.bytes -= bytesOfFrames(this.frames);
    this.#frames = [];
    this.signals = [];
    if (!canBeRetried) this.saved = null;
  }

  remove(frame: Frame): void {
    const frames = this.#owned();
    frames[frame.id] = null;
    while (frames.length > 0 && frames.at(-1) === null) frames.pop();
    this.bytes -= bytesOfFrames([frame]);
  }

  #owned(): (Frame | null)[] {
    this.#frames ??= this.#before.frames.slice();
    return this.#frames;
  }

  /** The frame goes on at its node, after what is ready already. */
  resume(frame: Frame): void {
    this.set(frame.wait === null ? frame : { ...frame, wait: null });
    this.ready.push(frame.id);
  }

  resumeAll(): void {
    for (const frame of this.openFrames()) if (frame.wait === null && !frame.isDetached) this.ready.push(frame.id);
  }

  /** The frame waits, and the driver is told what for. */
  wait(frame: Frame, wait: Wait): Frame {
    this.commands.push(...commandsOf(wait, this.nodeAt(frame).id, false));
    return this.set({ ...frame, wait });
  }

  /** Notes what a node gave. */
  record(frame: Frame, node: ProgramNode, result: { readonly output: FlowValue | null; readonly error: FlowError | null }): Frame {
    const bytes = result.output === null ? 0 : bytesOf(result.output, BYTES_MAX);
    const steps = frame.steps.slice();
    for (let i = steps.length; i < node.slot; i += 1) steps.push(null);
    const more = bytes - (steps[node.slot]?.bytes ?? 0);
    const record: StepRecord = { ...result, bytes };
    steps[node.slot] = record;
    this.bytes += more;
    return this.set({ ...frame, steps, bytes: frame.bytes + more });
  }

  setVariables(values: Readonly<Record<string, FlowValue>>): void {
    for (const [name, value] of Object.entries(values)) {
      const before = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
      this.bytes += bytesOf(value, BYTES_MAX) - (before === undefined ? 0 : bytesOf(before, BYTES_MAX));
    }
    this.variables = { ...this.variables, ...values };
  }

  /** The key of the step that begins. */
  newKey(node: NodeId): StepKey {
    return `${must(this.info, "the run has started").id}/${node}/${this.steps}`;
  }

  note(frame: Frame, note: Omit<StepNote, "atMs" | "chain" | "place">): void {
    this.#onNote?.({ atMs: this.nowMs, chain: frame.chain, place: frame.place, ...note });
  }

  noteUndone(node: NodeId, key: StepKey, error: FlowError | null): void {
    this.#onNote?.({ kind: "undone", node, chain: "", place: 0, atMs: this.nowMs, key, attempt: 1, value: null, error });
  }

  seal(): RunState {
    return {
      format: 1,
      info: this.info,
      status: this.status,
      events: this.#before.events + 1,
      nowMs: this.nowMs,
      startedMs: this.startedMs,
      deadlineMs: this.deadlineMs,
      steps: this.steps,
      trigger: this.trigger,
      variables: this.variables,
      frames: this.frames,
      bytes: this.bytes,
      compensations: this.compensations,
      signals: this.signals,
      held: this.held,
      reply: this.reply,
      saved: this.saved,
    };
  }
}

/** Of results, and of what loops and branches hold. */
function bytesOfFrames(frames: readonly (Frame | null)[]): number {
  let bytes = 0;
  for (const frame of frames) {
    if (frame !== null) bytes += frame.bytes + (frame.wait !== null && "bytes" in frame.wait ? frame.wait.bytes : 0);
  }
  return bytes;
}
