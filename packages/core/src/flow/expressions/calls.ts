/** Calls: `has` and `default`, which look before they evaluate, loops, and the functions of the table. */
import { didYouMean } from "../../manifest/near-miss.ts";
import type { ValueType } from "../definition.ts";
import { isValueOf, type FunctionSpec, misfit, type Parameter } from "./functions/function-spec.ts";
import { FUNCTIONS, OTHER_NAMES } from "./functions/table.ts";
import { compileLoop } from "./loops.ts";
import { type Part, refuse, type Run, type Scope } from "./part.ts";
import { asLoop, type CallSyntax, LOOPS } from "./syntax.ts";
import { bounded, describeType, unite } from "./value-types.ts";
import { describe } from "./values.ts";
import { catchable, shorten } from "./work.ts";

export function compileCall(call: CallSyntax, scope: Scope): Part {
  const loop = asLoop(call);
  if (loop !== null) return compileLoop(loop, scope);
  if (call.name === "has" && !call.isMethod) return compileHas(call, scope);
  if (call.name === "default") return compileDefault(call, scope);
  const spec = FUNCTIONS.get(call.name);
  return spec === undefined ? unknownFunction(call, scope) : compileFunction(call, spec, scope);
}

/** Whether a field is there; what stands before it may be absent too. */
function compileHas(call: CallSyntax, scope: Scope): Part {
  const [argument] = call.args;
  if (argument === undefined || call.args.length > 1 || (argument.kind !== "field" && argument.kind !== "index"))
    return refuse(scope, call.at, "`has` takes one field, such as `has(trigger.customer)`.");
  const part = scope.compile(argument, scope);
  const run: Run = (frame) => {
    frame.work.spend(1);
    try {
      part.run(frame);
      return true;
    } catch (error) {
      const failure = catchable(error);
      if (failure.code === "absent") return false;
      throw failure;
    }
  };
  return { type: "boolean", run, isFresh: false };
}

function compileDefault(call: CallSyntax, scope: Scope): Part {
  const [value, other, ...rest] = call.args.map((argument) => scope.compile(argument, scope));
  if (value === undefined || other === undefined || rest.length > 0)
    return refuse(scope, call.at, "`default` takes a value that may be absent or null, and what to use instead of it.");
  const run: Run = (frame) => {
    frame.work.spend(1);
    try {
      const found = value.run(frame);
      if (found !== null) return found;
    } catch (error) {
      const failure = catchable(error);
      if (failure.code !== "absent") throw failure;
    }
    return other.run(frame);
  };
  return { type: bounded(unite(value.type, other.type)), run, isFresh: value.isFresh || other.isFresh };
}

function compileFunction(call: CallSyntax, spec: FunctionSpec, scope: Scope): Part {
  const args = call.args.map((argument) => scope.compile(argument, scope));
  const countFinding = wrongCount(spec, args.length);
  if (countFinding !== null) return refuse(scope, call.at, countFinding);
  const parameters = args.map((_, i) => parameterOf(spec, i));
  for (const [i, { type }] of args.entries()) {
    const parameter = parameters[i];
    if (parameter !== undefined && misfit(type, parameter))
      scope.findings.add(
        call.args[i]?.at ?? call.at,
        `\`${spec.name}\` takes ${needs(parameter)} as ${parameter.name}, and this is ${describeType(type)}.`,
      );
  }
  const types = args.map((part) => part.type);
  const type: ValueType = typeof spec.result === "function" ? bounded(spec.result(types)) : spec.result;
  const runs = args.map((part) => part.run);
  const run: Run = (frame) => {
    const values = runs.map((each) => each(frame));
    const { work } = frame;
    work.offset = call.at;
    work.spend(2);
    for (const [i, value] of values.entries()) {
      const parameter = parameters[i];
      if (parameter !== undefined && !isValueOf(value, parameter))
        work.fail(
          value === null ? "absent" : "type",
          `\`${spec.name}\` takes ${needs(parameter)} as ${parameter.name}, and this is ${describe(value)}.`,
        );
    }
    return spec.run(values, work);
  };
  return { type, run, isFresh: typeof type === "object" || type === "any" };
}

function parameterOf(spec: FunctionSpec, index: number): Parameter | undefined {
  const last = spec.parameters.at(-1);
  return spec.parameters[index] ?? (last?.need === "many" ? last : undefined);
}

function wrongCount(spec: FunctionSpec, count: number): string | null {
  const least = spec.parameters.filter(({ need }) => need !== "optional").length;
  const most = spec.parameters.at(-1)?.need === "many" ? Infinity : spec.parameters.length;
  if (count >= least && count <= most) return null;
  const names = spec.parameters.map(({ name }) => name).join(", ");
  const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return `\`${spec.name}(${names})\` takes ${wanted} ${most === 1 ? "argument" : "arguments"}, and there ${count === 1 ? "is 1" : `are ${count}`}.`;
}

function needs(parameter: Parameter): string {
  return parameter.kinds.map((kind) => KINDS[kind]).join(" or ");
}

const KINDS = {
  text: "a text",
  number: "a number",
  boolean: "a boolean",
  timestamp: "a timestamp",
  list: "a list",
  numbers: "a list of numbers",
  texts: "a list of texts",
  record: "a record",
  any: "any value",
} as const;

function unknownFunction(call: CallSyntax, scope: Scope): Part {
  for (const argument of call.args) if (argument.kind !== "name") scope.compile(argument, scope);
  const hint = OTHER_NAMES.get(call.name);
  if (hint !== undefined) return refuse(scope, call.at, `There is no \`${call.name}\`. ${hint}`);
  const known = [...FUNCTIONS.keys(), ...LOOPS, "has", "default"];
  if (LOOPS.some((name) => name === call.name))
    return refuse(scope, call.at, `\`${call.name}\` is written behind a list: \`list.${call.name}(x, …)\`.`);
  return refuse(scope, call.at, `There is no function \`${shorten(call.name)}\`.${didYouMean(call.name, known)}`);
}
