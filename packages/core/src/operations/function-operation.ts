/**
 * What a function of a functions folder says of the operation that it is, read from hostile text. `operation` of the SDK writes it:
 *
 *     {"slug": null, "displayName": null, "description": "", "type": "action", "isWorkflowNode": true, "isAgentSkill": false,
 *      "effect": "outside", "timeoutMs": null, "hasSchema": false, "hasActivate": false, "hasDeactivate": false,
 *      "input": shape, "output": shape}
 *
 * A shape is `{"kind": "validator", "validator": JSON of a validator of objects}`, `{"kind": "schema", "schema": JSON Schema of
 * objects}`, or `{"kind": "open"}` for what only its own code can check.
 */
import { isJsonObject, parsePackageJson, parseValidator } from "../documents/validator-json.ts";
import type { Validator } from "../documents/validators.ts";
import { PlinthError, plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { fieldsOfSchema } from "./json-schema.ts";
import { titleOf } from "./object-name.ts";
import { DEFAULT_PORT, type JsonSchema, type Operation, type Port } from "./operation.ts";
import { fieldsOfObject } from "./validator-fields.ts";

export const FUNCTIONS_NAMESPACE = "functions";

export interface FunctionOperation {
  /** `dir/module:export`. */
  readonly path: string;
  readonly operation: Operation;
  /** Whose values its code gets; null: it gets plain JSON. */
  readonly input: Validator | null;
  readonly hasSchema: boolean;
  readonly hasActivate: boolean;
  readonly hasDeactivate: boolean;
}

const SLUG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const TYPES: readonly Operation["type"][] = ["action", "trigger"];
const EFFECTS: readonly Operation["effect"][] = ["read", "write", "outside"];

type Fields = Readonly<Record<string, unknown>>;

/** Throws InvalidPackage, which names the function. */
export function parseFunctionOperation(path: string, text: string): FunctionOperation {
  const what = `operation '${path}'`;
  try {
    const json = parsePackageJson(text, what, limit("operationTextDepthMax"));
    if (!isJsonObject(json)) throw wrong("it is not described by an object");
    return read(path, json);
  } catch (error) {
    if (!(error instanceof PlinthError || error instanceof Misfit)) throw error;
    throw plinthError("InvalidPackage", { detail: `the ${what} is wrong: ${error.message}.` }, { cause: error });
  }
}

function read(path: string, json: Fields): FunctionOperation {
  const slug = json["slug"] ?? slugOf(path);
  if (typeof slug !== "string" || !SLUG.test(slug)) {
    throw wrong("a slug has 1 to 128 letters, digits, `_`, `-` and `.`");
  }
  const input = shapeOf(json["input"], "input");
  const output = shapeOf(json["output"], "output");
  return {
    path,
    operation: {
      slug,
      namespace: FUNCTIONS_NAMESPACE,
      displayName: json["displayName"] === null ? titleOf(slug) : textOf(json, "displayName", limit("manifestNameCharsMax")),
      description: textOf(json, "description", limit("operationDescriptionCharsMax")),
      type: choiceOf(json, "type", TYPES),
      origin: "function",
      isWorkflowNode: flagOf(json, "isWorkflowNode"),
      isAgentSkill: flagOf(json, "isAgentSkill"),
      inputs: [input.port],
      outputs: [output.port],
      effect: choiceOf(json, "effect", EFFECTS),
      scopes: [],
      timeoutMs: timeoutOf(json["timeoutMs"]),
    },
    input: input.validator,
    hasSchema: flagOf(json, "hasSchema"),
    hasActivate: flagOf(json, "hasActivate"),
    hasDeactivate: flagOf(json, "hasDeactivate"),
  };
}

/** The ports of a shape that a schema handler answered with; undefined when it is none. */
export function portOfShape(json: unknown): Port | undefined {
  try {
    return shapeOf(json, "shape").port;
  } catch (error) {
    if (error instanceof PlinthError || error instanceof Misfit) return undefined;
    throw error;
  }
}

function shapeOf(json: unknown, what: string): { readonly port: Port; readonly validator: Validator | null } {
  const shape = isJsonObject(json) ? json : {};
  switch (shape["kind"]) {
    case "open":
      return { port: { name: DEFAULT_PORT, fields: [], isOpen: true }, validator: null };
    case "validator": {
      const validator = parseValidator(shape["validator"]);
      if (validator.type !== "object") throw wrong(`its ${what} is no object`);
      return { port: { name: DEFAULT_PORT, fields: fieldsOfObject(validator.fields) }, validator };
    }
    case "schema": {
      const { schema } = shape;
      if (!isJsonObject(schema) || schema["type"] !== "object" || !isJsonObject(schema["properties"])) {
        throw wrong(`its ${what} has no JSON Schema of an object`);
      }
      const others = schema["additionalProperties"];
      const isOpen = others === true || isJsonObject(others);
      // What was parsed from text is JSON.
      const fields = fieldsOfSchema(schema as JsonSchema);
      return { port: { name: DEFAULT_PORT, fields, ...(isOpen ? { isOpen } : {}) }, validator: null };
    }
    default:
      throw wrong(`its ${what} has no shape`);
  }
}

/** `mail:sendMail` → `send_mail`; the module's name of a default export. */
function slugOf(path: string): string {
  const colon = path.lastIndexOf(":");
  const name = path.slice(colon + 1);
  const own = name === "default" ? (path.slice(0, colon).split("/").at(-1) ?? "") : name;
  return own
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("$", "_")
    .toLowerCase();
}

function textOf(json: Fields, name: string, charsMax: number): string {
  const text = json[name];
  if (typeof text !== "string" || text.length > charsMax) throw wrong(`its ${name} is not a text of at most ${charsMax} characters`);
  return text;
}

function flagOf(json: Fields, name: string): boolean {
  const flag = json[name];
  if (typeof flag !== "boolean") throw wrong(`its ${name} is neither true nor false`);
  return flag;
}

function choiceOf<T extends string>(json: Fields, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === json[name]);
  if (found === undefined) throw wrong(`its ${name} is none of ${choices.join(", ")}`);
  return found;
}

function timeoutOf(json: unknown): number | null {
  const max = limit("actionWallMsMax");
  if (json === null) return null;
  if (typeof json !== "number" || !Number.isInteger(json) || json < 1 || json > max) throw wrong(`its timeoutMs is not 1 to ${max}`);
  return json;
}

class Misfit extends Error {}

function wrong(detail: string): Misfit {
  return new Misfit(detail);
}
