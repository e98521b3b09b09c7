/** What code in a flow sees as `workflow`. Made when its call is issued, so that the state need not hold it. */
import { must } from "../assert.ts";
import { itemsOf } from "./chunked-list.ts";
import type { StepKey } from "./events.ts";
import type { FlowProgram } from "./program.ts";
import type { Frame, RunState } from "./state.ts";
import { type FlowValue, NOTHING, recordValue } from "./value.ts";

/**
 * `{trigger, variables, lookups, steps, company, currentNode, item, index, input}`: `lookups` has the outputs of lookup nodes by their
 * ids, `steps` those of all nodes. Null when no open call has the key.
 */
export function scriptContext(program: FlowProgram, state: RunState, key: StepKey): FlowValue | null {
  const frame = state.frames.find((open) => open !== null && open.wait?.kind === "call" && open.wait.key === key) ?? null;
  if (frame === null || frame.wait?.kind !== "call") return undoContext(program, state, key);
  const node = must(program.nodes.get(frame.node ?? ""), "a call has a node");
  const loop = framesAround(state, frame).find(({ item }) => item !== null);
  return recordValue({
    trigger: state.trigger,
    variables: recordValue(state.variables),
    lookups: recordValue(outputs(program, state, { frame, type: "lookup" })),
    steps: recordValue(outputs(program, state, { frame, type: null })),
    ...placeOf(state, node),
    item: loop?.item ?? NOTHING,
    index: { json: loop?.place ?? null },
    input: frame.wait.call.input,
  });
}

/** Of what undoes a step: steps are over then, so it gets what it needs of them by its input. */
function undoContext(program: FlowProgram, state: RunState, key: StepKey): FlowValue | null {
  const wait = state.status.kind === "undoing" ? state.status.undoing.wait : null;
  const undone = itemsOf(state.compensations).find((compensation) => compensation?.key === key);
  if (wait === null || wait.key !== key || undone === undefined || undone === null) return null;
  const node = must(program.nodes.get(undone.node), "what is undone was done by a node");
  return recordValue({
    trigger: state.trigger,
    variables: recordValue(state.variables),
    lookups: { json: {} },
    steps: { json: {} },
    ...placeOf(state, node),
    item: NOTHING,
    index: NOTHING,
    input: wait.call.input,
  });
}

function placeOf({ info }: RunState, { id, label }: { readonly id: string; readonly label: string }): Readonly<Record<string, FlowValue>> {
  return {
    company: { json: { id: info?.company.id ?? "", name: info?.company.name ?? "" } },
    currentNode: { json: { api_name: id, name: label } },
  };
}

/** The frame itself first. */
function framesAround(state: RunState, frame: Frame): readonly Frame[] {
  const around: Frame[] = [];
  for (let at: Frame | null = frame; at !== null; at = at.parent === null ? null : (state.frames[at.parent] ?? null)) around.push(at);
  return around;
}

function outputs(
  program: FlowProgram,
  state: RunState,
  { frame, type }: { readonly frame: Frame; readonly type: string | null },
): Readonly<Record<string, FlowValue>> {
  const found: Record<string, FlowValue> = {};
  for (const around of framesAround(state, frame)) {
    for (const [slot, id] of (program.chains.get(around.chain)?.nodes ?? []).entries()) {
      const output = around.steps[slot]?.output ?? null;
      if (output !== null && (type === null || program.nodes.get(id)?.type === type)) found[id] = output;
    }
  }
  return found;
}
