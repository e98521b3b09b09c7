/**
 * Flows of a branch: definitions, versions and runs. This file is the contract; `open-flows.ts` makes one.
 *
 * W1 What was accepted is durable: a run whose id was told survives any crash, and ends or waits for a named reason.
 * W2 The journal of a run is the list of its events (core/flow/events.ts) and nothing else; a state is their fold.
 * W3 A step that is a mutation, or an operation that writes into a table, commits its writes, its event and what follows from it in one
 *    transaction: it happens exactly once. Every other step happens at least once, under a key that stays the same.
 * W4 A run that waits holds no memory and no worker: its row, its timer and what may answer it lie in the store.
 * W5 A run has one writer at a time.
 * W6 A run keeps the version of its flow and of the functions folder that it calls, unless it is moved on purpose. What a package serves
 *    (`@package/function`, its operations) is that of the version that is installed when the step begins: a snap-in has one version at a
 *    time, to which its inputs, event sources and keyrings belong and what its hooks have set up outside.
 */
import type { Readable } from "node:stream";
import type { FlowFinding, TriggerType } from "@plinth/core/flow/definition.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { StoredPart, StoredValue } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../database/database.ts";
import type { Actor, InvocationSource } from "../engine/invocation.ts";
import type { FlowBundles } from "./bundles/flow-bundles.ts";
import type { FlowTriggerRow } from "./triggers/trigger-records.ts";
import type { HistoryPage } from "./run-history.ts";
import type { Upkeep } from "./upkeep/upkeep.ts";
import type { LogOfStep } from "./step-logs.ts";

export interface FlowVersion {
  readonly flow: string;
  /** Digest of the definition. */
  readonly version: string;
  readonly seq: number;
  readonly createdMs: number;
  readonly note: string | null;
}

export interface FlowSummary {
  readonly name: string;
  readonly description: string;
  readonly trigger: string;
  /** The version that new runs get. */
  readonly version: string;
  /** Runs begin only while it is on. */
  readonly isOn: boolean;
}

export type Published =
  | { readonly ok: true; readonly version: FlowVersion }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] };

/** Where a run stands, in words and as a code. */
export interface RunSummary {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly status: "running" | "waiting" | "paused" | "undoing" | "completed" | "failed" | "cancelled";
  /** Why it does not go on: `sleeping`, `awaiting_approval`, `retrying`, … Null while it runs and after its end. */
  readonly reason: { readonly code: string; readonly text: string; readonly untilMs: number | null; readonly node: string | null } | null;
  readonly trigger: string;
  readonly startedMs: number;
  readonly endedMs: number | null;
  readonly error: { readonly code: string; readonly message: string; readonly node: string | null } | null;
}

export interface RunDetail extends RunSummary {
  /** The step of another run that began it. */
  readonly parent: { readonly run: string; readonly node: string } | null;
  /** Of a run that has completed. */
  readonly output: Json;
  /** What it has told the agent that called it; null until then. */
  readonly reply: Json;
  readonly variables: JsonObject;
  /** What of `output` and `variables` is stored, by its path, which begins with one of these names: null stands for it there. */
  readonly stored: readonly StoredPart[];
  /** What may be answered, with the token that answers it. */
  readonly answers: readonly {
    readonly node: string;
    readonly kind: "callback" | "approval";
    /** Null where the host has the key that it follows from no more. */
    readonly token: string | null;
    readonly untilMs: number;
    /** Whose token it is; null where anybody may answer by it. */
    readonly approver: string | null;
  }[];
}

export interface StartRun {
  readonly scope: Scope;
  readonly actor: Actor;
  readonly flow: string;
  /** The first context. */
  readonly input: Json;
  /** Parts of it that are stored, from a run of the branch: null stands for them in `input`. */
  readonly stored?: readonly StoredPart[];
  readonly source: InvocationSource;
  /** Type of the trigger that starts it; one that is another than that of the head starts nothing (FlowRunRefused). By hand when absent. */
  readonly trigger?: string;
  /** A second start of the flow with the key is the same run. */
  readonly idempotencyKey?: string;
}

/** Who asks for a change of a run, and why. */
export interface RunChange {
  readonly by: string;
  readonly reason: string;
}

export type AnswerResult =
  | { readonly kind: "output"; readonly output: Json }
  /** `retryable`: another attempt may succeed. */
  | { readonly kind: "error"; readonly error: { readonly code: string; readonly message: string; readonly retryable?: boolean } };

export interface Answer {
  readonly token: string;
  /** Id of a key. */
  readonly by: string;
  readonly result: AnswerResult;
}

/** From whoever has the token, and needs nothing else. */
export interface TokenAnswer {
  readonly token: string;
  /** The way that it came: `http`, `grpc`, `event`, `page`. */
  readonly via: string;
  /** What whoever answers says of himself, where the token is nobody's in particular. */
  readonly name?: string;
  readonly result: AnswerResult;
}

/** What a token answers. */
export interface OpenQuestion {
  readonly kind: "approval" | "callback";
  readonly node: string;
  readonly title: string;
  /** Fields, as the definition has them. */
  readonly form: Json;
  readonly details: Json;
  readonly approver: string | null;
  readonly untilMs: number;
}

/** An answer that changed nothing. */
export interface RefusedAnswer {
  readonly atMs: number;
  readonly code: "late" | "double" | "forged";
  readonly message: string;
  readonly node: string | null;
  readonly via: string;
}

export interface Flows {
  readonly upkeep: Upkeep;
  /** Packages that code of flows uses. */
  readonly bundles: Pick<FlowBundles, "upload" | "get">;
  check(scope: Scope, definition: unknown): Promise<readonly FlowFinding[]>;
  /** A definition that is the head already is not published again. */
  publish(scope: Scope, request: { readonly definition: JsonObject; readonly note: string | null }): Promise<Published>;
  list(scope: Scope): Promise<readonly FlowSummary[]>;
  /** Rejects with NotFound. */
  definition(scope: Scope, flow: string, version?: string): Promise<JsonObject>;
  versions(scope: Scope, flow: string): Promise<readonly FlowVersion[]>;
  setOn(scope: Scope, flow: string, isOn: boolean): Promise<void>;
  /** With its versions, tests and ended runs. Rejects with NotFound, and with FlowHasRuns while runs go on. */
  delete(scope: Scope, flow: string): Promise<void>;
  /** Triggers of this type of flows that are on. */
  triggers(scope: Scope, type: TriggerType): Promise<readonly FlowTriggerRow[]>;
  /** That of a flow's head. Rejects with NotFound. */
  trigger(scope: Scope, flow: string): Promise<FlowTriggerRow>;
  /** The same with another secret: its old address starts nothing any more. */
  renewTrigger(scope: Scope, flow: string): Promise<FlowTriggerRow>;

  /** W1: durable when it resolves. */
  start(request: StartRun): Promise<RunSummary>;
  /** The same; resolves when the run has ended, waits for something, or has told its agent, or after `waitMs`. */
  startAndWait(request: StartRun & { readonly waitMs: number }): Promise<RunDetail>;
  run(scope: Scope, id: string): Promise<RunDetail>;
  /** What its steps did, in order. */
  history(scope: Scope, id: string, page: { readonly after: number; readonly limit: number }): Promise<HistoryPage>;
  /** A stored value that the run refers to; rejects with NotFound for any other. */
  value(
    scope: Scope,
    at: { readonly run: string; readonly digest: string },
  ): Promise<{ readonly value: StoredValue; readonly body: Readable }>;
  /** What code of its steps printed, also while it prints. */
  logs(scope: Scope, id: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly LogOfStep[]>;
  /** The journal itself. */
  events(scope: Scope, id: string): Promise<readonly FlowEvent[]>;

  /** Runs that its steps have begun, the newest first. */
  children(scope: Scope, id: string): Promise<readonly string[]>;
  /** Answers a step that waits. Late and double answers are refused with AnswerRefused, forged ones with NotFound; all are written down. */
  answer(scope: Scope, answer: Answer): Promise<void>;
  /** The same, for a step of whatever branch the token names. */
  /** Writes down what came with a token and was refused before it was an answer. */
  refuseAnswer(token: string, refused: { readonly message: string; readonly via: string }): Promise<void>;
  answerByToken(answer: TokenAnswer): Promise<void>;
  question(token: string): Promise<OpenQuestion>;
  refusedAnswers(scope: Scope, id: string): Promise<readonly RefusedAnswer[]>;
  /** These reject with NotFound, and with FlowRunRefused where the run cannot do it. */
  signal(scope: Scope, id: string, signal: { readonly name: string; readonly payload: Json; readonly by: string }): Promise<void>;
  cancel(scope: Scope, id: string, change: RunChange): Promise<void>;
  pause(scope: Scope, id: string, change: RunChange): Promise<void>;
  resume(scope: Scope, id: string, change: Pick<RunChange, "by">): Promise<void>;
  /**
   * A run that failed or was cancelled goes on from `node`. Who may not choose gets Forbidden for another node than one at which the run
   * stood, and for another input: the steps before it decide what it is given.
   */
  retry(
    scope: Scope,
    id: string,
    request: { readonly by: string; readonly node: string; readonly mayChoose: boolean; readonly input?: Json },
  ): Promise<void>;
}
