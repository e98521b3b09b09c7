/** What the steps of a run did, told in pages: a page takes a bounded part of a journal into memory at a time. */
import { must } from "@plinth/core/assert.ts";
import { applied, versionsOf } from "@plinth/core/flow/fold.ts";
import type { StepNote } from "@plinth/core/flow/notes.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { NEW_RUN } from "@plinth/core/flow/state.ts";
import { bytesOf } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_JOURNAL } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface HistoryParts {
  readonly database: Pick<Database, "read">;
  readonly runtime: Pick<Runtime, "sleep">;
  readonly program: (version: string) => Promise<FlowProgram>;
}

export interface HistoryPage {
  readonly steps: readonly StepNote[];
  /** What to give as `after` for the next page; null at the end. */
  readonly next: number | null;
}

const ROWS = 64;
const BYTES_MAX = limit("flowHistoryBytesShownMax");

/** `after`: how many notes are known already. */
export async function historyPage(
  { database, runtime, program }: HistoryParts,
  { scope, run }: { readonly scope: Scope; readonly run: string },
  { after, limit: count }: { readonly after: number; readonly limit: number },
): Promise<HistoryPage> {
  const programs = new Map<string, FlowProgram>();
  const programOf = (version: string): FlowProgram => must(programs.get(version), "the versions of the page were read");
  const steps: StepNote[] = [];
  let [bytes, seen, isFull, state] = [0, 0, false, NEW_RUN];
  const onNote = (note: StepNote): void => {
    seen += 1;
    if (seen <= after || isFull) return;
    bytes += note.value === null ? 0 : bytesOf(note.value, BYTES_MAX);
    isFull = steps.length === count || (steps.length > 0 && bytes > BYTES_MAX);
    if (!isFull) steps.push(note);
  };
  for (let last: number | undefined; ;) {
    const rows = await database.read(scope, ({ records }) =>
      records.range(FLOW_JOURNAL, { prefix: [run], limit: ROWS, ...(last === undefined ? {} : { after: [run, last] }) }),
    );
    const events = rows.flatMap(({ value }) => value.events);
    for (const version of versionsOf(events)) if (!programs.has(version)) programs.set(version, await program(version));
    for (const event of events) {
      state = applied(programOf, state, event, onNote);
      if (isFull) return { steps, next: after + steps.length };
    }
    if (rows.length < ROWS) return { steps, next: null };
    last = Number(rows.at(-1)?.key[1]);
    // Others go on between two pages of a long journal.
    await runtime.sleep(0);
  }
}
