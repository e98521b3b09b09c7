/** Values for what a package asks of the one who installs it. */
import type { FieldDescriptor, Manifest } from "@plinth/core/manifest/manifest.ts";

/** Inputs that must have a value and come with none. */
export function placeholderInputs(manifest: Manifest): Readonly<Record<string, unknown>> {
  const asked = manifest.inputs.organization.filter(({ isRequired, defaultValue }) => isRequired && defaultValue === undefined);
  return Object.fromEntries(asked.map((field) => [field.name, placeholderFor(field)]));
}

/** Names of keyrings that the organisation has to have. */
export function keyringNames(manifest: Manifest): readonly string[] {
  const all = [
    ...manifest.developerKeyrings,
    ...manifest.keyrings.organization,
    ...manifest.operations.flatMap(({ keyrings }) => keyrings),
  ];
  return [...new Set(all.map(({ name }) => name))];
}

export function placeholderFor(field: FieldDescriptor): unknown {
  if (field.fieldType === "array") return [scalar(field.baseType ?? "text", field)];
  return scalar(field.fieldType, field);
}

function scalar(type: string, field: FieldDescriptor): unknown {
  switch (type) {
    case "bool":
      return true;
    case "int":
    case "double":
      return 1;
    case "enum":
      return field.allowedValues[0] ?? "placeholder";
    case "struct":
    case "composite":
    case "json_value":
      return {};
    case "id":
      return `don:core:dvrv-us-1:devo/0:${(field.idType[0] ?? "#object").replace(/^#/, "")}/1`;
    default:
      return "placeholder";
  }
}
