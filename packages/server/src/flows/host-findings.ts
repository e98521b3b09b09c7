/** What a flow asks for that this host does not do. Told when it is saved, so that no run fails for it. */
import type { FlowDefinition, FlowFinding } from "@plinth/core/flow/definition.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";

export function hostFindings(definition: FlowDefinition): readonly FlowFinding[] {
  const found: FlowFinding[] = [];
  for (const [id, node] of Object.entries(definition.nodes)) {
    found.push(...nodeFindings(id, `nodes.${id}`, node));
    if (node.compensate !== null) found.push(...nodeFindings(id, `nodes.${id}.compensate`, node.compensate));
  }
  return found;
}

function nodeFindings(id: string, path: string, { type, data }: { readonly type: string; readonly data: JsonObject }): FlowFinding[] {
  const found: FlowFinding[] = [];
  if (type === "webhook" && data["connection"] !== undefined)
    found.push(error(`${path}.data.connection`, id, "cannot be used on this host; give the credentials in `headers`."));
  return found;
}

function error(path: string, node: string | null, message: string): FlowFinding {
  return { path, node, message: `${path} ${message}`, severity: "error" };
}
