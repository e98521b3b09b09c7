/** Types of values for expressions, from the ports of operations. */
import type { Operation, OperationField } from "../operations/operation.ts";
import type { ValueType } from "./definition.ts";

/** What the step of an operation gives: the values of its first output port. */
export function outputTypeOf(operation: Operation): ValueType {
  const [port] = operation.outputs;
  if (port === undefined || port.isOpen === true || port.fields.length === 0) return "any";
  return { record: fieldTypes(port.fields) };
}

/** What its first input port takes. */
export function inputTypesOf(operation: Operation): Readonly<Record<string, ValueType>> {
  return fieldTypes(operation.inputs[0]?.fields ?? []);
}

function fieldTypes(fields: readonly OperationField[]): Readonly<Record<string, ValueType>> {
  return Object.fromEntries(fields.map((field) => [field.name, fieldType(field, field.fieldType)]));
}

function fieldType(field: OperationField, type: string | null): ValueType {
  if (field.schema !== undefined) return "any";
  switch (type) {
    case "array":
      return { list: field.baseType === "array" ? "any" : fieldType(field, field.baseType) };
    case "bool":
      return "boolean";
    case "int":
    case "double":
      return "number";
    case "timestamp":
      return "timestamp";
    case "text":
    case "rich_text":
    case "enum":
    case "uenum":
    case "id":
    case "date":
      return "string";
    case "composite":
    case "struct":
      return field.fields === undefined ? "any" : { record: fieldTypes(field.fields) };
    default:
      return "any";
  }
}
