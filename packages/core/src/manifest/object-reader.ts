/**
 * Reads one object of hostile JSON field by field. Whatever is wrong becomes a finding and a harmless value, so that one
 * pass finds everything; keys that nobody asked for become warnings.
 *
 * R1. Every field is looked at once and own properties only: the work is linear in the JSON.
 * R2. Lists and texts are bounded; of a list that is too long the rest is not looked at.
 */
import { limit, type LimitName } from "../limits.ts";
import { didYouMean } from "./near-miss.ts";
import { childPath, isReservedKey } from "./paths.ts";
import { Report } from "./report.ts";

const NAME_CHARS_MAX = limit("manifestNameCharsMax");
const TEXT_CHARS_MAX = limit("manifestTextCharsMax");
const JSON_DEPTH_MAX = limit("manifestDepthMax");
const JSON_NODES_MAX = limit("manifestNodesMax");
// eslint-disable-next-line no-control-regex -- these are the characters to be refused
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const ONE_LINE = /^[^\r\n]*$/;

export interface TextOptions {
  readonly required?: boolean;
  readonly charsMax?: number;
  /** What a correct text looks like, and the sentence that follows the path when it does not. */
  readonly pattern?: RegExp;
  readonly instead?: string;
  readonly fallback?: string;
}

export interface NumberOptions {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

export class ObjectReader {
  readonly path: string;
  readonly report: Report;
  readonly #object: object;
  readonly #asked = new Set<string>();

  constructor(object: object, path: string, report: Report) {
    this.#object = object;
    this.path = path;
    this.report = report;
  }

  at(key: string): string {
    return childPath(this.path, key);
  }

  error(key: string, problem: string): void {
    this.report.error(this.at(key), `${this.at(key)} ${problem}`);
  }

  warning(key: string, problem: string): void {
    this.report.warning(this.at(key), `${this.at(key)} ${problem}`);
  }

  /** The value as it is; undefined when absent or null. */
  raw(key: string): unknown {
    this.#asked.add(key);
    const value: unknown = Object.hasOwn(this.#object, key) ? Reflect.get(this.#object, key) : undefined;
    return value === null ? undefined : value;
  }

  /** Whether null is written there. */
  isNull(key: string): boolean {
    return Object.hasOwn(this.#object, key) && Reflect.get(this.#object, key) === null;
  }

  has(key: string): boolean {
    return this.raw(key) !== undefined;
  }

  /** A key that is known and means nothing to Plinth. */
  ignored(key: string, why: string): void {
    if (this.has(key)) this.warning(key, why);
  }

  text(key: string, options: TextOptions = {}): string {
    return this.optionalText(key, options) ?? options.fallback ?? "";
  }

  optionalText(key: string, options: TextOptions = {}): string | null {
    const value = this.raw(key);
    const charsMax = options.charsMax ?? TEXT_CHARS_MAX;
    if (value === undefined || value === "") {
      if (options.required === true) this.error(key, `is ${value === "" ? "empty" : "missing"}; ${options.instead ?? "write a text"}.`);
      return null;
    }
    if (typeof value === "number" || typeof value === "boolean") {
      this.error(key, `is a ${typeof value}; write a text: "${String(value)}".`);
      return null;
    }
    if (typeof value !== "string") {
      this.error(key, `is ${kindOf(value)}; ${options.instead ?? "write a text"}.`);
      return null;
    }
    if (value.length > charsMax) {
      this.error(key, `has ${value.length} characters and may have ${charsMax}; shorten it.`);
      return null;
    }
    if (CONTROL.test(value)) {
      this.error(key, "holds control characters; remove them.");
      return null;
    }
    if (options.pattern !== undefined && !options.pattern.test(value)) {
      this.error(key, `is \`${shown(value)}\`; ${options.instead ?? "write it differently"}.`);
      return null;
    }
    return value;
  }

  /** A text of one line that people read. */
  label(key: string, options: TextOptions = {}): string {
    return this.text(key, { charsMax: NAME_CHARS_MAX, pattern: ONE_LINE, instead: "write one line of text", ...options });
  }

  /** One of `choices`, whatever the case of its letters. */
  choice<T extends string>(key: string, choices: readonly T[], fallback: T | null): T {
    const text = this.optionalText(key, { required: fallback === null, instead: `write ${oneOf(choices)}` });
    const found = choices.find((choice) => choice === text?.toLowerCase());
    if (text !== null && found === undefined) {
      this.error(key, `is \`${shown(text)}\`; write ${oneOf(choices)}.${didYouMean(text, choices)}`);
    }
    const value = found ?? fallback ?? choices[0];
    if (value === undefined) throw new TypeError("no choices");
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    return this.optionalBoolean(key) ?? fallback;
  }

  optionalBoolean(key: string): boolean | null {
    const value = this.raw(key);
    if (value === undefined || typeof value === "boolean") return value ?? null;
    this.error(key, `is ${typeof value === "string" ? `the text \`${shown(value)}\`` : kindOf(value)}; write true or false.`);
    return null;
  }

  number(key: string, { min, max, integer = true }: NumberOptions): number | null {
    const value = this.raw(key);
    if (value === undefined) return null;
    if (typeof value === "number" && value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
    const actual = typeof value === "number" ? String(value) : kindOf(value);
    this.error(key, `is ${actual}; write ${integer ? "a whole number" : "a number"} from ${min} to ${max}.`);
    return null;
  }

  /** A nested object, or null. */
  object<T>(key: string, read: (reader: ObjectReader) => T): T | null {
    const value = this.raw(key);
    if (value === undefined) return null;
    return readObject(value, this.at(key), this.report, read);
  }

  /** A list; null and absent are empty. */
  list<T>(key: string, max: LimitName, read: (item: unknown, path: string) => T): T[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.error(key, `is ${kindOf(value)}; write a list, each entry after a hyphen.`);
      return [];
    }
    const countMax = limit(max);
    if (value.length > countMax) this.error(key, `has ${value.length} entries and may have ${countMax}; remove some.`);
    const items: T[] = [];
    for (let i = 0; i < Math.min(value.length, countMax); i += 1) {
      items.push(read(value[i], `${this.at(key)}[${i}]`));
    }
    return items;
  }

  objects<T>(key: string, max: LimitName, read: (reader: ObjectReader) => T): T[] {
    return this.list(
      key,
      max,
      // What is no object keeps its place, so that the positions of the others are right.
      (item, path) => readObject(item, path, this.report, read) ?? read(new ObjectReader({}, path, new Report(null))),
    );
  }

  /** A list of texts; wrong ones are empty. */
  texts(key: string, max: LimitName, options: TextOptions = {}): string[] {
    return this.list(key, max, (item, path) =>
      new ElementReader({ item }, path, this.report).text("item", { required: true, charsMax: NAME_CHARS_MAX, ...options }),
    );
  }

  /** Whether a list is absent, or has no entry. */
  isEmpty(key: string): boolean {
    const value = this.raw(key);
    return value === undefined || (Array.isArray(value) && value.length === 0);
  }

  /** An object of texts; numbers and booleans count as texts, as headers and parameters are written. */
  textMap(key: string, nameForm?: RegExp): Readonly<Record<string, string>> {
    const value = this.raw(key);
    const map: Record<string, string> = Object.create(null) as Record<string, string>;
    if (value === undefined) return map;
    if (!isObject(value)) {
      this.error(key, `is ${kindOf(value)}; write an object of texts.`);
      return map;
    }
    const names = Object.keys(value);
    if (names.length > limit("manifestMapEntriesMax")) {
      this.error(key, `has ${names.length} entries and may have ${limit("manifestMapEntriesMax")}; remove some.`);
      return map;
    }
    const entries = new ObjectReader(value, this.at(key), this.report);
    for (const name of names) {
      if (isReservedKey(name)) {
        this.error(key, `has the key \`${name}\`, which is not allowed; choose another name.`);
        continue;
      }
      if (nameForm !== undefined && !nameForm.test(name)) {
        this.error(key, `has the key \`${shown(name)}\`; write a name that HTTP allows.`);
        continue;
      }
      const entry = entries.raw(name);
      if (typeof entry === "number" || typeof entry === "boolean") map[name] = String(entry);
      else map[name] = entries.text(name, { pattern: ONE_LINE, instead: "write one line of text" });
    }
    return map;
  }

  /** A copy of any JSON; undefined when absent. */
  json(key: string): unknown {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const copy = new JsonCopy().copy(value, 0);
    if (copy !== REFUSED) return copy;
    this.error(
      key,
      `cannot be used; write plain values, nested ${JSON_DEPTH_MAX} levels at most, without the keys __proto__, constructor and prototype.`,
    );
    return undefined;
  }

  /** The same for an object; an empty one when absent. */
  jsonObject(key: string): Readonly<Record<string, unknown>> {
    const value = this.json(key);
    if (isObject(value)) return value;
    if (value !== undefined) this.error(key, `is ${kindOf(value)}; write an object.`);
    return Object.create(null) as Record<string, unknown>;
  }

  /** Warns of keys that nobody asked for. */
  end(): void {
    for (const key of Object.keys(this.#object)) {
      if (this.#asked.has(key)) continue;
      if (this.report.isFull) return;
      const where = this.path === "" ? "a manifest" : this.path;
      this.report.warning(this.at(key), `\`${shown(key)}\` is no key of ${where}; it is ignored.${didYouMean(key, this.#asked)}`);
    }
  }
}

/** Reads one element of a list, whose path has no key. */
class ElementReader extends ObjectReader {
  override at(): string {
    return this.path;
  }
}

/** Reads an object and warns of its unknown keys. */
export function readObject<T>(json: unknown, path: string, report: Report, read: (reader: ObjectReader) => T): T | null {
  if (!isObject(json)) {
    report.error(
      path,
      `${path === "" ? "the manifest" : path} is ${json === null ? "empty" : kindOf(json)}; write an object with keys and values.`,
    );
    return null;
  }
  const reader = new ObjectReader(json, path, report);
  const value = read(reader);
  reader.end();
  return value;
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function kindOf(json: unknown): string {
  if (json === null || json === undefined) return "missing";
  if (Array.isArray(json)) return "a list";
  return typeof json === "object" ? "an object" : `a ${typeof json === "string" ? "text" : typeof json}`;
}

export function shown(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

export function oneOf(choices: readonly string[]): string {
  return choices.length < 2
    ? `\`${choices[0] ?? ""}\``
    : `${choices
        .slice(0, -1)
        .map((c) => `\`${c}\``)
        .join(", ")} or \`${choices.at(-1)}\``;
}

const REFUSED = Symbol("refused");

/** Copies JSON within bounds, so that nothing of the hostile object graph stays reachable. */
class JsonCopy {
  #nodes = 0;

  copy(value: unknown, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > JSON_NODES_MAX || depth > JSON_DEPTH_MAX) return REFUSED;
    switch (typeof value) {
      case "string":
        return value.length <= TEXT_CHARS_MAX ? value : REFUSED;
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : REFUSED;
      case "object":
        if (value === null) return null;
        return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth);
      default:
        return REFUSED;
    }
  }

  #array(value: readonly unknown[], depth: number): unknown {
    const copy: unknown[] = [];
    for (const item of value) {
      const element = this.copy(item, depth + 1);
      if (element === REFUSED) return REFUSED;
      copy.push(element);
    }
    return copy;
  }

  #object(value: object, depth: number): unknown {
    const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      if (isReservedKey(key)) return REFUSED;
      const element = this.copy(Reflect.get(value, key), depth + 1);
      if (element === REFUSED) return REFUSED;
      copy[key] = element;
    }
    return copy;
  }
}
