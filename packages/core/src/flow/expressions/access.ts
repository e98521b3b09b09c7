/** `a.b`, `a["b"]`, `list[0]`: a part of a value, and nothing of its prototype (X4). */
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { conform, type Part, refuse, type Run, type Scope } from "./part.ts";
import type { Syntax } from "./syntax.ts";
import { describeType, fieldType, isListType, isRecordType } from "./value-types.ts";
import { capital, describe, ownField } from "./values.ts";
import { isList, isRecord, shorten, type Work } from "./work.ts";

type AccessSyntax = Extract<Syntax, { kind: "field" | "index" }>;

export function compileAccess(syntax: AccessSyntax, scope: Scope): Part {
  const target = scope.compile(syntax.target, scope);
  const { at } = syntax;
  if (syntax.kind === "field") return fieldPart(target, syntax.field, at, scope);
  if (syntax.index.kind === "literal" && typeof syntax.index.value === "string")
    return fieldPart(target, syntax.index.value, syntax.index.at, scope);
  return indexPart(target, scope.compile(syntax.index, scope), syntax.index.at, scope);
}

/** The field's type; null after a finding. */
export function typeOfField(type: ValueType, field: string, at: number, scope: Scope): ValueType | null {
  if (type === "any") return "any";
  if (isRecordType(type)) {
    const found = fieldType(type, field);
    if (found === null) scope.findings.addUnknown(at, `There is no field \`${shorten(field)}\`.`, field, Object.keys(type.record));
    return found;
  }
  const hint = type === "timestamp" ? " Use functions such as `year(t)` or `formatDate(t, pattern)`." : "";
  scope.findings.add(at, `${capital(describeType(type))} has no fields, so no \`${shorten(field)}\`.${hint}`);
  return null;
}

export function fieldOf(value: Json, field: string, at: number, work: Work): Json {
  if (isRecord(value)) {
    const found = ownField(value, field);
    return found === undefined
      ? work.failAt(at, "absent", `There is no field \`${shorten(field)}\`; \`has\` and \`default\` take care of that.`)
      : found;
  }
  if (value === null) return work.failAt(at, "absent", `There is no field \`${shorten(field)}\`: the value before it is null.`);
  return work.failAt(at, "type", `${capital(describe(value))} has no fields, so no \`${shorten(field)}\`.`);
}

function fieldPart(target: Part, field: string, at: number, scope: Scope): Part {
  const type = typeOfField(target.type, field, at, scope);
  if (type === null) return { ...target, type: "any" };
  const inner = target.run;
  const run: Run = (frame) => {
    frame.work.spend(1);
    return fieldOf(inner(frame), field, at, frame.work);
  };
  return { type, run: conform(run, type), isFresh: target.isFresh };
}

function indexPart(target: Part, index: Part, at: number, scope: Scope): Part {
  const type = typeOfElement(target.type, index.type);
  if (type === null)
    return refuse(
      scope,
      at,
      `${capital(describeType(index.type))} cannot choose a part of ${describeType(target.type)}: lists take numbers, records texts.`,
    );
  const run: Run = (frame) => {
    frame.work.spend(1);
    return elementOf(target.run(frame), index.run(frame), at, frame.work);
  };
  return { type, run: conform(run, type), isFresh: target.isFresh };
}

function typeOfElement(target: ValueType, index: ValueType): ValueType | null {
  const isNumber = index === "number" || index === "any";
  const isText = index === "string" || index === "timestamp" || index === "any";
  if (target === "any") return isNumber || isText ? "any" : null;
  if (isListType(target)) return isNumber ? target.list : null;
  return isRecordType(target) && isText ? "any" : null;
}

function elementOf(value: Json, index: Json, at: number, work: Work): Json {
  if (typeof index === "string") {
    work.read(index);
    return fieldOf(value, index, at, work);
  }
  if (value === null) return work.failAt(at, "absent", "There is no element: the list is null.");
  if (!isList(value) || typeof index !== "number")
    return work.failAt(at, "type", `${capital(describe(index))} cannot choose a part of ${describe(value)}.`);
  if (!Number.isInteger(index)) return work.failAt(at, "value", `${index} is no whole number, so no place in a list.`);
  const found = index < 0 ? undefined : value[index];
  return found === undefined ? work.failAt(at, "absent", `There is no element ${index}; the list has ${value.length}.`) : found;
}
