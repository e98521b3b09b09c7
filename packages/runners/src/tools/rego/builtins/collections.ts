/** Arrays, sets, objects and the types of values. */
import { compare, equal, isArray, RegoObject, RegoSet, typeOf, type Value } from "../values.ts";
import type { Builtin, BuiltinContext } from "./builtin.ts";

function sizeOf(value: Value): number | undefined {
  if (typeof value === "string") return Array.from(value).length;
  if (isArray(value)) return value.length;
  return value instanceof RegoObject || value instanceof RegoSet ? value.size : undefined;
}

function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  if (value instanceof RegoSet) return value.items();
  return value !== undefined && isArray(value) ? value : undefined;
}

function ofItems(call: (items: readonly Value[]) => Value | undefined): Builtin {
  return {
    arity: 1,
    call: ([list], { budget }) => {
      const items = itemsOf(list);
      budget.take(items?.length ?? 0);
      return items === undefined ? undefined : call(items);
    },
  };
}

function ofSets(call: (a: RegoSet, b: RegoSet) => Value): Builtin["call"] {
  return ([a, b], { budget }) => {
    if (!(a instanceof RegoSet) || !(b instanceof RegoSet)) return undefined;
    budget.take(a.size + b.size);
    return call(a, b);
  };
}

function folded(start: number, step: (sum: number, item: number) => number): Builtin {
  return ofItems((items) => {
    const numbers = items.filter((item) => typeof item === "number");
    const result = numbers.length === items.length ? numbers.reduce(step, start) : undefined;
    return result !== undefined && Number.isFinite(result) ? result : undefined;
  });
}

function objectGet([object, key, fallback]: readonly Value[]): Value | undefined {
  if (object === undefined || key === undefined || fallback === undefined) return undefined;
  const path = isArray(key) ? key : [key];
  let value: Value | undefined = object;
  for (const part of path) {
    if (value instanceof RegoObject) value = value.get(part);
    else if (value !== undefined && isArray(value) && typeof part === "number") value = value[part];
    else return fallback;
  }
  return value ?? fallback;
}

function withEntries(entries: Iterable<readonly [Value, Value]>): RegoObject {
  const object = new RegoObject();
  for (const [key, value] of entries) object.set(key, value);
  return object;
}

/** Of a set, an array or the keys of an object. */
function keysOf(value: Value | undefined): RegoSet | undefined {
  if (value instanceof RegoSet) return value;
  if (value instanceof RegoObject) return new RegoSet(value.entries().map(([key]) => key));
  return value !== undefined && isArray(value) ? new RegoSet(value) : undefined;
}

function filtered(keep: boolean): Builtin {
  return {
    arity: 2,
    call: ([object, wanted], { budget }) => {
      const keys = keysOf(wanted);
      if (!(object instanceof RegoObject) || keys === undefined) return undefined;
      budget.take(object.size);
      return withEntries(object.entries().filter(([key]) => keys.has(key) === keep));
    },
  };
}

/** The second wins; objects in both are made one. */
function union(a: RegoObject, b: RegoObject, context: BuiltinContext): RegoObject {
  context.budget.take(a.size + b.size);
  const made = withEntries(a.entries());
  for (const [key, value] of b.entries()) {
    const known = made.get(key);
    made.set(key, known instanceof RegoObject && value instanceof RegoObject ? union(known, value, context) : value);
  }
  return made;
}

function isOfType(type: ReturnType<typeof typeOf>): Builtin {
  return { arity: 1, call: ([value = null]) => typeOf(value) === type };
}

function toNumber([value]: readonly Value[]): Value | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (value === null) return 0;
  return typeof value === "string" && /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(value) ? Number(value) : undefined;
}

export const setMinus = ofSets((a, b) => new RegoSet(a.items().filter((item) => !b.has(item))));

export const COLLECTIONS: Readonly<Record<string, Builtin>> = {
  count: { arity: 1, call: ([value = null]) => sizeOf(value) },
  sum: folded(0, (sum, item) => sum + item),
  product: folded(1, (product, item) => product * item),
  max: ofItems((items) => (items.length === 0 ? undefined : items.reduce((a, b) => (compare(a, b) >= 0 ? a : b)))),
  min: ofItems((items) => (items.length === 0 ? undefined : items.reduce((a, b) => (compare(a, b) <= 0 ? a : b)))),
  sort: ofItems((items) => [...items].sort(compare)),
  any: ofItems((items) => items.includes(true)),
  all: ofItems((items) => items.every((item) => item === true)),
  "array.concat": {
    arity: 2,
    call: ([a, b], { budget }) => {
      if (a === undefined || b === undefined || !isArray(a) || !isArray(b)) return undefined;
      budget.take(a.length + b.length);
      return [...a, ...b];
    },
  },
  "array.slice": {
    arity: 3,
    call: ([list, start, end], { budget }) => {
      if (list === undefined || !isArray(list) || typeof start !== "number" || typeof end !== "number") return undefined;
      budget.take(list.length);
      return list.slice(Math.max(0, start), Math.max(0, end));
    },
  },
  "array.reverse": ofItems((items) => [...items].reverse()),
  "object.get": { arity: 3, call: objectGet },
  "object.keys": { arity: 1, call: ([object]) => (object instanceof RegoObject ? keysOf(object) : undefined) },
  "object.filter": filtered(true),
  "object.remove": filtered(false),
  "object.union": {
    arity: 2,
    call: ([a, b], context) => (a instanceof RegoObject && b instanceof RegoObject ? union(a, b, context) : undefined),
  },
  and: { arity: 2, call: ofSets((a, b) => new RegoSet(a.items().filter((item) => b.has(item)))) },
  or: { arity: 2, call: ofSets((a, b) => new RegoSet([...a.items(), ...b.items()])) },
  "internal.member": {
    arity: 2,
    call: ([item = null, list], { budget }) => {
      if (list instanceof RegoSet) return list.has(item);
      const items = list instanceof RegoObject ? list.entries().map(([, value]) => value) : itemsOf(list);
      budget.take(items?.length ?? 0);
      return items?.some((other) => equal(item, other)) ?? false;
    },
  },
  is_object: isOfType("object"),
  is_array: isOfType("array"),
  is_string: isOfType("string"),
  is_number: isOfType("number"),
  is_boolean: isOfType("boolean"),
  is_null: isOfType("null"),
  is_set: isOfType("set"),
  type_name: { arity: 1, call: ([value = null]) => typeOf(value) },
  to_number: { arity: 1, call: toNumber },
};
