/**
 * Plain JSON → values of documents, as a validator wants them: int64 from whole numbers or decimal text, bytes from base64 text. What
 * does not fit is left as it is, for the validator to refuse with its own words.
 */
import { bytesFromBase64 } from "../documents/base64.ts";
import type { StepBudget } from "../documents/step-budget.ts";
import { checkValue, validationBudget, type Validator } from "../documents/validators.ts";
import { isValueObject, valueFromJson, type Value, type ValueObject } from "../documents/values.ts";
import type { Json } from "./operation.ts";

/** Throws InvalidValue and its like for JSON that is no value at all, LimitExceeded for what takes too long. */
export function valueOfPlain(validator: Validator, json: Json): Value {
  return new Plain(validationBudget()).value(validator, valueFromJson(json));
}

const INT64_MAX = 2n ** 63n - 1n;

class Plain {
  readonly #budget: StepBudget;

  constructor(budget: StepBudget) {
    this.#budget = budget;
  }

  value(validator: Validator, value: Value): Value {
    this.#budget.spend(1);
    switch (validator.type) {
      case "bigint":
      case "commitTs":
        return integerOf(value) ?? value;
      case "bytes":
        return bytesOf(value) ?? value;
      case "literal":
        return typeof validator.value === "bigint" ? (integerOf(value) ?? value) : value;
      case "array":
        return Array.isArray(value) ? value.map((item) => this.value(validator.element, item)) : value;
      case "record":
        return this.#entries(value, () => validator.values);
      case "object":
        return this.#entries(value, (name) => validator.fields.get(name)?.validator);
      case "union":
        return this.#union(validator.members, value);
      default:
        return value;
    }
  }

  #entries(value: Value, validatorOf: (name: string) => Validator | undefined): Value {
    if (!isValueObject(value)) return value;
    const object: ValueObject = Object.create(null);
    for (const name of Object.keys(value)) {
      const validator = validatorOf(name);
      const inner = value[name] as Value;
      object[name] = validator === undefined ? inner : this.value(validator, inner);
    }
    return object;
  }

  /** The first member that fits as it is, or else the first that fits when it is read as that member wants it. */
  #union(members: readonly Validator[], value: Value): Value {
    for (const member of members) if (this.#fits(member, value)) return value;
    for (const member of members) {
      const read = this.value(member, value);
      if (this.#fits(member, read)) return read;
    }
    return value;
  }

  #fits(validator: Validator, value: Value): boolean {
    return checkValue(withoutIds(validator), value, { tableNumber: () => undefined }, this.#budget) === null;
  }
}

const readableAs = new WeakMap<Validator, Validator>();

/** The same with any text for an id: whose table it is of does not matter for how a value is read. */
function withoutIds(validator: Validator): Validator {
  const known = readableAs.get(validator);
  if (known !== undefined) return known;
  const made = replaceIds(validator);
  readableAs.set(validator, made);
  return made;
}

function replaceIds(validator: Validator): Validator {
  switch (validator.type) {
    case "id":
      return { type: "string" };
    case "array":
      return { ...validator, element: withoutIds(validator.element) };
    case "record":
      return { ...validator, keys: withoutIds(validator.keys), values: withoutIds(validator.values) };
    case "object":
      return {
        type: "object",
        fields: new Map([...validator.fields].map(([name, field]) => [name, { ...field, validator: withoutIds(field.validator) }])),
      };
    case "union":
      return { ...validator, members: validator.members.map(withoutIds), others: validator.others.map(withoutIds) };
    default:
      return validator;
  }
}

function integerOf(value: Value): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return undefined;
  const integer = BigInt(value);
  return integer <= INT64_MAX && integer >= -INT64_MAX - 1n ? integer : undefined;
}

function bytesOf(value: Value): ArrayBuffer | undefined {
  return typeof value === "string" ? bytesFromBase64(value)?.buffer : undefined;
}
