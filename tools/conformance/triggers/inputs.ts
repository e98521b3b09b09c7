/** What whoever installs a package fills in: defaults, and objects of the CRM where it asks for one. */
import type { FieldDescriptor, Manifest } from "@plinth/core/manifest/manifest.ts";
import { placeholderFor } from "../placeholders.ts";
import type { Ids } from "./crm.ts";

/** A default that stands for an object of the organisation that it will be: `don:core:…:product/sample`. */
const SAMPLE_ID = /^don:.*:([a-z_]+)\/[^/]*$/;

export function inputsFor(manifest: Manifest, ids: Ids): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    manifest.inputs.organization.flatMap((field) => {
      const value = valueOf(field, ids);
      return value === undefined ? [] : [[field.name, value]];
    }),
  );
}

function valueOf(field: FieldDescriptor, ids: Ids): unknown {
  const { defaultValue, fieldType, idType, isRequired } = field;
  const object = idType.map((type) => ids[type.replace(/^#/, "")]).find((id) => id !== undefined);
  if (fieldType === "id" && object !== undefined) return object;
  if (fieldType === "array" && field.baseType === "id" && object !== undefined) return [object];
  const kind = typeof defaultValue === "string" ? SAMPLE_ID.exec(defaultValue)?.[1] : undefined;
  if (kind !== undefined && ids[kind] !== undefined) return ids[kind];
  if (defaultValue === "" && isRequired) return placeholderFor(field);
  return defaultValue ?? (isRequired ? placeholderFor(field) : undefined);
}
