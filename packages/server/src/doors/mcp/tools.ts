/** Operations as tools of MCP: their names, their schemas, and what they return. */
import type { CallToolResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import { limit } from "@plinth/core/limits.ts";
import { DEFAULT_PORT, type JsonObject, type JsonSchema, type Operation, type OperationResult } from "@plinth/core/operations/operation.ts";
import type { Operations } from "../../operations/operations.ts";

/**
 * Tools by name. The plain slug is the name where `Operations.find` takes it for this operation; others have their namespace before
 * it. Characters that names of tools cannot have become hyphens.
 */
export function toolNames(skills: readonly Operation[]): ReadonlyMap<string, Operation> {
  const named = new Map<string, Operation>();
  const bySlug = Map.groupBy(skills, ({ slug }) => slug);
  for (const [slug, same] of bySlug) {
    const plain = same.length === 1 ? same[0] : ownerOf(same);
    for (const skill of same) {
      const name = plainName(skill === plain ? slug : `${skill.namespace}.${slug}`);
      if (!named.has(name)) named.set(name, skill);
    }
  }
  return named;
}

function ownerOf(same: readonly Operation[]): Operation | undefined {
  for (const origin of ["native", "object", "function", "flow"] as const) {
    const owner = same.find((skill) => skill.origin === origin);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

function plainName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 128);
}

export function toolOf(operations: Operations, name: string, skill: Operation): Tool {
  const output = outputSchema(operations, skill);
  return {
    name,
    title: skill.displayName,
    description: skill.description,
    inputSchema: objectSchema(operations.inputSchema(skill)),
    ...(output === undefined ? {} : { outputSchema: output }),
    annotations: {
      title: skill.displayName,
      readOnlyHint: skill.effect === "read",
      // A new document takes nothing away; of everything else it is not known.
      destructiveHint: skill.effect !== "read" && !(skill.origin === "object" && skill.slug.startsWith("create_")),
      idempotentHint: skill.effect === "read",
      openWorldHint: skill.effect === "outside",
    },
  };
}

/**
 * Operations of users may leave several values, or values by several ports, whatever they declare; clients check what they get, so
 * their schema says so.
 */
function outputSchema(operations: Operations, skill: Operation): Tool["outputSchema"] {
  const [port, ...others] = skill.outputs;
  if (port === undefined || port.fields.length === 0) return undefined;
  const one = objectSchema(operations.outputSchema(skill));
  if (others.length === 0 && (skill.origin === "native" || skill.origin === "object")) return one;
  return { type: "object", anyOf: [one, { required: ["values"] }, { required: ["ports"] }] };
}

/** Clients know one draft of JSON Schema, and choke on the name of another. */
function objectSchema(schema: JsonSchema): Tool["inputSchema"] {
  const { $schema: _, ...rest } = schema;
  return { ...(rest as Record<string, unknown>), type: "object" } as Tool["inputSchema"];
}

/** What an operation returned: one value as it is, several under `values`, those of several ports under `ports`. */
export function toolResult(result: OperationResult, skill: Pick<Operation, "outputs">): CallToolResult {
  if (result.kind === "error") return toolError(result.error.message);
  const structured = structuredContent(result);
  const declares = (skill.outputs[0]?.fields.length ?? 0) > 0;
  const text = structured === undefined ? "Done." : cut(JSON.stringify(structured));
  return {
    content: [{ type: "text", text }],
    ...(structured === undefined ? (declares ? { structuredContent: { values: [] } } : {}) : { structuredContent: { ...structured } }),
  };
}

/** A tool that says no: the model reads why. */
export function toolError(message: string): CallToolResult {
  return { content: [{ type: "text", text: cut(message) }], isError: true };
}

function structuredContent({ ports }: Extract<OperationResult, { readonly kind: "output" }>): JsonObject | undefined {
  const [first, ...others] = ports;
  if (others.length > 0 || (first !== undefined && first.port !== DEFAULT_PORT))
    return { ports: Object.fromEntries(ports.map(({ port, values }) => [port, values])) };
  const values = first?.values ?? [];
  return values.length === 0 ? undefined : values.length === 1 ? values[0] : { values };
}

function cut(text: string): string {
  const max = limit("mcpTextCharsMax");
  return text.length > max ? `${text.slice(0, max)}… (${text.length - max} more characters; the structured content is complete)` : text;
}
