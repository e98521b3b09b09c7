/**
 * Tools of agents, and operations: `{name, description, input, output}`, where `input` and `output` are JSON Schemas of objects. The
 * first context is the input. The result is what `set_ai_agent_skill_output` said, else what the run returned.
 */
import { isRecord } from "@plinth/core/flow/value.ts";
import { fieldsOfSchema } from "@plinth/core/operations/json-schema.ts";
import { DEFAULT_PORT, type Json, type JsonObject, type Operation, type Port } from "@plinth/core/operations/operation.ts";
import type { FlowTriggerRow } from "./trigger-records.ts";
import type { TriggerKind } from "./trigger.ts";

export const agentSkillTrigger: TriggerKind = { type: "agentSkill", source: "agentSkill" };

export const FLOWS_NAMESPACE = "flows";

export function skillOf({ flow, description, data }: Pick<FlowTriggerRow, "flow" | "description" | "data">): Operation {
  const slug = textOf(data["name"], flow);
  return {
    slug,
    namespace: FLOWS_NAMESPACE,
    displayName: textOf(data["title"], slug),
    description: textOf(data["description"], description),
    ...{ type: "action", origin: "flow", isWorkflowNode: false, isAgentSkill: true, effect: "outside", scopes: [], timeoutMs: null },
    inputs: [portOf(data["input"])],
    outputs: [portOf(data["output"])],
  };
}

/** Without a schema anything goes in and comes out. */
function portOf(schema: Json | undefined): Port {
  if (!isRecord(schema ?? null)) return { name: DEFAULT_PORT, fields: [], isOpen: true };
  const { additionalProperties } = schema as JsonObject;
  return {
    name: DEFAULT_PORT,
    fields: fieldsOfSchema(schema as JsonObject),
    ...(additionalProperties === true ? { isOpen: true } : {}),
  };
}

function textOf(json: Json | undefined, fallback: string): string {
  return typeof json === "string" && json !== "" ? json : fallback;
}
