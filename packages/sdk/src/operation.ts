import { internalActionGeneric, type GenericActionCtx, type GenericDataModel, type RegisteredAction } from "convex/server";
import { describeOperation } from "./impl/describe-operation.ts";
import { runOperation, validatorsOf, type OperationArgs } from "./impl/run-operation.ts";
import { shapeOf } from "./impl/shape.ts";
import type { Checked, OperationSchema, Unchecked } from "./schema.ts";
import type { Later } from "./step.ts";

/** What handlers of operations get: the context of actions. */
export type OperationContext = GenericActionCtx<GenericDataModel>;

type MaybePromise<T> = T | Promise<T>;

/** What an operation returns: a value that fits its output; anything where no output is declared. */
export type Returned<Output> = Output extends OperationSchema ? Unchecked<Output> : unknown;

interface CommonSettings<Input extends OperationSchema> {
  /** Names the operation in the branch; the name of the export in snake case when absent. */
  readonly slug?: string;
  readonly displayName?: string;
  /** What it does and when to use it: people and agents choose by this. */
  readonly description?: string;
  /** Whether workflows may use it; true unless said otherwise. */
  readonly isWorkflowNode?: boolean;
  /** Whether agents may use it; false unless said otherwise. */
  readonly isAgentSkill?: boolean;
  readonly input: Input;
  /** The form for what was filled in so far: schemas that take the place of the declared ones. */
  readonly schema?: (
    ctx: OperationContext,
    filled: Readonly<Record<string, unknown>>,
  ) => MaybePromise<{ readonly input?: OperationSchema; readonly output?: OperationSchema }>;
  /** Runs when something begins to use the operation, a workflow for example. Throw to refuse. */
  readonly activate?: (ctx: OperationContext, input: Checked<Input>) => MaybePromise<void>;
  readonly deactivate?: (ctx: OperationContext, input: Checked<Input>) => MaybePromise<void>;
}

export interface ActionSettings<Input extends OperationSchema, Output extends OperationSchema | undefined> extends CommonSettings<Input> {
  readonly type?: "action";
  readonly output?: Output;
  /** `outside` unless said otherwise: it may reach other systems. `read` changes nothing, `write` only documents. */
  readonly effect?: "read" | "write" | "outside";
  /** How long an execution may take; the limit of actions when absent. */
  readonly timeoutMs?: number;
  /** `later()` in place of an output: it comes by the callback of the step. */
  readonly handler: (ctx: OperationContext, input: Checked<Input>) => MaybePromise<Returned<Output> | Later>;
}

/** A trigger starts workflows by events; it is never executed. */
export interface TriggerSettings<Input extends OperationSchema, Output extends OperationSchema | undefined> extends CommonSettings<Input> {
  readonly type: "trigger";
  readonly output?: Output;
}

/** An operation in a functions folder. Others call it by its slug; functions as an internal action, with `{input}` where that has a validator. */
export type RegisteredOperation = RegisteredAction<"internal", OperationArgs, Promise<unknown>>;

/**
 * Declares an operation beside queries and mutations: a node of workflows and, if it says so, a skill of agents.
 *
 *     export const greet = operation({
 *       description: "Greets a person.",
 *       input: { name: v.string() },
 *       output: { text: v.string() },
 *       handler: async (ctx, { name }) => ({ text: `Hello ${name}` }),
 *     });
 *
 * `input` and `output` are Convex validators or schemas of any library that keeps to Standard Schema. The input is checked before the
 * handler runs and what it returns after; a schema of something else than an object describes the field `value` of the port. Throw an
 * `OperationError` to say no.
 */
export function operation<const Input extends OperationSchema, const Output extends OperationSchema | undefined = undefined>(
  settings: ActionSettings<Input, Output> | TriggerSettings<Input, Output>,
): RegisteredOperation {
  const shapes = { input: shapeOf(settings.input, "input"), output: shapeOf(settings.output, "output") };
  const action = internalActionGeneric({
    ...validatorsOf(shapes),
    handler: async (ctx: OperationContext, args: OperationArgs) => await runOperation(settings, shapes, { ctx, args }),
  });
  return Object.assign(action, { isOperation: true, exportOperation: () => describeOperation(settings, shapes) }) as RegisteredOperation;
}
