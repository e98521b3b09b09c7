/** Described fields: `inputs`, version 1's `globals`, and the ports of operations. */
import type { FieldDescriptor, InstallScope, Scoped } from "../manifest.ts";
import { isObject, kindOf, oneOf, shown, type ObjectReader } from "../object-reader.ts";
import { didYouMean } from "../near-miss.ts";
import { identifier } from "./names.ts";
import { readScoped } from "./keyrings.ts";

export const FIELD_TYPES: readonly string[] = [
  "array",
  "bool",
  "composite",
  "date",
  "double",
  "enum",
  "id",
  "int",
  "json_value",
  "rich_text",
  "struct",
  "text",
  "timestamp",
  "tokens",
  "uenum",
];
const NOT_FOR_INPUTS: readonly string[] = ["date", "timestamp"];

export function readInputs(manifest: ObjectReader): Scoped<FieldDescriptor> {
  const globals = manifest.objects("globals", "manifestInputsMax", readGlobal);
  const scoped = readScoped(manifest, "inputs", "manifestInputsMax", readInput);
  return { organization: [...globals, ...scoped.organization], user: scoped.user };
}

function readInput(reader: ObjectReader, _scope?: InstallScope): FieldDescriptor {
  const field = readField(reader);
  refuseInputType(reader, "field_type", field);
  return field;
}

/** Version 1: `devrev_field_type: []enum` is an array of enum. */
function readGlobal(reader: ObjectReader): FieldDescriptor {
  if (!reader.has("devrev_field_type") && reader.has("field_type")) return readInput(reader);
  const written = reader.text("devrev_field_type", { required: true, instead: `write ${oneOf(FIELD_TYPES)}` });
  const isArray = written.startsWith("[]");
  const type = isArray ? written.slice(2) : written;
  checkType(reader, "devrev_field_type", type);
  const valuesKey = reader.has("allowed_values") ? "allowed_values" : "devrev_enum";
  const field = finishField(
    reader,
    {
      fieldType: isArray ? "array" : type,
      baseType: isArray ? type : null,
      idType: reader.texts("devrev_id_type", "manifestAllowedValuesMax"),
      allowedValues: readAllowedValues(reader, valuesKey),
    },
    valuesKey,
  );
  refuseInputType(reader, "devrev_field_type", field);
  return field;
}

export function readField(reader: ObjectReader): FieldDescriptor {
  const fieldType = reader.text("field_type", { required: true, instead: `write ${oneOf(FIELD_TYPES)}` });
  checkType(reader, "field_type", fieldType);
  const baseType = reader.optionalText("base_type");
  if (baseType !== null) checkType(reader, "base_type", baseType);
  if (fieldType === "array" && !reader.has("base_type"))
    reader.error("base_type", "is missing; write the type of the elements of the array.");
  if (fieldType !== "array" && fieldType !== "" && baseType !== null) {
    reader.warning("base_type", `means nothing for the type ${shown(fieldType)}; write \`field_type: array\` for a list.`);
  }
  return finishField(
    reader,
    {
      fieldType,
      baseType: fieldType === "array" ? baseType : null,
      idType: reader.texts("id_type", "manifestAllowedValuesMax"),
      allowedValues: readAllowedValues(reader, "allowed_values"),
    },
    "allowed_values",
  );
}

function finishField(
  reader: ObjectReader,
  typed: Pick<FieldDescriptor, "fieldType" | "baseType" | "idType" | "allowedValues">,
  valuesKey: string,
): FieldDescriptor {
  const field: FieldDescriptor = {
    name: identifier(reader, "name", "each field"),
    description: reader.text("description"),
    ...typed,
    isRequired: reader.boolean("is_required", false),
    ui: reader.jsonObject("ui"),
  };
  const needsValues = elementType(field) === "enum";
  if (needsValues && field.allowedValues.length === 0) reader.error(valuesKey, "is missing; list the values of the enum.");
  const defaultValue = reader.json("default_value");
  if (defaultValue === undefined) return field;
  const problem = valueProblem(field, defaultValue);
  if (problem !== null) reader.error("default_value", problem);
  return { ...field, defaultValue };
}

function readAllowedValues(reader: ObjectReader, key: string): readonly string[] {
  const values = reader.list(key, "manifestAllowedValuesMax", (item, path) => {
    if (typeof item === "string") return item;
    if (typeof item === "number" || typeof item === "boolean") {
      reader.report.warning(path, `${path} is a ${typeof item} and is taken as the text "${item}"; put it in quotes.`);
      return String(item);
    }
    reader.report.error(path, `${path} is ${kindOf(item)}; write a text.`);
    return "";
  });
  if (new Set(values).size < values.length) reader.error(key, "holds a value twice; remove one of the two.");
  return values;
}

function checkType(reader: ObjectReader, key: string, type: string): void {
  if (type === "" || FIELD_TYPES.includes(type)) return;
  reader.error(key, `is \`${shown(type)}\`; write ${oneOf(FIELD_TYPES)}.${didYouMean(type, FIELD_TYPES)}`);
}

function refuseInputType(reader: ObjectReader, key: string, field: FieldDescriptor): void {
  if (NOT_FOR_INPUTS.includes(elementType(field))) reader.error(key, `is ${elementType(field)}, which an input cannot be; use text.`);
  if (field.fieldType === "array" && field.baseType === "bool")
    reader.error(key, "is an array of bool, which an input cannot be; use several inputs.");
}

function elementType(field: FieldDescriptor): string {
  return field.fieldType === "array" ? (field.baseType ?? "") : field.fieldType;
}

/** Why a default value does not fit the field's type: the rest of a sentence. */
function valueProblem(field: FieldDescriptor, value: unknown): string | null {
  if (field.fieldType !== "array") return scalarProblem(field, field.fieldType, value);
  if (!Array.isArray(value)) return `is ${kindOf(value)}; write a list, as the type is array.`;
  for (const [i, item] of value.entries()) {
    const problem = scalarProblem(field, field.baseType ?? "", item);
    if (problem !== null) return `has an element ${i} that ${problem}`;
  }
  return null;
}

function scalarProblem(field: FieldDescriptor, type: string, value: unknown): string | null {
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? null : `is ${kindOf(value)}; write true or false, without quotes.`;
    case "int":
      return typeof value === "number" && Number.isSafeInteger(value) ? null : `is ${kindOf(value)}; write a whole number, without quotes.`;
    case "double":
      return typeof value === "number" ? null : `is ${kindOf(value)}; write a number, without quotes.`;
    case "enum":
      if (typeof value === "string" && (value === "" || field.allowedValues.includes(value))) return null;
      return `is ${typeof value === "string" ? `\`${shown(value)}\`` : kindOf(value)}; write one of allowed_values.`;
    case "id":
    case "text":
    case "rich_text":
    case "date":
    case "timestamp":
      return typeof value === "string" ? null : `is ${kindOf(value)}; write a text, in quotes.`;
    case "struct":
    case "composite":
      return isObject(value) ? null : `is ${kindOf(value)}; write an object.`;
    default:
      return null;
  }
}
