/**
 * What code of steps prints, with level and time, as the log of its run. Lines are stored while the step runs, every
 * `flowLogFlushMs`, so that whoever reads the log of a run that goes on sees them. A step that is done again after a crash has an entry
 * for each time.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_STEP_LOGS } from "../database/record-tables.ts";
import type { InvocationEvent, LogLine } from "../engine/invocation.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { CallOfRun } from "./calls/call.ts";
import type { StepLogRow } from "./step-log-records.ts";

export interface StepLogsParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
}

export interface LogOfStep extends StepLogRow {
  /** Where the next page begins. */
  readonly cursor: string;
}

/** Of one attempt of a step. */
export interface StepLogWriting {
  readonly onEvent: (event: InvocationEvent) => void;
  line(line: LogLine): void;
  end(): Promise<void>;
}

type OnStored = (log: LogOfStep) => void;

export class StepLogs {
  readonly #parts: StepLogsParts;
  /** By run. */
  readonly #listeners = new Map<string, Set<OnStored>>();

  constructor(parts: StepLogsParts) {
    this.#parts = parts;
  }

  /** `onEvent` takes what a call says; `end` resolves when its lines are stored. */
  begin({ scope, row, command }: Pick<CallOfRun, "scope" | "row" | "command">): StepLogWriting {
    return this.at({ scope, run: row.id, key: command.key, attempt: command.attempt, node: command.node });
  }

  at({ scope, run, key, attempt, node }: PlaceOfLog): StepLogWriting {
    return new StepLogWriter(this.#parts, { scope, run, key, attempt, node }, (stored) => {
      for (const listener of this.#listeners.get(nameOf({ scope, run })) ?? []) listener(stored);
    });
  }

  /** What steps of a run have printed, whole, each time that more of it is stored. Returns the way to stop. */
  onStored(run: Pick<PlaceOfLog, "scope" | "run">, listener: OnStored): () => void {
    const name = nameOf(run);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  /** In the order in which steps first printed something. */
  async ofRun(scope: Scope, run: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly LogOfStep[]> {
    const after = page.after === undefined ? {} : { after: [run, page.after] };
    const rows = await this.#parts.database.read(scope, ({ records }) =>
      records.range(FLOW_STEP_LOGS, { prefix: [run], limit: page.limit, ...after }),
    );
    return rows.map(({ key, value }) => ({ ...value, cursor: String(key[1]) }));
  }
}

export interface PlaceOfLog {
  readonly scope: Scope;
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
}

function nameOf({ scope, run }: Pick<PlaceOfLog, "scope" | "run">): string {
  return `${scope.tenant}/${scope.branch}/${run}`;
}

class StepLogWriter implements StepLogWriting {
  readonly #parts: StepLogsParts;
  readonly #place: PlaceOfLog;
  readonly #onStored: OnStored;
  readonly #lines: LogLine[] = [];
  #chars = 0;
  #dropped = 0;
  #cursor: string | undefined;
  #timer: { cancel(): void } | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(parts: StepLogsParts, place: PlaceOfLog, onStored: OnStored) {
    this.#parts = parts;
    this.#place = place;
    this.#onStored = onStored;
  }

  readonly onEvent = (event: InvocationEvent): void => {
    if (event.type === "log") this.line(event.line);
  };

  line(line: LogLine): void {
    this.#chars += line.text.length;
    if (this.#lines.length >= limit("flowLogLinesMax") || this.#chars > limit("flowLogCharsMax")) this.#dropped += 1;
    else this.#lines.push(line);
    this.#timer ??= this.#parts.runtime.timer(limit("flowLogFlushMs"), () => this.#flush());
  }

  async end(): Promise<void> {
    if (this.#timer !== undefined) this.#flush();
    await this.#written;
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { key, attempt, node } = this.#place;
    const row: StepLogRow = { key, attempt, node, lines: [...this.#lines], dropped: this.#dropped };
    this.#written = this.#written.then(() => this.#write(row));
  }

  /** A log that cannot be stored fails no step. */
  async #write(row: StepLogRow): Promise<void> {
    const { database, runtime, log } = this.#parts;
    const { scope, run } = this.#place;
    this.#cursor ??= `${String(row.lines[0]?.atMs ?? runtime.nowMs()).padStart(15, "0")}-${Buffer.from(runtime.randomBytes(6)).toString("hex")}`;
    const cursor = this.#cursor;
    try {
      await database.update(scope, async ({ records }) => records.put(FLOW_STEP_LOGS, [run, cursor], row));
      this.#onStored({ ...row, cursor });
    } catch (error) {
      log.warn({ err: error, run, step: row.key }, "what a step of a flow printed could not be stored");
    }
  }
}
