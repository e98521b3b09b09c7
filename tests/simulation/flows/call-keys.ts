/**
 * C3 A key stands for one call: the one that the stored events of its run say. What only computes may be made before it is stored and be
 * lost, and when it is made again what it reads may have changed, so that the key of a step behind it comes with another call. Nobody
 * outside has seen the first one, and nothing of it is stored.
 */
import type { Command } from "../../../packages/core/src/flow/commands.ts";
import type { FlowEvent } from "../../../packages/core/src/flow/events.ts";
import type { FlowProgram } from "../../../packages/core/src/flow/program.ts";
import { NEW_RUN } from "../../../packages/core/src/flow/state.ts";
import { follow } from "../../flows/histories/history.ts";
import type { SeenCall } from "./simulated-calls.ts";

/** What identifies a call besides its key. */
export function textOf({ node, call }: Pick<Command & { readonly kind: "call" }, "node" | "call">): string {
  return JSON.stringify([node, call]);
}

export interface RunToCheck {
  readonly programOf: (version: string) => FlowProgram;
  /** All that are stored of it. */
  readonly events: readonly FlowEvent[];
  /** Its calls. */
  readonly seen: readonly Pick<SeenCall, "key" | "callClass" | "text">[];
}

export function checkKeys({ programOf, events, seen }: RunToCheck): void {
  const stored = storedCalls(programOf, events);
  const known = new Set(seen.map(({ key, text }) => `${key} ${text}`));
  for (const { key, callClass, text } of seen)
    if (callClass === "outside" && stored.get(key) !== text) throw new Error(`C3 the outside has another call of the key: ${key}`);
  for (const event of events) {
    const text = event.kind === "completed" ? stored.get(event.key) : undefined;
    if (event.kind === "completed" && text !== undefined && !known.has(`${event.key} ${text}`))
      throw new Error(`C3 a call has ended that nobody has made: ${event.key}`);
  }
}

function storedCalls(programOf: RunToCheck["programOf"], events: readonly FlowEvent[]): ReadonlyMap<string, string> {
  const calls = new Map<string, string>();
  let state = NEW_RUN;
  for (const event of events) {
    const step = follow(programOf, state, event);
    state = step.state;
    for (const command of step.commands) {
      if (command.kind !== "call") continue;
      const text = textOf(command);
      if ((calls.get(command.key) ?? text) !== text) throw new Error(`C3 one key stands for two calls: ${command.key}`);
      calls.set(command.key, text);
    }
  }
  return calls;
}
