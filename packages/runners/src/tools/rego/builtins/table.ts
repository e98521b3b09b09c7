/** The functions of Rego that policies may call. To add one: a line in the table of its area. */
import { compare, equal, RegoSet, type Value } from "../values.ts";
import { ofNumbers, type Builtin } from "./builtin.ts";
import { COLLECTIONS, setMinus } from "./collections.ts";
import { ENCODING } from "./encoding.ts";
import { TEXTS } from "./texts.ts";

const minus = ofNumbers(2, (a, b) => a - b);

function relation(holds: (order: number) => boolean): Builtin {
  return { arity: 2, call: ([a = null, b = null]: readonly Value[]) => holds(compare(a, b)) };
}

const OPERATORS: Readonly<Record<string, Builtin>> = {
  equal: { arity: 2, call: ([a = null, b = null]) => equal(a, b) },
  neq: { arity: 2, call: ([a = null, b = null]) => !equal(a, b) },
  lt: relation((order) => order < 0),
  lte: relation((order) => order <= 0),
  gt: relation((order) => order > 0),
  gte: relation((order) => order >= 0),
  plus: ofNumbers(2, (a, b) => a + b),
  minus: { arity: 2, call: (args, context) => (args[0] instanceof RegoSet ? setMinus(args, context) : minus.call(args, context)) },
  mul: ofNumbers(2, (a, b) => a * b),
  div: ofNumbers(2, (a, b) => a / b),
  rem: ofNumbers(2, (a, b) => (Number.isInteger(a) && Number.isInteger(b) ? a % b : undefined)),
};

const NUMBERS: Readonly<Record<string, Builtin>> = {
  abs: ofNumbers(1, Math.abs),
  round: ofNumbers(1, (value) => Math.sign(value) * Math.round(Math.abs(value))),
  ceil: ofNumbers(1, Math.ceil),
  floor: ofNumbers(1, Math.floor),
  "time.now_ns": { arity: 0, call: (_args, { nowMs }) => nowMs * 1_000_000 },
};

export const BUILTINS: Readonly<Record<string, Builtin>> = { ...OPERATORS, ...NUMBERS, ...TEXTS, ...ENCODING, ...COLLECTIONS };
