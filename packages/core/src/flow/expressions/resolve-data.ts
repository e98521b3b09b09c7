/**
 * JSON in which texts may be expressions: the data of a node. A text that begins with `=` is an expression; one that begins with `==`
 * is the text behind the first `=`. Everything is compiled once; resolving keeps the structure and gives the expressions' values.
 */
import { limit } from "../../limits.ts";
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { ValueType } from "../definition.ts";
import { compileExpression, type EvaluationOptions, expressionError, type Expression, type ExpressionError } from "./expression.ts";
import type { ExpressionFinding } from "./findings.ts";
import type { ExpressionTypes } from "./part.ts";
import { bounded, unite } from "./value-types.ts";
import { setField } from "./values.ts";
import { isList, isRecord, Work } from "./work.ts";

/** Names and places from the top of the data: `["headers", "x-total"]`, `["items", "0"]`. */
export type DataPath = readonly string[];

export interface DataFinding extends ExpressionFinding {
  readonly path: DataPath;
}

export type DataResolution =
  | { readonly ok: true; readonly value: Json; readonly cost: number }
  | { readonly ok: false; readonly error: ExpressionError; readonly path: DataPath; readonly cost: number };

export interface CompiledData {
  readonly findings: readonly DataFinding[];
  /** Of the resolved data. */
  readonly type: ValueType;
  /** Paths into the context that its expressions read. */
  readonly reads: readonly (readonly string[])[];
  /** All expressions together have the steps of `costMax`. Data with findings cannot be resolved. */
  readonly resolve: (context: JsonObject, options?: EvaluationOptions) => DataResolution;
}

/** Paths whose texts are not expressions: code, or expressions that are evaluated later. */
export interface DataOptions {
  readonly isLiteral?: (path: DataPath) => boolean;
}

/** The expression that a text of node data is, or null. */
export function expressionIn(text: string): string | null {
  return text.startsWith("=") && !text.startsWith("==") ? text.slice(1) : null;
}

/** The text that stands for `text` in node data, whatever it begins with. */
export function literalInData(text: string): string {
  return text.startsWith("=") ? `=${text}` : text;
}

export function compileData(data: Json, types: ExpressionTypes, options: DataOptions = {}): CompiledData {
  const compiler = new DataCompiler(types, options);
  const root = compiler.compile(data, []);
  const { findings, expressions } = compiler;
  const reads = new Map(expressions.flatMap(({ reads: paths }) => paths.map((path) => [JSON.stringify(path), path] as const)));
  const resolve = (context: JsonObject, { costMax = limit("expressionCostMax") }: EvaluationOptions = {}): DataResolution => {
    const work = new Work({ stepsMax: costMax, sizeMax: limit("expressionSizeMax") });
    // The expression that runs, for the place of its error.
    const current: Current = { path: [], text: "" };
    try {
      return { ok: true, value: root.resolve({ context, work, current }), cost: work.steps };
    } catch (failure) {
      return { ok: false, error: expressionError(failure, current.text), path: current.path, cost: work.steps };
    }
  };
  return { findings, type: root.type, reads: [...reads.values()], resolve };
}

interface Current {
  path: DataPath;
  text: string;
}

interface Resolving {
  readonly context: JsonObject;
  readonly work: Work;
  readonly current: Current;
}

interface DataPart {
  readonly type: ValueType;
  /** Without expressions: the data itself stands for it. */
  readonly isConstant: boolean;
  readonly resolve: (resolving: Resolving) => Json;
}

class DataCompiler {
  readonly findings: DataFinding[] = [];
  readonly expressions: Expression[] = [];
  readonly #types: ExpressionTypes;
  readonly #isLiteral: (path: DataPath) => boolean;

  constructor(types: ExpressionTypes, { isLiteral = () => false }: DataOptions) {
    this.#types = types;
    this.#isLiteral = isLiteral;
  }

  compile(data: Json, path: DataPath): DataPart {
    if (path.length > limit("valueDepthMax")) {
      this.#refuse(path.slice(0, 8), `Data has at most ${limit("valueDepthMax")} levels.`);
      return constant(null, "any");
    }
    if (typeof data === "string") return this.#text(data, path);
    if (isList(data)) return this.#list(data, path);
    if (isRecord(data)) return this.#record(data, path);
    return constant(data, data === null ? "null" : typeof data === "number" ? "number" : "boolean");
  }

  #text(text: string, path: DataPath): DataPart {
    if (!text.startsWith("=") || this.#isLiteral(path)) return constant(text, "string");
    const source = expressionIn(text);
    if (source === null) return { ...constant(text.slice(1), "string"), isConstant: false };
    if (this.expressions.length >= limit("dataExpressionsMax")) {
      this.#refuse(path, `Data has at most ${limit("dataExpressionsMax")} expressions; a script node can do more.`);
      return constant(null, "any");
    }
    const compiled = compileExpression(source, this.#types);
    if (!compiled.ok) {
      for (const finding of compiled.findings) this.#add(path, finding);
      return constant(null, "any");
    }
    const { expression } = compiled;
    this.expressions.push(expression);
    const resolve = ({ context, work, current }: Resolving): Json => {
      current.path = path;
      current.text = source;
      return expression.run(context, work);
    };
    return { type: expression.type, isConstant: false, resolve };
  }

  #list(list: readonly Json[], path: DataPath): DataPart {
    const parts = list.map((item, i) => this.compile(item, [...path, String(i)]));
    const element = parts.map(({ type }) => type).reduce<ValueType | null>((all, type) => (all === null ? type : unite(all, type)), null);
    const type = bounded({ list: element ?? "any" });
    if (parts.every(({ isConstant }) => isConstant)) return constant(list, type);
    return { type, isConstant: false, resolve: (resolving) => parts.map((part) => part.resolve(resolving)) };
  }

  #record(record: { readonly [name: string]: Json }, path: DataPath): DataPart {
    const parts = Object.keys(record).map((name) => [name, this.compile(record[name] ?? null, [...path, name])] as const);
    const type = bounded({ record: Object.fromEntries(parts.map(([name, part]) => [name, part.type])) });
    if (parts.every(([, { isConstant }]) => isConstant)) return constant(record, type);
    const resolve = (resolving: Resolving): Json => {
      const resolved: Record<string, Json> = {};
      for (const [name, part] of parts) setField(resolved, name, part.resolve(resolving));
      return resolved;
    };
    return { type, isConstant: false, resolve };
  }

  #refuse(path: DataPath, message: string): void {
    this.#add(path, { message, position: { line: 1, column: 1 } });
  }

  #add(path: DataPath, finding: ExpressionFinding): void {
    // The `=` stands before the expression and counts in the text that its author sees.
    const { line, column } = finding.position;
    const position = { line, column: line === 1 ? column + 1 : column };
    if (this.findings.length < limit("expressionFindingsMax")) this.findings.push({ message: finding.message, position, path });
  }
}

function constant(value: Json, type: ValueType): DataPart {
  return { type, isConstant: true, resolve: () => value };
}
