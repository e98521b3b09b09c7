/** Flows that agents start, as operations. An execution is a run; it goes on when who asked does not wait for it any more. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type Operation, type OperationResult } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import { failedResult } from "../../operations/native-result.ts";
import type { DynamicSchema, Executed, FunctionDefinedOperations, OperationCall, OperationExecutor } from "../../operations/operations.ts";
import type { Flows, RunDetail } from "../flows.ts";
import { skillOf } from "./agent-skill.ts";
import { outcomeOf, pendingOf } from "./run-outcome.ts";
import { wholeOutput } from "./whole-output.ts";

type FlowParts = () => Pick<Flows, "triggers" | "startAndWait" | "value">;

/** Adds flows to the operations that functions define. */
export function withFlows(others: FunctionDefinedOperations, flows: FlowParts): FunctionDefinedOperations {
  const own = new FlowOperations(flows);
  const of = ({ origin }: Operation): OperationExecutor => (origin === "flow" ? own : others.executor);
  return {
    list: async (scope) => (await Promise.all([others.list(scope), own.list(scope)])).flat(),
    executor: {
      execute: (operation, call) => of(operation).execute(operation, call),
      enqueue: async (operation, call) => {
        const enqueue = of(operation).enqueue?.bind(of(operation));
        if (enqueue === undefined) throw plinthError("OperationNotExecutable", { name: operation.slug, detail: "its caller has to wait" });
        return await enqueue(operation, call);
      },
      schema: (operation, call) => of(operation).schema(operation, call),
      activate: (operation, call) => of(operation).activate(operation, call),
      deactivate: (operation, call) => of(operation).deactivate(operation, call),
    },
  };
}

class FlowOperations implements OperationExecutor {
  readonly #flows: FlowParts;

  constructor(flows: FlowParts) {
    this.#flows = flows;
  }

  async list(scope: Scope): Promise<readonly Operation[]> {
    return (await this.#flows().triggers(scope, "agentSkill")).map(skillOf);
  }

  async execute(operation: Operation, call: OperationCall): Promise<Executed> {
    const waitMs = Math.min(call.deadlineMs ?? Infinity, limit("flowAnswerWaitMsMax"));
    const flows = this.#flows();
    const run = await flows.startAndWait({ ...(await this.#start(operation, call)), waitMs });
    const whole = run.status === "completed" && run.reply === null ? await wholeOutput(flows, call.scope, run) : undefined;
    const value = run.reply ?? whole;
    const outcome = outcomeOf(run, value === undefined ? pendingOf(run) : value);
    return { operation, outcome, result: outcome.status === "failed" ? failedResult(outcome.error) : resultOf(run, value) };
  }

  schema({ inputs, outputs }: Operation): Promise<DynamicSchema> {
    return Promise.resolve({ inputs, outputs });
  }

  activate(): Promise<void> {
    return Promise.resolve();
  }

  deactivate(): Promise<void> {
    return Promise.resolve();
  }

  async #start(operation: Operation, { scope, actor, input, source, idempotencyKey }: OperationCall) {
    const rows = await this.#flows().triggers(scope, "agentSkill");
    const row = rows.find((each) => skillOf(each).slug === operation.slug);
    if (row === undefined) throw plinthError("OperationNotFound", { name: `${operation.namespace}/${operation.slug}` });
    const key = idempotencyKey === undefined ? {} : { idempotencyKey: `skill ${idempotencyKey}` };
    return { scope, actor, flow: row.flow, input, source, trigger: "agentSkill", ...key };
  }
}

function resultOf(run: RunDetail, value: Json | undefined): OperationResult {
  if (value !== undefined) return { kind: "output", ports: [{ port: DEFAULT_PORT, values: [objectOf(value)] }] };
  const is = run.status === "completed" ? "gave more than an answer holds; read its output." : "is still under way.";
  const why = run.reason === null ? "" : ` ${run.reason.text}`;
  return { kind: "error", error: { type: "unknown", message: `The run ${run.id} of the flow ${is}${why}` } };
}

/** Operations give objects. */
function objectOf(value: Json): JsonObject {
  return isRecord(value) ? value : { value };
}
