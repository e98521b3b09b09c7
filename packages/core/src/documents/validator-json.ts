/** Reads validators from hostile JSON. */
import { PlinthError, plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { fieldNameProblem, tableNameProblem } from "./field-names.ts";
import { scanJsonText } from "./json-scan.ts";
import { formatPath, valueFromJson } from "./values.ts";
import type { FieldValidator, Literal, UnionValidator, Validator } from "./validators.ts";

const NODES_MAX = limit("validatorNodesMax");
const DEPTH_MAX = limit("validatorDepthMax");

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the JSON that a validator exports. Throws InvalidPackage. */
export function parseValidator(json: unknown): Validator {
  return new Reader().validator(json, 0);
}

/** The same from text; the depth is checked before the text is parsed. */
export function parseValidatorText(text: string): Validator {
  return parseValidator(parsePackageJson(text, "validator", 3 * DEPTH_MAX + 3));
}

/** Parses hostile JSON text of a package. `what` names it in errors. */
export function parsePackageJson(text: string, what: string, depthMax: number): unknown {
  try {
    scanJsonText(text, { depthMax, what });
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "it cannot be parsed";
    throw plinthError("InvalidPackage", { detail: `the ${what} is not usable JSON: ${detail}` });
  }
}

export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

class Reader {
  #nodes = 0;
  readonly #path: (string | number)[] = [];

  validator(json: unknown, depth: number): Validator {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) throw this.#invalid(`it has more than ${NODES_MAX} parts`);
    if (depth > DEPTH_MAX) throw this.#invalid(`it is nested deeper than ${DEPTH_MAX} levels`);
    if (!isJsonObject(json)) throw this.#invalid("a validator is an object with a `type`, as `v.string()` and its like export it");
    const { type } = json as { type?: unknown };
    switch (type) {
      case "any":
      case "null":
      case "number":
      case "bigint":
      case "commitTs":
      case "boolean":
      case "string":
      case "bytes":
        return { type };
      case "literal":
        return { type, value: this.#literal(json["value"]) };
      case "id":
        return { type, tableName: this.#tableName(json["tableName"]) };
      case "array":
        return { type, element: this.#inner("element", json["value"], depth) };
      case "record":
        return { type, keys: this.#inner("keys", json["keys"], depth), values: this.#recordValues(json["values"], depth) };
      case "object":
        return { type, fields: this.#fields(json["value"], depth) };
      case "union":
        return this.#union(json["value"], depth);
      default:
        throw this.#invalid(`${typeof type === "string" ? JSON.stringify(type.slice(0, 40)) : "something"} is not a type of validator`);
    }
  }

  #inner(step: string | number, json: unknown, depth: number): Validator {
    this.#path.push(step);
    const validator = this.validator(json, depth + 1);
    this.#path.pop();
    return validator;
  }

  #literal(json: unknown): Literal {
    const value = this.#value(json);
    if (value === null || typeof value === "object") throw this.#invalid("a literal is a string, number, int64 or boolean");
    return value;
  }

  #value(json: unknown): ReturnType<typeof valueFromJson> {
    try {
      return valueFromJson(json);
    } catch (error) {
      throw error instanceof PlinthError ? this.#invalid(error.message) : error;
    }
  }

  #tableName(json: unknown): string {
    if (typeof json !== "string") throw this.#invalid("`v.id` needs the name of a table");
    const problem = tableNameProblem(json);
    if (problem !== null) throw this.#invalid(`the table name ${JSON.stringify(json.slice(0, 80))} is not valid: ${problem}`);
    return json;
  }

  #recordValues(json: unknown, depth: number): Validator {
    if (!isJsonObject(json)) throw this.#invalid("`v.record` needs a validator of its values");
    if (json["optional"] === true) throw this.#invalid("the values of a record cannot be optional; leave the key out instead");
    return this.#inner("values", json["fieldType"], depth);
  }

  #fields(json: unknown, depth: number): ReadonlyMap<string, FieldValidator> {
    if (!isJsonObject(json)) throw this.#invalid("`v.object` needs an object of fields");
    const names = Object.keys(json);
    if (names.length > limit("objectFieldsMax")) {
      throw this.#invalid(`it has ${names.length} fields and may have ${limit("objectFieldsMax")}`);
    }
    const fields = new Map<string, FieldValidator>();
    for (const name of names) {
      const problem = fieldNameProblem(name);
      if (problem !== null) throw this.#invalid(problem);
      fields.set(name, this.#field(name, json[name], depth));
    }
    return fields;
  }

  #field(name: string, json: unknown, depth: number): FieldValidator {
    const optional = isJsonObject(json) ? json["optional"] : undefined;
    if (!isJsonObject(json) || typeof optional !== "boolean") {
      throw this.#invalid(`the field ${JSON.stringify(name.slice(0, 80))} needs \`fieldType\` and \`optional\``);
    }
    return { validator: this.#inner(name, json["fieldType"], depth), optional };
  }

  #union(json: unknown, depth: number): UnionValidator {
    if (!Array.isArray(json)) throw this.#invalid("`v.union` needs a list of validators");
    const members = json.map((member: unknown, i) => this.#inner(i, member, depth));
    const texts = new Set<string>();
    const others: Validator[] = [];
    for (const member of members) {
      if (member.type === "literal" && typeof member.value === "string") texts.add(member.value);
      else others.push(member);
    }
    return { type: "union", members, texts, others };
  }

  #invalid(why: string): Error {
    const where = this.#path.length === 0 ? "the validator" : `the validator at ${formatPath(this.#path)}`;
    return plinthError("InvalidPackage", { detail: `${where} is not valid: ${why}.` });
  }
}
