/** What code of the steps of a run prints, for somebody who watches: what is stored from the beginning, then what comes. */
import type { Scope } from "../../database/database.ts";
import type { LogOfStep, StepLogs } from "../step-logs.ts";
import type { PrintNews } from "./upkeep.ts";

/** Each may have `flowLogCharsMax`. */
const PAGE = 16;

export class RunPrints {
  readonly #logs: StepLogs;
  readonly #scope: Scope;
  readonly #run: string;
  readonly #stop: () => void;
  /** What was told, by cursor. */
  readonly #told = new Map<string, { readonly lines: number; readonly dropped: number }>();
  readonly #came = new Map<string, LogOfStep>();
  #queue: LogOfStep[] = [];
  #after: string | undefined;
  #isRead = false;

  constructor(logs: StepLogs, { scope, run, wake }: { readonly scope: Scope; readonly run: string; readonly wake: () => void }) {
    this.#logs = logs;
    this.#scope = scope;
    this.#run = run;
    // Before anything is read, so that nothing falls between the two.
    this.#stop = logs.onStored({ scope, run }, (log) => {
      this.#came.set(log.cursor, log);
      wake();
    });
  }

  /** What was printed before a moment and was not told. */
  async *before(atMs: number): AsyncGenerator<PrintNews> {
    for (;;) {
      if (this.#queue.length === 0) await this.#fill();
      const [first] = this.#queue;
      if (first === undefined || this.#firstMs(first) >= atMs) return;
      this.#queue.shift();
      const news = this.#newsOf(first);
      if (news !== undefined) yield news;
    }
  }

  stop(): void {
    this.#stop();
  }

  async #fill(): Promise<void> {
    if (this.#isRead) {
      this.#queue = [...this.#came.values()].toSorted((a, b) => this.#firstMs(a) - this.#firstMs(b));
      this.#came.clear();
      return;
    }
    const after = this.#after === undefined ? {} : { after: this.#after };
    this.#queue = [...(await this.#logs.ofRun(this.#scope, this.#run, { limit: PAGE, ...after }))];
    this.#after = this.#queue.at(-1)?.cursor ?? this.#after;
    this.#isRead = this.#queue.length < PAGE;
    if (this.#queue.length === 0) await this.#fill();
  }

  /** When the first line was printed that was not told. */
  #firstMs({ cursor, lines }: LogOfStep): number {
    return lines[this.#told.get(cursor)?.lines ?? 0]?.atMs ?? lines.at(-1)?.atMs ?? 0;
  }

  #newsOf({ cursor: id, key, attempt, node, lines, dropped }: LogOfStep): PrintNews | undefined {
    const told = this.#told.get(id) ?? { lines: 0, dropped: 0 };
    if (lines.length <= told.lines && dropped <= told.dropped) return undefined;
    this.#told.set(id, { lines: lines.length, dropped });
    return { id, key, attempt, node, from: told.lines, lines: lines.slice(told.lines), dropped };
  }
}
