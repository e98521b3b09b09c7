/** A part of an expression that is ready to run, and what it is made and run with. */
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import type { Findings } from "./findings.ts";
import type { Syntax } from "./syntax.ts";
import { isTimestampText, parseTimestamp, timestampText } from "./timestamps.ts";
import { isListType } from "./value-types.ts";
import { isList, type Work } from "./work.ts";

/** Steps to bring a timestamp into the form that sorts. */
const PARSE_STEPS = 8;

/** Names that an expression may begin with (`trigger`, `vars`, `steps`, `item`, `now`, …) and what they hold. */
export type ExpressionTypes = Readonly<Record<string, ValueType>>;

export interface Frame {
  readonly context: JsonObject;
  readonly work: Work;
  /** Values of the variables of loops, the outermost first. */
  readonly locals: Json[];
}

export type Run = (frame: Frame) => Json;

export interface Part {
  readonly type: ValueType;
  readonly run: Run;
  /** It may make lists or records, so its result is measured. */
  readonly isFresh: boolean;
}

export interface Scope {
  readonly types: ExpressionTypes;
  readonly findings: Findings;
  /** Makes the parts of a part. */
  readonly compile: (syntax: Syntax, scope: Scope) => Part;
  /** Variables of the loops around, the outermost first. */
  readonly locals: readonly { readonly name: string; readonly type: ValueType }[];
}

/** What stands for a part that has a finding; it is never run. */
export function brokenPart(): Part {
  return { type: "any", run: () => null, isFresh: false };
}

/** Adds a finding and stands for the part. */
export function refuse(scope: Scope, at: number, message: string): Part {
  scope.findings.add(at, message);
  return brokenPart();
}

/**
 * Values of a declared type as expressions have them (X3): a timestamp in another form becomes the one that sorts. What is no
 * timestamp stays as it is, for the operation that uses it to say so.
 */
export function conform(run: Run, type: ValueType): Run {
  if (type === "timestamp") return (frame) => conformTimestamp(run(frame), frame.work);
  if (isListType(type) && type.list === "timestamp")
    return (frame) => {
      const list = run(frame);
      if (!isList(list)) return list;
      frame.work.growList(list.length);
      return list.map((item) => conformTimestamp(item, frame.work));
    };
  return run;
}

export function conformTimestamp(value: Json, work: Work): Json {
  if (typeof value !== "string") return value;
  work.spend(1);
  if (isTimestampText(value)) return value;
  work.spend(PARSE_STEPS);
  const ms = parseTimestamp(value);
  return ms === null ? value : timestampText(ms);
}
