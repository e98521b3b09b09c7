/** What a dry run came to, as it is shown and compared with what tests expect. */
import { limit } from "../limits.ts";
import type { Json, JsonObject } from "../operations/operation.ts";
import type { CallDescription } from "./calls.ts";
import type { NodeId } from "./definition.ts";
import type { DryRunResult, Unanswered } from "./dry-run.ts";
import type { FlowError } from "./flow-error.ts";
import type { StepNote } from "./notes.ts";

export interface DryReport {
  /** `unanswered`: something has no mock. `endless`: the run had not ended after the most events that a dry run may have. */
  readonly status: "completed" | "failed" | "cancelled" | "unanswered" | "endless";
  readonly output: Json;
  readonly error: Pick<FlowError, "code" | "message" | "node"> | null;
  readonly unanswered: {
    readonly node: NodeId;
    readonly mock: string;
    readonly message: string;
    /** Its mock makes the call really. */
    readonly isReal: boolean;
  } | null;
  /** Nodes in the order in which they began; loops and branches come when they have ended. */
  readonly path: readonly NodeId[];
  /** Calls in the order in which they began, without those that undo. */
  readonly calls: readonly DryCall[];
  /** Nodes whose steps were undone, in that order. */
  readonly undone: readonly NodeId[];
  readonly variables: JsonObject;
  /** Answer for an agent. */
  readonly reply: Json;
  /** From start to end, in the time of the run. */
  readonly elapsedMs: number;
  readonly events: number;
  /** Why signals and the like had no effect. */
  readonly refusals: readonly string[];
}

export interface DryCall {
  readonly node: NodeId;
  readonly kind: CallDescription["kind"];
  /** Name of the operation, function, flow or agent. */
  readonly target: string | null;
  readonly input: Json;
  readonly attempts: number;
}

export function dryReport({ state, notes, calls, unanswered, refusals, journal }: DryRunResult): DryReport {
  const { status } = state;
  const outcome = status.kind === "ended" ? status.outcome : null;
  const error = outcome?.kind === "failed" ? outcome.error : null;
  return {
    status: outcome?.kind ?? (unanswered === null ? "endless" : "unanswered"),
    output: outcome?.kind === "completed" ? outcome.output.json : null,
    error: error === null ? null : { code: error.code, message: error.message, node: error.node },
    unanswered:
      unanswered === null
        ? null
        : { node: unanswered.node, mock: unanswered.mock, message: unansweredText(unanswered), isReal: unanswered.isReal },
    path: pathOf(notes),
    calls: callsOf(calls),
    undone: notes.filter(({ kind }) => kind === "undone").map(({ node }) => node),
    variables: Object.fromEntries(Object.entries(state.variables).map(([name, { json }]) => [name, json])),
    reply: state.reply?.json ?? null,
    elapsedMs: (status.kind === "ended" ? status.endedMs : state.nowMs) - state.startedMs,
    events: journal.length,
    refusals,
  };
}

/** Calls and waits begin; other nodes only end. */
function pathOf(notes: readonly StepNote[]): readonly NodeId[] {
  const path: NodeId[] = [];
  for (const { kind, node, key } of notes) {
    if (kind === "begun" || ((kind === "ended" || kind === "failed") && key === null)) path.push(node);
    if (path.length >= limit("flowDryRunPathMax")) break;
  }
  return path;
}

function callsOf(commands: DryRunResult["calls"]): readonly DryCall[] {
  const calls = new Map<string, DryCall>();
  for (const { key, node, call, isUndo, attempt } of commands) {
    if (isUndo || (calls.size >= limit("flowDryRunPathMax") && !calls.has(key))) continue;
    calls.set(key, { node, kind: call.kind, target: targetOf(call), input: call.input.json, attempts: attempt });
  }
  return [...calls.values()];
}

function targetOf(call: CallDescription): string | null {
  switch (call.kind) {
    case "operation":
      return call.operation;
    case "function":
      return call.path;
    case "subflow":
      return call.flow;
    case "agent":
      return call.agent;
    case "http":
    case "inline":
    case "load":
      return null;
  }
}

function unansweredText({ node, mock, call, isReal }: Unanswered): string {
  const what = call === null ? "waits for an answer" : `calls ${callText(call.call)}`;
  if (isReal) return `The step \`${node}\` ${what} really, which needs a host; give its mock an \`output\`, or run it on a host.`;
  return `The step \`${node}\` ${what}, and no mock answers it; add \`"${mock}": {"output": …}\` to the mocks.`;
}

function callText(call: CallDescription): string {
  switch (call.kind) {
    case "http":
      return "another system";
    case "inline":
      return "its code";
    case "load":
      return "for a stored value";
    default:
      return `the ${call.kind} \`${targetOf(call) ?? ""}\``;
  }
}
