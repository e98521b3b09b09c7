/** Values of Rego: those of JSON, objects with keys of any kind, and sets. Numbers are those of JavaScript. */

export type Value = null | boolean | number | string | readonly Value[] | RegoObject | RegoSet;

/** The text that equal values share, and no others. */
export function identityOf(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(identityOf).join(",")}]`;
  if (value instanceof RegoObject)
    return `{${value
      .entries()
      .map(([key, item]) => `${identityOf(key)}:${identityOf(item)}`)
      .join(",")}}`;
  return `<${(value as RegoSet).items().map(identityOf).join(",")}>`;
}

export class RegoObject {
  readonly #byIdentity = new Map<string, readonly [Value, Value]>();
  #sorted: readonly (readonly [Value, Value])[] | undefined;

  get size(): number {
    return this.#byIdentity.size;
  }

  get(key: Value): Value | undefined {
    return this.#byIdentity.get(identityOf(key))?.[1];
  }

  /** While it is made, only. */
  set(key: Value, value: Value): this {
    this.#byIdentity.set(identityOf(key), [key, value]);
    this.#sorted = undefined;
    return this;
  }

  /** In the order of their keys. */
  entries(): readonly (readonly [Value, Value])[] {
    return (this.#sorted ??= [...this.#byIdentity.values()].sort(([a], [b]) => compare(a, b)));
  }
}

export class RegoSet {
  readonly #byIdentity = new Map<string, Value>();
  #sorted: readonly Value[] | undefined;

  constructor(items: Iterable<Value> = []) {
    for (const item of items) this.add(item);
  }

  get size(): number {
    return this.#byIdentity.size;
  }

  has(item: Value): boolean {
    return this.#byIdentity.has(identityOf(item));
  }

  /** While it is made, only. */
  add(item: Value): this {
    this.#byIdentity.set(identityOf(item), item);
    this.#sorted = undefined;
    return this;
  }

  /** In their order. */
  items(): readonly Value[] {
    return (this.#sorted ??= [...this.#byIdentity.values()].sort(compare));
  }
}

export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  return identityOf(a) === identityOf(b);
}

const RANKS = ["null", "boolean", "number", "string", "array", "object", "set"] as const;

export function typeOf(value: Value): (typeof RANKS)[number] {
  if (value === null) return "null";
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return isArray(value) ? "array" : value instanceof RegoObject ? "object" : "set";
  }
}

/** The order of all values: first by type. */
export function compare(a: Value, b: Value): number {
  const byType = RANKS.indexOf(typeOf(a)) - RANKS.indexOf(typeOf(b));
  if (byType !== 0) return byType;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof RegoObject && b instanceof RegoObject) return compareLists(a.entries().flat(), b.entries().flat());
  if (a instanceof RegoSet && b instanceof RegoSet) return compareLists(a.items(), b.items());
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object")
    return compareLists(a as readonly Value[], b as readonly Value[]);
  return 0;
}

/** By code points, as the bytes of UTF-8 are. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [x, y] = [left.next(), right.next()];
    if (x.done === true || y.done === true) return Number(y.done ?? false) - Number(x.done ?? false);
    const difference = (x.value.codePointAt(0) ?? 0) - (y.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [i, item] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    const difference = compare(item, other);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Halves of characters, which stand for bytes that are no text (`bytes.ts`), come from there only. */
export function fromJson(json: unknown): Value {
  if (typeof json === "string") return json.toWellFormed();
  if (json === null || typeof json === "boolean" || typeof json === "number") return json;
  if (Array.isArray(json)) return json.map(fromJson);
  const object = new RegoObject();
  if (typeof json === "object") for (const [key, value] of Object.entries(json)) object.set(key.toWellFormed(), fromJson(value));
  return object;
}

const JSON_VALUES_MAX = 500_000;

/** Sets become arrays, keys that are no texts become their JSON. A value may hold another often, so that few of them are many. */
export function toJson(value: Value): unknown {
  let left = JSON_VALUES_MAX;
  const converted = (each: Value): unknown => {
    left -= 1;
    if (left < 0) throw new RangeError("too many values");
    if (each === null || typeof each !== "object") return each;
    if (isArray(each)) return each.map(converted);
    if (each instanceof RegoSet) return each.items().map(converted);
    return Object.fromEntries(
      each.entries().map(([key, item]) => [typeof key === "string" ? key : JSON.stringify(converted(key)), converted(item)]),
    );
  };
  return converted(value);
}

/** As Rego writes it, for `sprintf`. */
export function shownValue(value: Value): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(shownValue).join(", ")}]`;
  if (value instanceof RegoSet) return value.size === 0 ? "set()" : `{${value.items().map(shownValue).join(", ")}}`;
  return `{${value
    .entries()
    .map(([key, item]) => `${shownValue(key)}: ${shownValue(item)}`)
    .join(", ")}}`;
}

export function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}
