/** Validators of arguments, results and documents: read from the JSON that `v.*` exports, and checked. */
import { limit } from "../limits.ts";
import { decodeDocumentId } from "./ids.ts";
import { compareValues } from "./order.ts";
import { StepBudget } from "./step-budget.ts";
import { shownValidator, shownValue } from "./validator-text.ts";
import { formatPath, isValueObject, type Value, type ValueObject } from "./values.ts";

export { parseValidator, parseValidatorText } from "./validator-json.ts";

export type Literal = string | number | bigint | boolean;

export interface FieldValidator {
  readonly validator: Validator;
  readonly optional: boolean;
}

export type Validator =
  | { readonly type: "any" | "null" | "number" | "bigint" | "commitTs" | "boolean" | "string" | "bytes" }
  | { readonly type: "literal"; readonly value: Literal }
  | { readonly type: "id"; readonly tableName: string }
  | { readonly type: "array"; readonly element: Validator }
  | { readonly type: "record"; readonly keys: Validator; readonly values: Validator }
  | { readonly type: "object"; readonly fields: ReadonlyMap<string, FieldValidator> }
  | UnionValidator;

export interface UnionValidator {
  readonly type: "union";
  readonly members: readonly Validator[];
  /** Text literals among the members, so that a long enumeration costs one look-up. */
  readonly texts: ReadonlySet<string>;
  /** The other members. */
  readonly others: readonly Validator[];
}

/** Why a value does not fit. */
export interface ValidationFailure {
  /** One sentence. */
  readonly message: string;
  /** From the checked value to the part that does not fit. */
  readonly path: readonly (string | number)[];
  /** That part and what it was checked against. */
  readonly value: Value;
  readonly validator: Validator;
}

export interface CheckOptions {
  /** Number of a table, undefined when there is none of that name. */
  readonly tableNumber: (tableName: string) => number | undefined;
}

/** Work that several checks may do in all, and each of them at once. */
export function validationBudget(): StepBudget {
  return new StepBudget({
    what: "Steps of the validation of all values of a call",
    max: limit("validationStepsPerCallMax"),
    pieceWhat: "Steps of the validation of a value",
    pieceMax: limit("validationStepsMax"),
  });
}

/** null when `value` fits. Throws LimitExceeded when the check would take too long. */
export function checkValue(
  validator: Validator,
  value: Value,
  options: CheckOptions,
  budget: StepBudget = validationBudget(),
): ValidationFailure | null {
  budget.startPiece();
  return new Check(options, budget).check(validator, value);
}

/** The message, then lines with `Path:`, `Value:` (or `Object:`) and `Validator:`. Long values are cut. */
export function describeFailure(failure: ValidationFailure): string {
  const lines = [failure.message];
  if (failure.path.length > 0) lines.push(`Path: ${formatPath(failure.path)}`);
  lines.push(`${failure.validator.type === "object" && isValueObject(failure.value) ? "Object" : "Value"}: ${shownValue(failure.value)}`);
  lines.push(`Validator: ${shownValidator(failure.validator)}`);
  return lines.join("\n");
}

class Check {
  readonly #options: CheckOptions;
  readonly #budget: StepBudget;

  constructor(options: CheckOptions, budget: StepBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  check(validator: Validator, value: Value): ValidationFailure | null {
    this.#budget.spend(1);
    switch (validator.type) {
      case "any":
        return null;
      case "null":
        return value === null ? null : mismatch(validator, value);
      case "number":
      case "boolean":
      case "string":
        return typeof value === validator.type ? null : mismatch(validator, value);
      case "bigint":
      case "commitTs":
        return typeof value === "bigint" ? null : mismatch(validator, value);
      case "bytes":
        return value instanceof ArrayBuffer ? null : mismatch(validator, value);
      case "literal":
        return isLiteral(validator.value, value) ? null : mismatch(validator, value);
      case "id":
        return this.#checkId(validator, value);
      case "array":
        return Array.isArray(value) ? this.#checkElements(validator.element, value) : mismatch(validator, value);
      case "record":
        return isValueObject(value) ? this.#checkEntries(validator, value) : mismatch(validator, value);
      case "object":
        return isValueObject(value) ? this.#checkFields(validator, value) : mismatch(validator, value);
      case "union":
        return this.#checkUnion(validator, value);
    }
  }

  #checkId(validator: Validator & { type: "id" }, value: Value): ValidationFailure | null {
    const id = typeof value === "string" ? decodeDocumentId(value) : null;
    if (id === null) return mismatch(validator, value);
    if (id.tableNumber === this.#options.tableNumber(validator.tableName)) return null;
    return failureAt(
      validator,
      value,
      `The ID ${shownValue(value)} is from another table than \`${validator.tableName}\`, which the validator asks for.`,
    );
  }

  #checkElements(element: Validator, array: readonly Value[]): ValidationFailure | null {
    for (let i = 0; i < array.length; i += 1) {
      const failure = this.check(element, array[i] as Value);
      if (failure !== null) return within(i, failure);
    }
    return null;
  }

  #checkEntries(validator: Validator & { type: "record" }, object: ValueObject): ValidationFailure | null {
    for (const key of Object.keys(object)) {
      if (this.check(validator.keys, key) !== null) {
        return failureAt(validator.keys, key, "A key of the object does not match the validator of the record's keys.");
      }
      const failure = this.check(validator.values, object[key] as Value);
      if (failure !== null) return within(key, failure);
    }
    return null;
  }

  #checkFields(validator: Validator & { type: "object" }, object: ValueObject): ValidationFailure | null {
    const { fields } = validator;
    for (const [name, field] of fields) {
      const value = object[name];
      if (value !== undefined) {
        const failure = this.check(field.validator, value);
        if (failure !== null) return within(name, failure);
      } else if (!field.optional) {
        this.#budget.spend(1);
        const message = `Object is missing the required field \`${name}\`. Consider wrapping the field validator in \`v.optional(...)\` if this is expected.`;
        return failureAt(validator, object, message);
      }
    }
    for (const name of Object.keys(object)) {
      this.#budget.spend(1);
      if (!fields.has(name)) return failureAt(validator, object, `Object contains extra field \`${name}\` that is not in the validator.`);
    }
    return null;
  }

  #checkUnion(union: UnionValidator, value: Value): ValidationFailure | null {
    if (union.members.length === 1) return this.check(union.members[0] as Validator, value);
    if (typeof value === "string" && union.texts.has(value)) return null;
    for (const member of union.others) {
      if (this.check(member, value) === null) return null;
    }
    return mismatch(union, value);
  }
}

function isLiteral(literal: Literal, value: Value): boolean {
  return typeof literal === typeof value && compareValues(literal, value) === 0;
}

function mismatch(validator: Validator, value: Value): ValidationFailure {
  return failureAt(validator, value, "Value does not match validator.");
}

function failureAt(validator: Validator, value: Value, message: string): ValidationFailure {
  return { message, path: [], value, validator };
}

function within(step: string | number, failure: ValidationFailure): ValidationFailure {
  return { ...failure, path: [step, ...failure.path] };
}
