/**
 * Makes the calls of steps: each is an invocation of the engine, and its end is an event.
 *
 * The code of a node sees `inputs`: what the node was given, and `workflow` with what core/flow/script-context.ts says. Scripts see
 * `workflow` by its own name too.
 */
import { must, unreachable } from "@plinth/core/assert.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { CallDescription } from "@plinth/core/flow/calls.ts";
import type { Command } from "@plinth/core/flow/commands.ts";
import type { StepError } from "@plinth/core/flow/events.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import { scriptContext } from "@plinth/core/flow/script-context.ts";
import type { RunState } from "@plinth/core/flow/state.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type OperationResult } from "@plinth/core/operations/operation.ts";
import type { Scope, Transaction } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import { inlinePath } from "../engine/inline-code.ts";
import type { Engine, InvocationOutcome, InvocationRequest } from "../engine/invocation.ts";
import { readValue } from "../operations/native-result.ts";
import type { Operations } from "../operations/operations.ts";
import type { Log } from "../telemetry/log.ts";
import type { RunRow } from "./flow-records.ts";

export interface StepCallsParts {
  readonly engine: () => Pick<Engine, "invoke">;
  readonly operations: Operations;
  readonly deploys: Deploys;
  readonly log: Log;
}

export type CallCommand = Command & { readonly kind: "call" };

/**
 * What a call does, as far as it matters when its run is written (C1, C2 of core/flow/commands.ts): `compute` may be done again when
 * a commit is lost, `store` takes part in a commit, `outside` comes after one.
 */
export type CallClass = "compute" | "store" | "outside";

export type StepResult = { readonly ok: true; readonly output: Json } | { readonly ok: false; readonly error: StepError };

export interface CallOfRun {
  readonly scope: Scope;
  readonly row: RunRow;
  readonly program: FlowProgram;
  readonly state: RunState;
  readonly command: CallCommand;
  readonly signal: AbortSignal;
  /** Of class `store`: in the transaction of its writes. */
  readonly commit?: (transaction: Transaction, result: StepResult) => Promise<void>;
}

export class StepCalls {
  readonly #parts: StepCallsParts;

  constructor(parts: StepCallsParts) {
    this.#parts = parts;
  }

  async classOf(scope: Scope, row: RunRow, call: CallDescription): Promise<CallClass> {
    switch (call.kind) {
      case "inline":
        // Scripts have no way out of their isolate; Python may have one.
        return call.language === "javascript" ? "compute" : "outside";
      case "function": {
        if (call.path.startsWith("@")) return "outside";
        const fn = await this.#parts.deploys.resolve(scope, call.path, row.functions ?? undefined);
        return fn?.kind === "mutation" ? "store" : fn?.kind === "query" ? "compute" : "outside";
      }
      case "operation": {
        const operation = await this.#parts.operations.find(scope, call.operation);
        if (operation?.origin !== "object") return "outside";
        return operation.effect === "write" ? "store" : "compute";
      }
      case "http":
      case "subflow":
      case "agent":
        return "outside";
    }
  }

  /** Rejects only when the call is to be made again later: the host stops. */
  async perform(of: CallOfRun): Promise<StepResult> {
    try {
      return await this.#perform(of);
    } catch (error) {
      if (error instanceof PlinthError && error.code === "ShuttingDown") throw error;
      return { ok: false, error: stepErrorOf(error instanceof PlinthError ? error : this.#internal(error, of)) };
    }
  }

  #internal(error: unknown, { row, command }: CallOfRun): PlinthError {
    this.#parts.log.error({ err: error, run: row.id, step: command.key }, "a call of a flow failed inside the host");
    return plinthError("InternalError", { id: row.id }, { cause: error });
  }

  async #perform(of: CallOfRun): Promise<StepResult> {
    const { call } = of.command;
    if ((call.input.stored?.length ?? 0) > 0) throw plinthError("InvalidArgument", { detail: "Values of this size are not supported." });
    switch (call.kind) {
      case "function":
        return await this.#function(of, call.path, call.input.json);
      case "operation":
        return await this.#operation(of, call.operation, call.input.json);
      case "http":
        return await this.#operation(of, "plinth/http", httpInput(call.input.json, of.command.key));
      case "inline":
        return await this.#inline(of, call);
      case "subflow":
      case "agent":
        // Refused when the flow was saved (host-findings.ts).
        throw plinthError("InvalidArgument", { detail: `This host makes no calls of the kind '${call.kind}'.` });
      default:
        return unreachable(call);
    }
  }

  async #function(of: CallOfRun, path: string, input: Json): Promise<StepResult> {
    const { row, commit } = of;
    const outcome = await this.#parts.engine().invoke(
      {
        ...requestOf(of),
        path,
        argsText: JSON.stringify(input),
        ...(row.functions === null || path.startsWith("@") ? {} : { version: row.functions }),
      },
      {
        signal: of.signal,
        patient: true,
        ...(commit === undefined
          ? {}
          : { withCommit: (transaction: Transaction, valueText: string) => commit(transaction, valueOf(valueText)) }),
      },
    );
    return ofOutcome(outcome, valueOf);
  }

  async #operation(of: CallOfRun, operation: string, input: Json): Promise<StepResult> {
    const { commit, command } = of;
    const { tenant: _tenant, branch: _branch, internalAllowed: _internal, ...request } = requestOf(of);
    const executed = await this.#parts.operations.execute({
      ...request,
      scope: of.scope,
      operation,
      input: isRecord(input) ? input : {},
      signal: of.signal,
      patient: true,
      ...(commit === undefined
        ? { idempotencyKey: keyOf(command) }
        : { withCommit: (transaction: Transaction, valueText: string) => commit(transaction, ofResult(readValue(valueText))) }),
    });
    if (executed.outcome.status === "failed") return { ok: false, error: stepErrorOf(executed.outcome.error) };
    return ofResult(executed.result);
  }

  async #inline(of: CallOfRun, call: CallDescription & { readonly kind: "inline" }): Promise<StepResult> {
    const { program, command, state } = of;
    const { data } = must(program.definition.nodes[call.node], "the node of a call is there");
    const workflow = scriptContext(program, state, command.key)?.json ?? null;
    const text = typeof data["code"] === "string" ? data["code"] : "";
    // On the first line of the author, so that the others keep their numbers.
    const code = call.language === "javascript" ? `const { workflow } = inputs; ${text}` : text;
    const timeoutMs = Math.min(command.timeoutMs, limit("inlineWallMsMax"));
    const inputs = { ...(isRecord(call.input.json) ? call.input.json : {}), workflow };
    const outcome = await this.#parts.engine().invoke(
      {
        ...requestOf(of),
        path: inlinePath(call.language),
        argsText: JSON.stringify({ code, inputs, timeoutMs, streams: true }),
      },
      { signal: of.signal, patient: true },
    );
    return ofOutcome(outcome, (valueText) => {
      const json = JSON.parse(valueText) as Json;
      return sized(isRecord(json) ? (json["result"] ?? null) : null);
    });
  }
}

function requestOf({ scope, row, command }: CallOfRun): Omit<InvocationRequest, "path" | "argsText"> {
  return {
    ...scope,
    actor: row.actor,
    source: row.source,
    internalAllowed: true,
    priority: "normal",
    deadlineMs: command.timeoutMs,
  };
}

/** For the engine, which keeps the outcome of a key: each attempt is a call of its own there. */
function keyOf({ key, attempt }: CallCommand): string {
  return `${key}:${attempt}`;
}

/** C3: whoever gets a request twice sees it by its key, which is the same in every attempt. */
function httpInput(input: Json, key: string): JsonObject {
  const fields = isRecord(input) ? input : {};
  const given = isRecord(fields["headers"]) ? fields["headers"] : {};
  const hasKey = Object.keys(given).some((name) => name.toLowerCase() === "idempotency-key");
  const headers = hasKey ? given : { ...given, "idempotency-key": key };
  return Object.fromEntries(Object.entries({ ...fields, headers }).filter(([, value]) => value !== null));
}

function ofOutcome(outcome: InvocationOutcome, read: (valueText: string) => StepResult): StepResult {
  return outcome.status === "failed" ? { ok: false, error: stepErrorOf(outcome.error) } : read(outcome.valueText);
}

function valueOf(valueText: string): StepResult {
  return sized(JSON.parse(valueText) as Json);
}

/** The values of the one port as they are; of several ports, by name. */
function ofResult(result: OperationResult): StepResult {
  if (result.kind === "error") {
    const { type, message } = result.error;
    return { ok: false, error: { code: type, message, retryable: type === "retryExecution" } };
  }
  const [only, ...others] = result.ports;
  if (only?.port === DEFAULT_PORT && others.length === 0) return sized(only.values.length > 1 ? only.values : (only.values[0] ?? null));
  return sized(Object.fromEntries(result.ports.map(({ port, values }) => [port, values])));
}

function sized(output: Json): StepResult {
  const max = limit("flowValueBytesMax");
  const actual = Buffer.byteLength(JSON.stringify(output));
  if (actual <= max) return { ok: true, output };
  const message = `it gave ${actual} bytes, and a step may give ${max}; store the value and hand on its id.`;
  return { ok: false, error: { code: "limit", message, retryable: false } };
}

function stepErrorOf(error: PlinthError): StepError {
  const code = error.code === "DeadlineExceeded" || error.code === "FunctionTimeout" ? "timeout" : error.code;
  return { code, message: error.message, retryable: error.spec.retry !== "never" || code === "timeout" };
}
