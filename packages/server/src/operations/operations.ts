/**
 * Operations of a branch: the catalogue and the one executor interface. This file is the contract; `open-operations.ts` makes one.
 *
 * P1 Every execution is an invocation of the engine; the executor only says which one and reads its result.
 * P2 Inputs are checked against the input port before anything runs (ArgumentValidation, with the field), outputs against the
 *    output ports after (ReturnsValidation); an operation that says no is a result with `error`, not a failure.
 * P3 The four methods exist for every operation. One without a schema handler or hooks answers with what it declares, or nothing.
 * P4 Object operations follow the schema of the branch: they are there from the deploy that declares the table.
 * P5 Object operations pass by the author's own functions, so they ask for more than a call of a function does: see
 *    `mayUseObjects` of core/policy/object-access.ts.
 */
import type { JsonObject, JsonSchema, Operation, OperationResult, Port } from "@plinth/core/operations/operation.ts";
import type { Scope, Transaction } from "../database/database.ts";
import type { CallBodies } from "../engine/call-bodies.ts";
import type { CallValues } from "../engine/call-values.ts";
import type { Actor, InvocationEvent, InvocationOutcome, InvocationRequest } from "../engine/invocation.ts";
import type { StepOfRun } from "../engine/step-of-run.ts";

/** Who asks, and with what around it. The same for all four methods. */
export interface OperationCall {
  readonly scope: Scope;
  readonly actor: Actor;
  /** `<slug>` or `<namespace>/<slug>`. */
  readonly operation: string;
  readonly source: InvocationRequest["source"];
  /** The user on whose behalf it runs. */
  readonly userId?: string;
  /** Of agent skills. */
  readonly agent?: { readonly sessionId: string; readonly skillCallId: string };
  /** Scopes `<object>:<permission>` of the service account or agent that asks; what its actor may do otherwise counts no more. */
  readonly grants?: readonly string[];
  /** The input port; the first one when absent. */
  readonly port?: string;
  /** Hostile: plain JSON. */
  readonly input: JsonObject;
  readonly priority?: InvocationRequest["priority"];
  readonly deadlineMs?: number;
  readonly idempotencyKey?: string;
  readonly trace?: InvocationRequest["trace"];
  /** Of steps of flows: what code is told of its step. One with a callback may answer that its result comes later. */
  readonly step?: StepOfRun;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  /** Of native operations and those on tables: waits for a place as long as its deadline allows. */
  readonly patient?: boolean;
  /** Of native operations: large bodies that go with the call. */
  readonly bodies?: CallBodies;
  /** Of operations that packages and functions folders define: what they read and write by pieces. */
  readonly values?: CallValues;
  /** Of operations on tables: takes part in the transaction of their writes (`InvokeOptions` of the engine). */
  readonly withCommit?: (transaction: Transaction, valueText: string) => Promise<void>;
}

export interface Executed {
  readonly operation: Operation;
  readonly result: OperationResult;
  readonly outcome: InvocationOutcome;
  /** It answered that its result comes by its callback; `result` is empty. */
  readonly isLater?: boolean;
}

/** Ports as they are for what was filled in so far: dynamic enums, fields that others bring in. */
export interface DynamicSchema {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** The input of a call of these methods was checked against its port, and `port` is the name of one. */
export interface OperationExecutor {
  execute(operation: Operation, call: OperationCall): Promise<Executed>;
  /** Stores the execution durably, to be run when a place is free. Operations without it run while their caller waits. */
  enqueue?(operation: Operation, call: OperationCall): Promise<{ readonly id: string }>;
  schema(operation: Operation, call: OperationCall): Promise<DynamicSchema>;
  activate(operation: Operation, call: OperationCall): Promise<void>;
  deactivate(operation: Operation, call: OperationCall): Promise<void>;
}

/** Operations of packages and of functions folders. */
export interface FunctionDefinedOperations {
  /** Those of origin `package` and `function` that the branch has. */
  list(scope: Scope): Promise<readonly Operation[]>;
  readonly executor: OperationExecutor;
}

export interface Operations {
  /** All that the branch has, by namespace and slug. */
  list(scope: Scope): Promise<readonly Operation[]>;
  /** The best matches first: words in slug, name and description. */
  search(
    scope: Scope,
    query: { readonly text?: string; readonly type?: "action" | "trigger"; readonly agentSkills?: boolean; readonly limit?: number },
  ): Promise<readonly Operation[]>;
  find(scope: Scope, name: string): Promise<Operation | undefined>;
  /** Rejects with OperationNotFound, ArgumentValidation and the errors of a call that was not run. */
  execute(call: OperationCall): Promise<Executed>;
  /** The same, stored durably and run later; its result is that of the invocation. */
  enqueue(call: OperationCall): Promise<{ readonly id: string; readonly operation: Operation }>;
  schema(call: OperationCall): Promise<DynamicSchema>;
  activate(call: OperationCall): Promise<void>;
  deactivate(call: OperationCall): Promise<void>;
  inputSchema(operation: Operation, port?: string): JsonSchema;
  outputSchema(operation: Operation): JsonSchema;
}
