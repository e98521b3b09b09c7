/** Executes operations whose code is the host's: native ones and those of tables. */
import type { JsonObject, Operation } from "@plinth/core/operations/operation.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Engine, InvocationRequest } from "../engine/invocation.ts";
import { callText } from "./native-call.ts";
import { pathOf } from "./native-codes.ts";
import { failedResult, readValue } from "./native-result.ts";
import type { NativeOperation } from "./native/native-operation.ts";
import type { DynamicSchema, Executed, OperationCall, OperationExecutor } from "./operations.ts";

export interface NativeExecutorOptions {
  readonly natives: ReadonlyMap<string, NativeOperation>;
  readonly engine: () => Pick<Engine, "invoke" | "enqueue">;
}

export class NativeExecutor implements OperationExecutor {
  readonly #options: NativeExecutorOptions;

  constructor(options: NativeExecutorOptions) {
    this.#options = options;
  }

  async execute(operation: Operation, call: OperationCall): Promise<Executed> {
    const { signal, onEvent, withCommit, patient, bodies } = call;
    const outcome = await this.#options.engine().invoke(requestOf(operation, call), {
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(withCommit === undefined ? {} : { withCommit }),
      ...(patient === undefined ? {} : { patient }),
      ...(bodies === undefined ? {} : { bodies }),
    });
    const result = outcome.status === "failed" ? failedResult(outcome.error) : readValue(outcome.valueText);
    return { operation, result, outcome };
  }

  async enqueue(operation: Operation, call: OperationCall): Promise<{ readonly id: string }> {
    return await this.#options.engine().enqueue(requestOf(operation, call));
  }

  async schema(operation: Operation, { input }: OperationCall): Promise<DynamicSchema> {
    const declared: DynamicSchema = { inputs: operation.inputs, outputs: operation.outputs };
    return await Promise.resolve(this.#find(operation)?.schema?.(input) ?? declared);
  }

  async activate(operation: Operation, call: OperationCall): Promise<void> {
    await this.#hook(operation, "activate", call.input);
  }

  async deactivate(operation: Operation, call: OperationCall): Promise<void> {
    await this.#hook(operation, "deactivate", call.input);
  }

  /** Changes of documents are told to whoever asks for their type; triggers of tables have nothing to prepare. */
  async #hook(operation: Operation, hook: "activate" | "deactivate", input: JsonObject): Promise<void> {
    await this.#find(operation)?.[hook]?.(input);
  }

  #find({ origin, slug }: Operation): NativeOperation | undefined {
    return origin === "native" ? this.#options.natives.get(slug) : undefined;
  }
}

function requestOf(operation: Operation, call: OperationCall): InvocationRequest {
  if (operation.type === "trigger") throw plinthError("OperationNotExecutable", { name: operation.slug, detail: "it is a trigger" });
  const { deadlineMs, idempotencyKey, trace } = call;
  return {
    ...call.scope,
    actor: call.actor,
    source: call.source,
    path: pathOf(operation),
    internalAllowed: true,
    argsText: callText({ port: call.port ?? "", input: call.input, ...(call.grants === undefined ? {} : { grants: call.grants }) }),
    priority: call.priority ?? "normal",
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(trace === undefined ? {} : { trace }),
  };
}
