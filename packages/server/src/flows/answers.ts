/**
 * Answers to steps that wait: by a key of the branch, or by a token alone.
 *
 * A1 A token answers one step, of calls one attempt, once: what comes late, twice or with a forged token changes nothing.
 * A2 What was refused is written down with its run, as far as there is one, and counted.
 * A3 An approval says who answered: the approver whose token it is, or the key. What the form of a page says of that is not believed.
 * A4 An answer reads its run, so whoever has a token may ask so often with it, and not more.
 */
import { type PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { WaitDescription } from "@plinth/core/flow/calls.ts";
import { outstanding } from "@plinth/core/flow/commands.ts";
import type { FlowEvent, Refusal } from "@plinth/core/flow/events.ts";
import type { RunState } from "@plinth/core/flow/state.ts";
import { NOTHING } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Database, Scope } from "../database/database.ts";
import { FLOW_ANSWERS, FLOW_REFUSED_ANSWERS, FLOW_RUNS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { SourceGate } from "../inbound/source-gate.ts";
import { approvalOutput, readApproval } from "./approvals.ts";
import { digestOf, placeOfAnswer, type RunPlace } from "./answer-tokens.ts";
import type { AnswerRow, RefusedAnswerRow } from "./flow-records.ts";
import type { Answer, AnswerResult, OpenQuestion, RefusedAnswer, TokenAnswer } from "./flows.ts";
import type { OpenRuns } from "./open-runs.ts";
import { readJournal } from "./run-rows.ts";
import type { LargeValues } from "./values/large-values.ts";

export interface AnswersParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly values: Pick<LargeValues, "keep">;
  readonly runs: Pick<OpenRuns, "with" | "read">;
  /** Whether a branch is served; all are when absent. */
  readonly isServed?: (scope: Scope) => Promise<boolean>;
  readonly onRefused?: (code: RefusedAnswer["code"]) => void;
}

interface Told {
  readonly result: AnswerResult;
  readonly via: string;
  readonly by: (row: AnswerRow) => string;
  /** With a key: it has to be that of an approver. */
  readonly keyId?: string;
}

export class Answers {
  readonly #parts: AnswersParts;
  readonly #gate: SourceGate;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#gate = new SourceGate(parts.runtime, {
      what: "this token",
      perSecond: limit("flowAnswersPerSecond"),
      burst: limit("flowAnswersBurst"),
      runningMax: limit("flowAnswersBurst"),
    });
  }

  async answer(scope: Scope, { token, by, result }: Answer): Promise<void> {
    const place = placeOfAnswer(token);
    if (place !== undefined && (place.scope.tenant !== scope.tenant || place.scope.branch !== scope.branch)) throw noAnswer();
    await this.#answer(token, { result, via: "key", by: () => by, keyId: by });
  }

  async answerByToken({ token, via, name, result }: TokenAnswer): Promise<void> {
    const answer = () => this.#answer(token, { result, via, by: ({ approver }) => approver ?? name ?? "callback" });
    // What the host itself brings is not refused for its number.
    await (via === "script" ? answer() : this.#gated(token, answer));
  }

  /** Writes down what was refused before it was an answer. */
  async refuse(token: string, { message, via }: { readonly message: string; readonly via: string }): Promise<void> {
    const place = placeOfAnswer(token);
    if (place === undefined) this.#parts.onRefused?.("forged");
    else await this.#gated(token, () => this.#record(place, { code: "forged", message, node: null, via }));
  }

  /** Rejects as an answer would. */
  question(token: string): Promise<OpenQuestion> {
    return this.#gated(token, () => this.#question(token));
  }

  /** A4 */
  async #gated<T>(token: string, work: () => Promise<T>): Promise<T> {
    return placeOfAnswer(token) === undefined ? await work() : await this.#gate.run(digestOf(token), work);
  }

  async #question(token: string): Promise<OpenQuestion> {
    const { place, row } = await this.#find(token, "page");
    const { state } = await this.#parts.runs.read(place.scope, place.run);
    const open = row.kind === "call" ? openCall(state, row) : openWait(state, row.key);
    if (open === undefined) throw answerRefused("the question is not open any more: it was answered, or its time is over.");
    const { wait, untilMs } = open;
    const common = { node: row.node, approver: row.approver, untilMs };
    return wait.kind === "approval"
      ? { ...common, kind: "approval", title: wait.title, form: wait.form.json, details: wait.details.json }
      : { ...common, kind: "callback", title: "", form: [], details: wait.kind === "callback" ? wait.details.json : null };
  }

  async refused(scope: Scope, run: string): Promise<readonly RefusedAnswer[]> {
    const page = { prefix: [run], limit: limit("flowRefusedAnswersMax") };
    const rows = await this.#parts.database.read(scope, ({ records }) => records.range(FLOW_REFUSED_ANSWERS, page));
    return rows.map(({ value }) => value);
  }

  async #answer(token: string, { result, by, via, keyId }: Told): Promise<void> {
    const { place, row } = await this.#find(token, via);
    const refusal = await this.#parts.runs.with(place.scope, place.run, async (driver) => {
      const wait = openWait(driver.state, row.key)?.wait;
      if (keyId !== undefined) checkApprover(wait, keyId);
      // Nothing is stored for an answer that is refused: whoever has an old token could send any number.
      const kept: AnswerResult = result.kind === "output" && !isAwaited(driver.state, row) ? { kind: "output", output: null } : result;
      const event = await this.#event(place.scope, row, { result: kept, by: by(row), wait });
      return await driver.deliver(event, { isDurable: true });
    });
    if (refusal !== null) throw await this.#tooLate(place, row, { token, refusal, via });
  }

  async #event(
    scope: Scope,
    { key, attempt, kind }: AnswerRow,
    { result, by, wait }: { readonly result: AnswerResult; readonly by: string; readonly wait: WaitDescription | undefined },
  ): Promise<FlowEvent> {
    const atMs = this.#parts.runtime.nowMs();
    const common = { atMs, key, attempt, by };
    if (result.kind === "error") {
      const { code, message, retryable = false } = result.error;
      return { ...common, kind: "failed", error: { code, message, retryable } };
    }
    // Where the wait is over, the answer is refused whatever it says.
    const form = wait?.kind === "approval" ? wait.form.json : null;
    const output: Json =
      kind === "approval" && form !== null ? approvalOutput(readApproval(result.output, form), { by, atMs }) : result.output;
    return { ...common, kind: "completed", output: await this.#parts.values.keep(scope, output) };
  }

  /** A1 */
  async #find(token: string, via: string): Promise<{ readonly place: RunPlace; readonly row: AnswerRow }> {
    const { database, isServed } = this.#parts;
    const place = placeOfAnswer(token);
    if (place === undefined || (isServed !== undefined && !(await isServed(place.scope)))) {
      this.#parts.onRefused?.("forged");
      throw noAnswer();
    }
    const row = await database.read(place.scope, ({ records }) => records.get(FLOW_ANSWERS, [place.run, digestOf(token)]));
    if (row !== undefined) return { place, row };
    await this.#record(place, { code: "forged", message: "It came with a token that was never given.", node: null, via });
    throw noAnswer();
  }

  async #tooLate(
    place: RunPlace,
    row: AnswerRow,
    { token, refusal, via }: { readonly token: string; readonly refusal: Refusal; readonly via: string },
  ): Promise<PlinthError> {
    if (refusal.code === "tooManyPending" || refusal.code === "notStarted")
      return plinthError("FlowRunRefused", { detail: refusal.message });
    const code = row.refusedAs ?? ((await this.#wasAnswered(place, row)) ? "double" : "late");
    if (row.refusedAs === undefined) await this.#remember(place, token, { ...row, refusedAs: code });
    await this.#record(place, { code, message: refusal.message, node: row.node, via });
    return answerRefused(code === "double" ? "it was answered already." : `it is too late: ${refusal.message}`);
  }

  /** A journal is read once for a token, however often that comes again. */
  async #remember({ scope, run }: RunPlace, token: string, row: AnswerRow): Promise<void> {
    await this.#parts.database.update(scope, async ({ records }) => {
      if ((await records.get(FLOW_ANSWERS, [run, digestOf(token)])) !== undefined) records.put(FLOW_ANSWERS, [run, digestOf(token)], row);
    });
  }

  /** The journal says whether the attempt ended by an answer, or by its time, a retry or the end of its run. */
  async #wasAnswered({ scope, run }: RunPlace, { key, attempt }: AnswerRow): Promise<boolean> {
    const events = await this.#parts.database.read(scope, ({ records }) => readJournal(records, run, 0));
    return events.some(
      (event) => (event.kind === "completed" || event.kind === "failed") && event.key === key && event.attempt === attempt,
    );
  }

  /** A2. Whoever has an address could send any number: the first ones are kept. */
  async #record({ scope, run }: RunPlace, refused: Omit<RefusedAnswerRow, "atMs">): Promise<void> {
    const { database, runtime, onRefused } = this.#parts;
    onRefused?.(refused.code);
    const max = limit("flowRefusedAnswersMax");
    await database.update(scope, async ({ records }) => {
      const known = await records.range(FLOW_REFUSED_ANSWERS, { prefix: [run], limit: max });
      if (known.length >= max || (await records.get(FLOW_RUNS, [run])) === undefined) return;
      records.put(FLOW_REFUSED_ANSWERS, [run, known.length], { atMs: runtime.nowMs(), ...refused });
    });
  }
}

function openWait(state: RunState, key: string): { readonly wait: WaitDescription; readonly untilMs: number } | undefined {
  for (const command of outstanding(state)) if (command.kind === "openWait" && command.key === key) return command;
  return undefined;
}

/** An attempt whose result comes later has nothing to be asked but that. */
function openCall(state: RunState, { key, attempt }: AnswerRow): { readonly wait: WaitDescription; readonly untilMs: number } | undefined {
  for (const frame of state.frames) {
    const wait = frame?.wait ?? null;
    if (wait === null || !("attempt" in wait) || wait.key !== key || wait.attempt !== attempt || wait.kind === "retry") continue;
    const untilMs = wait.kind === "deferred" ? wait.untilMs : wait.sinceMs + wait.timeoutMs;
    return { wait: { kind: "callback", details: NOTHING }, untilMs };
  }
  return undefined;
}

/** A step that is open, or that undoes another one. */
function isAwaited(state: RunState, row: AnswerRow): boolean {
  if (state.status.kind === "undoing") return true;
  return state.status.kind !== "ended" && (row.kind === "call" ? openCall(state, row) : openWait(state, row.key)) !== undefined;
}

/** Approvers that answer with a key are named by its id. */
function checkApprover(wait: WaitDescription | undefined, keyId: string): void {
  if (wait?.kind !== "approval" || wait.approvers.length === 0 || wait.approvers.includes(keyId)) return;
  throw plinthError("FlowRunRefused", { detail: `'${keyId}' is no approver of this step.` });
}

function answerRefused(detail: string) {
  return plinthError("AnswerRefused", { detail });
}

function noAnswer() {
  return plinthError("NotFound", { what: "open answer with this token" });
}
