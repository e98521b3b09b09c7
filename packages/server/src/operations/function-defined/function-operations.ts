/**
 * Operations of functions folders: actions of the branch's head that `operation` of the SDK made. Each is called with
 * `{method, port, input}` or `{method, port, inputText}` and returns one of
 *
 * - `{output: {values: [object]}}`, `{error: {message, type}}`: the plain form of results.
 * - `{schema: {input, output}}`: shapes, see core/operations/function-operation.ts.
 * - `{misfit: {of: "input" | "output", message}}`: what the library that the author checks with says.
 * - `{later: true}`: the result comes by the callback of the step.
 * - `{text: JSON of any of these}`, where names are those of no value, or their order matters.
 *
 * F2 An input that has a validator is checked by the host as arguments are; its code gets values. Any other reaches its code as text.
 */
import { isValueObject, parseValueText, valueToCleanJson, valueToText } from "@plinth/core/documents/values.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { portOfShape, type FunctionOperation } from "@plinth/core/operations/function-operation.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type Operation } from "@plinth/core/operations/operation.ts";
import { valueOfPlain } from "@plinth/core/operations/plain-values.ts";
import { outputOf, readPlainResult } from "@plinth/core/operations/result.ts";
import type { Scope } from "../../database/database.ts";
import type { Deploys } from "../../deploys/deploys.ts";
import type { Engine, InvocationOutcome, InvocationRequest } from "../../engine/invocation.ts";
import { isLaterAnswer } from "../later-answer.ts";
import { parseJson } from "../native-call.ts";
import { failedResult, withFailure } from "../native-result.ts";
import type { DynamicSchema, Executed, OperationCall, OperationExecutor } from "../operations.ts";

export interface FunctionOperationsOptions {
  readonly deploys: Pick<Deploys, "operations">;
  readonly engine: () => Pick<Engine, "invoke" | "enqueue">;
}

type Method = "execute" | "schema" | "activate" | "deactivate";

export class FunctionOperations implements OperationExecutor {
  readonly #options: FunctionOperationsOptions;

  constructor(options: FunctionOperationsOptions) {
    this.#options = options;
  }

  async list(scope: Scope): Promise<readonly Operation[]> {
    return (await this.#options.deploys.operations(scope)).map(({ operation }) => operation);
  }

  async execute(operation: Operation, call: OperationCall): Promise<Executed> {
    return { operation, ...resultOf(await this.#invoke(operation, call, "execute")) };
  }

  async enqueue(operation: Operation, call: OperationCall): Promise<{ readonly id: string }> {
    const found = await this.#find(operation, call.scope);
    return await this.#options.engine().enqueue(requestOf(found, call, "execute"));
  }

  async schema(operation: Operation, call: OperationCall): Promise<DynamicSchema> {
    const declared: DynamicSchema = { inputs: operation.inputs, outputs: operation.outputs };
    if (!(await this.#find(operation, call.scope)).hasSchema) return declared;
    const answer = answerOf(await this.#invoke(operation, call, "schema"));
    const shapes = isObject(answer) && isObject(answer["schema"]) ? answer["schema"] : {};
    const input = portOfShape(shapes["input"]);
    const output = portOfShape(shapes["output"]);
    return { inputs: input === undefined ? declared.inputs : [input], outputs: output === undefined ? declared.outputs : [output] };
  }

  async activate(operation: Operation, call: OperationCall): Promise<void> {
    if ((await this.#find(operation, call.scope)).hasActivate) await this.#hook(operation, call, "activate");
  }

  async deactivate(operation: Operation, call: OperationCall): Promise<void> {
    if ((await this.#find(operation, call.scope)).hasDeactivate) await this.#hook(operation, call, "deactivate");
  }

  async #hook(operation: Operation, call: OperationCall, method: Method): Promise<void> {
    const { outcome, result } = resultOf(await this.#invoke(operation, call, method));
    if (outcome.status === "failed") throw outcome.error;
    if (result.kind === "error") throw plinthError("InvalidArgument", { detail: result.error.message });
  }

  async #invoke(operation: Operation, call: OperationCall, method: Method): Promise<InvocationOutcome> {
    const found = await this.#find(operation, call.scope);
    const { signal, onEvent, values } = call;
    return await this.#options.engine().invoke(requestOf(found, call, method), {
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(values === undefined ? {} : { values }),
    });
  }

  async #find({ namespace, slug }: Operation, scope: Scope): Promise<FunctionOperation> {
    const found = (await this.#options.deploys.operations(scope)).find(({ operation }) => operation.slug === slug);
    if (found === undefined) throw plinthError("OperationNotFound", { name: `${namespace}/${slug}` });
    return found;
  }
}

function requestOf(found: FunctionOperation, call: OperationCall, method: Method): InvocationRequest {
  const { idempotencyKey, trace } = call;
  const { timeoutMs } = found.operation;
  const deadlineMs = timeoutMs === null ? call.deadlineMs : Math.min(timeoutMs, call.deadlineMs ?? timeoutMs);
  return {
    ...call.scope,
    actor: call.actor,
    source: call.source,
    path: found.path,
    kind: "action",
    internalAllowed: true,
    argsText: argsText(found, call, method),
    priority: call.priority ?? "normal",
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(idempotencyKey === undefined || method !== "execute" ? {} : { idempotencyKey }),
    ...(trace === undefined ? {} : { trace }),
    ...(call.step === undefined || method !== "execute" ? {} : { step: call.step }),
  };
}

/** F2. What is filled in so far fits no validator yet. */
function argsText({ input: validator }: FunctionOperation, { port = DEFAULT_PORT, input }: OperationCall, method: Method): string {
  if (validator === null || method === "schema") return valueToText({ method, port, inputText: JSON.stringify(input) });
  try {
    return valueToText({ method, port, input: valueOfPlain(validator, input) });
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code === "LimitExceeded") throw error;
    throw plinthError("ArgumentValidation", { detail: error.message }, { cause: error });
  }
}

/** Hostile: what the action returned, as plain JSON. Throws ReturnsValidation. */
function plainAnswer(valueText: string): Json {
  const value = parseValueText(valueText);
  if (!isValueObject(value) || typeof value["text"] !== "string") return valueToCleanJson(value) as Json;
  try {
    return parseJson(value["text"]);
  } catch (error) {
    const detail = error instanceof PlinthError ? error.message : "It cannot be read.";
    throw plinthError("ReturnsValidation", { detail }, { cause: error });
  }
}

/** What a call answered; undefined when it failed, or when nobody can read it. */
function answerOf(outcome: InvocationOutcome): Json | undefined {
  if (outcome.status === "failed") return undefined;
  try {
    return plainAnswer(outcome.valueText);
  } catch (error) {
    if (error instanceof PlinthError) return undefined;
    throw error;
  }
}

function resultOf(outcome: InvocationOutcome): Omit<Executed, "operation"> {
  if (outcome.status === "failed") return { outcome, result: failedResult(outcome.error) };
  try {
    const answer = plainAnswer(outcome.valueText);
    const misfit = isObject(answer) ? answer["misfit"] : undefined;
    if (isObject(misfit)) throw misfitError(misfit);
    if (isLaterAnswer(answer)) return { outcome, result: outputOf([]), isLater: true };
    return { outcome, result: readPlainResult(answer, []) };
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    return { outcome: withFailure(outcome, error), result: failedResult(error) };
  }
}

function misfitError({ of, message }: JsonObject): PlinthError {
  const detail = typeof message === "string" ? message.slice(0, limit("operationErrorCharsMax")) : "It does not fit.";
  return plinthError(of === "input" ? "ArgumentValidation" : "ReturnsValidation", { detail });
}
