/**
 * Checks plain JSON against the keywords of JSON Schema that take a bounded time: types, constants, sizes, properties, items and
 * combinations. Others (patterns, references) are not looked at: whoever wrote the schema checks them in code of their own.
 */
import { limit } from "../limits.ts";
import { StepBudget } from "../documents/step-budget.ts";
import { isList, isObject, sameJson } from "./json-schema.ts";
import type { Json, JsonObject } from "./operation.ts";

export type Path = readonly (string | number)[];

/** What is wrong with a value: the rest of a sentence that begins with its place. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

export function checkBudget(): StepBudget {
  return new StepBudget({
    what: "Steps of the checks of an operation",
    max: limit("validationStepsMax"),
    pieceWhat: "Steps of the checks of an operation",
    pieceMax: limit("validationStepsMax"),
  });
}

const DEEPEST = 2 * limit("valueDepthMax");
const SHOWN_CHOICES = 20;

export function checkSchema(schema: Json, value: Json, budget: StepBudget = checkBudget(), path: Path = []): Problem | null {
  budget.spend(1);
  if (typeof schema === "boolean") return schema ? null : { path, message: "may not be there" };
  if (!isObject(schema) || path.length > DEEPEST) return null;
  return (
    checkType(schema["type"], value, path) ??
    checkConstants(schema, value, { budget, path }) ??
    checkSizes(schema, value, path) ??
    checkParts(schema, value, { budget, path }) ??
    checkCombinations(schema, value, { budget, path })
  );
}

interface Context {
  readonly budget: StepBudget;
  readonly path: Path;
}

function checkType(type: Json | undefined, value: Json, path: Path): Problem | null {
  const types = isList(type) ? type : type === undefined ? [] : [type];
  if (types.length === 0 || types.some((one) => isOfType(one, value))) return null;
  const wanted = types.map((one) => TYPE_NAMES.get(one) ?? "something else").join(" or ");
  return { path, message: `has to be ${wanted}, not ${kindOf(value)}` };
}

const TYPE_NAMES: ReadonlyMap<Json, string> = new Map([
  ["string", "a text"],
  ["integer", "a whole number"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["object", "an object"],
  ["array", "a list"],
  ["null", "null"],
]);

function isOfType(type: Json, value: Json): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return isList(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

function checkConstants(schema: JsonObject, value: Json, { budget, path }: Context): Problem | null {
  const { enum: choices } = schema;
  if (isList(choices)) {
    budget.spend(choices.length);
    if (!choices.some((choice) => sameJson(choice, value))) return { path, message: `has to be one of ${shownChoices(choices)}` };
  }
  const constant = schema["const"];
  if (constant !== undefined && !sameJson(constant, value)) return { path, message: `has to be ${shown(constant)}` };
  const format = schema["format"];
  const test = typeof format === "string" && typeof value === "string" ? FORMATS.get(format) : undefined;
  if (test !== undefined && !test.matches(value as string)) return { path, message: `has to be ${test.name}` };
  return null;
}

interface Format {
  readonly name: string;
  readonly matches: (text: string) => boolean;
}

const INT64_MAX = 2n ** 63n - 1n;

/** Checked by code of the host: expressions without nested repetition on texts of bounded length. */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ["date", { name: "a date, as 2026-01-31", matches: (text) => /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])$/.test(text) }],
  [
    "date-time",
    {
      name: "a time, as 2026-01-31T12:00:00Z",
      matches: (text) =>
        text.length <= 40 &&
        /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text),
    },
  ],
  [
    "int64",
    {
      name: "a whole number of 64 bits in decimal digits",
      matches: (text) => {
        if (!/^-?\d{1,19}$/.test(text)) return false;
        const number = BigInt(text);
        return number <= INT64_MAX && number >= -INT64_MAX - 1n;
      },
    },
  ],
]);

function checkSizes(schema: JsonObject, value: Json, path: Path): Problem | null {
  const bound = (keyword: string): number | undefined => {
    const number = schema[keyword];
    return typeof number === "number" ? number : undefined;
  };
  if (typeof value === "number") {
    const [min, max] = [bound("minimum"), bound("maximum")];
    if (min !== undefined && value < min) return { path, message: `has to be at least ${min}` };
    if (max !== undefined && value > max) return { path, message: `has to be at most ${max}` };
    const [above, below] = [bound("exclusiveMinimum"), bound("exclusiveMaximum")];
    if (above !== undefined && value <= above) return { path, message: `has to be more than ${above}` };
    if (below !== undefined && value >= below) return { path, message: `has to be less than ${below}` };
    return null;
  }
  const [size, min, max, what] =
    typeof value === "string"
      ? [value.length, bound("minLength"), bound("maxLength"), "characters"]
      : isList(value)
        ? [value.length, bound("minItems"), bound("maxItems"), "items"]
        : [0, undefined, undefined, ""];
  if (min !== undefined && size < min) return { path, message: `has ${size} ${what} and needs ${min}` };
  if (max !== undefined && size > max) return { path, message: `has ${size} ${what} and may have ${max}` };
  return null;
}

function checkParts(schema: JsonObject, value: Json, { budget, path }: Context): Problem | null {
  if (isList(value)) {
    const { items } = schema;
    if (items === undefined) return null;
    for (const [i, item] of value.entries()) {
      const problem = checkSchema(items, item, budget, [...path, i]);
      if (problem !== null) return problem;
    }
    return null;
  }
  if (!isObject(value)) return null;
  const { required, additionalProperties: rest } = schema;
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const rule = (name: string): Json | undefined => (Object.hasOwn(properties, name) ? properties[name] : rest);
  for (const name of isList(required) ? required : []) {
    budget.spend(1);
    if (typeof name === "string" && !Object.hasOwn(value, name)) return { path: [...path, name], message: "is missing" };
  }
  for (const name of Object.keys(value)) {
    budget.spend(1);
    const inner = rule(name);
    if (inner === false) return { path: [...path, name], message: "is not a field of it" };
    const problem = inner === undefined ? null : checkSchema(inner, value[name] ?? null, budget, [...path, name]);
    if (problem !== null) return problem;
  }
  return null;
}

function checkCombinations(schema: JsonObject, value: Json, { budget, path }: Context): Problem | null {
  const { allOf } = schema;
  for (const one of isList(allOf) ? allOf : []) {
    const problem = checkSchema(one, value, budget, path);
    if (problem !== null) return problem;
  }
  for (const choices of [schema["anyOf"], schema["oneOf"]]) {
    if (!isList(choices) || choices.length === 0) continue;
    const problems: Problem[] = [];
    for (const one of choices) {
      const problem = checkSchema(one, value, budget, path);
      if (problem === null) break;
      problems.push(problem);
    }
    if (problems.length === choices.length) return closest(problems, path);
  }
  return null;
}

/** The alternative that fits furthest says what is wrong. */
function closest(problems: readonly Problem[], path: Path): Problem {
  const deepest = problems.reduce((best, problem) => (problem.path.length > best.path.length ? problem : best));
  if (deepest.path.length > path.length || problems.length === 1) return deepest;
  return {
    path,
    message: problems
      .map(({ message }) => message)
      .slice(0, 4)
      .join(", or "),
  };
}

export function kindOf(value: Json): string {
  if (value === null) return "null";
  if (isList(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a text" : typeof value === "number" ? "a number" : String(value);
}

function shownChoices(choices: readonly Json[]): string {
  const some = choices.slice(0, SHOWN_CHOICES).map(shown).join(", ");
  return choices.length > SHOWN_CHOICES ? `${some}, …` : some;
}

function shown(json: Json): string {
  const text = JSON.stringify(json);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
