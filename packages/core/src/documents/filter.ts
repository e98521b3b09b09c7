/** Filter expressions of queries: read from hostile JSON and evaluated for each document. */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { argumentValue } from "./argument-value.ts";
import { fieldAt, parseFieldPath } from "./field-path.ts";
import { compareValues } from "./order.ts";
import { StepBudget } from "./step-budget.ts";
import { shownValue } from "./validator-text.ts";
import { valueSizeBytes, type Value, type ValueObject } from "./values.ts";

type Comparison = "$eq" | "$neq" | "$lt" | "$lte" | "$gt" | "$gte";
type Arithmetic = "$add" | "$sub" | "$mul" | "$div" | "$mod";

export type Expression =
  | { readonly op: "$literal"; readonly value: Value | undefined }
  | { readonly op: "$field"; readonly path: string }
  | { readonly op: Comparison | Arithmetic; readonly left: Expression; readonly right: Expression }
  | { readonly op: "$neg" | "$not"; readonly operand: Expression }
  | { readonly op: "$and" | "$or"; readonly operands: readonly Expression[] };

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Reads an expression. Throws InvalidArgument. */
export function parseExpression(json: unknown): Expression {
  return new Reader().expression(json, 0);
}

/** Work that the filters of one transaction may do in all, and those of one query for one document. */
export function filterBudget(): StepBudget {
  return new StepBudget({
    what: "Steps of the filters of one function call",
    max: limit("filterStepsMax"),
    pieceWhat: "Steps of the filters for one document",
    pieceMax: limit("filterRowStepsMax"),
  });
}

/** The value of `expression` for a document. Throws InvalidArgument for operands of wrong types, LimitExceeded for too much work. */
export function evaluateExpression(expression: Expression, document: ValueObject, budget: StepBudget = filterBudget()): Value | undefined {
  budget.spend(1);
  switch (expression.op) {
    case "$literal":
      return expression.value;
    case "$field":
      return fieldAt(document, expression.path);
    case "$eq":
    case "$neq":
    case "$lt":
    case "$lte":
    case "$gt":
    case "$gte":
      return compare(expression.op, operands(expression, document, budget), budget);
    case "$add":
    case "$sub":
    case "$mul":
    case "$div":
    case "$mod":
      return calculate(expression.op, operands(expression, document, budget));
    case "$neg":
      return negate(evaluateExpression(expression.operand, document, budget));
    case "$not":
      return !evaluateFilter(expression.operand, document, budget);
    case "$and":
      return expression.operands.every((operand) => evaluateFilter(operand, document, budget));
    case "$or":
      return expression.operands.some((operand) => evaluateFilter(operand, document, budget));
  }
}

/** Whether the filter lets a document pass. Throws InvalidArgument when its value is not a boolean. */
export function evaluateFilter(expression: Expression, document: ValueObject, budget: StepBudget = filterBudget()): boolean {
  const value = evaluateExpression(expression, document, budget);
  if (typeof value !== "boolean") throw plinthError("InvalidArgument", { detail: `A filter needs a boolean, not ${shown(value)}.` });
  return value;
}

interface Operands {
  readonly left: Value | undefined;
  readonly right: Value | undefined;
}

function operands(
  expression: { readonly left: Expression; readonly right: Expression },
  document: ValueObject,
  budget: StepBudget,
): Operands {
  return { left: evaluateExpression(expression.left, document, budget), right: evaluateExpression(expression.right, document, budget) };
}

function compare(op: Comparison, { left, right }: Operands, budget: StepBudget): boolean {
  budget.spend(compareSteps(left, right));
  const order = compareValues(left, right);
  switch (op) {
    case "$eq":
      return order === 0;
    case "$neq":
      return order !== 0;
    case "$lt":
      return order < 0;
    case "$lte":
      return order <= 0;
    case "$gt":
      return order > 0;
    case "$gte":
      return order >= 0;
  }
}

/** A step for every 8 bytes of text, bytes, arrays and objects that a comparison may have to read. */
function compareSteps(left: Value | undefined, right: Value | undefined): number {
  if (typeof left === "string" && typeof right === "string") return Math.min(left.length, right.length) >> 3;
  if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) return 0;
  return (valueSizeBytes(left) + valueSizeBytes(right)) >> 3;
}

const VERBS = { $add: "add", $sub: "subtract", $mul: "multiply", $div: "divide", $mod: "take the remainder of" } as const;

function calculate(op: Arithmetic, { left, right }: Operands): Value {
  if (typeof left === "number" && typeof right === "number") return calculateFloat(op, left, right);
  if (typeof left === "bigint" && typeof right === "bigint") return calculateInteger(op, left, right);
  const detail = `Cannot ${VERBS[op]} ${shown(left)} and ${shown(right)}; both have to be float64 or both int64.`;
  throw plinthError("InvalidArgument", { detail });
}

function calculateFloat(op: Arithmetic, left: number, right: number): number {
  switch (op) {
    case "$add":
      return left + right;
    case "$sub":
      return left - right;
    case "$mul":
      return left * right;
    case "$div":
      return left / right;
    case "$mod":
      return left % right;
  }
}

function calculateInteger(op: Arithmetic, left: bigint, right: bigint): bigint {
  switch (op) {
    case "$add":
      return inRange(left + right);
    case "$sub":
      return inRange(left - right);
    case "$mul":
      return inRange(left * right);
    case "$div":
    case "$mod":
      if (right === 0n) throw plinthError("InvalidArgument", { detail: `Cannot ${VERBS[op]} ${left}n by 0n.` });
      return op === "$mod" ? left % right : inRange(left / right);
  }
}

function negate(value: Value | undefined): Value {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return inRange(-value);
  throw plinthError("InvalidArgument", { detail: `Cannot negate ${shown(value)}; it has to be a float64 or int64.` });
}

function inRange(value: bigint): bigint {
  if (value < INT64_MIN || value > INT64_MAX) {
    throw plinthError("InvalidArgument", { detail: `The filter computes ${value}n, which does not fit into 64 bits.` });
  }
  return value;
}

function shown(value: Value | undefined): string {
  return value === undefined ? "undefined" : shownValue(value);
}

class Reader {
  #nodes = 0;

  expression(json: unknown, depth: number): Expression {
    this.#nodes += 1;
    if (this.#nodes > limit("filterNodesMax")) throw invalid(`it has more than ${limit("filterNodesMax")} parts`);
    if (depth > limit("filterDepthMax")) throw invalid(`it is nested deeper than ${limit("filterDepthMax")} levels`);
    const [op, content] = onlyEntry(json);
    switch (op) {
      case "$literal":
        return { op, value: argumentValue(content) };
      case "$field":
        return { op, path: parseFieldPath(content) };
      case "$eq":
      case "$neq":
      case "$lt":
      case "$lte":
      case "$gt":
      case "$gte":
      case "$add":
      case "$sub":
      case "$mul":
      case "$div":
      case "$mod":
        return { op, ...this.#pair(op, content, depth) };
      case "$neg":
      case "$not":
        return { op, operand: this.expression(content, depth + 1) };
      case "$and":
      case "$or":
        return { op, operands: list(op, content).map((operand) => this.expression(operand, depth + 1)) };
      default:
        throw invalid(`${JSON.stringify(op.slice(0, 40))} is not an operator`);
    }
  }

  #pair(op: string, content: unknown, depth: number): { left: Expression; right: Expression } {
    const pair = list(op, content);
    if (pair.length !== 2) throw invalid(`\`${op}\` needs two operands, not ${pair.length}`);
    return { left: this.expression(pair[0], depth + 1), right: this.expression(pair[1], depth + 1) };
  }
}

function onlyEntry(json: unknown): [string, unknown] {
  const entries = typeof json === "object" && json !== null && !Array.isArray(json) ? Object.entries(json) : [];
  const entry = entries[0];
  if (entry === undefined || entries.length > 1) throw invalid("every part is an object with one operator");
  return entry;
}

function list(op: string, json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw invalid(`\`${op}\` needs a list of operands`);
  return json;
}

function invalid(why: string): Error {
  return plinthError("InvalidArgument", { detail: `The filter is not valid: ${why}.` });
}
