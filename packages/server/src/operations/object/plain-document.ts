/** Documents as outputs have them. */
import { valueToCleanJson, type Value } from "@plinth/core/documents/values.ts";
import { isObject } from "@plinth/core/operations/json-schema.ts";
import type { ObjectOperation } from "@plinth/core/operations/object-operations.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";

/** Of tables whose documents are any objects, what was written stands in `document`. */
export function plainDocument(fields: ObjectOperation["fields"], value: Value): JsonObject {
  const json = valueToCleanJson(value) as Json;
  const document = isObject(json) ? json : {};
  if (fields !== null) return document;
  const { _id = null, _creationTime = null, ...rest } = document;
  return { _id, _creationTime, document: rest };
}
