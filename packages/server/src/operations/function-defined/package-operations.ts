/**
 * Operations that manifests declare: of the version that runs where the package's snap-in is live, of the branch's head where it is
 * not. One that is called gets credentials only while its snap-in is live; the events of handlers see to that.
 *
 * F1 A function is asked for its schema or run as a hook only where the manifest says that it knows these methods: one that does not
 *    would execute the operation instead.
 */
import { limit } from "@plinth/core/limits.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { Manifest, OperationSpec } from "@plinth/core/manifest/manifest.ts";
import { DEFAULT_PORT, type Operation } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import type { Database, Scope } from "../../database/database.ts";
import { SNAP_INS } from "../../database/record-tables.ts";
import type { Engine, InvocationOutcome, InvocationRequest } from "../../engine/invocation.ts";
import type { Packages } from "../../packages/packages.ts";
import { objectName } from "../../snap-ins/ids.ts";
import { isLive } from "../../snap-ins/snap-in-records.ts";
import type { DynamicSchema, Executed, OperationCall, OperationExecutor } from "../operations.ts";
import { isLaterAnswer } from "../later-answer.ts";
import { failedResult, withFailure } from "../native-result.ts";
import { readJson, readResult } from "./read-result.ts";
import { readSchema } from "./read-schema.ts";

export const OPERATION_METHODS = {
  schema: "OperationMethod_NameEnumSchemaHandler",
  activate: "OperationMethod_NameEnumActivateHook",
  deactivate: "OperationMethod_NameEnumDeactivateHook",
} as const;
type Method = keyof typeof OPERATION_METHODS;

/** Numbers of `OperationMetadata.type`: triggers have none in the public contract. */
const ACTION_TYPE = 1;

export interface PackageOperationsOptions {
  readonly database: Pick<Database, "read">;
  readonly packages: Pick<Packages, "list" | "version">;
  readonly engine: () => Pick<Engine, "invoke" | "enqueue">;
}

interface Declared {
  readonly operation: Operation;
  readonly spec: OperationSpec;
}

export class PackageOperations implements OperationExecutor {
  readonly #options: PackageOperationsOptions;
  /** Of a version, which never changes. */
  readonly #versions = new Map<string, Promise<readonly Declared[]>>();

  constructor(options: PackageOperationsOptions) {
    this.#options = options;
  }

  async list(scope: Scope): Promise<readonly Operation[]> {
    const versions = await this.#serving(scope);
    const all = await Promise.all(versions.map(({ name, version }) => this.#declared(scope, name, version)));
    return all.flat().map(({ operation }) => operation);
  }

  async execute(operation: Operation, call: OperationCall): Promise<Executed> {
    const { spec } = await this.#find(operation, call.scope);
    const outcome = await this.#invoke(requestOf({ operation, spec, call }), call);
    return { operation, ...resultOf(outcome, operation) };
  }

  async enqueue(operation: Operation, call: OperationCall): Promise<{ readonly id: string }> {
    const { spec } = await this.#find(operation, call.scope);
    return await this.#options.engine().enqueue(requestOf({ operation, spec, call }));
  }

  async schema(operation: Operation, call: OperationCall): Promise<DynamicSchema> {
    const declared: DynamicSchema = { inputs: operation.inputs, outputs: operation.outputs };
    const { spec } = await this.#find(operation, call.scope);
    if (!spec.hasSchemaHandler) return declared;
    const outcome = await this.#invoke(requestOf({ operation, spec, call, method: "schema" }), call);
    // What is filled in so far may be what makes it fail; a form with the declared fields is better than none.
    return outcome.status === "failed" ? declared : readSchema(outcome.valueText, declared);
  }

  activate(operation: Operation, call: OperationCall): Promise<void> {
    return this.#hook(operation, call, "activate");
  }

  deactivate(operation: Operation, call: OperationCall): Promise<void> {
    return this.#hook(operation, call, "deactivate");
  }

  async #hook(operation: Operation, call: OperationCall, method: Method): Promise<void> {
    if (operation.type !== "trigger") return;
    const { spec } = await this.#find(operation, call.scope);
    const outcome = await this.#invoke(requestOf({ operation, spec, call, method }), call);
    if (outcome.status === "failed") throw outcome.error;
  }

  async #invoke(request: InvocationRequest, { signal, onEvent, values }: OperationCall): Promise<InvocationOutcome> {
    return await this.#options.engine().invoke(request, {
      ...(signal === undefined ? {} : { signal }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(values === undefined ? {} : { values }),
    });
  }

  async #find({ namespace, slug }: Operation, scope: Scope): Promise<Declared> {
    const serving = (await this.#serving(scope)).find(({ name }) => name === namespace);
    const declared = serving === undefined ? [] : await this.#declared(scope, serving.name, serving.version);
    const found = declared.find(({ spec }) => spec.slug === slug);
    if (found === undefined) throw plinthError("OperationNotFound", { name: `${namespace}/${slug}` });
    return found;
  }

  /** Packages of the branch, each with the version that serves its calls. */
  async #serving(scope: Scope): Promise<readonly { readonly name: string; readonly version: string }[]> {
    const [packages, snapIns] = await Promise.all([
      this.#options.packages.list(scope),
      this.#options.database.read(scope, ({ records }) => records.range(SNAP_INS, { prefix: [], limit: limit("snapInsPerBranchMax") })),
    ]);
    const live = new Map(snapIns.flatMap(({ value }) => (isLive(value) ? [[value.package, value.version] as const] : [])));
    return packages.map(({ name, version }) => ({ name, version: live.get(name) ?? version }));
  }

  #declared(scope: Scope, name: string, version: string): Promise<readonly Declared[]> {
    const key = JSON.stringify([scope.tenant, name, version]);
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    if (this.#versions.size >= limit("cachedOperationVersionsMax")) this.#versions.clear();
    const read = this.#options.packages.version(scope, name, version).then((stored) => {
      if (stored === undefined) this.#versions.delete(key);
      return stored === undefined ? [] : operationsOf(name, stored.manifest);
    });
    this.#versions.set(key, read);
    read.catch(() => this.#versions.delete(key));
    return read;
  }
}

function operationsOf(name: string, { operations }: Manifest): readonly Declared[] {
  return operations.map((spec) => ({
    spec,
    operation: {
      slug: spec.slug,
      namespace: name,
      displayName: spec.displayName,
      description: spec.description,
      type: spec.type,
      origin: "package",
      isWorkflowNode: spec.isWorkflowNode,
      isAgentSkill: spec.isAgentSkill,
      inputs: [{ name: DEFAULT_PORT, fields: spec.inputs }],
      outputs: [{ name: DEFAULT_PORT, fields: spec.outputs }],
      effect: "outside",
      scopes: spec.staticScopes,
      timeoutMs: spec.defaultTimeoutMs,
    },
  }));
}

function requestOf({
  operation,
  spec,
  call,
  method,
}: Declared & { readonly call: OperationCall; readonly method?: Method }): InvocationRequest {
  const { scope, userId, agent } = call;
  const { namespace, slug } = operation;
  const deadlineMs = shortest(call.deadlineMs, operation.timeoutMs);
  return {
    ...scope,
    actor: call.actor,
    source: call.source,
    path: `@${namespace}/${spec.function}`,
    internalAllowed: true,
    argsText: JSON.stringify({
      metadata: { slug, namespace, type: ACTION_TYPE },
      input_port_name: call.port ?? DEFAULT_PORT,
      data: call.input,
    }),
    subject: {
      eventType: "operation:execute",
      sourceId: objectName(scope, "operation", `${namespace}.${slug}`),
      operationSlug: slug,
      ...(method === undefined ? {} : { operationMethod: OPERATION_METHODS[method] }),
      ...(userId === undefined ? {} : { userId, actsForUser: true }),
      ...(agent === undefined ? {} : { agent }),
    },
    priority: call.priority ?? "normal",
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    // The hooks and the schema of an operation are asked for anew each time.
    ...(call.idempotencyKey === undefined || method !== undefined ? {} : { idempotencyKey: call.idempotencyKey }),
    ...(call.trace === undefined ? {} : { trace: call.trace }),
    ...(call.step === undefined || method !== undefined ? {} : { step: call.step }),
  };
}

function shortest(one: number | undefined, other: number | null): number | undefined {
  if (other === null) return one;
  return one === undefined ? other : Math.min(one, other);
}

/** What a call came to; a result that cannot be read makes a failure of it. */
export function resultOf(outcome: InvocationOutcome, { outputs }: Operation): Omit<Executed, "operation"> {
  if (outcome.status === "failed") return { outcome, result: failedResult(outcome.error) };
  try {
    if (isLaterAnswer(readJson(outcome.valueText))) return { outcome, result: outputOf([]), isLater: true };
    return { outcome, result: readResult(outcome.valueText, outputs) };
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    return { outcome: withFailure(outcome, error), result: failedResult(error) };
  }
}
