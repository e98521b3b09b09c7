import type { Shape } from "./shape.ts";

export interface Shapes {
  readonly input: Shape;
  readonly output: Shape;
}

export interface DescribedSettings {
  readonly slug?: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly type?: "action" | "trigger";
  readonly isWorkflowNode?: boolean;
  readonly isAgentSkill?: boolean;
  readonly effect?: "read" | "write" | "outside";
  readonly timeoutMs?: number;
  readonly schema?: unknown;
  readonly activate?: unknown;
  readonly deactivate?: unknown;
}

/** The text that a host reads when the version is deployed. */
export function describeOperation(settings: DescribedSettings, { input, output }: Shapes): string {
  return JSON.stringify({
    slug: settings.slug ?? null,
    displayName: settings.displayName ?? null,
    description: settings.description ?? "",
    type: settings.type ?? "action",
    isWorkflowNode: settings.isWorkflowNode ?? true,
    isAgentSkill: settings.isAgentSkill ?? false,
    effect: settings.effect ?? "outside",
    timeoutMs: settings.timeoutMs ?? null,
    hasSchema: settings.schema !== undefined,
    hasActivate: settings.activate !== undefined,
    hasDeactivate: settings.deactivate !== undefined,
    input: input.describe(),
    output: output.describe(),
  });
}
