/** Fields of the forms of nodes. */
import type { OperationField } from "../../operations/operation.ts";

export interface FormFieldOptions {
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** How it is edited: an expression or a value, a condition, a pointer to a node, code. */
  readonly editor?: "expression" | "condition" | "node" | "chain" | "code" | "operation" | "function" | "flow" | "list";
}

export function formField(name: string, fieldType: string, description: string, options: FormFieldOptions = {}): OperationField {
  return {
    name,
    description,
    fieldType,
    baseType: fieldType === "array" ? "composite" : null,
    idType: [],
    allowedValues: options.choices ?? [],
    isRequired: options.required ?? false,
    ui: options.editor === undefined ? {} : { editor: options.editor },
  };
}
