/**
 * A schema as one shape: how it is described when a version is deployed, and how values are checked when it runs. Inputs and outputs of
 * operations are objects; a schema of anything else describes their field `value`.
 */
import { v, type GenericValidator, type PropertyValidators } from "convex/values";
import type { OperationSchema, StandardResult, StandardSchema } from "../schema.ts";

export type Description =
  | { readonly kind: "validator"; readonly validator: unknown }
  | { readonly kind: "schema"; readonly schema: object }
  | { readonly kind: "open" };

export interface Shape {
  /** What the host checks; absent where only the library can. */
  readonly validator?: GenericValidator;
  describe(): Description;
  /** Of an input: what the handler gets. */
  read(object: unknown): Promise<unknown>;
  /** Of an output: the object that leaves, undefined for none. */
  write(value: unknown): Promise<unknown>;
}

export class Misfit extends Error {}

export type Direction = "input" | "output";

export function shapeOf(schema: OperationSchema | undefined, direction: Direction): Shape {
  if (schema === undefined) return OPEN;
  if ("~standard" in schema) return standardShape(schema as StandardSchema, direction);
  return validatorShape(isValidator(schema) ? schema : v.object(schema as PropertyValidators));
}

function isValidator(schema: object): schema is GenericValidator {
  return "isConvexValidator" in schema && schema.isConvexValidator === true;
}

const OPEN: Shape = {
  describe: () => ({ kind: "open" }),
  read: async (object) => object,
  write: async (value) => (value === undefined || value === null || isPlainObject(value) ? value : { value }),
};

function validatorShape(validator: GenericValidator): Shape {
  if (validator.kind === "any") return OPEN;
  if (validator.kind === "object") {
    return { ...OPEN, validator, describe: () => ({ kind: "validator", validator: jsonOf(validator) }), write: async (value) => value };
  }
  const object = v.object({ value: validator });
  return {
    validator: object,
    describe: () => ({ kind: "validator", validator: jsonOf(object) }),
    read: async (given) => (given as { readonly value: unknown }).value,
    write: async (value) => ({ value }),
  };
}

/** Validators have the JSON that they export; their types keep it to themselves. */
function jsonOf(validator: GenericValidator): unknown {
  return (validator as unknown as { readonly json: unknown }).json;
}

function standardShape(schema: StandardSchema, direction: Direction): Shape {
  const own = () => jsonSchemaOf(schema, direction);
  const check = async (value: unknown) => checked(await schema["~standard"].validate(value));
  // Whether values are wrapped shows in the JSON Schema; where there is none they are objects.
  let wraps: boolean | undefined;
  const isWrapped = () => (wraps ??= !isObjectSchema(own() ?? OPEN_OBJECT));
  return {
    describe: () => {
      const json = own();
      if (json === undefined) return { kind: "open" };
      return { kind: "schema", schema: isWrapped() ? { type: "object", properties: { value: json }, required: ["value"] } : json };
    },
    read: async (object) => await check(isWrapped() ? (object as { readonly value: unknown }).value : object),
    write: async (value) => {
      const fitting = await check(value);
      return isWrapped() ? { value: fitting } : fitting;
    },
  };
}

const OPEN_OBJECT = { type: "object", properties: {} };

function isObjectSchema(json: object): boolean {
  return "type" in json && json.type === "object" && "properties" in json && isPlainObject(json.properties);
}

function checked(result: StandardResult<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  // Ten are enough to go on; a message has a limit.
  const lines = result.issues.slice(0, 10).map(({ message, path }) => `${pathText(path ?? [])}${message}`);
  throw new Misfit(lines.join("; "));
}

/** Segments are keys or objects with a key. */
function pathText(path: readonly unknown[]): string {
  if (path.length === 0) return "";
  const keys = path.map((segment) => (isPlainObject(segment) && "key" in segment ? segment["key"] : segment));
  return `${keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("")}: `;
}

interface JsonSchemaSource {
  readonly jsonSchema?: Readonly<Record<Direction, (options: object) => unknown>>;
}

/** By the standard for it, or by the method that some libraries have; undefined where there is neither. */
function jsonSchemaOf(schema: StandardSchema, direction: Direction): object | undefined {
  const { jsonSchema } = schema["~standard"] as JsonSchemaSource;
  const { toJsonSchema } = schema as { readonly toJsonSchema?: () => unknown };
  try {
    const json =
      jsonSchema === undefined
        ? toJsonSchema?.call(schema)
        : jsonSchema[direction]({ target: "draft-2020-12", libraryOptions: { unrepresentable: "any" } });
    return isPlainObject(json) ? (withoutReferences(json) as object) : undefined;
  } catch {
    // What the library cannot say in JSON Schema it still checks itself.
    return undefined;
  }
}

/** References point into a document that others take apart; what stands behind them is checked by the library alone. */
function withoutReferences(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutReferences);
  if (!isPlainObject(json)) return json;
  if ("$ref" in json) return {};
  const entries = Object.entries(json).filter(([name]) => name !== "$schema" && name !== "$defs" && name !== "~standard");
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutReferences(value)]));
}

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
