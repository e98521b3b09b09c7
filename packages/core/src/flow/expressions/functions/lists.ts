/** Functions of lists and records. */
import type { Json } from "../../../operations/operation.ts";
import type { ValueType } from "../../definition.ts";
import { elementType, isListType, isRecordType, unite } from "../value-types.ts";
import { compare, describe, finite, isEqual, setField } from "../values.ts";
import { isList, isRecord, type Work } from "../work.ts";
import { type FunctionSpec, listOf, one, optional, recordOf, wholeOf } from "./function-spec.ts";
import { characterCount } from "./text.ts";

/** Steps to add a field to a record whose shape the engine does not know. */
const FIELD_STEPS = 8;
const PLACE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const sameList = ([type = "any"]: readonly ValueType[]): ValueType => (isListType(type) ? type : { list: "any" });
const itsElement = ([type = "any"]: readonly ValueType[]): ValueType => elementType(type);

function sum(list: readonly Json[], work: Work): number {
  work.spend(list.length);
  let total = 0;
  for (const item of list) {
    if (typeof item !== "number")
      return work.fail(item === null ? "absent" : "type", `\`sum\` takes numbers, and the list has ${describe(item)}.`);
    total += item;
  }
  return finite(total, work);
}

function sort(list: readonly Json[], work: Work): Json {
  work.sort(list.length);
  return list.toSorted((a, b) => compare(a, b, work));
}

/** Texts, numbers and the like are looked up; lists and records are compared with each other. */
function distinct(list: readonly Json[], work: Work): Json {
  work.growList(list.length);
  const scalars = new Set<Json>();
  const structures: Json[] = [];
  return list.filter((item) => {
    if (typeof item !== "object" || item === null) {
      if (typeof item === "string") work.read(item);
      return scalars.size < scalars.add(item).size;
    }
    if (structures.some((known) => isEqual(known, item, work))) return false;
    structures.push(item);
    return true;
  });
}

function flatten(list: readonly Json[], work: Work): Json {
  work.growList(list.reduce<number>((size, item) => size + (isList(item) ? item.length : 1), list.length));
  return list.flat();
}

function typeOfFlat([type = "any"]: readonly ValueType[]): ValueType {
  const element = elementType(type);
  return { list: isListType(element) ? element.list : element === "any" || isRecordType(element) ? "any" : element };
}

function size(value: Json, work: Work): number {
  if (typeof value === "string") return characterCount(value, work);
  if (isList(value)) return value.length;
  if (!isRecord(value)) return 0;
  const { length } = Object.keys(value);
  work.spend(length);
  return length;
}

function values(record: { readonly [name: string]: Json }, work: Work): Json {
  const all = Object.values(record);
  work.growList(all.length);
  return all;
}

function merge(first: { readonly [name: string]: Json }, second: { readonly [name: string]: Json }, work: Work): Json {
  const made: Record<string, Json> = {};
  for (const record of [first, second])
    for (const name of Object.keys(record)) {
      work.growList(1);
      work.spend(FIELD_STEPS);
      setField(made, name, record[name] ?? null);
    }
  return made;
}

function typeOfMerged([first = "any", second = "any"]: readonly ValueType[]): ValueType {
  return isRecordType(first) && isRecordType(second) ? { record: { ...first.record, ...second.record } } : "any";
}

export const LIST_FUNCTIONS: readonly FunctionSpec[] = [
  {
    name: "size",
    parameters: [one("value", "text", "list", "record")],
    result: "number",
    description: "How many characters, elements or fields it has.",
    examples: [
      ["size([1, 2])", 2],
      ['"Grüße".size()', 5],
    ],
    run: (args, work) => size(args[0] ?? null, work),
  },
  {
    name: "sum",
    parameters: [one("list", "numbers")],
    result: "number",
    description: "All numbers of a list together.",
    examples: [['[{"price": 2}, {"price": 3.5}].map(x, x.price).sum()', 5.5]],
    run: (args, work) => sum(listOf(args, 0), work),
  },
  {
    name: "sort",
    parameters: [one("list", "list")],
    result: sameList,
    description: "Numbers or texts, the smallest first. `list.sortBy(x, x.name)` sorts records.",
    examples: [["sort([3, 1, 2])", [1, 2, 3]]],
    run: (args, work) => sort(listOf(args, 0), work),
  },
  {
    name: "reverse",
    parameters: [one("list", "list")],
    result: sameList,
    description: "The last element first.",
    examples: [["[1, 2, 3].reverse()", [3, 2, 1]]],
    run: (args, work) => {
      work.growList(listOf(args, 0).length);
      return listOf(args, 0).toReversed();
    },
  },
  {
    name: "distinct",
    parameters: [one("list", "list")],
    result: sameList,
    description: "Each value once, at its first place.",
    examples: [['distinct(["a", "b", "a"])', ["a", "b"]]],
    run: (args, work) => distinct(listOf(args, 0), work),
  },
  {
    name: "flatten",
    parameters: [one("list", "list")],
    result: typeOfFlat,
    description: "The elements of the lists in a list, one level deep.",
    examples: [["flatten([[1, 2], [3]])", [1, 2, 3]]],
    run: (args, work) => flatten(listOf(args, 0), work),
  },
  {
    name: "first",
    parameters: [one("list", "list")],
    result: itsElement,
    description: "Its first element, null where it is empty.",
    examples: [
      ["first([1, 2])", 1],
      ["first([])", null],
    ],
    run: (args) => listOf(args, 0)[0] ?? null,
  },
  {
    name: "last",
    parameters: [one("list", "list")],
    result: itsElement,
    description: "Its last element, null where it is empty.",
    examples: [["[1, 2].last()", 2]],
    run: (args) => listOf(args, 0).at(-1) ?? null,
  },
  {
    name: "slice",
    parameters: [one("list", "list"), one("from", "number"), optional("to", "number")],
    result: sameList,
    description: "The elements from place `from` (0 is the first) up to, not including, `to`.",
    examples: [["slice([1, 2, 3, 4], 1, 3)", [2, 3]]],
    run: (args, work) => {
      const part = listOf(args, 0).slice(wholeOf(args, 1, PLACE, work), args.length > 2 ? wholeOf(args, 2, PLACE, work) : undefined);
      work.growList(part.length);
      return part;
    },
  },
  {
    name: "keys",
    parameters: [one("record", "record")],
    result: { list: "string" },
    description: "Names of the fields of a record.",
    examples: [['keys({"a": 1, "b": 2})', ["a", "b"]]],
    run: (args, work) => {
      const names = Object.keys(recordOf(args, 0));
      work.growList(names.length);
      return names;
    },
  },
  {
    name: "values",
    parameters: [one("record", "record")],
    result: ([type = "any"]) => {
      const fields = isRecordType(type) ? Object.values(type.record) : [];
      return { list: fields.length === 0 ? "any" : fields.reduce(unite) };
    },
    description: "Values of the fields of a record.",
    examples: [['values({"a": 1, "b": 2})', [1, 2]]],
    run: (args, work) => values(recordOf(args, 0), work),
  },
  {
    name: "merge",
    parameters: [one("first", "record"), one("second", "record")],
    result: typeOfMerged,
    description: "The fields of both; where both have one, the second's.",
    examples: [['merge({"a": 1, "b": 2}, {"b": 3})', { a: 1, b: 3 }]],
    run: (args, work) => merge(recordOf(args, 0), recordOf(args, 1), work),
  },
];
