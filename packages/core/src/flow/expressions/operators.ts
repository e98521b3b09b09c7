/** `+ - * / %`, comparisons, `in`, `&& || !` and `? :`. Numbers are doubles, so `7 / 2` is 3.5. */
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { conformTimestamp, type Frame, type Part, refuse, type Run, type Scope } from "./part.ts";
import type { BinaryOperator, Syntax } from "./syntax.ts";
import { isMoment, parseTimestamp, timestampText } from "./timestamps.ts";
import { bounded, describeType, isListType, isRecordType, mayBeEqual, unite } from "./value-types.ts";
import { capital, compare, describe, finite, isEqual } from "./values.ts";
import { catchable, type ExpressionFailure, isList, isRecord, type Work } from "./work.ts";

type Kinded<K extends Syntax["kind"]> = Extract<Syntax, { kind: K }>;
/** What an operator does with two values. */
type Operate = (left: Json, right: Json, work: Work) => Json;

export function compileBinary(syntax: Kinded<"binary">, scope: Scope): Part {
  const left = scope.compile(syntax.left, scope);
  const right = scope.compile(syntax.right, scope);
  const { operator, at } = syntax;
  const operation = choose(operator, left.type, right.type);
  if (operation === null) return refuse(scope, at, mismatch(operator, left.type, right.type));
  const [type, operate] = operation;
  const run: Run = (frame) => {
    const a = left.run(frame);
    const b = right.run(frame);
    frame.work.offset = at;
    frame.work.spend(1);
    return operate(a, b, frame.work);
  };
  return { type, run, isFresh: typeof type === "object" || type === "any" };
}

export function compileNegate(syntax: Kinded<"negate">, scope: Scope): Part {
  const operand = scope.compile(syntax.operand, scope);
  if (!isKind(operand.type, "number")) return refuse(scope, syntax.at, `\`-\` needs a number, and this is ${describeType(operand.type)}.`);
  const run: Run = (frame) => {
    const value = operand.run(frame);
    frame.work.offset = syntax.at;
    frame.work.spend(1);
    // Zero has one sign in JSON.
    return 0 - number(value, frame.work);
  };
  return { type: "number", run, isFresh: false };
}

export function compileNot(syntax: Kinded<"not">, scope: Scope): Part {
  const operand = condition(syntax.operand, "`!`", scope);
  const run: Run = (frame) => {
    frame.work.spend(1);
    return !operand(frame);
  };
  return { type: "boolean", run, isFresh: false };
}

/** Where one side decides alone, a failure of the other does not matter, whichever stands first: so says CEL. */
export function compileLogic(syntax: Kinded<"and" | "or">, scope: Scope): Part {
  const operator = syntax.kind === "and" ? "`&&`" : "`||`";
  const decisive = syntax.kind === "or";
  const left = condition(syntax.left, operator, scope);
  const right = condition(syntax.right, operator, scope);
  const run: Run = (frame) => {
    frame.work.spend(1);
    let failure: ExpressionFailure | null = null;
    try {
      if (left(frame) === decisive) return decisive;
    } catch (error) {
      failure = catchable(error);
    }
    if (right(frame) === decisive) return decisive;
    if (failure !== null) throw failure;
    return !decisive;
  };
  return { type: "boolean", run, isFresh: false };
}

export function compileConditional(syntax: Kinded<"conditional">, scope: Scope): Part {
  const decide = condition(syntax.condition, "`? :`", scope);
  const yes = scope.compile(syntax.yes, scope);
  const no = scope.compile(syntax.no, scope);
  const run: Run = (frame) => {
    frame.work.spend(1);
    return decide(frame) ? yes.run(frame) : no.run(frame);
  };
  return { type: bounded(unite(yes.type, no.type)), run, isFresh: yes.isFresh || no.isFresh };
}

/** A part that has to be true or false. */
export function condition(syntax: Syntax, what: string, scope: Scope): (frame: Frame) => boolean {
  const part = scope.compile(syntax, scope);
  if (!isKind(part.type, "boolean"))
    scope.findings.add(syntax.at, `${what} needs true or false here, and this is ${describeType(part.type)}.`);
  return (frame) => {
    const value = part.run(frame);
    if (typeof value === "boolean") return value;
    return frame.work.failAt(
      syntax.at,
      value === null ? "absent" : "type",
      `${what} needs true or false here, and this is ${describe(value)}.`,
    );
  };
}

function choose(operator: BinaryOperator, left: ValueType, right: ValueType): readonly [ValueType, Operate] | null {
  switch (operator) {
    case "==":
    case "!=":
      return mayBeEqual(left, right) ? ["boolean", equality(operator === "==", left, right)] : null;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return chooseOrder(operator, left, right);
    case "in":
      return isMembership(left, right) ? ["boolean", isIn] : null;
    case "+":
      return choosePlus(left, right);
    case "-":
      return chooseMinus(left, right);
    case "*":
    case "/":
    case "%":
      return areKind(left, right, "number") ? ["number", ARITHMETIC[operator]] : null;
  }
}

function choosePlus(left: ValueType, right: ValueType): readonly [ValueType, Operate] | null {
  if (left === "timestamp" && right === "number") return ["timestamp", shift];
  if (left === "number" && right === "timestamp") return ["timestamp", (a, b, work) => shift(b, a, work)];
  if (left === "timestamp" && right === "any")
    return ["any", (a, b, work) => (typeof b === "number" ? shift(a, b, work) : add(a, b, work))];
  if (left === "any" && right === "timestamp")
    return ["any", (a, b, work) => (typeof a === "number" ? shift(b, a, work) : add(a, b, work))];
  if (left === "any" && right === "any") return ["any", add];
  if (areKind(left, right, "number")) return ["number", add];
  if (isText(left) && isText(right)) return ["string", add];
  if (isAnyOrList(left) && isAnyOrList(right)) return [bounded({ list: unite(elements(left), elements(right)) }), add];
  return null;
}

function chooseMinus(left: ValueType, right: ValueType): readonly [ValueType, Operate] | null {
  if (left === "timestamp") {
    if (right === "number") return ["timestamp", (a, b, work) => shift(a, -number(b, work), work)];
    if (right === "timestamp") return ["number", between];
    if (right === "any") return ["any", (a, b, work) => (typeof b === "number" ? shift(a, -b, work) : between(a, b, work))];
    return null;
  }
  if (left === "any" && right === "timestamp") return ["number", between];
  return areKind(left, right, "number") ? ["number", ARITHMETIC["-"]] : null;
}

function chooseOrder(operator: "<" | "<=" | ">" | ">=", left: ValueType, right: ValueType): readonly [ValueType, Operate] | null {
  const holds = { "<": (n: number) => n < 0, "<=": (n: number) => n <= 0, ">": (n: number) => n > 0, ">=": (n: number) => n >= 0 }[
    operator
  ];
  if (areKind(left, right, "number") || areKind(left, right, "string")) return ["boolean", (a, b, work) => holds(compare(a, b, work))];
  if (areKind(left, right, "timestamp")) return ["boolean", (a, b, work) => holds(moment(a, work) - moment(b, work))];
  return null;
}

function equality(expected: boolean, left: ValueType, right: ValueType): Operate {
  if (left !== "timestamp" && right !== "timestamp") return (a, b, work) => isEqual(a, b, work) === expected;
  return (a, b, work) => isEqual(conformTimestamp(a, work), conformTimestamp(b, work), work) === expected;
}

const ARITHMETIC = {
  "-": (a, b, work) => finite(number(a, work) - number(b, work), work),
  "*": (a, b, work) => finite(number(a, work) * number(b, work), work),
  "/": (a, b, work) => finite(number(a, work) / number(b, work), work),
  "%": (a, b, work) => finite(number(a, work) % number(b, work), work),
} satisfies Record<string, Operate>;

const add: Operate = (a, b, work) => {
  if (typeof a === "number" && typeof b === "number") return finite(a + b, work);
  if (typeof a === "string" && typeof b === "string") {
    work.growText(a.length + b.length);
    return a + b;
  }
  if (isList(a) && isList(b)) {
    work.growList(a.length + b.length);
    return [...a, ...b];
  }
  if (a === null || b === null) return work.fail("absent", "There is nothing to add: the value is null.");
  return work.fail("type", `${capital(describe(a))} and ${describe(b)} cannot be added.`);
};

/** A timestamp so many milliseconds later. */
const shift: Operate = (timestamp, ms, work) => {
  const shifted = Math.round(moment(timestamp, work) + number(ms, work));
  return isMoment(shifted) ? timestampText(shifted) : work.fail("value", "Timestamps have the years 1 to 9999.");
};

const between: Operate = (a, b, work) => moment(a, work) - moment(b, work);

const isIn: Operate = (value, container, work) => {
  if (isList(container)) return container.some((item) => isEqual(item, value, work));
  if (isRecord(container)) return typeof value === "string" && Object.hasOwn(container, value);
  return work.fail(container === null ? "absent" : "type", `\`in\` looks into a list or a record, and this is ${describe(container)}.`);
};

function isMembership(value: ValueType, container: ValueType): boolean {
  if (isListType(container)) return mayBeEqual(value, container.list);
  if (isRecordType(container)) return isText(value);
  return container === "any";
}

function number(value: Json, work: Work): number {
  if (typeof value === "number") return value;
  return work.fail(value === null ? "absent" : "type", `A number is needed here, and this is ${describe(value)}.`);
}

function moment(value: Json, work: Work): number {
  if (typeof value !== "string")
    return work.fail(value === null ? "absent" : "type", `A timestamp is needed here, and this is ${describe(value)}.`);
  return parseTimestamp(value) ?? work.fail("value", "A timestamp is needed here, such as 2026-01-31T09:30:00Z; this text is none.");
}

function isKind(type: ValueType, kind: ValueType): boolean {
  return type === kind || type === "any";
}

function areKind(left: ValueType, right: ValueType, kind: ValueType): boolean {
  return isKind(left, kind) && isKind(right, kind);
}

/** A timestamp is a text too. */
function isText(type: ValueType): boolean {
  return type === "string" || type === "timestamp" || type === "any";
}

function isAnyOrList(type: ValueType): boolean {
  return type === "any" || isListType(type);
}

function elements(type: ValueType): ValueType {
  return isListType(type) ? type.list : "any";
}

function mismatch(operator: BinaryOperator, left: ValueType, right: ValueType): string {
  const pair = `\`${operator}\` does not go with ${describeType(left)} and ${describeType(right)}.`;
  if (operator === "in" && isText(right)) return `${pair} Use \`contains(text, part)\` for texts.`;
  const types = [left, right];
  if (types.includes("timestamp")) return `${pair} \`timestamp(x)\` makes timestamps of texts.`;
  if (types.includes("string") && types.includes("number")) return `${pair} \`string(x)\` and \`number(x)\` make one of the other.`;
  return pair;
}
