/**
 * Data of nodes with expressions in it (F3). A template is read once; to resolve it walks only parts that hold expressions.
 *
 * V1 An expression that is nothing but a path hands on what stands there, stored parts included. Any other that reads a stored part
 *    asks for what is small enough to be read first (`load.ts`), and fails with a sentence otherwise.
 */
import { childPath } from "../manifest/paths.ts";
import type { Json, JsonObject } from "../operations/operation.ts";
import type { ValueType } from "./definition.ts";
import type { Expression } from "./expressions/expression.ts";
import type { Position } from "./expressions/findings.ts";
import { StepFailure, StoredValueNeeded } from "./flow-error.ts";
import { type FlowValue, isList, isRecord, listValue, recordValue, type StoredPart, storedWithin, valueAt } from "./value.ts";

export type Template =
  | { readonly kind: "literal"; readonly value: FlowValue }
  | {
      readonly kind: "expression";
      readonly expression: Expression;
      readonly path: readonly string[] | null;
      readonly source: ExpressionSource;
    }
  | { readonly kind: "record"; readonly fields: readonly (readonly [string, Template])[] }
  | { readonly kind: "list"; readonly items: readonly Template[] };

/** What expressions see. */
export interface TemplateContext {
  /** `roots` that the expression reads, as plain JSON. */
  readonly json: (reads: Expression["reads"]) => JsonObject;
  /** A value by its path from the roots; null when no such value is known as one. */
  readonly value: (path: readonly string[]) => { readonly value: FlowValue; readonly rest: readonly string[] } | null;
  /** Whether a stored part was read for this step. */
  readonly isLoaded: (part: StoredPart) => boolean;
  /** Steps that one evaluation may take; what it took is reported back. */
  readonly costMax: number;
  readonly spent: (cost: number) => void;
}

export interface ExpressionSource {
  readonly text: string;
  /** Path in the document. */
  readonly at: string;
  /** What the place needs. */
  readonly expected: ValueType;
  /** Evaluated within the chain of the node: it sees `item`, `index` and the steps of that chain. */
  readonly isInside: boolean;
  /** Characters that stand before it in its first line. */
  readonly shift: number;
}

/** Null for what cannot be read: the compiler has told of it. */
export type Compile = (source: ExpressionSource) => Expression | null;

const PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

export interface TemplateOptions {
  readonly at: string;
  readonly expected: ValueType;
  readonly isInside?: boolean;
  readonly compile: Compile;
}

export function readTemplate(json: Json, options: TemplateOptions): Template {
  const { at, expected } = options;
  if (typeof json === "string") return readText(json, options);
  if (isList(json)) {
    const inner = typeof expected === "object" && "list" in expected ? expected.list : "any";
    const items = json.map((item, i) => readTemplate(item, { ...options, at: `${at}[${i}]`, expected: inner }));
    return items.every(isLiteral) ? literal(items.map(literalOf)) : { kind: "list", items };
  }
  if (isRecord(json)) {
    const types = typeof expected === "object" && "record" in expected ? expected.record : {};
    const fields = Object.keys(json).map((name) => {
      const inner = Object.hasOwn(types, name) ? (types[name] ?? "any") : "any";
      return [name, readTemplate(json[name] ?? null, { ...options, at: childPath(at, name), expected: inner })] as const;
    });
    if (!fields.every(([, template]) => isLiteral(template))) return { kind: "record", fields };
    return literal(Object.fromEntries(fields.map(([name, template]) => [name, literalOf(template)])));
  }
  return literal(json);
}

function readText(text: string, { at, expected, isInside = false, compile }: TemplateOptions): Template {
  if (!text.startsWith("=")) return literal(text);
  if (text.startsWith("==")) return literal(text.slice(1));
  return readExpression({ text: text.slice(1), at, expected, isInside, shift: 1 }, compile);
}

/** A text that is an expression as a whole. */
export function readExpression(source: ExpressionSource, compile: Compile): Template {
  const expression = compile(source);
  if (expression === null) return literal(null);
  const text = source.text.trim();
  return { kind: "expression", expression, path: PATH.test(text) ? text.split(".") : null, source };
}

/** A position in the text of an expression as one in the text of the document. */
export function positionInSource(position: Position, { shift }: ExpressionSource): Position {
  return position.line === 1 ? { line: 1, column: position.column + shift } : position;
}

/** Names that a record is written with; null when an expression gives it. */
export function namesOf(template: Template): readonly string[] | null {
  if (template.kind === "record") return template.fields.map(([name]) => name);
  const json = template.kind === "literal" ? template.value.json : null;
  return typeof json === "object" && json !== null && !Array.isArray(json) ? Object.keys(json) : null;
}

function literal(json: Json): Template {
  return { kind: "literal", value: { json } };
}

function isLiteral(template: Template): boolean {
  return template.kind === "literal";
}

function literalOf(template: Template): Json {
  return template.kind === "literal" ? template.value.json : null;
}

export function resolveTemplate(template: Template, context: TemplateContext): FlowValue {
  switch (template.kind) {
    case "literal":
      return template.value;
    case "expression":
      return resolveExpression(template, context);
    case "list":
      return listValue(template.items.map((item) => resolveTemplate(item, context)));
    case "record":
      return recordValue(Object.fromEntries(template.fields.map(([name, field]) => [name, resolveTemplate(field, context)])));
  }
}

function resolveExpression({ expression, path, source }: Template & { kind: "expression" }, context: TemplateContext): FlowValue {
  if (path !== null) {
    const found = context.value(path);
    const value = found === null ? undefined : valueAt(found.value, found.rest);
    if (value !== undefined) return value;
  }
  const needed = expression.reads.flatMap((read) => {
    const found = context.value(read);
    const parts = found === null ? [] : storedWithin(found.value, found.rest);
    return parts.filter((part) => !context.isLoaded(part)).map((part) => ({ read: read.join("."), value: part.value }));
  });
  const [first] = needed;
  if (first !== undefined) {
    throw new StoredValueNeeded(
      `the expression at ${source.at} reads ${first.read}, which is stored apart because it has ${first.value.bytes} bytes; hand it on as a whole (\`=${first.read}\`) or read it in a script.`,
      needed.map(({ value }) => value),
    );
  }
  const result = expression.evaluate(context.json(expression.reads), { costMax: context.costMax });
  context.spent(result.cost);
  if (result.ok) return { json: result.value };
  const { line, column } = positionInSource(result.error.position, source);
  throw new StepFailure("expression", `the expression at ${source.at} failed at line ${line}, column ${column}: ${result.error.message}`);
}
