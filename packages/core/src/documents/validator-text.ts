/** How messages show values and validators: like the code that an author would write, cut when it is long. */
import { limit } from "../limits.ts";
import type { Validator } from "./validators.ts";
import { sortedFields, type Value, type ValueObject } from "./values.ts";

const CHARS_MAX = limit("failureTextCharsMax");

export function shownValue(value: Value): string {
  const text = new ShownText();
  writeValue(text, value);
  return text.end();
}

export function shownValidator(validator: Validator): string {
  const text = new ShownText();
  writeValidator(text, validator);
  return text.end();
}

/** Stops to grow when it is full, so that a long value costs no more than a short one. */
class ShownText {
  #text = "";

  get full(): boolean {
    return this.#text.length > CHARS_MAX;
  }

  add(part: string): void {
    if (!this.full) this.#text += part.length > CHARS_MAX ? part.slice(0, CHARS_MAX + 1) : part;
  }

  end(): string {
    return this.full ? `${this.#text.slice(0, CHARS_MAX)}...` : this.#text;
  }
}

/** Writes `items` with commas between them, until the text is full. */
function writeList<T>(text: ShownText, items: Iterable<T>, brackets: readonly [string, string], write: (item: T) => void): void {
  text.add(brackets[0]);
  let first = true;
  for (const item of items) {
    if (text.full) return;
    if (!first) text.add(", ");
    first = false;
    write(item);
  }
  text.add(brackets[1]);
}

function writeValue(text: ShownText, value: Value): void {
  switch (typeof value) {
    case "string":
      return text.add(quoted(value));
    case "bigint":
      return text.add(`${value}n`);
    case "number":
      return text.add(shownFloat(value));
    case "boolean":
      return text.add(String(value));
    default:
      return value === null ? text.add("null") : writeContainer(text, value);
  }
}

function writeContainer(text: ShownText, value: ArrayBuffer | Value[] | ValueObject): void {
  if (value instanceof ArrayBuffer) return text.add(`<${value.byteLength} bytes>`);
  if (Array.isArray(value)) return writeList(text, value, ["[", "]"], (element) => writeValue(text, element));
  writeList(text, sortedFields(value), ["{", "}"], (field) => {
    text.add(`${shownField(field)}: `);
    writeValue(text, value[field] as Value);
  });
}

/** A float shows its point, so that it is not taken for an int64. */
function shownFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > CHARS_MAX ? text.slice(0, CHARS_MAX) : text);
}

function shownField(field: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) ? field : quoted(field);
}

function writeValidator(text: ShownText, validator: Validator): void {
  switch (validator.type) {
    case "any":
    case "null":
    case "boolean":
    case "string":
    case "bytes":
    case "commitTs":
      return text.add(`v.${validator.type}()`);
    case "number":
      return text.add("v.float64()");
    case "bigint":
      return text.add("v.int64()");
    case "literal":
      text.add("v.literal(");
      writeValue(text, validator.value);
      return text.add(")");
    case "id":
      return text.add(`v.id(${quoted(validator.tableName)})`);
    case "array":
      return writeList(text, [validator.element], ["v.array(", ")"], (element) => writeValidator(text, element));
    case "record":
      return writeList(text, [validator.keys, validator.values], ["v.record(", ")"], (part) => writeValidator(text, part));
    case "union":
      return writeList(text, validator.members, ["v.union(", ")"], (member) => writeValidator(text, member));
    case "object":
      return writeList(text, validator.fields, ["v.object({", "})"], ([name, field]) => {
        text.add(`${shownField(name)}: ${field.optional ? "v.optional(" : ""}`);
        writeValidator(text, field.validator);
        if (field.optional) text.add(")");
      });
  }
}
