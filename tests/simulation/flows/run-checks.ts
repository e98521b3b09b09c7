/** What must hold of the runs of a simulation, whatever has happened. Read from the store, by its own way. */
import { type Command, outstanding } from "../../../packages/core/src/flow/commands.ts";
import type { FlowEvent } from "../../../packages/core/src/flow/events.ts";
import { foldVersions } from "../../../packages/core/src/flow/fold.ts";
import type { FlowProgram } from "../../../packages/core/src/flow/program.ts";
import { NEW_RUN, type RunState } from "../../../packages/core/src/flow/state.ts";
import { reasonsOf } from "../../../packages/core/src/flow/views.ts";
import type { JsonObject } from "../../../packages/core/src/operations/operation.ts";
import type { Database, Records, Scope } from "../../../packages/server/src/database/database.ts";
import { FLOW_ANSWERS, FLOW_JOURNAL, FLOW_RUNS, OPEN_FLOW_RUNS } from "../../../packages/server/src/database/record-tables.ts";
import type { RunRow } from "../../../packages/server/src/flows/flow-records.ts";
import { readState, summaryOf, timerOf } from "../../../packages/server/src/flows/run-rows.ts";
import type { Due } from "../../../packages/server/src/schedules/due-times.ts";
import { follow, programsOf } from "../../flows/histories/history.ts";
import { checkKeys } from "./call-keys.ts";
import { APPLIED, type SeenCall } from "./simulated-calls.ts";

const ALL = 10_000;

interface StoredRun {
  readonly row: RunRow;
  readonly events: readonly FlowEvent[];
  readonly state: RunState;
}

export interface RunChecksOptions {
  readonly database: Database;
  /** By version. */
  readonly definitions: Readonly<Record<string, JsonObject>>;
  readonly scope: Scope;
}

export class RunChecks {
  readonly #database: Database;
  readonly #scope: Scope;
  readonly #programOf: (version: string) => FlowProgram;
  readonly #seen: SeenCall[] = [];

  constructor({ database, definitions, scope }: RunChecksOptions) {
    this.#database = database;
    this.#scope = scope;
    this.#programOf = programsOf(definitions);
  }

  async runs(): Promise<readonly RunRow[]> {
    return await this.#read(async (records) => (await records.range(FLOW_RUNS, { prefix: [], limit: ALL })).map(({ value }) => value));
  }

  async journals(): Promise<ReadonlyMap<string, readonly FlowEvent[]>> {
    return new Map((await this.#stored()).map(({ row, events }) => [row.id, events]));
  }

  async haveEnded(): Promise<boolean> {
    return (await this.runs()).every(({ endedMs }) => endedMs !== null);
  }

  async describe(): Promise<string> {
    const stored = await this.#stored();
    return JSON.stringify(
      stored.map(({ row, state }) => ({ id: row.id, status: row.status, reasons: reasonsOf(state), outstanding: outstanding(state) })),
      null,
      1,
    );
  }

  /** C1: what reaches the outside follows from what is stored. */
  async seen(call: SeenCall): Promise<void> {
    this.#seen.push(call);
    if (call.callClass !== "outside") return;
    const state = (await this.#stored()).find(({ row }) => row.id === call.run)?.state ?? NEW_RUN;
    const isOutstanding = outstanding(state).some(
      (command) => command.kind === "call" && command.key === call.key && command.attempt === call.attempt,
    );
    if (!isOutstanding)
      throw new Error(`C1 a call reaches the outside and does not follow from what is stored: ${call.key} ${call.attempt}`);
  }

  /** At any moment. */
  async now(): Promise<void> {
    await this.#checkStored();
  }

  /** Nothing moves: everything that is to be done has something that brings it about. */
  async atRest(underWay: ReadonlyMap<string, number>, due: ReadonlyMap<string, Due>): Promise<void> {
    const stored = await this.#checkStored();
    const [answers, open] = await this.#read(
      async (records) =>
        [
          await records.range(FLOW_ANSWERS, { prefix: [], limit: ALL }),
          await records.range(OPEN_FLOW_RUNS, { prefix: [], limit: ALL }),
        ] as const,
    );
    const timers = new Map([...due.values()].map(({ id, dueMs }) => [id, dueMs]));
    for (const { row, state } of stored) {
      const commands = outstanding(state);
      for (const command of commands) {
        const missing = whatIsMissing(command, {
          run: row.id,
          underWay,
          timers,
          answers: answers.map(({ key, value }) => ({ run: String(key[0]), key: value.key })),
        });
        if (missing !== null) throw new Error(`S1 ${row.id} waits for what nothing brings about: ${missing}`);
      }
      const isOpen = commands.some(({ kind }) => kind === "call" || kind === "continue");
      const isListed = open.some(({ key }) => key[2] === row.id);
      if (isOpen !== isListed) throw new Error(`${row.id} is ${isListed ? "" : "not "}listed as open`);
      if (state.status.kind !== "ended" && reasonsOf(state).length === 0) throw new Error(`S1 ${row.id} gives no reason`);
    }
    const wanted = stored.flatMap(({ row, state }) =>
      outstanding(state).flatMap((command) => (command.kind === "startTimer" ? [`${row.id} ${command.timer}`] : [])),
    );
    for (const id of timers.keys())
      if (!wanted.includes(id)) throw new Error(`a timer runs that nothing waits for: ${JSON.stringify(timerOf(id))}`);
  }

  async atEnd({ hadLosses }: { readonly hadLosses: boolean }): Promise<{ readonly runs: number; readonly events: number }> {
    const stored = await this.#checkStored();
    for (const { row, events } of stored)
      checkKeys({ programOf: this.#programOf, events, seen: this.#seen.filter(({ run }) => run === row.id) });
    const attempts = new Set<string>();
    for (const { key, attempt } of this.#seen) {
      const name = `${key} ${attempt}`;
      if (!hadLosses && attempts.has(name)) throw new Error(`a call was made twice though nothing was lost: ${name}`);
      attempts.add(name);
    }
    await this.#checkApplied(stored);
    return { runs: stored.length, events: stored.reduce((sum, { events }) => sum + events.length, 0) };
  }

  /** W3 */
  async #checkApplied(stored: readonly StoredRun[]): Promise<void> {
    const applied = await this.#read(
      async (records) =>
        new Map((await records.range(APPLIED, { prefix: [], limit: ALL })).map(({ key, value }) => [String(key[0]), value])),
    );
    for (const [key, count] of applied) if (count !== 1) throw new Error(`W3 a mutation was applied ${count} times: ${key}`);
    const mutations = new Set(this.#seen.filter(({ callClass }) => callClass === "store").map(({ key }) => key));
    const completed = new Set(
      stored.flatMap(({ events }) =>
        events.flatMap((event) => (event.kind === "completed" && mutations.has(event.key) ? [event.key] : [])),
      ),
    );
    for (const key of completed) if (!applied.has(key)) throw new Error(`W3 a mutation has ended and was not applied: ${key}`);
    for (const key of applied.keys()) if (!completed.has(key)) throw new Error(`W3 a mutation was applied and has not ended: ${key}`);
  }

  async #checkStored(): Promise<readonly StoredRun[]> {
    const stored = await this.#stored();
    for (const { row, events, state } of stored) {
      // W2, J2
      let folded = NEW_RUN;
      for (const event of events) folded = follow(this.#programOf, folded, event).state;
      if (row.seq !== events.length) throw new Error(`W2 ${row.id} has ${events.length} events and says ${row.seq}`);
      same(`W2 the snapshot and the tail of ${row.id} make the state that all its events make`, state, folded);
      same(`the row of ${row.id} says where it stands`, row, { ...row, ...summaryOf(folded, row) });
      const half = Math.floor(events.length / 2);
      const text = JSON.stringify(foldVersions(this.#programOf, events.slice(0, half)));
      same(
        `folding ${row.id} from its half`,
        foldVersions(this.#programOf, events.slice(half), { from: JSON.parse(text) as RunState }),
        folded,
      );
    }
    return stored;
  }

  async #stored(): Promise<readonly StoredRun[]> {
    return await this.#read(async (records) => {
      const rows = await records.range(FLOW_RUNS, { prefix: [], limit: ALL });
      return await Promise.all(
        rows.map(async ({ value: row }) => {
          const batches = await records.range(FLOW_JOURNAL, { prefix: [row.id], limit: ALL });
          return {
            row,
            events: batches.flatMap(({ value }) => value.events),
            state: await readState(records, row, this.#programOf(row.version)),
          };
        }),
      );
    });
  }

  #read<T>(body: (records: Records) => Promise<T>): Promise<T> {
    return this.#database.read(this.#scope, ({ records }) => body(records));
  }
}

interface World {
  readonly run: string;
  readonly underWay: ReadonlyMap<string, number>;
  readonly timers: ReadonlyMap<string, number>;
  readonly answers: readonly { readonly run: string; readonly key: string }[];
}

function whatIsMissing(command: Command, { run, underWay, timers, answers }: World): string | null {
  switch (command.kind) {
    case "call":
      return (underWay.get(command.key) ?? 0) > 0 ? null : `the call ${command.key}`;
    case "startTimer":
      return timers.get(`${run} ${command.timer}`) === command.atMs ? null : `the timer ${command.timer}`;
    case "openWait":
      return answers.some((answer) => answer.run === run && answer.key === command.key) ? null : `an answer for ${command.key}`;
    case "continue":
      return "its going on";
    default:
      return null;
  }
}

function same(what: string, one: unknown, other: unknown): void {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)];
  if (left === right) return;
  let at = 0;
  while (left[at] === right[at]) at += 1;
  throw new Error(`${what}: …${left.slice(Math.max(0, at - 60), at + 80)}… is not …${right.slice(Math.max(0, at - 60), at + 80)}…`);
}
