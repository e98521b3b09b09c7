/** What native operations declare, in few words. */
import { DEFAULT_PORT, type Json, type JsonSchema, type Operation, type OperationField } from "@plinth/core/operations/operation.ts";

export const NATIVE_NAMESPACE = "plinth";

export interface NativeDescription {
  readonly slug: string;
  readonly displayName: string;
  readonly description: string;
  readonly effect: Operation["effect"];
  readonly inputs: readonly OperationField[];
  readonly outputs: readonly OperationField[];
  readonly timeoutMs?: number;
  readonly isAgentSkill?: boolean;
}

/** An action with one port on each side. */
export function describeNative(description: NativeDescription): Operation {
  const { inputs, outputs, timeoutMs = null, isAgentSkill = true, ...rest } = description;
  return {
    ...rest,
    namespace: NATIVE_NAMESPACE,
    origin: "native",
    type: "action",
    isWorkflowNode: true,
    isAgentSkill,
    inputs: [{ name: DEFAULT_PORT, fields: inputs }],
    outputs: [{ name: DEFAULT_PORT, fields: outputs }],
    scopes: [],
    timeoutMs,
  };
}

export interface FieldOptions {
  readonly isRequired?: boolean;
  readonly baseType?: string;
  readonly allowedValues?: readonly string[];
  readonly idType?: readonly string[];
  readonly fields?: readonly OperationField[];
  /** What is checked in place of the type. */
  readonly schema?: JsonSchema;
  readonly defaultValue?: Json;
  readonly ui?: OperationField["ui"];
}

/** A field; optional unless it says otherwise. `fieldType` is one of those of manifests. */
export function nativeField(name: string, fieldType: string, description: string, options: FieldOptions = {}): OperationField {
  return { name, fieldType, description, baseType: null, idType: [], allowedValues: [], isRequired: false, ui: {}, ...options };
}
