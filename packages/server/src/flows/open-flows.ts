/** Makes `Flows`. */
import { plinthError } from "@plinth/core/errors.ts";
import type { FlowFinding, TriggerType } from "@plinth/core/flow/definition.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import { retryNodes, standingNodes } from "@plinth/core/flow/retry-run.ts";
import { NEW_RUN } from "@plinth/core/flow/state.ts";
import { transition } from "@plinth/core/flow/transition.ts";
import { type FlowValue, isRecord, NOTHING, recordValue, type StoredPart } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Database, Scope } from "../database/database.ts";
import { DUE_TIMES, FLOW_CHILDREN, FLOW_RUNS, FLOW_START_KEYS, FLOWS, OPEN_FLOW_RUNS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Deploys } from "../deploys/deploys.ts";
import { atDepth } from "../engine/cause-depth.ts";
import type { Actor } from "../engine/invocation.ts";
import { newInvocationId } from "../engine/invocation-ids.ts";
import { withPooledRandom } from "../engine/pooled-random.ts";
import type { FlowListeners } from "../events/flow-listeners.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { Due } from "../schedules/due-times.ts";
import { dueKey } from "../schedules/scheduled-functions.ts";
import type { Log } from "../telemetry/log.ts";
import type { AnswerTokens } from "./answer-tokens.ts";
import { Answers, type AnswersParts } from "./answers.ts";
import type { StepCallsParts } from "./calls/call.ts";
import { ChildRuns } from "./child-runs.ts";
import { type FlowBundles, NO_BUNDLES } from "./bundles/flow-bundles.ts";
import { FlowDefinitions } from "./flow-definitions.ts";
import type { RunRow } from "./flow-records.ts";
import type {
  Answer,
  Flows,
  OpenQuestion,
  Published,
  RefusedAnswer,
  RunChange,
  RunDetail,
  RunSummary,
  StartRun,
  TokenAnswer,
} from "./flows.ts";
import { OpenRuns } from "./open-runs.ts";
import type { RunAsRead } from "./run-driver.ts";
import { DeletedFlows } from "./retention/deleted-flows.ts";
import { FlowRetention, type KeptRuns } from "./retention/flow-retention.ts";
import { type HistoryPage, historyPage } from "./run-history.ts";
import { readJournal, summaryOf, timerOf, writeRun } from "./run-rows.ts";
import type { ScriptChecks } from "./script-check.ts";
import type { FlowReaper, ReaperParts } from "./scripts/reaper.ts";
import type { LogOfStep } from "./step-logs.ts";
import { type CallsOfSteps, checkRoom, StepCalls } from "./step-calls.ts";
import { renewTrigger, triggerOf, triggersOf } from "./triggers/read-triggers.ts";
import { StartByEvent } from "./triggers/start-by-event.ts";
import { TriggerFilters } from "./triggers/trigger-filters.ts";
import type { FlowTriggerRow } from "./triggers/trigger-records.ts";
import { openUpkeep } from "./upkeep/open-upkeep.ts";
import { valueOfRun } from "./values/value-rows.ts";

export interface FlowsOptions extends Omit<StepCallsParts, "children">, Pick<AnswersParts, "isServed" | "onRefused"> {
  readonly database: Database;
  readonly deploys: Deploys;
  readonly bundles?: FlowBundles;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly tokens: AnswerTokens;
  readonly scripts: Pick<ScriptChecks, "check" | "flowFindings">;
  /** Reads what triggers have as user text. */
  readonly tools?: Pick<JailTools, "run">;
  /** Looks after what is stuck; nobody does when absent. */
  readonly reaper?: (parts: Pick<ReaperParts, "runs" | "timer">) => FlowReaper;
}

export interface OpenedFlows extends Flows {
  /** What events start. */
  readonly listeners: FlowListeners;
  /** Runs in memory. */
  readonly runsOpen: number;
  /** To be started once the host serves. */
  readonly retention: FlowRetention;
  /** For the scheduler. */
  timer(due: Due): Promise<void>;
  /** Goes on with what an earlier host left under way; resolves when all of it does. */
  resumeAll(): Promise<void>;
  endBranch(scope: Scope): Promise<void>;
  stop(): Promise<void>;
}

/** `calls`: what makes the calls of steps, where it is not the engine (simulations). */
export function openFlows(options: FlowsOptions, calls?: CallsOfSteps): OpenedFlows {
  return new StoredFlows({ ...options, runtime: withPooledRandom(options.runtime) }, calls);
}

class StoredFlows implements OpenedFlows {
  readonly bundles: Flows["bundles"];
  readonly upkeep: Flows["upkeep"];
  readonly listeners = new StartByEvent(this);
  readonly retention: FlowRetention;
  readonly #filters = new TriggerFilters();
  #resuming: Promise<void> = Promise.resolve();
  #isStopped = false;
  readonly #options: FlowsOptions;
  readonly #definitions: FlowDefinitions;
  readonly #runs: OpenRuns;
  readonly #answers: Answers;
  readonly #children: ChildRuns;
  readonly #deleted: DeletedFlows;
  readonly #reaper: FlowReaper | undefined;

  constructor(options: FlowsOptions, given: CallsOfSteps | undefined) {
    const parts: StepCallsParts = { ...options, children: () => this.#children };
    const calls = given ?? new StepCalls(parts);
    this.#options = options;
    this.bundles = options.bundles ?? NO_BUNDLES;
    this.#definitions = new FlowDefinitions(options);
    this.#runs = new OpenRuns({ ...options, definitions: this.#definitions, calls });
    this.upkeep = openUpkeep({ ...options, definitions: this.#definitions, runs: this.#runs, flows: this, calls: parts });
    this.retention = new FlowRetention({ ...options, keptRunsOf: (scope, flow) => this.#keptRuns(scope, flow) });
    this.#answers = new Answers({ ...options, runs: this.#runs });
    this.#children = new ChildRuns({ ...options, runs: this.#runs, fresh: (start) => this.#fresh(start) });
    this.#deleted = new DeletedFlows({
      ...options,
      cancel: (scope, run) => this.cancel(scope, run, { by: "the deletion of its flow", reason: "The flow was deleted." }),
      tellParent: (scope, run) => this.#children.tellParentOf(scope, run),
    });
    this.#reaper = options.reaper?.({ runs: this.#runs, timer: (due) => this.timer(due) });
  }

  get runsOpen(): number {
    return this.#runs.size;
  }

  async check(scope: Scope, definition: unknown): Promise<readonly FlowFinding[]> {
    return (await this.#definitions.check(scope, definition)).findings;
  }

  publish(scope: Scope, request: Parameters<Flows["publish"]>[1]): Promise<Published> {
    return this.#definitions.publish(scope, request);
  }

  list(scope: Scope) {
    return this.#definitions.list(scope);
  }

  definition(scope: Scope, flow: string, version?: string) {
    return this.#definitions.definition(scope, flow, version);
  }

  versions(scope: Scope, flow: string) {
    return this.#definitions.versions(scope, flow);
  }

  setOn(scope: Scope, flow: string, isOn: boolean) {
    return this.#definitions.setOn(scope, flow, isOn);
  }

  delete(scope: Scope, flow: string): Promise<void> {
    return this.#deleted.delete(scope, flow);
  }

  triggers(scope: Scope, type: TriggerType): Promise<readonly FlowTriggerRow[]> {
    return triggersOf(this.#options.database, scope, type);
  }

  trigger(scope: Scope, flow: string): Promise<FlowTriggerRow> {
    return triggerOf(this.#options.database, scope, flow);
  }

  renewTrigger(scope: Scope, flow: string): Promise<FlowTriggerRow> {
    return renewTrigger(this.#options, scope, flow);
  }

  async start(request: StartRun): Promise<RunSummary> {
    const { scope, flow, idempotencyKey: key } = request;
    const fresh = await this.#fresh(request);
    const { program, started } = fresh;
    const { state } = transition(program, NEW_RUN, started);
    const storing = this.#options.database.update(scope, async (transaction) => {
      const { records } = transaction;
      const first = key === undefined ? undefined : await records.get(FLOW_START_KEYS, [flow, key]);
      if (first !== undefined) return first;
      if (key !== undefined) records.put(FLOW_START_KEYS, [flow, key], fresh.stored.row.id);
      return await writeRun(transaction, {
        stored: fresh.stored,
        state,
        events: [started],
        newToken: () => this.#options.tokens.make({ scope, run: fresh.stored.row.id }),
      });
    });
    const reading = storing.then((begun): RunAsRead => {
      if (typeof begun === "string") throw plinthError("AlreadyExists", { what: `run '${begun}'` });
      return { scope, program, state, stored: begun };
    });
    // What it does once it is stored is not waited for.
    const driving = this.#runs.begin(scope, fresh.stored.row.id, reading, (driver) => driver.resume());
    let isStored = false;
    driving.catch((error: unknown) => {
      if (isStored)
        this.#options.log.warn({ err: error, run: fresh.stored.row.id }, "a run of a flow has begun and could not go on at once");
    });
    const begun = await storing;
    if (typeof begun === "string") return shown(await this.#stored(scope, begun));
    isStored = true;
    return shown(begun.row);
  }

  async startAndWait(request: StartRun & { readonly waitMs: number }): Promise<RunDetail> {
    const { scope, waitMs } = request;
    const { runtime } = this.#options;
    const time = new AbortController();
    const timer = runtime.timer(waitMs, () => time.abort());
    try {
      if (request.idempotencyKey !== undefined) {
        const { id } = await this.start(request);
        return await this.#runs.with(scope, id, async (driver) => {
          await driver.resume();
          if (!driver.isQuiet && driver.state.reply === null) await this.#runs.quiet(scope, id, time.signal);
          return await this.run(scope, id);
        });
      }
      // Nobody has been told of it: it need not be durable before its first step (D2 of run-driver.ts).
      const { started, ...read } = await this.#fresh(request);
      return await this.#runs.begin(scope, read.stored.row.id, Promise.resolve(read), async (driver) => {
        const quiet = this.#runs.quiet(scope, driver.id, time.signal);
        await driver.deliver(started, { isDurable: false });
        await quiet;
        // Now somebody is told of it (W1).
        await driver.save();
        return this.#detailOf(driver);
      });
    } finally {
      timer.cancel();
    }
  }

  async run(scope: Scope, id: string): Promise<RunDetail> {
    return this.#detailOf(await this.#runs.read(scope, id));
  }

  async history(scope: Scope, id: string, page: Parameters<Flows["history"]>[2]): Promise<HistoryPage> {
    const { flow } = await this.#stored(scope, id);
    const program = (version: string) => this.#definitions.program(scope, flow, version);
    return await historyPage({ ...this.#options, program }, { scope, run: id }, page);
  }

  async value(scope: Scope, { run, digest }: Parameters<Flows["value"]>[1]) {
    const value = await this.#options.database.read(scope, ({ records }) => valueOfRun(records, run, digest));
    if (value === undefined) throw plinthError("NotFound", { what: "value of this run with this digest" });
    return { value, body: await this.#options.values.open(scope, value) };
  }

  async logs(scope: Scope, id: string, page: Parameters<Flows["logs"]>[2]): Promise<readonly LogOfStep[]> {
    await this.#stored(scope, id);
    return await this.#options.stepLogs.ofRun(scope, id, page);
  }

  async events(scope: Scope, id: string): Promise<readonly FlowEvent[]> {
    await this.#stored(scope, id);
    return await this.#options.database.read(scope, ({ records }) => readJournal(records, id, 0));
  }

  answer(scope: Scope, answer: Answer): Promise<void> {
    return this.#answers.answer(scope, answer);
  }

  answerByToken(answer: TokenAnswer): Promise<void> {
    return this.#answers.answerByToken(answer);
  }

  refuseAnswer(token: string, refused: Parameters<Flows["refuseAnswer"]>[1]): Promise<void> {
    return this.#answers.refuse(token, refused);
  }

  question(token: string): Promise<OpenQuestion> {
    return this.#answers.question(token);
  }

  async children(scope: Scope, id: string): Promise<readonly string[]> {
    const page = { prefix: [id], order: "desc", limit: limit("flowRunsShownMax") } as const;
    const rows = await this.#options.database.read(scope, ({ records }) => records.range(FLOW_CHILDREN, page));
    return rows.map(({ key }) => String(key[1]));
  }

  async refusedAnswers(scope: Scope, id: string): Promise<readonly RefusedAnswer[]> {
    await this.#stored(scope, id);
    return await this.#answers.refused(scope, id);
  }

  async signal(scope: Scope, id: string, { name, payload, by }: Parameters<Flows["signal"]>[2]): Promise<void> {
    checkRoom(await this.#stored(scope, id));
    await this.#tell(scope, id, { kind: "signalled", name, payload: await this.#kept(scope, payload), by });
  }

  async cancel(scope: Scope, id: string, { by, reason }: RunChange): Promise<void> {
    await this.#tell(scope, id, { kind: "cancelled", by, reason });
    await this.#reaper?.look(scope, id);
  }

  async pause(scope: Scope, id: string, { by, reason }: RunChange): Promise<void> {
    await this.#tell(scope, id, { kind: "paused", by, reason });
  }

  async resume(scope: Scope, id: string, { by }: Pick<RunChange, "by">): Promise<void> {
    await this.#tell(scope, id, { kind: "resumed", by });
  }

  async retry(scope: Scope, id: string, { by, node, mayChoose, input }: Parameters<Flows["retry"]>[2]): Promise<void> {
    checkRoom(await this.#stored(scope, id));
    if (!mayChoose) {
      const { program, state } = await this.#runs.read(scope, id);
      const isChosen = input !== undefined || (retryNodes(program, state).includes(node) && !standingNodes(state).includes(node));
      if (isChosen) throw plinthError("Forbidden", { scope: "deploy" });
    }
    await this.#tell(scope, id, { kind: "retried", by, node, input: input === undefined ? null : await this.#kept(scope, input) });
  }

  async timer(due: Due): Promise<void> {
    const { run, timer } = timerOf(due.id);
    const { runtime, database } = this.#options;
    if (await this.#children.tell(due.scope, run, timer)) {
      await this.#forgetDue(due);
      return;
    }
    const known = await database.read(due.scope, ({ records }) => records.get(FLOW_RUNS, [run]));
    const event: FlowEvent = { kind: "timerFired", timer, atMs: Math.max(runtime.nowMs(), due.dueMs) };
    const isWaitedFor =
      known !== undefined &&
      (await this.#runs.with(due.scope, run, async (driver) => {
        if ((await driver.deliver(event, { isDurable: true })) === null) return true;
        // Why it is refused is stored before its row is deleted: after a crash there must be no wait without its timer.
        await driver.save();
        return driver.stored.timers.get(timer) === due.dueMs;
      }));
    if (isWaitedFor) return;
    // Nothing waits for it.
    await this.#forgetDue(due);
  }

  async #forgetDue({ scope, dueMs, id }: Due): Promise<void> {
    await this.#options.database.update(scope, async ({ records }) => records.delete(DUE_TIMES, dueKey(scope, dueMs, "flow", id)));
  }

  async resumeAll(): Promise<void> {
    this.#resuming = this.#resumeAll();
    await this.#resuming;
  }

  /** So many at a time, so that others are served meanwhile. */
  async #resumeAll(): Promise<void> {
    const page = limit("flowRecoveriesMax");
    let after: readonly [string, string, string] | undefined;
    for (let isLast = false; !isLast && !this.#isStopped;) {
      const rows = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(OPEN_FLOW_RUNS, { prefix: [], limit: page, ...(after === undefined ? {} : { after }) }),
      );
      const places = rows.map(({ key }) => [String(key[0]), String(key[1]), String(key[2])] as const);
      await Promise.all(places.map(([tenant, branch, run]) => this.#runs.resume({ tenant, branch }, run)));
      after = places.at(-1);
      isLast = rows.length < page;
    }
    if (this.#isStopped) return;
    this.#reaper?.start();
    this.#deleted.start();
  }

  async endBranch(scope: Scope): Promise<void> {
    await this.#runs.endBranch(scope);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reaper?.stop();
    await this.#deleted.stop();
    await this.retention.stop();
    await this.#runs.stop();
    // Not before: a run that is resumed goes on as long as it can, and no longer when it is stopped.
    await this.#resuming.catch(() => undefined);
  }

  async #keptRuns(scope: Scope, flow: string): Promise<KeptRuns> {
    const head = await this.#options.database.read(scope, ({ records }) => records.get(FLOWS, [flow]));
    // Runs of deleted flows have another collector.
    if (head === undefined) return { forMs: limit("flowRunsKeptMsMax"), count: limit("flowRunsKeptMax") };
    const { version } = head;
    const { keep } = (await this.#definitions.program(scope, flow, version)).definition;
    return { forMs: keep?.forMs ?? limit("flowRunsKeptMs"), count: keep?.runs ?? limit("flowRunsKept") };
  }

  async #fresh({
    scope,
    actor,
    flow,
    input,
    stored = [],
    source,
    trigger: by,
    idempotencyKey: startKey,
  }: StartRun): Promise<RunAsRead & { readonly started: FlowEvent }> {
    const { runtime, deploys } = this.#options;
    const { version, trigger, isOn } = await this.#definitions.head(scope, flow);
    if (!isOn) throw plinthError("FlowRunRefused", { detail: `The flow '${flow}' is off.` });
    if (by !== undefined && by !== trigger) throw plinthError("FlowRunRefused", { detail: `The flow '${flow}' has another trigger now.` });
    this.#runs.checkRoom(scope.tenant);
    const program = await this.#definitions.program(scope, flow, version);
    this.#filters.check(program.definition, { by, input, nowMs: runtime.nowMs() });
    const functions = (await deploys.version(scope))?.digest ?? null;
    const id = newInvocationId(runtime);
    const atMs = runtime.nowMs();
    const row: RunRow = {
      ...{ id, flow, version, trigger, source, functions, actor: actorOf(actor), startedMs: atMs, endedMs: null },
      ...{ status: "running", reason: null, error: null, seq: 0, snapshotSeq: 0, answers: [] },
      ...(startKey === undefined ? {} : { startKey }),
    };
    const company = { id: scope.tenant, name: scope.tenant };
    const started: FlowEvent = {
      kind: "started",
      atMs,
      run: { id, flow, version, company, environment: scope.branch },
      trigger: await this.#kept(scope, input, stored),
    };
    return { scope, program, state: NEW_RUN, stored: { row, timers: new Map(), isOpen: false }, started };
  }

  #detailOf({ scope, state, stored }: Pick<RunAsRead, "scope" | "state" | "stored">): RunDetail {
    const summary = summaryOf(state, stored.row);
    const { status } = state;
    const given = status.kind === "ended" && status.outcome.kind === "completed" ? status.outcome.output : NOTHING;
    const shown = recordValue({ output: given, variables: recordValue(state.variables) });
    const { output = null, variables = {} } = isRecord(shown.json) ? shown.json : {};
    const place = { scope, run: stored.row.id };
    const answers = stored.row.answers.map(({ node, kind, seed = "", token, untilMs, approver = null }) => {
      return { node, kind, token: token ?? this.#options.tokens.of(place, seed), untilMs, approver };
    });
    const reply = state.reply?.json ?? null;
    const { parent } = stored.row;
    const above = parent === undefined ? null : { run: parent.run, node: parent.node };
    return {
      ...summary,
      parent: above,
      output,
      reply,
      variables: isRecord(variables) ? variables : {},
      stored: shown.stored ?? [],
      answers,
    };
  }

  async #tell(scope: Scope, id: string, event: UntimedEvent): Promise<void> {
    const timed = { ...event, atMs: this.#options.runtime.nowMs() };
    const refusal = await this.#runs.with(scope, id, (driver) => driver.deliver(timed, { isDurable: true }));
    if (refusal !== null) throw plinthError("FlowRunRefused", { detail: refusal.message });
  }

  async #stored(scope: Scope, id: string): Promise<RunRow> {
    const row = await this.#options.database.read(scope, ({ records }) => records.get(FLOW_RUNS, [id]));
    if (row === undefined) throw plinthError("NotFound", { what: `run '${id.slice(0, 64)}'` });
    return row;
  }

  /** A value from outside, as it may lie in a journal. */
  async #kept(scope: Scope, input: Json, given: readonly StoredPart[] = []): Promise<FlowValue> {
    const { json, stored = [] } = await this.#options.values.keep(scope, input);
    const parts = [...stored, ...given];
    return parts.length === 0 ? { json } : { json, stored: parts };
  }
}

type WithoutTime<Event> = Event extends FlowEvent ? Omit<Event, "atMs"> : never;
type UntimedEvent = WithoutTime<FlowEvent>;

function shown({ id, flow, version, status, reason, trigger, startedMs, endedMs, error }: RunRow): RunSummary {
  return { id, flow, version, status, reason, trigger, startedMs, endedMs, error };
}

/** Steps are the branch's own code, as nested calls of functions are (A1 of core/policy/object-access.ts); service accounts stay what they are (A2). */
function actorOf(actor: Actor): Actor {
  if (actor.service !== undefined) return actor;
  const { identity, causeDepth } = actor;
  return atDepth({ kind: "function", scopes: [], ...(identity === undefined ? {} : { identity }) }, causeDepth);
}
