/**
 * What users type: `/<name> <parameters>`, with `{name, namespace, description, usageHint, surfaces}`. The first context is
 * `{object, parameters, surface, user}`. Who types it gets the result, or reads that the run goes on.
 */
import { limit } from "@plinth/core/limits.ts";
import { isList, isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import type { InvocationOutcome } from "../../engine/invocation.ts";
import { checkParameters, surfaceOf, type CommandTrigger, type ListedCommand } from "../../modalities/commands.ts";
import type { Flows } from "../flows.ts";
import { outcomeOf, pendingOf } from "./run-outcome.ts";
import type { FlowTriggerRow } from "./trigger-records.ts";
import type { TriggerKind } from "./trigger.ts";
import { wholeOutput } from "./whole-output.ts";

export const commandTrigger: TriggerKind = { type: "command", source: "command" };

const NAMESPACE = "flows";

export async function listFlowCommands(flows: Pick<Flows, "triggers">, scope: Scope): Promise<readonly ListedCommand[]> {
  return (await flows.triggers(scope, "command")).map(listed);
}

/** Undefined when no flow has the command. */
export async function runFlowCommand(
  flows: Pick<Flows, "triggers" | "startAndWait" | "value">,
  scope: Scope,
  typed: CommandTrigger,
): Promise<InvocationOutcome | undefined> {
  const command = (await listFlowCommands(flows, scope)).find(
    ({ namespace, name }) => namespace === typed.namespace && name === typed.name,
  );
  if (command?.flow === null || command === undefined) return undefined;
  checkParameters(typed.parameters);
  const surface = command.surfaces.length === 0 ? (typed.surface ?? null) : surfaceOf(command, typed);
  const { object, parameters, user, actor, idempotencyKey: key } = typed;
  const run = await flows.startAndWait({
    ...{ scope, actor, flow: command.flow, source: "command", trigger: "command", waitMs: limit("flowAnswerWaitMsMax") },
    input: { object, parameters, surface, user },
    ...(key === undefined ? {} : { idempotencyKey: `command ${JSON.stringify([user, key])}` }),
  });
  const output = run.status === "completed" ? await wholeOutput(flows, scope, run) : undefined;
  return outcomeOf(run, output === undefined ? pendingOf(run) : output);
}

function listed({ flow, description, data }: FlowTriggerRow): ListedCommand {
  return {
    namespace: textOf(data["namespace"], NAMESPACE),
    name: textOf(data["name"], flow),
    description: textOf(data["description"], description),
    usageHint: textOf(data["usageHint"], ""),
    surfaces: surfacesOf(data["surfaces"] ?? null),
    ...{ package: null, snapIn: null, flow },
  };
}

/** Checked when the flow was published. */
function surfacesOf(json: Json): ListedCommand["surfaces"] {
  const all = isList(json) ? json.filter(isRecord) : [];
  return all.map(({ surface, objectTypes }) => ({
    surface: textOf(surface, ""),
    objectTypes: isList(objectTypes ?? null) ? (objectTypes as readonly Json[]).filter((type) => typeof type === "string") : [],
  }));
}

function textOf(json: Json | undefined, fallback: string): string {
  return typeof json === "string" && json !== "" ? json : fallback;
}
