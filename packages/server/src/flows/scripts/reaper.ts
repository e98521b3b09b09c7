/**
 * Finds what is stuck, every `flowReaperMs` and when the host has started, and lets it go on or fail by a named reason. Nothing here is
 * needed while all goes well: it is for reports that never came, for what a crash cut off, and for faults of the host.
 *
 * R1 A script whose invocation has ended without its report reaching the run: the stored report is delivered; without one it runs
 *    again, `flowScriptTriesMax` times in all; then the step fails with `script_lost`.
 * R2 A script that nobody waits for any longer: its invocation is ended and its context given up.
 * R3 A run that has something to do and is not in memory goes on.
 * R4 A time that is past by `flowOverdueMs` fires.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../../database/database.ts";
import { FLOW_SCRIPTS, OPEN_FLOW_RUNS, PLATFORM_SCOPE } from "../../database/record-tables.ts";
import type { Engine, InvocationRecord } from "../../engine/invocation.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { type Due, DueTimes } from "../../schedules/due-times.ts";
import type { Log } from "../../telemetry/log.ts";
import type { OpenRuns } from "../open-runs.ts";
import type { StepLogs } from "../step-logs.ts";
import { type AsyncScripts, reportIn, reportOf } from "./async-scripts.ts";
import type { AsyncScriptRow } from "./script-records.ts";
import { readReport } from "./script-report.ts";

/** What was done: `redelivered`, `rerun`, `failed`, `dropped`, `resumed`, `fired`. */
export type Reaped = "redelivered" | "rerun" | "failed" | "dropped" | "resumed" | "fired";

export interface ReaperParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly engine: () => Pick<Engine, "get">;
  readonly scripts: AsyncScripts;
  readonly stepLogs: StepLogs;
  readonly runs: Pick<OpenRuns, "read" | "resume" | "has">;
  readonly timer: (due: Due) => Promise<void>;
  /** Whether a branch is served; all are when absent. Nothing is done in others. */
  readonly isServed?: (scope: Scope) => Promise<boolean>;
  readonly onReaped?: (what: Reaped) => void;
}

const PAGE = 256;

export class FlowReaper {
  readonly #parts: ReaperParts;
  readonly #due: DueTimes;
  /** Open runs that were not in memory at the sweep before. */
  #absent = new Set<string>();
  #timer: { cancel(): void } | undefined;
  #sweeping: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: ReaperParts) {
    this.#parts = parts;
    this.#due = new DueTimes(parts.database);
  }

  /** The first sweep begins at once. */
  start(): void {
    if (this.#isStopped) return;
    this.#sweeping = this.sweep()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "stuck runs of flows could not be looked for"))
      .finally(() => {
        this.#sweeping = undefined;
        if (!this.#isStopped) this.#timer = this.#parts.runtime.timer(limit("flowReaperMs"), () => this.start());
      });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  async sweep(): Promise<void> {
    await this.#scripts();
    await this.#openRuns();
    await this.#overdue();
  }

  /** Looks after the scripts of one run now. */
  async look(scope: Scope, run: string): Promise<void> {
    const page = { prefix: [scope.tenant, scope.branch, run], limit: PAGE };
    const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) => records.range(FLOW_SCRIPTS, page));
    for (const { value } of rows) await this.#script(scope, value).catch((error: unknown) => this.#failed(error, value));
  }

  async #scripts(): Promise<void> {
    let after: readonly (string | number | bigint | boolean | null)[] | undefined;
    for (;;) {
      const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(FLOW_SCRIPTS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key, value } of rows) {
        if (this.#isStopped) return;
        const scope = { tenant: String(key[0]), branch: String(key[1]) };
        if (await this.#isServed(scope)) await this.#script(scope, value).catch((error: unknown) => this.#failed(error, value));
      }
      if (rows.length < PAGE) return;
      after = rows.at(-1)?.key;
    }
  }

  async #script(scope: Scope, script: AsyncScriptRow): Promise<void> {
    const { scripts, engine } = this.#parts;
    const wait = await this.#waitOf(scope, script);
    // Its run is just beginning it, or will.
    if (wait === "call") return;
    if (wait === "none") {
      await scripts.drop(scope, script);
      return this.#tell("dropped", script);
    }
    if (script.invocation === null) {
      await scripts.ask(scope, script);
      return this.#tell("rerun", script);
    }
    const invocation = await engine().get(scope, script.invocation);
    if (invocation?.state === "queued" || invocation?.state === "running") return;
    const report = invocation?.state === "succeeded" && invocation.valueText !== undefined ? reportIn(invocation.valueText) : undefined;
    if (report !== undefined) {
      await scripts.deliver(scope, script, readReport(report));
      return this.#tell("redelivered", script);
    }
    await this.#lost(scope, script, invocation);
  }

  /** R1 */
  async #lost(scope: Scope, script: AsyncScriptRow, invocation: InvocationRecord | undefined): Promise<void> {
    const { scripts } = this.#parts;
    const why = invocation?.error?.message ?? "its invocation is gone";
    if (await scripts.again(scope, script)) {
      await this.#note(
        scope,
        script,
        `The script ended without a report (${why}); it runs again, ${script.tries + 1} of ${limit("flowScriptTriesMax")}.`,
      );
      return this.#tell("rerun", script);
    }
    const message = `its script ended without a report ${script.tries} times, the last time because ${why}`;
    await this.#note(scope, script, `The step is given up: ${message}`);
    await scripts.deliver(scope, script, {
      ...reportOf(script),
      ...{ success: false, result: null, error: message, code: "script_lost", retryable: true, logs: [], execution_time_ms: 0 },
    });
    this.#tell("failed", script);
  }

  /** What its run does for it now. */
  async #waitOf(scope: Scope, { run, key, attempt }: AsyncScriptRow): Promise<"call" | "deferred" | "none"> {
    const read = await this.#parts.runs.read(scope, run).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (read === undefined || read.state.status.kind === "ended") return "none";
    const { frames, status } = read.state;
    const waits = [...frames.map((frame) => frame?.wait ?? null), status.kind === "undoing" ? status.undoing.wait : null];
    for (const wait of waits)
      if ((wait?.kind === "call" || wait?.kind === "deferred") && wait.key === key && wait.attempt === attempt) return wait.kind;
    return "none";
  }

  /** R3: a run that is being read at this moment is not stuck, so it has to be missing twice. */
  async #openRuns(): Promise<void> {
    const { database, runs } = this.#parts;
    const absent = new Set<string>();
    let after: readonly [string, string, string] | undefined;
    for (;;) {
      const rows = await database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(OPEN_FLOW_RUNS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key } of rows) {
        after = [String(key[0]), String(key[1]), String(key[2])];
        const [tenant, branch, run] = after;
        if (runs.has({ tenant, branch }, run) || !(await this.#isServed({ tenant, branch }))) continue;
        const name = after.join("/");
        if (!this.#absent.has(name)) {
          absent.add(name);
          continue;
        }
        await runs.resume({ tenant, branch }, run);
        this.#parts.log.warn({ tenant, run }, "a run of a flow was stuck and goes on");
        this.#parts.onReaped?.("resumed");
      }
      if (rows.length < PAGE) break;
    }
    this.#absent = absent;
  }

  /** R4 */
  async #overdue(): Promise<void> {
    const { runtime, timer, log, onReaped } = this.#parts;
    const latestMs = runtime.nowMs() - limit("flowOverdueMs");
    for await (const due of this.#due.branches()) {
      if (this.#isStopped) return;
      if (due.kind !== "flow" || due.dueMs > latestMs || !(await this.#isServed(due.scope))) continue;
      await timer(due).catch((error: unknown) => log.warn({ err: error, timer: due.id }, "a time of a flow is past and cannot fire"));
      onReaped?.("fired");
    }
  }

  async #isServed(scope: Scope): Promise<boolean> {
    return (await this.#parts.isServed?.(scope)) ?? true;
  }

  /** Into the log of the run, where its author looks. */
  async #note(scope: Scope, { run, key, attempt, node }: AsyncScriptRow, text: string): Promise<void> {
    const log = this.#parts.stepLogs.at({ scope, run, key, attempt, node });
    log.line({ level: "warn", text, atMs: this.#parts.runtime.nowMs() });
    await log.end();
  }

  #tell(what: Reaped, { run, key }: AsyncScriptRow): void {
    this.#parts.onReaped?.(what);
    this.#parts.log.info({ run, step: key, what }, "a script that runs apart was looked after");
  }

  #failed(error: unknown, { run, key }: AsyncScriptRow): void {
    this.#parts.log.warn({ err: error, run, step: key }, "a script that runs apart could not be looked after");
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === plinthError("NotFound", { what: "" }).code;
}
