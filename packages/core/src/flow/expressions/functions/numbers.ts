/** Functions of numbers, which are doubles. */
import type { Json } from "../../../operations/operation.ts";
import type { ValueType } from "../../definition.ts";
import { isListType } from "../value-types.ts";
import { capital, compare, describe, finite } from "../values.ts";
import { isList, shorten, type Work } from "../work.ts";
import { type FunctionSpec, many, numberOf, one, optional, wholeOf } from "./function-spec.ts";
import { plainText } from "./format-text.ts";

const DECIMALS = { min: 0, max: 15 };
/** Steps to move a decimal point through texts. */
const ROUND_STEPS = 6;
const NUMBER_CHARS = 40;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Half away from zero, as prices are rounded; 1.005 has two decimals of 1.01, whatever its double is. */
function round(value: number, decimals: number): number {
  const magnitude = Math.abs(value);
  if (decimals === 0) return Math.sign(value) * Math.round(magnitude);
  const [digits = "0", exponent = "0"] = String(magnitude).split("e");
  const moved = Math.round(Number(`${digits}e${Number(exponent) + decimals}`));
  const [movedDigits = "0", movedExponent = "0"] = String(moved).split("e");
  const rounded = Number(`${movedDigits}e${Number(movedExponent) - decimals}`);
  return Math.sign(value) * (Number.isFinite(rounded) ? rounded : magnitude);
}

function toNumber(value: Json, work: Work): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") return work.fail("type", `${capital(describe(value))} is no number.`);
  const trimmed = value.length <= NUMBER_CHARS ? value.trim() : value;
  if (trimmed.length > NUMBER_CHARS || !DECIMAL.test(trimmed))
    return work.fail("value", `\`${shorten(value)}\` is no number, such as 12.5.`);
  return finite(Number(trimmed), work);
}

/** The smallest (`sign` 1) or largest (-1) of some values or of one list. */
function extreme(args: readonly Json[], sign: 1 | -1, work: Work): Json {
  const [first = null] = args;
  const values = isList(first) ? first : args;
  work.spend(values.length);
  let best = values[0];
  if (best === undefined) return work.fail("absent", "An empty list has neither a smallest nor a largest value.");
  for (const value of values) {
    if (typeof value !== "number" && typeof value !== "string")
      return work.fail("type", `Numbers and texts have an order, and this is ${describe(value)}.`);
    if (compare(value, best, work) * sign < 0) best = value;
  }
  return best;
}

const typeOfExtreme = (types: readonly ValueType[]): ValueType => {
  const [first = "any"] = types;
  if (isListType(first)) return first.list;
  return types.every((type) => type === first) ? first : "any";
};

const EXTREME_PARAMETERS = [many("values", "number", "text", "list")];

export const NUMBER_FUNCTIONS: readonly FunctionSpec[] = [
  {
    name: "number",
    parameters: [one("value", "text", "number", "boolean")],
    result: "number",
    description: "A text such as `12.5` as a number; true is 1.",
    examples: [['number(" 12.50 ")', 12.5]],
    run: (args, work) => toNumber(args[0] ?? null, work),
  },
  {
    name: "int",
    parameters: [one("value", "text", "number", "boolean")],
    result: "number",
    description: "The same without decimals.",
    examples: [["int(-7.9)", -7]],
    run: (args, work) => Math.trunc(toNumber(args[0] ?? null, work)) + 0,
  },
  {
    name: "string",
    parameters: [one("value", "any")],
    result: "string",
    description: "A value as a text; lists and records as JSON.",
    examples: [['"no. " + string(7)', "no. 7"]],
    run: (args, work) => plainText(args[0] ?? null, work),
  },
  {
    name: "round",
    parameters: [one("number", "number"), optional("decimals", "number")],
    result: "number",
    description: "The nearest number with so many decimals, half away from zero.",
    examples: [
      ["round(2.5)", 3],
      ["round(-2.5)", -3],
      ["round(1.005, 2)", 1.01],
    ],
    run: (args, work) => {
      work.spend(ROUND_STEPS);
      return round(numberOf(args, 0), args.length > 1 ? wholeOf(args, 1, DECIMALS, work) : 0) + 0;
    },
  },
  {
    name: "floor",
    parameters: [one("number", "number")],
    result: "number",
    description: "The next whole number below.",
    examples: [["floor(-1.2)", -2]],
    run: (args) => Math.floor(numberOf(args, 0)) + 0,
  },
  {
    name: "ceil",
    parameters: [one("number", "number")],
    result: "number",
    description: "The next whole number above.",
    examples: [["ceil(1.2)", 2]],
    run: (args) => Math.ceil(numberOf(args, 0)) + 0,
  },
  {
    name: "abs",
    parameters: [one("number", "number")],
    result: "number",
    description: "Without its sign.",
    examples: [["abs(-3)", 3]],
    run: (args) => Math.abs(numberOf(args, 0)),
  },
  {
    name: "min",
    parameters: EXTREME_PARAMETERS,
    result: typeOfExtreme,
    description: "The smallest of some values or of a list: numbers, texts or timestamps.",
    examples: [
      ["min(3, 1, 2)", 1],
      ["[3, 1, 2].min()", 1],
    ],
    run: (args, work) => extreme(args, 1, work),
  },
  {
    name: "max",
    parameters: EXTREME_PARAMETERS,
    result: typeOfExtreme,
    description: "The largest of some values or of a list.",
    examples: [["max(1, 3)", 3]],
    run: (args, work) => extreme(args, -1, work),
  },
];
