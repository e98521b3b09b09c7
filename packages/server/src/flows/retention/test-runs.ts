/** Runs for tests of what the store holds: driven by events alone, as the host writes them. */
import { must } from "@plinth/core/assert.ts";
import { checkFlow } from "@plinth/core/flow/check-definition.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { NEW_RUN, type RunState } from "@plinth/core/flow/state.ts";
import { transition } from "@plinth/core/flow/transition.ts";
import type { FlowValue } from "@plinth/core/flow/value.ts";
import type { Database, Scope } from "../../database/database.ts";
import { FLOWS } from "../../database/record-tables.ts";
import { type StoredRun, writeRun } from "../run-rows.ts";

export function programOf(definition: object): FlowProgram {
  const checked = checkFlow(definition, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

/** Takes the signal `go` as often as it comes, until one says `end`. */
export const SIGNALLED = programOf({
  format: 1,
  name: "signalled",
  trigger: { type: "manual" },
  start: "take",
  nodes: {
    take: { type: "wait", data: { for: "signal", signal: "go" }, next: "again" },
    again: { type: "decision", data: { when: "steps.take.output != 'end'", else: "give" }, next: "back" },
    back: { type: "go_back", data: { to: "take", times: 1000, whenSpent: "continue" }, next: "more" },
    more: { type: "delay", data: { for: "3d" } },
    give: { type: "return", data: { output: "=trigger" } },
  },
});

export class WrittenRun {
  state: RunState = NEW_RUN;
  stored: StoredRun;
  readonly #database: Pick<Database, "update">;
  readonly #scope: Scope;

  constructor(
    database: Pick<Database, "update">,
    scope: Scope,
    { id, functions = null, startKey }: { readonly id: string; readonly functions?: string | null; readonly startKey?: string },
  ) {
    this.#database = database;
    this.#scope = scope;
    this.stored = {
      timers: new Map(),
      isOpen: false,
      row: {
        ...{ id, flow: "signalled", version: "v1", trigger: "manual", source: "native", functions, startedMs: 0, endedMs: null },
        ...{ actor: { kind: "function", scopes: [] }, status: "running", reason: null, error: null, seq: 0, snapshotSeq: 0, answers: [] },
        ...(startKey === undefined ? {} : { startKey }),
      },
    };
  }

  get id(): string {
    return this.stored.row.id;
  }

  async begin(atMs: number, trigger: FlowValue = { json: null }): Promise<void> {
    const { flow: name, version } = this.stored.row;
    const head = { name, description: "", trigger: "manual", version, isOn: true, seq: 1 };
    await this.#database.update(this.#scope, async ({ records }) => records.put(FLOWS, [name], head));
    const company = { id: "t", name: "t" };
    await this.apply({
      kind: "started",
      atMs,
      run: { id: this.id, flow: "signalled", version: "v1", company, environment: "main" },
      trigger,
    });
  }

  async signal(atMs: number, payload: FlowValue): Promise<void> {
    await this.apply({ kind: "signalled", atMs, name: "go", payload });
  }

  async apply(event: FlowEvent): Promise<void> {
    const { state, refusal } = transition(SIGNALLED, this.state, event);
    if (refusal !== null) throw new Error(refusal.message);
    const write = { program: SIGNALLED, stored: this.stored, state, events: [event], newToken: () => ({ seed: "", token: "" }) };
    this.stored = await this.#database.update(this.#scope, (transaction) => writeRun(transaction, write));
    this.state = must(state, "an event gives a state");
  }
}
