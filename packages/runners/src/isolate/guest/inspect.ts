/**
 * Shows values as text, much as Node's inspect does, in bounded time and size: getters are not run,
 * depth, entries and characters are limited.
 */
const DEPTH_MAX = 4;
const ENTRIES_MAX = 100;
const STRING_CHARS_MAX = 2000;
const LINE_CHARS = 72;

/** The text of one value; at most about `charsMax` characters. */
export function renderValue(value: unknown, charsMax: number): string {
  return new Renderer(charsMax).render(value, 0);
}

class Renderer {
  #left: number;
  readonly #path: object[] = [];

  constructor(charsMax: number) {
    this.#left = charsMax;
  }

  render(value: unknown, depth: number): string {
    if (this.#left <= 0) return "…";
    const text = typeof value === "object" && value !== null ? this.#object(value, depth) : primitive(value);
    this.#left -= text.length;
    return text;
  }

  #object(value: object, depth: number): string {
    if (this.#path.includes(value)) return "[Circular]";
    try {
      const simple = simpleObject(value);
      if (simple !== undefined) return simple;
      const name = constructorName(value);
      if (depth > DEPTH_MAX) return Array.isArray(value) ? "[Array]" : `[${name === "" ? "Object" : name}]`;
      this.#path.push(value);
      try {
        return this.#compound(value, name, depth + 1);
      } finally {
        this.#path.pop();
      }
    } catch {
      return "[object]";
    }
  }

  #compound(value: object, name: string, depth: number): string {
    if (value instanceof Error) return this.#error(value);
    if (Array.isArray(value))
      return wrap(name === "Array" ? "" : `${name}(${value.length}) `, "[", this.#list(value as unknown[], depth), "]");
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const list = value as unknown as ArrayLike<unknown>;
      return wrap(`${name}(${list.length}) `, "[", this.#list(list, depth), "]");
    }
    if (value instanceof Map) return wrap(`${name}(${value.size}) `, "{", this.#entries(value.entries(), value.size, depth), "}");
    if (value instanceof Set) return wrap(`${name}(${value.size}) `, "{", this.#values(value.values(), value.size, depth), "}");
    const prefix = name === "Object" ? "" : `${name === "" ? "[Object: null prototype]" : name} `;
    return wrap(prefix, "{", this.#fields(value, depth), "}");
  }

  #error(error: Error): string {
    const stack = Object.getOwnPropertyDescriptor(error, "stack");
    const text = stack !== undefined && typeof stack.value === "string" ? stack.value : `${error.stack ?? error.name}`;
    return text.slice(0, Math.max(0, this.#left));
  }

  #list(list: ArrayLike<unknown>, depth: number): string[] {
    const items: string[] = [];
    const count = Math.min(list.length, ENTRIES_MAX);
    for (let i = 0; i < count && this.#left > 0; i++) items.push(i in list ? this.render(list[i], depth) : "<empty>");
    return more(items, list.length);
  }

  #entries(entries: Iterable<[unknown, unknown]>, size: number, depth: number): string[] {
    const items: string[] = [];
    for (const [key, value] of entries) {
      if (items.length >= ENTRIES_MAX || this.#left <= 0) break;
      items.push(`${this.render(key, depth)} => ${this.render(value, depth)}`);
    }
    return more(items, size);
  }

  #values(values: Iterable<unknown>, size: number, depth: number): string[] {
    const items: string[] = [];
    for (const value of values) {
      if (items.length >= ENTRIES_MAX || this.#left <= 0) break;
      items.push(this.render(value, depth));
    }
    return more(items, size);
  }

  #fields(value: object, depth: number): string[] {
    const keys = Reflect.ownKeys(value);
    const items: string[] = [];
    let hidden = 0;
    for (const key of keys) {
      if (items.length >= ENTRIES_MAX || this.#left <= 0) break;
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property?.enumerable !== true) {
        hidden++;
        continue;
      }
      const shown = typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
      items.push(`${shown}: ${"value" in property ? this.render(property.value, depth) : accessor(property)}`);
    }
    return more(items, keys.length - hidden);
  }
}

function primitive(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return functionText(value);
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    default:
      return String(value);
  }
}

function functionText(value: object): string {
  const name = Object.getOwnPropertyDescriptor(value, "name")?.value as unknown;
  return typeof name === "string" && name !== "" ? `[Function: ${name.slice(0, 200)}]` : "[Function (anonymous)]";
}

function accessor(property: PropertyDescriptor): string {
  return property.get === undefined ? "[Setter]" : property.set === undefined ? "[Getter]" : "[Getter/Setter]";
}

/** Objects that one word says. */
function simpleObject(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value).slice(0, STRING_CHARS_MAX);
  if (value instanceof Promise) return "Promise {}";
  if (value instanceof WeakMap) return "WeakMap {}";
  if (value instanceof WeakSet) return "WeakSet {}";
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  if (value instanceof DataView) return `DataView { byteLength: ${value.byteLength} }`;
  return undefined;
}

function constructorName(value: object): string {
  for (let at: object | null = value, steps = 0; at !== null && steps < 50; at = Object.getPrototypeOf(at) as object | null, steps++) {
    const constructor = Object.getOwnPropertyDescriptor(at, "constructor")?.value as unknown;
    if (typeof constructor === "function") {
      const name = Object.getOwnPropertyDescriptor(constructor, "name")?.value as unknown;
      if (typeof name === "string" && name !== "") return name.slice(0, 200);
    }
  }
  return "";
}

function quote(text: string): string {
  const cut = text.length > STRING_CHARS_MAX ? `${text.slice(0, STRING_CHARS_MAX)}…` : text;
  const body = cut.replace(/[\\\n\r\t\u2028\u2029]/g, (char) => JSON.stringify(char).slice(1, -1));
  if (!body.includes("'")) return `'${body}'`;
  return body.includes('"') ? `'${body.replaceAll("'", "\\'")}'` : `"${body}"`;
}

function more(items: string[], total: number): string[] {
  if (total > items.length) items.push(`… ${total - items.length} more`);
  return items;
}

function wrap(prefix: string, open: string, items: readonly string[], close: string): string {
  if (items.length === 0) return `${prefix}${open}${close}`;
  const oneLine = items.join(", ");
  if (oneLine.length <= LINE_CHARS && !oneLine.includes("\n")) return open === "[" ? `${prefix}[ ${oneLine} ]` : `${prefix}{ ${oneLine} }`;
  return `${prefix}${open}\n${items.map((item) => `  ${item.replaceAll("\n", "\n  ")}`).join(",\n")}\n${close}`;
}
