/**
 * Makes a tree ready to run: one closure for each part, with its type. What is wrong is a finding, and the part then counts as `any`,
 * so that one mistake is told once. Closures look at the values they get (X5), whatever the types say.
 */
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { compileAccess } from "./access.ts";
import { compileCall } from "./calls.ts";
import type { Findings } from "./findings.ts";
import { compileBinary, compileConditional, compileLogic, compileNegate, compileNot } from "./operators.ts";
import { brokenPart, conform, type ExpressionTypes, type Part, type Run, type Scope } from "./part.ts";
import type { Syntax } from "./syntax.ts";
import { bounded, unite } from "./value-types.ts";
import { ownField, setField } from "./values.ts";
import { shorten } from "./work.ts";

export function compileSyntax(syntax: Syntax, types: ExpressionTypes, findings: Findings): Part {
  return compile(syntax, { types, findings, locals: [], compile });
}

function compile(syntax: Syntax, scope: Scope): Part {
  switch (syntax.kind) {
    case "literal":
      return literalPart(syntax.value);
    case "name":
      return namePart(syntax.name, syntax.at, scope);
    case "field":
    case "index":
      return compileAccess(syntax, scope);
    case "call":
      return compileCall(syntax, scope);
    case "list":
      return listPart(syntax.items, scope);
    case "record":
      return recordPart(syntax.entries, scope);
    case "conditional":
      return compileConditional(syntax, scope);
    case "not":
      return compileNot(syntax, scope);
    case "negate":
      return compileNegate(syntax, scope);
    case "and":
    case "or":
      return compileLogic(syntax, scope);
    case "binary":
      return compileBinary(syntax, scope);
  }
}

function literalPart(value: null | boolean | number | string): Part {
  const type = value === null ? "null" : typeof value === "boolean" ? "boolean" : typeof value === "number" ? "number" : "string";
  return {
    type,
    isFresh: false,
    run: ({ work }) => {
      work.spend(1);
      return value;
    },
  };
}

function namePart(name: string, at: number, scope: Scope): Part {
  const slot = scope.locals.findLastIndex((local) => local.name === name);
  const local = scope.locals[slot];
  if (local !== undefined) {
    const run: Run = ({ work, locals }) => {
      work.spend(1);
      return locals[slot] ?? null;
    };
    return { type: local.type, run, isFresh: false };
  }
  const type = Object.hasOwn(scope.types, name) ? scope.types[name] : undefined;
  if (type === undefined) {
    const known = [...scope.locals.map((variable) => variable.name), ...Object.keys(scope.types)];
    scope.findings.addUnknown(at, `\`${shorten(name)}\` is not known here.`, name, known);
    return brokenPart();
  }
  const run: Run = ({ work, context }) => {
    work.spend(1);
    return ownField(context, name) ?? (Object.hasOwn(context, name) ? null : work.failAt(at, "absent", `\`${name}\` has no value here.`));
  };
  return { type, run: conform(run, type), isFresh: false };
}

function listPart(items: readonly Syntax[], scope: Scope): Part {
  const parts = items.map((item) => compile(item, scope));
  const [first, ...rest] = parts;
  const element = first === undefined ? "any" : rest.reduce<ValueType>((type, part) => unite(type, part.type), first.type);
  const runs = parts.map((part) => part.run);
  const run: Run = (frame) => {
    frame.work.growList(runs.length + 1);
    return runs.map((each) => each(frame));
  };
  return { type: bounded({ list: element }), run, isFresh: true };
}

function recordPart(entries: readonly (readonly [Syntax, Syntax])[], scope: Scope): Part {
  const parts = entries.map(([key, value]) => ({ at: key.at, key: compile(key, scope), value: compile(value, scope), syntax: key }));
  for (const { at, key } of parts)
    if (key.type !== "string" && key.type !== "any" && key.type !== "timestamp")
      scope.findings.add(at, 'Names of a record are texts: write `{"name": value}`.');
  const names = parts.map(({ syntax }) => (syntax.kind === "literal" && typeof syntax.value === "string" ? syntax.value : null));
  for (const [i, name] of names.entries())
    if (name !== null && names.indexOf(name) < i) scope.findings.add(parts[i]?.at ?? 0, `\`${shorten(name)}\` stands twice in the record.`);
  const isStatic = names.every((name) => name !== null);
  const record = Object.fromEntries(parts.map(({ value }, i) => [names[i] ?? "", value.type] as const));
  const run: Run = (frame) => {
    frame.work.growList(parts.length + 1);
    const made: Record<string, Json> = {};
    for (const { at, key, value } of parts) {
      const name = key.run(frame);
      if (typeof name !== "string") return frame.work.failAt(at, "type", "Names of a record are texts.");
      setField(made, name, value.run(frame));
    }
    return made;
  };
  return { type: isStatic ? bounded({ record }) : "any", run, isFresh: true };
}
