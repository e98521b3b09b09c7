/** Makes the operations of a host: finds the one that is meant, checks what goes in and comes out, and gives it to its executor. */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { inputSchemaDocument, openSchemaDocument } from "@plinth/core/operations/json-schema.ts";
import { OBJECTS_NAMESPACE } from "@plinth/core/operations/object-operations.ts";
import type { JsonObject, JsonSchema, Operation, OperationResult, Port } from "@plinth/core/operations/operation.ts";
import { checkResult } from "@plinth/core/operations/result.ts";
import { searchOperations } from "@plinth/core/operations/search.ts";
import { missingScope } from "@plinth/core/policy/operation-access.ts";
import type { Database, Scope } from "../database/database.ts";
import type { Engine } from "../engine/invocation.ts";
import type { NativeCodes } from "../engine/native-code.ts";
import { checkLater } from "./later-answer.ts";
import { checkedInput } from "./native-call.ts";
import { nativeCodes } from "./native-codes.ts";
import { NativeExecutor } from "./native-executor.ts";
import { failedResult, withFailure } from "./native-result.ts";
import { NATIVE_NAMESPACE } from "./native/describe.ts";
import type { NativeParts } from "./native/native-operation.ts";
import { NATIVE_OPERATIONS } from "./native/table.ts";
import { objectsOf } from "./object/object-catalogue.ts";
import type { DynamicSchema, Executed, FunctionDefinedOperations, OperationCall, OperationExecutor, Operations } from "./operations.ts";

export interface OperationsOptions {
  readonly database: Pick<Database, "schema">;
  readonly engine: () => Pick<Engine, "invoke" | "enqueue">;
  readonly native: NativeParts;
  /** Those that functions define; there are none when absent. */
  readonly functionDefined?: FunctionDefinedOperations;
}

export interface HostOperations extends Operations {
  /** For the engine. */
  readonly codes: NativeCodes;
}

export function openOperations(options: OperationsOptions): HostOperations {
  return new OpenOperations(options);
}

class OpenOperations implements HostOperations {
  readonly codes: NativeCodes;
  readonly #options: OperationsOptions;
  readonly #natives: ReadonlyMap<string, Operation>;
  readonly #native: NativeExecutor;

  constructor(options: OperationsOptions) {
    this.#options = options;
    const natives = new Map(
      NATIVE_OPERATIONS.map((make) => {
        const made = make(options.native);
        return [made.operation.slug, made];
      }),
    );
    this.#natives = new Map([...natives].map(([slug, { operation }]) => [slug, operation]));
    this.#native = new NativeExecutor({ natives, engine: options.engine });
    this.codes = nativeCodes(natives.values());
  }

  async list(scope: Scope): Promise<readonly Operation[]> {
    const [objects, defined] = await Promise.all([this.#objects(scope), this.#defined(scope)]);
    return [...this.#natives.values(), ...objects.operations, ...defined].sort(byName);
  }

  async search(scope: Scope, query: Parameters<Operations["search"]>[1]): Promise<readonly Operation[]> {
    return searchOperations(await this.list(scope), query);
  }

  async find(scope: Scope, name: string): Promise<Operation | undefined> {
    const slash = name.indexOf("/");
    return slash === -1 ? await this.#bySlug(scope, name) : await this.#inNamespace(scope, name.slice(0, slash), name.slice(slash + 1));
  }

  async execute(call: OperationCall): Promise<Executed> {
    const { operation, executor, call: checked, ports } = await this.#prepare(call);
    checkExecutable(operation);
    const executed = await executor.execute(operation, checked);
    if (executed.isLater === true) return checkLater(executed, checked);
    return executed.result.kind === "error" || executed.outcome.status === "failed"
      ? executed
      : await this.#checkOutput(executed, checked, ports);
  }

  async enqueue(call: OperationCall): Promise<{ readonly id: string; readonly operation: Operation }> {
    const { operation, executor, call: checked } = await this.#prepare(call);
    checkExecutable(operation);
    if (executor.enqueue === undefined) {
      const detail = "it runs only while its caller waits";
      throw plinthError("OperationNotExecutable", { name: operation.slug, detail });
    }
    return { ...(await executor.enqueue(operation, checked)), operation };
  }

  /** What is missing is not wrong here: the form is being filled in. */
  async schema(call: OperationCall): Promise<DynamicSchema> {
    const { operation, executor } = await this.#admit(call);
    const port = portOf(operation.inputs, call.port, operation);
    checkBytes(call.input);
    return await executor.schema(operation, { ...call, port: port.name });
  }

  async activate(call: OperationCall): Promise<void> {
    const { operation, executor, call: checked } = await this.#prepare(call);
    await executor.activate(operation, checked);
  }

  async deactivate(call: OperationCall): Promise<void> {
    const { operation, executor, call: checked } = await this.#prepare(call);
    await executor.deactivate(operation, checked);
  }

  inputSchema(operation: Operation, port?: string): JsonSchema {
    return inputSchemaDocument(portOf(operation.inputs, port, operation));
  }

  /** Of the first port; the others are of interest to those who show ports. */
  outputSchema(operation: Operation): JsonSchema {
    return openSchemaDocument(operation.outputs[0]?.fields ?? []);
  }

  async #prepare(call: OperationCall) {
    const { operation, executor } = await this.#admit(call);
    checkBytes(call.input);
    const ports = await this.#portsFor(operation, executor, call);
    const port = portOf(ports.inputs, call.port, operation);
    return { operation, executor, ports, call: { ...call, port: port.name, input: checkedInput(port, call.input) } };
  }

  async #admit(call: OperationCall): Promise<{ readonly operation: Operation; readonly executor: OperationExecutor }> {
    const operation = await this.find(call.scope, call.operation);
    const executor = operation === undefined ? undefined : this.#executorOf(operation);
    if (operation === undefined || executor === undefined) throw plinthError("OperationNotFound", { name: call.operation.slice(0, 200) });
    checkAccess(operation, call);
    return { operation, executor };
  }

  #executorOf({ origin }: Operation): OperationExecutor | undefined {
    return origin === "native" || origin === "object" ? this.#native : this.#options.functionDefined?.executor;
  }

  /** The declared ports, unless the input has fields that they do not have: then those that its schema handler says. */
  async #portsFor(operation: Operation, executor: OperationExecutor, call: OperationCall): Promise<DynamicSchema> {
    const port = portOf(operation.inputs, call.port, operation);
    if (operation.origin === "object" || !hasOthers([call.input], port)) return operation;
    return await executor.schema(operation, { ...call, port: port.name });
  }

  /** P2. Outputs of tables are made from documents that fit the same validators. */
  async #checkOutput(executed: Executed, call: OperationCall, ports: DynamicSchema): Promise<Executed> {
    const { operation, result, outcome } = executed;
    if (operation.origin === "object") return executed;
    try {
      return { ...executed, result: checkResult(result, await this.#outputPorts(operation, result, { call, ports })) };
    } catch (error) {
      if (!(error instanceof PlinthError) || error.code !== "ReturnsValidation") throw error;
      return { operation, result: failedResult(error), outcome: withFailure(outcome, error) };
    }
  }

  async #outputPorts(
    operation: Operation,
    result: OperationResult,
    { call, ports }: { readonly call: OperationCall; readonly ports: DynamicSchema },
  ): Promise<readonly Port[]> {
    if (result.kind === "error" || ports.outputs !== operation.outputs) return ports.outputs;
    const isDeclared = result.ports.every(({ port: name, values }) => {
      const port = ports.outputs.find((each) => each.name === name);
      return port !== undefined && !hasOthers(values, port);
    });
    const executor = isDeclared ? undefined : this.#executorOf(operation);
    return executor === undefined ? ports.outputs : (await executor.schema(operation, call)).outputs;
  }

  /** O2 of core/operations/operation.ts. What comes with the host and what the branch's schema makes is found before packages are read. */
  async #bySlug(scope: Scope, slug: string): Promise<Operation | undefined> {
    const own = this.#natives.get(slug) ?? (await this.#objects(scope)).bySlug.get(slug)?.operation;
    if (own !== undefined) return own;
    const found = (await this.#defined(scope)).filter((operation) => operation.slug === slug);
    return found.length === 1 ? found[0] : found.find(({ origin }) => origin === "function");
  }

  async #inNamespace(scope: Scope, namespace: string, slug: string): Promise<Operation | undefined> {
    if (namespace === NATIVE_NAMESPACE) return this.#natives.get(slug);
    if (namespace === OBJECTS_NAMESPACE) return (await this.#objects(scope)).bySlug.get(slug)?.operation;
    return (await this.#defined(scope)).find((operation) => operation.namespace === namespace && operation.slug === slug);
  }

  async #objects(scope: Scope) {
    return objectsOf(await this.#options.database.schema(scope));
  }

  async #defined(scope: Scope): Promise<readonly Operation[]> {
    return (await this.#options.functionDefined?.list(scope)) ?? [];
  }
}

/** A service account has its own scopes, and perhaps less than these in this call. */
function checkAccess(operation: Operation, { actor, grants }: OperationCall): void {
  const own = actor.service?.objectScopes;
  const lists = grants === undefined || own === undefined ? [grants ?? own] : [grants, own];
  for (const list of lists) {
    const scope = missingScope({ actor, grants: list, operation });
    if (scope !== undefined) throw plinthError("OperationForbidden", { name: operation.slug, scope });
  }
}

function checkExecutable({ type, slug }: Operation): void {
  if (type === "trigger") throw plinthError("OperationNotExecutable", { name: slug, detail: "it is a trigger" });
}

function portOf(inputs: readonly Port[], name: string | undefined, { slug }: Operation): Port {
  const port = name === undefined ? (inputs[0] ?? { name: "default", fields: [] }) : inputs.find((each) => each.name === name);
  if (port !== undefined) return port;
  const ports = inputs.map((each) => each.name).join(", ");
  throw plinthError("PortUnknown", { name: slug, port: name?.slice(0, 64) ?? "", ports });
}

function checkBytes(input: JsonObject): void {
  const max = limit("operationInputBytesMax");
  const actual = Buffer.byteLength(JSON.stringify(input));
  if (actual > max) throw plinthError("RequestTooLarge", { what: "input", actual: `${actual} bytes`, max: `${max} bytes` });
}

function hasOthers(values: readonly JsonObject[], { fields, isOpen }: Port): boolean {
  if (fields.length === 0 || isOpen === true) return false;
  const names = new Set(fields.map(({ name }) => name));
  return values.some((value) => Object.keys(value).some((name) => !names.has(name)));
}

function byName(a: Operation, b: Operation): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.slug < b.slug ? -1 : a.slug > b.slug ? 1 : 0;
}
