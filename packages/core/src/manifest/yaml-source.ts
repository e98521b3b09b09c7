/**
 * The text of a manifest, read to plain JSON. It owns the choice of YAML that a manifest may use: the core schema of
 * YAML 1.2, one document, block and flow collections, plain, quoted and block scalars. The text is hostile.
 *
 * Y1. Aliases, anchors, tags, directives and further documents are refused from the tokens, before anything is composed,
 *     so that nothing is ever expanded.
 * Y2. The nesting is bounded before the text is composed, because the composer recurses.
 * Y3. The result holds null, booleans, finite numbers, texts, arrays and objects without a prototype; no key is
 *     `__proto__`, `constructor` or `prototype`, and none stands twice in one object.
 * Y4. Bytes, nodes, nesting and length of scalars are bounded.
 */
import { CST, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, parseDocument, type Pair, type YAMLMap } from "yaml";
import { limit } from "../limits.ts";
import { Report } from "./report.ts";
import { childPath, isReservedKey } from "./paths.ts";
import type { ManifestFinding } from "./manifest.ts";

export interface YamlSource {
  /** Plain data; undefined when the text cannot be read. */
  readonly json: unknown;
  /** `functions[2].name` → line, from 1; containers have the line where they begin. */
  readonly lines: Readonly<Record<string, number>>;
  readonly findings: readonly ManifestFinding[];
}

const BYTES_MAX = limit("manifestBytesMax");
const DEPTH_MAX = limit("manifestDepthMax");
const NODES_MAX = limit("manifestNodesMax");
const SCALAR_CHARS_MAX = limit("manifestTextCharsMax");
const COLUMNS_MAX = limit("manifestIndentColumnsMax");
const KEY_CHARS_MAX = limit("manifestNameCharsMax");
/** What readers of YAML 1.1 take for booleans. */
const OLD_BOOLEAN = /^(?:yes|no|on|off)$/i;

/** Reads the text of a manifest. Never throws. */
export function readYaml(text: string): YamlSource {
  const lines: Record<string, number> = Object.create(null) as Record<string, number>;
  const report = new Report(lines);
  const failed = (): YamlSource => ({ json: undefined, lines, findings: report.findings });
  const bytes = utf8Length(text);
  if (bytes > BYTES_MAX) {
    report.error("", `the file has ${bytes} bytes and may have ${BYTES_MAX}; move long texts into the code.`);
    return failed();
  }
  checkTokens(text, report);
  if (report.failed) return failed();
  const json = compose(text, lines, report);
  return report.failed ? failed() : { json, lines, findings: report.findings };
}

/** Y1 and Y2: looks at the tokens only, in one pass. */
function checkTokens(text: string, report: Report): void {
  let line = 1;
  let column = 0;
  let flowDepth = 0;
  let indicatorsInLine = 0;
  let hasContent = false;
  let scalarsAndItems = 0;
  let atLineStart = true;
  let scalarFollows = false;
  for (const source of new Lexer().lex(text)) {
    if (report.isFull) return;
    const type = scalarFollows ? "scalar" : CST.tokenType(source);
    if (!scalarFollows && type === "scalar") {
      scalarFollows = true;
      continue;
    }
    scalarFollows = false;
    // An item or a scalar makes a value or a key, so that this many are too many values; composing them takes seconds.
    if (/scalar|-ind$/.test(type ?? "") && ++scalarsAndItems > 4 * NODES_MAX) return report.errorAtLine(line, tooMany());
    switch (type) {
      case "alias":
        report.errorAtLine(line, `the alias ${shown(source)} is not allowed; write the value out here.`);
        break;
      case "anchor":
        report.errorAtLine(line, `the anchor ${shown(source)} is not allowed; remove it and write values out where they are used.`);
        break;
      case "tag":
        report.errorAtLine(line, `the tag ${shown(source)} is not allowed; remove it, and put texts in quotes.`);
        break;
      case "directive-line":
        report.errorAtLine(line, `the directive ${shown(source)} is not allowed; remove the line.`);
        break;
      case "doc-start":
        if (hasContent) report.errorAtLine(line, "a second document begins here; a manifest is one document, so remove `---`.");
        hasContent = true;
        break;
      case "doc-mode":
      case "flow-error-end":
      case "byte-order-mark":
        continue;
      case "flow-map-start":
      case "flow-seq-start":
        flowDepth += 1;
        if (flowDepth > DEPTH_MAX) return report.errorAtLine(line, tooDeep());
        break;
      case "flow-map-end":
      case "flow-seq-end":
        flowDepth = Math.max(0, flowDepth - 1);
        break;
      case "seq-item-ind":
      case "explicit-key-ind":
      case "map-value-ind":
        indicatorsInLine += 1;
        if (flowDepth === 0 && indicatorsInLine > DEPTH_MAX) return report.errorAtLine(line, tooDeep());
        break;
      default:
        break;
    }
    const isSpace = type === "space" || type === "newline" || type === "comment";
    hasContent ||= !isSpace && type !== "directive-line";
    // Within block collections the nesting is at most the indentation plus the indicators of a line.
    if (atLineStart && !isSpace) {
      if (flowDepth === 0 && column > COLUMNS_MAX) {
        report.errorAtLine(line, `the line is indented by ${column} columns and may be by ${COLUMNS_MAX}.`);
      }
      atLineStart = false;
    }
    const breaks = countBreaks(source);
    if (breaks === 0) column += source.length;
    else {
      line += breaks;
      column = source.length - source.lastIndexOf("\n") - 1;
      indicatorsInLine = 0;
      atLineStart = true;
    }
  }
}

function compose(text: string, lines: Record<string, number>, report: Report): unknown {
  const counter = new LineCounter();
  try {
    const document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: false,
      // Y3 is checked while walking, in linear time.
      uniqueKeys: false,
      prettyErrors: false,
      // On "silent" further documents would be dropped without an error.
      logLevel: "error",
      lineCounter: counter,
    });
    for (const error of document.errors) {
      const message = error.code === "MULTIPLE_DOCS" ? "there is more than one document; a manifest is one" : error.message;
      report.errorAtLine(counter.linePos(error.pos[0]).line, `the file is not valid YAML: ${shown(message.replace(/\s+/g, " "))}`);
    }
    if (report.failed) return undefined;
    return new Walk(counter, lines, report).value(document.contents, "", 0, 1);
  } catch {
    // The composer runs out of stack only on nesting that the checks of the tokens let through.
    report.error("", "the file cannot be read as YAML; simplify its structure.");
    return undefined;
  }
}

/** Makes plain data of composed nodes. */
class Walk {
  readonly #counter: LineCounter;
  readonly #lines: Record<string, number>;
  readonly #report: Report;
  #nodes = 0;

  constructor(counter: LineCounter, lines: Record<string, number>, report: Report) {
    this.#counter = counter;
    this.#lines = lines;
    this.#report = report;
  }

  value(part: unknown, path: string, depth: number, fallbackLine: number): unknown {
    const line = this.#lineOf(part) ?? fallbackLine;
    this.#lines[path] ??= line;
    this.#nodes += 1;
    if (this.#nodes === NODES_MAX + 1) this.#report.error(path, tooMany());
    if (this.#nodes > NODES_MAX) return null;
    if (depth > DEPTH_MAX) {
      this.#report.error(path, tooDeep());
      return null;
    }
    if (isMap(part)) return this.#map(part, path, depth, line);
    if (isSeq(part)) {
      return part.items.map((item, i) => {
        const at = `${path}[${i}]`;
        if (isPair(item)) return this.#refuse(at, "is a pair within a list; put it in braces.");
        return this.value(item, at, depth + 1, line);
      });
    }
    if (isScalar(part)) return this.#scalar(part.value, path, part.type === "PLAIN");
    return null;
  }

  #map(part: YAMLMap, path: string, depth: number, line: number): unknown {
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const pair of part.items) {
      const key = this.#key(pair, path);
      if (key === null) continue;
      const at = childPath(path, key);
      const keyLine = this.#lineOf(pair.key) ?? line;
      if (Object.hasOwn(object, key)) {
        this.#report.errorAtLine(keyLine, `the key \`${shown(key)}\` stands twice in one object; remove one of the two.`, at);
        continue;
      }
      this.#lines[at] = keyLine;
      object[key] = this.value(pair.value, at, depth + 1, keyLine);
    }
    return object;
  }

  #key(pair: Pair, path: string): string | null {
    const line = this.#lineOf(pair.key) ?? this.#lines[path] ?? 1;
    const key = isScalar(pair.key) ? pair.key.value : undefined;
    const text = typeof key === "number" || typeof key === "boolean" ? String(key) : key;
    if (typeof text !== "string") {
      this.#report.errorAtLine(line, "a key has to be a text; lists, objects and null are no keys.", path);
      return null;
    }
    if (text === "<<") {
      this.#report.errorAtLine(line, "the merge key `<<` is not allowed; write the fields out here.", path);
      return null;
    }
    if (isReservedKey(text)) {
      this.#report.errorAtLine(line, `the key \`${text}\` is not allowed; choose another name.`, path);
      return null;
    }
    if (text.length > KEY_CHARS_MAX) {
      this.#report.errorAtLine(line, `a key has ${text.length} characters and may have ${KEY_CHARS_MAX}.`, path);
      return null;
    }
    return text;
  }

  #scalar(value: unknown, path: string, isPlain: boolean): unknown {
    if (typeof value === "string") {
      if (value.length > SCALAR_CHARS_MAX) return this.#refuse(path, `has ${value.length} characters and may have ${SCALAR_CHARS_MAX}.`);
      if (isPlain && OLD_BOOLEAN.test(value)) {
        this.#report.warning(
          path,
          `\`${value}\` is a text here, but a boolean for readers of YAML 1.1; write "${value}" for the text, or true or false.`,
        );
      }
      return value;
    }
    if (typeof value === "number" && !Number.isFinite(value)) return this.#refuse(path, "has to be a finite number.");
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    return this.#refuse(path, "is of a kind that a manifest cannot hold; put it in quotes.");
  }

  #refuse(path: string, problem: string): null {
    this.#report.error(path, `${path === "" ? "the file" : path} ${problem}`);
    return null;
  }

  #lineOf(part: unknown): number | undefined {
    const start = typeof part === "object" && part !== null && "range" in part && Array.isArray(part.range) ? part.range[0] : undefined;
    return typeof start === "number" ? this.#counter.linePos(start).line : undefined;
  }
}

function tooDeep(): string {
  return `the nesting is deeper than ${DEPTH_MAX} levels; flatten it.`;
}

function tooMany(): string {
  return `the file has more than ${NODES_MAX} values; remove some.`;
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0x7ff && (code < 0xd800 || code > 0xdfff)) bytes += 2;
    else if (code > 0x7f) bytes += 1;
  }
  return bytes;
}
