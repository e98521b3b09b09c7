/** What the store holds of a run, written and read. */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { WaitDescription } from "@plinth/core/flow/calls.ts";
import { ANSWER_ATTEMPT, type Command, outstanding, RUN_TIMER } from "@plinth/core/flow/commands.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import { fold, isSnapshotDue, snapshotOf, stateOfSnapshot } from "@plinth/core/flow/fold.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { NEW_RUN, type RunState } from "@plinth/core/flow/state.ts";
import { reasonsOf, statusOf } from "@plinth/core/flow/views.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Records, Scope, Transaction } from "../database/database.ts";
import {
  DUE_TIMES,
  FLOW_ANSWERS,
  FLOW_JOURNAL,
  FLOW_RUNS,
  FLOW_RUNS_OF_FLOW,
  FLOW_SNAPSHOTS,
  FLOWS,
  OPEN_FLOW_RUNS,
} from "../database/record-tables.ts";
import { dueKey } from "../schedules/scheduled-functions.ts";
import { digestOf, type SeededToken } from "./answer-tokens.ts";
import { childrenOf, noteChildren } from "./child-rows.ts";
import type { OpenAnswer, RunRow } from "./flow-records.ts";
import type { RunSummary } from "./flows.ts";
import { noteEnd } from "./retention/ended-runs.ts";
import { writeValues } from "./values/value-rows.ts";

/** What of a run is durable besides its journal, so that a write says only what has changed. */
export interface StoredRun {
  readonly row: RunRow;
  readonly timers: ReadonlyMap<string, number>;
  readonly isOpen: boolean;
  /** Runs that it waits for, with the keys of their steps. */
  readonly children?: ReadonlyMap<string, string>;
}

export interface RunWrite {
  readonly stored: StoredRun;
  readonly state: RunState;
  /** Those that made the state of the stored one. */
  readonly events: readonly FlowEvent[];
  readonly newToken: () => SeededToken;
  /** Its state is written down whatever its journal has. */
  readonly mustFold?: boolean;
}

/** Writes events and what follows from them. What it returns is stored when the transaction has committed. */
export async function writeRun({ records, scope }: Transaction, write: RunWrite): Promise<StoredRun> {
  const { stored, state, events } = write;
  const { id, seq } = stored.row;
  // W5: in the read set, so that of two writers that meet one commits, and compared, so that one that comes later does not either.
  // What is older than the latest own commit is read where that came while a step ran: the step's commit conflicts, and it runs again.
  // Before its first commit nobody else knows of a run.
  const latest = seq === 0 ? { seq } : await records.get(FLOW_RUNS, [id]);
  // One that is not there any more was deleted, since its time was over.
  if (latest === undefined || latest.seq > seq)
    throw plinthError("OptimisticConcurrencyControlFailure", { path: `a step of run '${id}'`, attempts: 1 });
  const { next, opened } = after(write, outstanding(state));
  // D1 of retention/deleted-flows.ts: read, so that of a start and a deletion that meet one comes first.
  if (seq === 0 && (await records.get(FLOWS, [stored.row.flow])) === undefined)
    throw plinthError("NotFound", { what: `flow '${stored.row.flow}'` });
  if (events.length > 0) records.put(FLOW_JOURNAL, [id, seq], { events });
  const addedBytes = writeValues(records, id, events);
  if (seq === 0) records.put(FLOW_RUNS_OF_FLOW, [stored.row.flow, id], true);
  const isFolded = write.mustFold === true || isSnapshotDue(next.row.seq - stored.row.snapshotSeq);
  if (isFolded) records.put(FLOW_SNAPSHOTS, [id], snapshotOf(state));
  const row = {
    ...next.row,
    ...summaryOf(state, next.row),
    ...(isFolded ? { snapshotSeq: next.row.seq } : {}),
    ...(addedBytes === 0 ? {} : { storedBytes: (stored.row.storedBytes ?? 0) + addedBytes }),
  };
  records.put(FLOW_RUNS, [id], row);
  noteEnd(records, scope, { before: stored.row, after: row });
  writeTimers(records, { scope, id, before: stored.timers, after: next.timers });
  for (const { digest, key, node, kind, approver = null } of opened)
    records.put(FLOW_ANSWERS, [id, digest], { key, attempt: ANSWER_ATTEMPT, node, kind, approver });
  const children = childrenOf(state);
  noteChildren({ records, scope }, { before: stored, after: row, children, events, nowMs: state.nowMs });
  const place = [scope.tenant, scope.branch, id];
  if (next.isOpen && !stored.isOpen) records.put(OPEN_FLOW_RUNS, place, true);
  if (!next.isOpen && stored.isOpen) records.delete(OPEN_FLOW_RUNS, place);
  return { ...next, row, children };
}

function after(
  { stored, events, newToken }: Pick<RunWrite, "events" | "newToken"> & { readonly stored: Pick<StoredRun, "row"> },
  commands: readonly Command[],
): { readonly next: StoredRun; readonly opened: readonly OpenedAnswer[] } {
  const timers = new Map<string, number>();
  const answers: OpenAnswer[] = [];
  const opened: OpenedAnswer[] = [];
  let isOpen = false;
  for (const command of commands) {
    if (command.kind === "startTimer") timers.set(command.timer, command.atMs);
    if (command.kind === "call" || command.kind === "continue") isOpen = true;
    if (command.kind !== "openWait" || command.wait.kind === "signal") continue;
    const { key, node, untilMs, wait } = command;
    const known = stored.row.answers.filter((answer) => answer.key === key);
    answers.push(...known);
    if (known.length > 0) continue;
    for (const holder of holdersOf(wait)) {
      const { seed, token } = newToken();
      const answer = { key, node, kind: wait.kind, seed, untilMs, ...holder };
      answers.push(answer);
      opened.push({ ...answer, digest: digestOf(token) });
    }
  }
  return { next: { row: { ...stored.row, seq: stored.row.seq + events.length, answers }, timers, isOpen }, opened };
}

interface OpenedAnswer extends OpenAnswer {
  /** Of its token. */
  readonly digest: string;
}

/** Whoever holds a token answers by it: an approval that names who may answer has one of each. */
function holdersOf(wait: WaitDescription): readonly { readonly approver?: string }[] {
  return wait.kind === "approval" && wait.approvers.length > 0 ? wait.approvers.map((approver) => ({ approver })) : [{}];
}

interface Timers {
  readonly scope: Scope;
  readonly id: string;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

function writeTimers(records: Records, { scope, id, before, after: wanted }: Timers): void {
  for (const [name, atMs] of before)
    if (wanted.get(name) !== atMs) records.delete(DUE_TIMES, dueKey(scope, atMs, "flow", dueIdOf(id, name)));
  for (const [name, atMs] of wanted)
    if (before.get(name) !== atMs) records.put(DUE_TIMES, dueKey(scope, atMs, "flow", dueIdOf(id, name)), true);
}

/** Ids of runs have no spaces. */
function dueIdOf(run: string, timer: string): string {
  return `${run} ${timer}`;
}

export function timerOf(dueId: string): { readonly run: string; readonly timer: string } {
  const space = dueId.indexOf(" ");
  return { run: dueId.slice(0, space), timer: dueId.slice(space + 1) };
}

/** What is told of a run; `row` says what its state does not. */
export function summaryOf(state: RunState, { id, flow, version, trigger, startedMs }: RunSummary): RunSummary {
  const known = statusOf(state);
  const status = known === "new" ? "running" : known;
  const [first] = status === "running" ? [] : reasonsOf(state);
  const ended = state.status.kind === "ended" ? state.status : null;
  return {
    id,
    flow,
    version,
    trigger,
    startedMs,
    status,
    reason: first === undefined ? null : { code: first.code, text: first.words, untilMs: first.untilMs, node: first.node },
    endedMs: ended?.endedMs ?? null,
    error: ended?.outcome.kind === "failed" ? ended.outcome.error : null,
  };
}

/** Everything in a journal from an event on. */
export async function readJournal(records: Records, id: string, from: number): Promise<readonly FlowEvent[]> {
  const events: FlowEvent[] = [];
  const page = limit("flowFoldEvents");
  // A snapshot is taken at the end of a batch, so `from` is the beginning of one.
  let last: readonly [string, number] | undefined = from === 0 ? undefined : [id, from - 1];
  for (;;) {
    const rows = await records.range(FLOW_JOURNAL, { prefix: [id], limit: page, ...(last === undefined ? {} : { after: last }) });
    for (const { key, value } of rows) {
      events.push(...value.events);
      last = [id, Number(key[1])];
    }
    if (rows.length < page) return events;
  }
}

/** W2 */
export async function readState(records: Records, row: RunRow, program: FlowProgram): Promise<RunState> {
  const text = row.snapshotSeq === 0 ? undefined : must(await records.get(FLOW_SNAPSHOTS, [row.id]), "a run has its snapshot");
  const from = text === undefined ? NEW_RUN : stateOfSnapshot(text);
  return fold(program, await readJournal(records, row.id, row.snapshotSeq), from);
}

/** What is durable of a run whose journal was read to its end. */
export function storedOf(row: RunRow, state: RunState): StoredRun {
  const { timers, isOpen } = after({ stored: { row }, events: [], newToken: () => ({ seed: "", token: "" }) }, outstanding(state)).next;
  return { row, timers, isOpen, children: childrenOf(state) };
}

/** Whether a commit is due for what only the store makes happen: timers of steps, and answers. */
export function waitsOutside(commands: readonly Command[]): boolean {
  return commands.some((command) => command.kind === "openWait" || (command.kind === "startTimer" && command.timer !== RUN_TIMER));
}
