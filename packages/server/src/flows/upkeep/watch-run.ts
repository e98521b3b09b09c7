/**
 * Tells what the steps of a run did and do, until it ends. Only what is durable is told, in its order; a watcher that comes again with
 * its cursor misses no step and sees none twice. Commits into the run wake a watcher, which reads at most every `flowWatchMs`, so that a
 * busy run costs little. What code prints is told among the steps by its time, while it runs.
 */
import { must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { applied, versionsOf } from "@plinth/core/flow/fold.ts";
import type { StepNote } from "@plinth/core/flow/notes.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { NEW_RUN, type RunState } from "@plinth/core/flow/state.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_JOURNAL, FLOW_RUNS } from "../../database/record-tables.ts";
import type { RunRow } from "../flow-records.ts";
import type { StepLogs } from "../step-logs.ts";
import type { RunChanges } from "./run-changes.ts";
import { RunPrints } from "./run-prints.ts";
import { summaryOfRow } from "./run-summary.ts";
import type { RunNews, WatchRequest } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

export interface WatchParts extends Pick<UpkeepParts, "database" | "definitions" | "runtime"> {
  readonly changes: RunChanges;
  readonly stepLogs: StepLogs;
}

export async function* watchRun(parts: WatchParts, scope: Scope, id: string, request: WatchRequest): AsyncGenerator<RunNews> {
  const { signal, after } = request;
  const alarm = new Alarm(signal);
  const stopChanges = parts.changes.on(request.commits, scope, id, alarm.ring);
  const prints = new RunPrints(parts.stepLogs, { scope, run: id, wake: alarm.ring });
  const reader = new StepReader(parts, scope, id);
  let told = "";
  try {
    while (!signal.aborted) {
      alarm.forget();
      const { row, steps, isAll } = await reader.next();
      let cursor = reader.told - steps.length;
      for (const step of steps) {
        for await (const print of prints.before(step.atMs)) yield { type: "print", cursor, print };
        cursor += 1;
        if (cursor > after) yield { type: "step", cursor, step };
      }
      if (!isAll) {
        await parts.runtime.sleep(0);
        continue;
      }
      for await (const print of prints.before(Number.POSITIVE_INFINITY)) yield { type: "print", cursor, print };
      const run = summaryOfRow(row);
      if (run.endedMs !== null) {
        yield { type: "end", cursor, run };
        return;
      }
      const text = JSON.stringify(run);
      if (text !== told) yield { type: "run", cursor, run };
      told = text;
      await alarm.rings();
      if (!signal.aborted) await parts.runtime.sleep(limit("flowWatchMs"));
    }
  } finally {
    stopChanges();
    prints.stop();
    alarm.stop();
  }
}

/** Reads a journal as it grows, a bounded part at a time. */
class StepReader {
  readonly #parts: WatchParts;
  readonly #scope: Scope;
  readonly #id: string;
  readonly #programs = new Map<string, FlowProgram>();
  #state: RunState = NEW_RUN;
  #last: number | undefined;
  #told = 0;

  constructor(parts: WatchParts, scope: Scope, id: string) {
    this.#parts = parts;
    this.#scope = scope;
    this.#id = id;
  }

  /** Steps that were told so far. */
  get told(): number {
    return this.#told;
  }

  /** `isAll`: the row says no more than these steps do. */
  async next(): Promise<{ readonly row: RunRow; readonly steps: readonly StepNote[]; readonly isAll: boolean }> {
    const { database, definitions } = this.#parts;
    const after = this.#last === undefined ? {} : { after: [this.#id, this.#last] };
    const { row, batches } = await database.read(this.#scope, async ({ records }) => ({
      row: await records.get(FLOW_RUNS, [this.#id]),
      batches: await records.range(FLOW_JOURNAL, { prefix: [this.#id], limit: BATCHES, ...after }),
    }));
    if (row === undefined) throw plinthError("NotFound", { what: `run '${this.#id.slice(0, 64)}'` });
    const events = batches.flatMap(({ value }) => value.events);
    for (const version of versionsOf(events))
      if (!this.#programs.has(version)) this.#programs.set(version, await definitions.program(this.#scope, row.flow, version));
    const programOf = (version: string): FlowProgram => must(this.#programs.get(version), "the versions of the page were read");
    const steps: StepNote[] = [];
    for (const event of events) this.#state = applied(programOf, this.#state, event, (note) => steps.push(note));
    this.#last = batches.length === 0 ? this.#last : Number(batches.at(-1)?.key[1]);
    this.#told += steps.length;
    return { row, steps, isAll: batches.length < BATCHES };
  }
}

const BATCHES = 64;

/** Rings for what is new, and when nobody watches any longer. */
class Alarm {
  readonly #signal: AbortSignal;
  #rung = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.ring, { once: true });
    if (signal.aborted) this.ring();
  }

  readonly ring = (): void => this.#rung.resolve();

  /** What has come until now is read next. */
  forget(): void {
    this.#rung = Promise.withResolvers<void>();
    if (this.#signal.aborted) this.ring();
  }

  async rings(): Promise<void> {
    await this.#rung.promise;
  }

  stop(): void {
    this.#signal.removeEventListener("abort", this.ring);
  }
}
