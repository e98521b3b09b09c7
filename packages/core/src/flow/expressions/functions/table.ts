/** All functions of expressions. The reference page is made from here. */
import { DATE_FUNCTIONS } from "./dates.ts";
import type { FunctionSpec } from "./function-spec.ts";
import { JSON_FUNCTIONS } from "./json.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { NUMBER_FUNCTIONS } from "./numbers.ts";
import { TEXT_FUNCTIONS } from "./text.ts";

export const FUNCTION_GROUPS: readonly { readonly title: string; readonly functions: readonly FunctionSpec[] }[] = [
  { title: "Texts", functions: TEXT_FUNCTIONS },
  { title: "Numbers", functions: NUMBER_FUNCTIONS },
  { title: "Lists and records", functions: LIST_FUNCTIONS },
  { title: "Dates and times", functions: DATE_FUNCTIONS },
  { title: "JSON and kinds", functions: JSON_FUNCTIONS },
];

export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(
  FUNCTION_GROUPS.flatMap(({ functions }) => functions.map((spec) => [spec.name, spec] as const)),
);

/** Functions that CEL has elsewhere, and what stands for them here. */
export const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["matches", 'Regular expressions are not evaluated in expressions: use `glob(text, "a*b")`, `startsWith`, `contains`, or a script node.'],
  ["double", "All numbers are of one kind: use `number(x)`."],
  ["uint", "All numbers are of one kind: use `int(x)`."],
  ["bytes", "Flows have JSON values, and no bytes."],
  ["dyn", "It is not needed: lists and records may hold values of any kinds."],
  ["lowerAscii", "Use `lower(text)`."],
  ["upperAscii", "Use `upper(text)`."],
  ["getFullYear", "Use `year(t)`."],
  ["getMonth", "Use `month(t)`, which counts from 1."],
  ["getDate", "Use `day(t)`."],
  ["getDayOfMonth", "Use `day(t)`."],
  ["getDayOfWeek", "Use `weekday(t)`."],
  ["getHours", "Use `hour(t)`."],
  ["getMinutes", "Use `minute(t)`."],
  ["getSeconds", "Use `second(t)`."],
  ["bind", "Use an assignment node for values that are used several times."],
  ["length", "Use `size(x)`."],
  ["toString", "Use `string(x)`."],
]);
