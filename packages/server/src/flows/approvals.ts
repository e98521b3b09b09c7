/** What is asked with an approval, and what was answered. Fields come from a definition or its expressions, answers from anybody. */
import { plinthError } from "@plinth/core/errors.ts";
import { isList, isRecord } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "longText" | "number" | "boolean" | "choice";
  readonly choices: readonly string[];
  readonly isRequired: boolean;
}

export interface Approval {
  readonly approved: boolean;
  readonly form: JsonObject;
}

const TYPES: readonly string[] = ["text", "longText", "number", "boolean", "choice"];

/** The fields of a form: texts or `{name, label, type, choices, required}`; what is neither is left out. */
export function formFields(form: Json): readonly FormField[] {
  if (!isList(form)) return [];
  return form.slice(0, limit("flowFormFieldsMax")).flatMap((field) => {
    const given = typeof field === "string" ? { name: field } : field;
    if (!isRecord(given) || typeof given["name"] !== "string" || given["name"] === "") return [];
    const { name, label, type, choices, required } = given;
    const texts = isList(choices) ? choices.filter((choice) => typeof choice === "string") : [];
    const known = typeof type === "string" && TYPES.includes(type) ? (type as FormField["type"]) : texts.length > 0 ? "choice" : "text";
    return [{ name, label: typeof label === "string" ? label : name, type: known, choices: texts, isRequired: required === true }];
  });
}

/** `{approved, form}`: fields that the form has, as values of their types. Throws BadRequest. */
export function readApproval(answer: Json, form: Json): Approval {
  const { approved, form: given = {} } = isRecord(answer) ? answer : {};
  if (typeof approved !== "boolean") throw wrong("An approval is answered with `approved`: true or false.");
  if (!isRecord(given)) throw wrong("`form` is an object of the fields that were filled in.");
  const fields = formFields(form);
  const unknown = Object.keys(given).find((name) => !fields.some((field) => field.name === name));
  if (unknown !== undefined) throw wrong(`The form has no field \`${unknown.slice(0, 64)}\`.`);
  const values: [string, Json][] = [];
  for (const field of fields) {
    const value = Object.hasOwn(given, field.name) ? (given[field.name] ?? null) : null;
    if (value !== null && value !== "") values.push([field.name, fieldValue(field, value)]);
    else if (field.isRequired && approved) throw wrong(`The field \`${field.name}\` has to be filled in.`);
  }
  return { approved, form: Object.fromEntries(values) };
}

/** The output of the node. */
export function approvalOutput({ approved, form }: Approval, { by, atMs }: { readonly by: string; readonly atMs: number }): JsonObject {
  return { approved, by, at: new Date(atMs).toISOString(), form };
}

function fieldValue({ name, type, choices }: FormField, value: Json): Json {
  switch (type) {
    case "number": {
      const number = typeof value === "string" ? Number(value) : value;
      if (typeof number !== "number" || !Number.isFinite(number)) throw wrong(`The field \`${name}\` is a number.`);
      return number;
    }
    case "boolean":
      if (typeof value !== "boolean" && value !== "true" && value !== "false") throw wrong(`The field \`${name}\` is true or false.`);
      return value === true || value === "true";
    case "choice":
      if (typeof value !== "string" || !choices.includes(value)) throw wrong(`The field \`${name}\` is one of: ${choices.join(", ")}.`);
      return value;
    case "text":
    case "longText":
      if (typeof value !== "string") throw wrong(`The field \`${name}\` is a text.`);
      return value;
  }
}

function wrong(detail: string) {
  return plinthError("BadRequest", { detail });
}
