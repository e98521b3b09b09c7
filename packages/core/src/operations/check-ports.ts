/**
 * Checks what goes into a port and what comes out of it. The value that is returned is a copy with the defaults filled in; the one that
 * was given is hostile JSON.
 *
 * C1 The first field that does not fit is named with its whole path, in one sentence.
 * C2 An input has no other fields than the port. Of an output they are dropped: authors return what they have at hand. Open ports keep them.
 * C3 null stands for an absent field where the field may be absent.
 * C4 The work is bounded by the value and by a budget of steps; LimitExceeded is thrown over it.
 */
import type { StepBudget } from "../documents/step-budget.ts";
import { formatPath } from "../documents/values.ts";
import { checkBudget, checkSchema, kindOf, type Path, type Problem } from "./check-schema.ts";
import { isList, isObject, schemaOfField } from "./json-schema.ts";
import type { Json, JsonObject, OperationField } from "./operation.ts";

export type { Problem } from "./check-schema.ts";

export type Checked = { readonly kind: "ok"; readonly value: JsonObject } | { readonly kind: "wrong"; readonly problem: Problem };

export interface CheckFieldsOptions {
  /** What becomes of fields that are not declared; refused when absent. */
  readonly others?: "refuse" | "drop" | "keep";
  readonly budget?: StepBudget;
}

export function checkFields(fields: readonly OperationField[], value: unknown, options: CheckFieldsOptions = {}): Checked {
  try {
    const check = new Check(options.budget ?? checkBudget(), options.others ?? "refuse");
    return { kind: "ok", value: check.object(fields, value as Json, []) };
  } catch (error) {
    if (error instanceof Misfit) return { kind: "wrong", problem: error.problem };
    throw error;
  }
}

/** `The input .items[0].name is missing.` */
export function problemText(what: string, { path, message }: Problem): string {
  return path.length === 0 ? `The ${what} ${message}.` : `The ${what} ${formatPath(path)} ${message}.`;
}

class Misfit extends Error {
  readonly problem: Problem;

  constructor(path: Path, message: string) {
    super(message);
    this.problem = { path, message };
  }
}

class Check {
  readonly #budget: StepBudget;
  readonly #others: "refuse" | "drop" | "keep";

  constructor(budget: StepBudget, others: "refuse" | "drop" | "keep") {
    this.#budget = budget;
    this.#others = others;
  }

  object(fields: readonly OperationField[], value: Json, path: Path): JsonObject {
    if (!isObject(value)) throw new Misfit(path, `has to be an object, not ${kindOf(value ?? null)}`);
    const entries: [string, Json][] = [];
    const declared = new Set<string>();
    for (const field of fields) {
      this.#budget.spend(1);
      declared.add(field.name);
      const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
      const checked = this.#field(field, given, [...path, field.name]);
      if (checked !== undefined) entries.push([field.name, checked]);
    }
    if (this.#others !== "drop") {
      for (const [name, other] of Object.entries(value)) {
        this.#budget.spend(1);
        if (declared.has(name)) continue;
        if (this.#others === "keep") entries.push([name, other]);
        else throw new Misfit([...path, name], `is not a field${nearMiss(name, declared)}`);
      }
    }
    return Object.fromEntries(entries);
  }

  #field(field: OperationField, given: Json | undefined, path: Path): Json | undefined {
    if (given === undefined || (given === null && !takesNull(field))) {
      // A default is JSON of the operation itself.
      if (field.defaultValue !== undefined) return field.defaultValue as Json;
      if (field.isRequired) throw new Misfit(path, given === null ? "is required and cannot be null" : "is missing");
      return undefined;
    }
    if (field.schema !== undefined) return this.#bySchema(field.schema, given, path);
    if (field.fieldType !== "array") return this.#element(field, field.fieldType, given, path);
    if (!isList(given)) throw new Misfit(path, `has to be a list, not ${kindOf(given)}`);
    return given.map((item, i) => this.#element(field, field.baseType ?? "json_value", item, [...path, i]));
  }

  #element(field: OperationField, type: string, value: Json, path: Path): Json {
    this.#budget.spend(1);
    if ((type === "composite" || type === "struct") && field.fields !== undefined) return this.object(field.fields, value, path);
    return this.#bySchema(schemaOfField({ ...field, fieldType: type, baseType: null }), value, path);
  }

  #bySchema(schema: JsonObject, value: Json, path: Path): Json {
    const problem = checkSchema(schema, value, this.#budget, path);
    if (problem !== null) throw new Misfit(problem.path, problem.message);
    return value;
  }
}

/** Whether null is a value of the field, not its absence. */
function takesNull(field: OperationField): boolean {
  if (field.schema === undefined) return field.fieldType === "json_value" && field.isRequired;
  return checkSchema(field.schema, null) === null;
}

function nearMiss(name: string, declared: ReadonlySet<string>): string {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  for (const candidate of declared) if (plain(candidate) === plain(name)) return `; \`${candidate}\` is meant, perhaps`;
  const names = [...declared];
  if (names.length === 0) return "; there are none";
  return `; there are ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
}
