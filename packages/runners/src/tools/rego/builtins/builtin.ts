/** What a function of Rego is. One that does not fit its values has no value, as a condition that does not hold. */
import type { Budget } from "../budget.ts";
import type { Value } from "../values.ts";

export interface BuiltinContext {
  readonly budget: Budget;
  readonly nowMs: number;
}

export interface Builtin {
  readonly arity: number;
  readonly call: (args: readonly Value[], context: BuiltinContext) => Value | undefined;
}

/** A function of texts. */
export function ofTexts(arity: number, call: (...texts: string[]) => Value | undefined): Builtin {
  return {
    arity,
    call: (args, { budget }) => {
      const texts = args.filter((arg) => typeof arg === "string");
      if (texts.length !== arity) return undefined;
      budget.takeChars(texts.reduce((sum, text) => sum + text.length, 0));
      const value = call(...texts);
      if (typeof value === "string") budget.takeChars(value.length);
      return value;
    },
  };
}

export function ofNumbers(arity: number, call: (...numbers: number[]) => Value | undefined): Builtin {
  return {
    arity,
    call: (args) => {
      const numbers = args.filter((arg) => typeof arg === "number");
      if (numbers.length !== arity) return undefined;
      const value = call(...numbers);
      return typeof value === "number" && !Number.isFinite(value) ? undefined : value;
    },
  };
}
