/** `operations`: nodes of workflows and skills of agents. */
import { limit } from "../../limits.ts";
import type { FieldDescriptor, OperationSpec } from "../manifest.ts";
import type { ObjectReader } from "../object-reader.ts";
import { readField } from "./fields.ts";
import { readKeyring } from "./keyrings.ts";
import { identifier, reference, refuseRepeated } from "./names.ts";
import { readScopes } from "./scopes.ts";

const TIMEOUT_SECONDS = { min: 1, max: limit("functionTimeoutSecondsMax") };

export function readOperation(reader: ObjectReader): OperationSpec {
  const name = identifier(reader, "name", "each operation");
  const metadata = reader.object("metadata", (inner) => ({
    isWorkflowNode: inner.boolean("is_workflow_node", true),
    isAgentSkill: inner.boolean("is_agent_skill", false),
    hasSchemaHandler: inner.boolean("has_schema_handler", false),
  }));
  const timeoutSeconds = reader.object("execute_options", (inner) => inner.number("default_timeout", TIMEOUT_SECONDS));
  return {
    name,
    displayName: reader.label("display_name", { fallback: name }),
    description: reader.text("description"),
    slug: identifier(reader, "slug", "the slug of each operation"),
    function: reference(reader, "function", "a function", true) ?? "",
    type: reader.choice("type", ["action", "trigger"], "action"),
    isWorkflowNode: metadata?.isWorkflowNode ?? true,
    isAgentSkill: metadata?.isAgentSkill ?? false,
    hasSchemaHandler: metadata?.hasSchemaHandler ?? false,
    staticScopes: reader.object("static_scopes", (inner) => readScopes(inner, "self")) ?? [],
    keyrings: reader.objects("keyrings", "manifestKeyringsMax", readKeyring),
    inputs: readPorts(reader, "inputs"),
    outputs: readPorts(reader, "outputs"),
    defaultTimeoutMs: timeoutSeconds === null ? null : timeoutSeconds * 1000,
  };
}

/** `inputs.fields` and `outputs.fields`. */
function readPorts(reader: ObjectReader, key: string): readonly FieldDescriptor[] {
  const ports = reader.object(key, (inner) => {
    const fields = inner.objects("fields", "manifestFieldsMax", readField);
    const path = inner.at("fields");
    refuseRepeated(
      inner.report,
      fields.map(({ name }, i) => ({ name, path: `${path}[${i}]` })),
      "name",
    );
    return fields;
  });
  return ports ?? [];
}
