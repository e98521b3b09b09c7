/**
 * Counts the work of one evaluation. A step is about what one part of an expression costs; functions charge for what they look at and
 * for what they make before they make it.
 */
import { limit } from "../../limits.ts";
import type { Json } from "../../operations/operation.ts";

/**
 * `absent`: a field, element or value is not there. `type`: an operation got a value of another kind. `value`: it cannot do with this
 * value. `limit`: the work or the result is too large.
 */
export type ExpressionErrorCode = "absent" | "type" | "value" | "limit";

/** Characters that cost one step to look at or to copy. */
const CHARS_PER_STEP = 32;
const COMPARISONS_PER_STEP = 2;
/** Making and catching a failure takes the engine so much longer than a step. */
const FAILURE_STEPS = 40;
const SHOWN_CHARS = 60;

export interface WorkLimits {
  readonly stepsMax: number;
  readonly sizeMax: number;
}

/** Ends an evaluation; only `absent`, `type` and `value` can be caught, by `default`, `&&`, `||`, `exists` and `all`. */
export class ExpressionFailure extends Error {
  override name = "ExpressionFailure";
  readonly code: ExpressionErrorCode;
  readonly offset: number;

  constructor(code: ExpressionErrorCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}

export class Work {
  /** Where in the text the function that runs was called. */
  offset = 0;
  #steps = 0;
  #size = 0;
  readonly #limits: WorkLimits;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Charges for work that is done next. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.stepsMax) this.#exceed(`takes more than ${this.#limits.stepsMax} steps`);
  }

  /** Charges for bringing so many elements into an order; comparing long texts is charged besides. */
  sort(elements: number): void {
    this.#grow(elements);
    this.spend(elements + Math.ceil((elements * Math.log2(Math.max(1, elements))) / COMPARISONS_PER_STEP));
  }

  /** Charges for looking at a text. */
  read(text: string): void {
    if (text.length >= CHARS_PER_STEP) this.spend(Math.floor(text.length / CHARS_PER_STEP));
  }

  /** Charges for a text of so many characters that is made next. */
  growText(chars: number): void {
    this.#grow(chars);
    if (chars >= CHARS_PER_STEP) this.spend(Math.floor(chars / CHARS_PER_STEP));
  }

  /** Charges for a list or record of so many elements that is made next. */
  growList(elements: number): void {
    this.#grow(elements);
    this.spend(elements);
  }

  /** A failure that the expression may catch, at the function that runs. */
  fail(code: Exclude<ExpressionErrorCode, "limit">, message: string): never {
    return this.failAt(this.offset, code, message);
  }

  failAt(offset: number, code: Exclude<ExpressionErrorCode, "limit">, message: string): never {
    this.spend(FAILURE_STEPS);
    throw new ExpressionFailure(code, offset, message);
  }

  /**
   * What leaves an evaluation. Lists and records that the expression made may hold one value many times, which takes no memory
   * until somebody writes it down: their size as text is counted.
   */
  result(value: Json, isFresh: boolean): Json {
    if (isFresh && typeof value === "object" && value !== null) this.#measure(value, 1);
    return value;
  }

  #measure(value: Json, depth: number): void {
    this.spend(1);
    if (typeof value === "string") return this.growText(value.length);
    if (typeof value !== "object" || value === null) return;
    if (depth > limit("valueDepthMax")) this.#exceed(`makes a value of more than ${limit("valueDepthMax")} levels`);
    if (isList(value)) {
      this.growList(value.length);
      for (const item of value) this.#measure(item, depth + 1);
      return;
    }
    for (const name of Object.keys(value)) {
      this.growText(name.length);
      this.#measure(value[name] ?? null, depth + 1);
    }
  }

  #grow(size: number): void {
    this.#size += size;
    if (this.#size > this.#limits.sizeMax) this.#exceed(`makes more than ${this.#limits.sizeMax} characters and elements`);
  }

  #exceed(what: string): never {
    throw new ExpressionFailure("limit", this.offset, `The expression ${what}. Let it do less, or use a script node.`);
  }
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isRecord(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, for people and for `type`. */
export function kindOf(value: Json): "null" | "boolean" | "number" | "string" | "list" | "record" {
  if (value === null) return "null";
  if (typeof value === "object") return isList(value) ? "list" : "record";
  return typeof value === "boolean" ? "boolean" : typeof value === "number" ? "number" : "string";
}

/** A text of hostile length in a message. */
export function shorten(text: string): string {
  return `${text.slice(0, SHOWN_CHARS).toWellFormed()}${text.length > SHOWN_CHARS ? "…" : ""}`;
}

/** The failure, when the expression may catch it; throws everything else on. */
export function catchable(failure: unknown): ExpressionFailure {
  if (failure instanceof ExpressionFailure && failure.code !== "limit") return failure;
  throw failure;
}
