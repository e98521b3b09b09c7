/** What a console renders for the fields of a port. */
import type { Json, OperationField } from "./operation.ts";

export type Widget =
  | "text"
  | "longText"
  | "number"
  | "switch"
  | "select"
  | "multiSelect"
  | "date"
  | "time"
  | "reference"
  | "references"
  | "group"
  | "list"
  | "json";

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly widget: Widget;
  readonly required: boolean;
  /** Shown below the field. */
  readonly help: string;
  /** Of selects. */
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  /** Of references: whose ids. */
  readonly references?: readonly string[];
  /** Of numbers: 1 for whole ones. */
  readonly step?: number;
  /** Of groups, and of each item of a list of groups. */
  readonly fields?: readonly FormField[];
  /** Of lists: what each item is shown with. */
  readonly item?: Widget;
  readonly initial?: Json;
  /** Not shown until somebody asks for all fields. */
  readonly hidden?: boolean;
  readonly placeholder?: string;
}

export function formOf(fields: readonly OperationField[]): readonly FormField[] {
  return fields.map(formField);
}

function formField(field: OperationField): FormField {
  const { ui } = field;
  const item = itemWidget(field.fieldType === "array" ? (field.baseType ?? "json_value") : field.fieldType, field);
  const widget = field.fieldType === "array" ? listWidget(item) : item;
  const placeholder = textOf(ui["placeholder"]);
  return {
    name: field.name,
    label: textOf(ui["display_name"]) ?? labelOf(field.name),
    widget,
    required: field.isRequired && field.defaultValue === undefined,
    help: field.description === "" ? (textOf(ui["help"]) ?? "") : field.description,
    ...(item === "select" ? { options: field.allowedValues.map((value) => ({ value, label: labelOf(value) })) } : {}),
    ...(item === "reference" && field.idType.length > 0 ? { references: field.idType } : {}),
    ...(item === "number" ? { step: field.fieldType === "int" || field.baseType === "int" ? 1 : 0 } : {}),
    ...(item === "group" && field.fields !== undefined ? { fields: formOf(field.fields) } : {}),
    ...(widget === "list" ? { item } : {}),
    ...(field.defaultValue === undefined ? {} : { initial: field.defaultValue as Json }),
    ...(ui["is_hidden"] === true ? { hidden: true } : {}),
    ...(placeholder === undefined ? {} : { placeholder }),
  };
}

function itemWidget(type: string, field: OperationField): Widget {
  switch (type) {
    case "bool":
      return "switch";
    case "int":
    case "double":
      return "number";
    case "enum":
      return "select";
    case "uenum":
      return field.allowedValues.length === 0 ? "text" : "select";
    case "date":
      return "date";
    case "timestamp":
      return "time";
    case "id":
      return "reference";
    case "rich_text":
      return "longText";
    case "text":
    case "tokens":
      return field.ui["is_multi_line"] === true ? "longText" : "text";
    case "composite":
    case "struct":
      return field.fields === undefined || field.schema !== undefined ? "json" : "group";
    default:
      return "json";
  }
}

function listWidget(item: Widget): Widget {
  if (item === "select") return "multiSelect";
  if (item === "reference") return "references";
  return item === "json" ? "json" : "list";
}

/** `closeDate`, `close_date` → `Close date`. */
function labelOf(name: string): string {
  const words = name
    .replace(/^_+/, "")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .trim();
  if (words === "") return name;
  return words.slice(0, 1).toUpperCase() + (words === words.toUpperCase() ? words.slice(1) : words.slice(1).toLowerCase());
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
