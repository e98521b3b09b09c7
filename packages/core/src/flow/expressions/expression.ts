/**
 * Expressions of flows: CEL over JSON. This file is the contract; `parse-expression.ts` reads a text, `compiler.ts` checks its types and
 * makes it ready to run, `functions/table.ts` lists what it may call.
 *
 * X1 Pure: the same context gives the same result. There is no clock; `now` is a name of the context like any other.
 * X2 Bounded: every step, and every character and element that comes into being, is counted. Over the limit the evaluation ends with
 *    an error that the expression itself cannot catch.
 * X3 JSON goes in and JSON comes out: numbers are doubles, never infinite; timestamps are texts in UTC with milliseconds, which sort
 *    by time.
 * X4 Only what a value itself has can be reached: nothing of its prototype, nothing of the host.
 * X5 Types are what the definition says; values may be different, so every operation looks at what it gets.
 * X6 Nothing throws: what is wrong with a text is a finding, what is wrong with values is an error with a position.
 */
import { limit } from "../../limits.ts";
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { compileSyntax } from "./compiler.ts";
import { type ExpressionFinding, Findings, type Position } from "./findings.ts";
import { parseExpression } from "./parse-expression.ts";
import { pathsOf } from "./paths.ts";
import type { ExpressionTypes } from "./part.ts";
import { describeType, isAssignable } from "./value-types.ts";
import { type ExpressionErrorCode, ExpressionFailure, Work } from "./work.ts";

export interface ExpressionError {
  readonly code: ExpressionErrorCode;
  readonly message: string;
  readonly position: Position;
}

export type Evaluation =
  | { readonly ok: true; readonly value: Json; readonly cost: number }
  | { readonly ok: false; readonly error: ExpressionError; readonly cost: number };

export interface EvaluationOptions {
  /** Steps; `expressionCostMax` when absent. */
  readonly costMax?: number;
}

export interface Expression {
  readonly text: string;
  readonly type: ValueType;
  /** Paths into the context that it reads, as far as the text tells: `["steps", "price", "output", "total"]`. */
  readonly reads: readonly (readonly string[])[];
  /** The result may share parts with the context: neither may be changed afterwards. */
  readonly evaluate: (context: JsonObject, options?: EvaluationOptions) => Evaluation;
}

export type CompiledExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly findings: readonly ExpressionFinding[] };

/** `expected`: what the place needs, such as `boolean` for a condition. */
export function compileExpression(text: string, types: ExpressionTypes, expected: ValueType = "any"): CompiledExpression {
  const findings = new Findings(text);
  const syntax = parseExpression(text, findings);
  const part = syntax === null ? null : compileSyntax(syntax, types, findings);
  if (part !== null && findings.isEmpty && !isAssignable(part.type, expected))
    findings.add(0, `This is ${describeType(part.type)}; ${describeType(expected)} is needed here.${conversion(part.type, expected)}`);
  if (syntax === null || part === null || !findings.isEmpty) return { ok: false, findings: findings.list };

  const evaluate = (context: JsonObject, options: EvaluationOptions = {}): Evaluation => {
    const work = new Work({ stepsMax: options.costMax ?? limit("expressionCostMax"), sizeMax: limit("expressionSizeMax") });
    try {
      return { ok: true, value: work.result(part.run({ context, work, locals: [] }), part.isFresh), cost: work.steps };
    } catch (failure) {
      return { ok: false, error: expressionError(failure, text), cost: work.steps };
    }
  };
  return { ok: true, expression: { text, type: part.type, reads: pathsOf(syntax), evaluate } };
}

/** What an evaluation ended with; anything that is no failure of an expression is thrown on. */
function expressionError(failure: unknown, text: string): ExpressionError {
  if (failure instanceof ExpressionFailure)
    return { code: failure.code, message: failure.message, position: new Findings(text).position(failure.offset) };
  // The engine's stack is nearly used up by the caller: the expression's own depth is bounded.
  if (failure instanceof RangeError)
    return { code: "limit", message: "The expression nests too deeply.", position: { line: 1, column: 1 } };
  throw failure;
}

function conversion(type: ValueType, expected: ValueType): string {
  if (expected === "timestamp" && type === "string") return " `timestamp(x)` makes one of a text.";
  if (expected === "number" && type === "string") return " `number(x)` makes one of a text.";
  return expected === "string" ? " `string(x)` makes one." : "";
}
