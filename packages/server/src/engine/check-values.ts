/** Checks of arguments and results. Both are hostile: arguments come from callers, results from runners. */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { scanJsonText } from "@plinth/core/documents/json-scan.ts";
import type { StepBudget } from "@plinth/core/documents/step-budget.ts";
import { parseValidator } from "@plinth/core/documents/validator-json.ts";
import { checkValue, describeFailure, type Validator } from "@plinth/core/documents/validators.ts";
import { isValueObject, parseValueText, valueFromJson, type Value, type ValueObject } from "@plinth/core/documents/values.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";

export type TableNumbers = Readonly<Record<string, number>>;

export interface CheckContext {
  readonly tables: TableNumbers;
  /** Shared by all checks of a call. */
  readonly checks: StepBudget;
}

interface Validators {
  readonly args: Validator;
  readonly returns: Validator | undefined;
}

// A resolved function stays the same object while its version serves, so each validator is read once.
const validatorsOf = new WeakMap<ResolvedFunction, Validators>();

/** Reads the JSON text of an arguments object; every limit of values holds. */
export function parseArgs(argsText: string): ValueObject {
  checkArgsBytes(argsText);
  return asArgs(parseValueText(argsText));
}

/** The same of text that is parsed already; `json` is what it says. */
export function parsedArgs(argsText: string, json: unknown): ValueObject {
  checkArgsBytes(argsText);
  return asArgs(valueFromJson(json));
}

function asArgs(args: Value): ValueObject {
  if (!isValueObject(args)) throw plinthError("ArgumentValidation", { detail: "The arguments of a function are one object." });
  return args;
}

function checkArgsBytes(argsText: string): void {
  const max = limit("argsBytesMax");
  if (argsText.length > max || (argsText.length * 3 > max && Buffer.byteLength(argsText) > max)) {
    throw plinthError("RequestTooLarge", { what: "arguments", actual: `${Buffer.byteLength(argsText)} bytes`, max: `${max} bytes` });
  }
}

/** Checks the JSON text of a handler's payload: any JSON within the limits of arguments. */
export function checkPayload(payloadText: string): void {
  checkArgsBytes(payloadText);
  scanJsonText(payloadText, { depthMax: limit("valueDepthMax") + 1, what: "arguments" });
  try {
    JSON.parse(payloadText);
  } catch {
    throw plinthError("ArgumentValidation", { detail: "The payload is not JSON." });
  }
}

export function checkArgs(fn: ResolvedFunction, args: Value, context: CheckContext): void {
  const failure = checkValue(validators(fn).args, args, tableNumbers(context.tables), context.checks);
  if (failure !== null) throw plinthError("ArgumentValidation", { detail: describeFailure(failure) });
}

/** Checks the result text of a runner. Throws ReturnsValidation. */
export function checkReturns(fn: ResolvedFunction | undefined, valueText: string, context: CheckContext): void {
  const returns = fn === undefined ? undefined : validators(fn).returns;
  try {
    if (returns === undefined) return checkIsJson(valueText);
    const failure = checkValue(returns, parseValueText(valueText), tableNumbers(context.tables), context.checks);
    if (failure !== null) throw plinthError("ReturnsValidation", { detail: describeFailure(failure) });
  } catch (error) {
    if (error instanceof PlinthError && error.spec.fault === "caller") throw plinthError("ReturnsValidation", { detail: error.message });
    throw error;
  }
}

/** Without a validator the text only has to be JSON, so that it can be put into answers as it is. */
function checkIsJson(text: string): void {
  scanJsonText(text, { depthMax: limit("valueDepthMax") + 1, what: "result" });
  try {
    JSON.parse(text);
  } catch {
    throw plinthError("ReturnsValidation", { detail: "The result is not JSON." });
  }
}

function validators(fn: ResolvedFunction): Validators {
  let found = validatorsOf.get(fn);
  if (found === undefined) {
    found = {
      args: parseValidator(fn.args),
      returns: fn.returns === null || fn.returns === undefined ? undefined : parseValidator(fn.returns),
    };
    validatorsOf.set(fn, found);
  }
  return found;
}

function tableNumbers(tables: TableNumbers): { tableNumber: (name: string) => number | undefined } {
  return { tableNumber: (name) => (Object.hasOwn(tables, name) ? tables[name] : undefined) };
}
