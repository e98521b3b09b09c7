/** The reference page of expressions, as text: made from the table of functions. */
import type { Json } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import type { FunctionSpec, Kind, Parameter } from "./functions/function-spec.ts";
import { FUNCTION_GROUPS } from "./functions/table.ts";
import { isListType, isRecordType } from "./value-types.ts";

/** A row of the tables: the call, what it does, examples. */
export type ReferenceRow = readonly [call: string, description: string, examples: string];

export interface ReferenceGroup {
  readonly title: string;
  readonly rows: readonly ReferenceRow[];
}

export function referenceGroups(): readonly ReferenceGroup[] {
  const groups = FUNCTION_GROUPS.map(({ title, functions }) => ({ title, rows: functions.map(rowOf) }));
  return [{ title: "What may be absent", rows: PRESENCE_ROWS }, { title: "Loops", rows: LOOP_ROWS }, ...groups];
}

function rowOf(spec: FunctionSpec): ReferenceRow {
  const parameters = spec.parameters.map(parameterText).join(", ");
  return [
    `\`${spec.name}(${parameters})\` → ${resultText(spec)}`,
    spec.description,
    spec.examples.map(([text, value]) => example(text, value)).join("<br>"),
  ];
}

function example(text: string, value: Json): string {
  return `\`${text}\` = \`${JSON.stringify(value)}\``;
}

function parameterText({ name, kinds, need }: Parameter): string {
  const what = kinds.map((kind) => KIND_WORDS[kind]).join(" or ");
  return `${name}${need === "optional" ? "?" : ""}: ${what}${need === "many" ? ", …" : ""}`;
}

const KIND_WORDS: Readonly<Record<Kind, string>> = {
  text: "text",
  number: "number",
  boolean: "boolean",
  timestamp: "timestamp",
  list: "list",
  numbers: "list of numbers",
  texts: "list of texts",
  record: "record",
  any: "any",
};

function resultText({ result }: FunctionSpec): string {
  return typeof result === "function" ? typeText(result([])) : typeText(result);
}

function typeText(type: ValueType): string {
  if (isListType(type)) return type.list === "any" ? "list" : `list of ${typeText(type.list)}s`;
  if (isRecordType(type)) return "record";
  return type === "string" ? "text" : type;
}

const PRESENCE_ROWS: readonly ReferenceRow[] = [
  [
    "`has(a.b)` → boolean",
    "Whether the field is there; what stands before it may be absent too. A field that is null is there.",
    '`has({"a": null}.a)` = `true`',
  ],
  [
    "`default(value, other)` → either",
    "The value, or the other where it is absent or null. Other failures stay failures.",
    '`default(first([]), "none")` = `"none"`',
  ],
];

const LOOP_ROWS: readonly ReferenceRow[] = [
  ["`list.map(x, value)` → list", "The value for each element `x`.", "`[1, 2].map(x, x * 10)` = `[10,20]`"],
  [
    "`list.map(x, condition, value)` → list",
    "The same for the elements for which the condition holds.",
    "`[1, 2].map(x, x > 1, x * 10)` = `[20]`",
  ],
  ["`list.filter(x, condition)` → list", "The elements for which the condition holds.", "`[1, 2, 3].filter(x, x != 2)` = `[1,3]`"],
  ["`list.find(x, condition)` → element", "The first of them, or null.", "`[1, 2, 3].find(x, x > 1)` = `2`"],
  ["`list.exists(x, condition)` → boolean", "Whether it holds for one at least.", "`[1, 2].exists(x, x > 1)` = `true`"],
  ["`list.exists_one(x, condition)` → boolean", "Whether it holds for exactly one.", "`[1, 2].exists_one(x, x > 0)` = `false`"],
  ["`list.all(x, condition)` → boolean", "Whether it holds for all.", "`[].all(x, false)` = `true`"],
  [
    "`list.sortBy(x, value)` → list",
    "Sorted by a number, text or timestamp of each element.",
    '`["aa", "b"].sortBy(x, size(x))` = `["b","aa"]`',
  ],
];
