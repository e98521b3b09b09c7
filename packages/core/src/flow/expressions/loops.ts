/** `list.map(x, …)` and the like: a part that runs once for each element of a list, or each name of a record. */
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { condition } from "./operators.ts";
import { conformTimestamp, type Frame, type Part, refuse, type Run, type Scope } from "./part.ts";
import type { Loop, LoopName } from "./syntax.ts";
import { bounded, describeType, isListType, isRecordType } from "./value-types.ts";
import { compare, describe } from "./values.ts";
import { catchable, type ExpressionFailure, isList, isRecord } from "./work.ts";

type Test = (frame: Frame) => boolean;
/** Runs `body` with each element, until it says `false`. */
type ForEach = (frame: Frame, body: (item: Json) => boolean) => void;

export function compileLoop(loop: Loop, scope: Scope): Part {
  const list = scope.compile(loop.list, scope);
  const { name, variable, body, at } = loop;
  if (variable.kind !== "name" || !isCount(name, body.length)) return refuse(scope, at, `It is written ${FORMS[name]}.`);
  const element = elementOf(list.type);
  if (element === null)
    return refuse(scope, at, `\`${name}\` goes through a list or the names of a record, and this is ${describeType(list.type)}.`);
  const inside: Scope = { ...scope, locals: [...scope.locals, { name: variable.name, type: element }] };
  const each = forEach(list.run, element, scope.locals.length, loop);
  const [first, second] = body;
  if (first === undefined) return refuse(scope, at, `It is written ${FORMS[name]}.`);
  if (name === "map") {
    const test = second === undefined ? null : condition(first, "`map`", inside);
    return map(each, test, scope.compile(second ?? first, inside));
  }
  if (name === "sortBy") return sortBy(each, inside.compile(first, inside), list.type, at);
  const test = condition(first, `\`${name}\``, inside);
  switch (name) {
    case "all":
      return quantifier(each, test, false);
    case "exists":
      return quantifier(each, test, true);
    case "exists_one":
      return existsOne(each, test);
    case "filter":
      return filter(each, test, element);
    case "find":
      return find(each, test, element, list.isFresh);
  }
}

const FORMS: Readonly<Record<LoopName, string>> = {
  all: "`list.all(x, condition)`",
  exists: "`list.exists(x, condition)`",
  exists_one: "`list.exists_one(x, condition)`",
  filter: "`list.filter(x, condition)`",
  find: "`list.find(x, condition)`",
  map: "`list.map(x, value)` or `list.map(x, condition, value)`",
  sortBy: "`list.sortBy(x, value)`",
};

function isCount(name: LoopName, count: number): boolean {
  return count === 1 || (name === "map" && count === 2);
}

function elementOf(type: ValueType): ValueType | null {
  if (type === "any") return "any";
  if (isListType(type)) return type.list;
  return isRecordType(type) ? "string" : null;
}

function forEach(list: Run, element: ValueType, slot: number, { name, at }: Loop): ForEach {
  return (frame, body) => {
    const items = itemsOf(list(frame), frame, name, at);
    for (const item of items) {
      frame.work.spend(1);
      const value = element === "timestamp" ? conformTimestamp(item, frame.work) : item;
      frame.locals[slot] = value;
      if (!body(value)) return;
    }
  };
}

function itemsOf(value: Json, { work }: Frame, name: string, at: number): readonly Json[] {
  if (isList(value)) return value;
  if (isRecord(value)) {
    const names = Object.keys(value);
    work.growList(names.length);
    return names;
  }
  return work.failAt(
    at,
    value === null ? "absent" : "type",
    `\`${name}\` goes through a list or the names of a record, and this is ${describe(value)}.`,
  );
}

function map(each: ForEach, test: Test | null, body: Part): Part {
  const run: Run = (frame) => {
    const made: Json[] = [];
    frame.work.growList(1);
    each(frame, () => {
      if (test !== null && !test(frame)) return true;
      frame.work.growList(1);
      made.push(body.run(frame));
      return true;
    });
    return made;
  };
  return { type: bounded({ list: body.type }), run, isFresh: true };
}

function filter(each: ForEach, test: Test, element: ValueType): Part {
  const run: Run = (frame) => {
    const made: Json[] = [];
    frame.work.growList(1);
    each(frame, (item) => {
      if (!test(frame)) return true;
      frame.work.growList(1);
      made.push(item);
      return true;
    });
    return made;
  };
  return { type: { list: element }, run, isFresh: true };
}

function find(each: ForEach, test: Test, element: ValueType, isFresh: boolean): Part {
  const run: Run = (frame) => {
    let found: Json = null;
    each(frame, (item) => {
      if (!test(frame)) return true;
      found = item;
      return false;
    });
    return found;
  };
  return { type: element, run, isFresh };
}

function sortBy(each: ForEach, key: Part, listType: ValueType, at: number): Part {
  const run: Run = (frame) => {
    const keyed: { readonly item: Json; readonly key: Json }[] = [];
    each(frame, (item) => {
      keyed.push({ item, key: key.run(frame) });
      return true;
    });
    frame.work.offset = at;
    frame.work.sort(keyed.length);
    keyed.sort((a, b) => compare(a.key, b.key, frame.work));
    return keyed.map(({ item }) => item);
  };
  return { type: isListType(listType) ? listType : { list: "any" }, run, isFresh: true };
}

/** `exists` and `all`: an element that decides makes failures of the others not matter, as in CEL. */
function quantifier(each: ForEach, test: Test, decisive: boolean): Part {
  const run: Run = (frame) => {
    const failures: ExpressionFailure[] = [];
    let isDecided = false;
    each(frame, () => {
      try {
        isDecided = test(frame) === decisive;
      } catch (error) {
        failures.push(catchable(error));
      }
      return !isDecided;
    });
    if (isDecided) return decisive;
    const [failure] = failures;
    if (failure !== undefined) throw failure;
    return !decisive;
  };
  return { type: "boolean", run, isFresh: false };
}

function existsOne(each: ForEach, test: Test): Part {
  const run: Run = (frame) => {
    let count = 0;
    each(frame, () => {
      if (test(frame)) count += 1;
      return true;
    });
    return count === 1;
  };
  return { type: "boolean", run, isFresh: false };
}
