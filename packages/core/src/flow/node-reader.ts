/** Reads the `data` of one node: fields, templates, and pointers, which it keeps for the check of the graph. */
import { ObjectReader } from "../manifest/object-reader.ts";
import type { Report } from "../manifest/report.ts";
import type { Json } from "../operations/operation.ts";
import type { FlowCatalogue } from "./catalogue.ts";
import type { NodeId, ValueType } from "./definition.ts";
import { DURATION_FORM, durationMs, momentMs } from "./durations.ts";
import type { InnerChain, Pointer } from "./node-type.ts";
import { type Compile, readExpression, readTemplate, type Template } from "./template.ts";

export interface NodeReaderOptions {
  readonly node: NodeId;
  readonly path: string;
  readonly report: Report;
  readonly compile: Compile;
  readonly catalogue: FlowCatalogue | null;
  /** Types of the flow's variables. */
  readonly variables: Readonly<Record<string, ValueType>>;
}

export class NodeReader extends ObjectReader {
  readonly node: NodeId;
  readonly catalogue: FlowCatalogue | null;
  readonly variables: Readonly<Record<string, ValueType>>;
  readonly pointers: Pointer[] = [];
  readonly chains: InnerChain[] = [];
  backward: Pointer | null = null;
  readonly #compile: Compile;

  constructor(data: object, options: NodeReaderOptions) {
    super(data, options.path, options.report);
    this.node = options.node;
    this.catalogue = options.catalogue;
    this.variables = options.variables;
    this.#compile = options.compile;
  }

  /** Any JSON with expressions in it; null when absent. */
  optionalTemplate(key: string, expected: ValueType = "any", isInside = false): Template | null {
    if (!this.has(key)) return null;
    const json = this.json(key);
    if (json === undefined) return null;
    const template = readTemplate(json as Json, { at: this.at(key), expected, isInside, compile: this.#compile });
    if (template.kind === "literal" && !fits(template.value.json, expected)) {
      this.error(key, `is written as ${nameOf(template.value.json)}; write ${wanted(expected)}, or an expression that begins with \`=\`.`);
    }
    return template;
  }

  template(key: string, expected: ValueType = "any"): Template {
    const template = this.optionalTemplate(key, expected);
    if (template === null && !this.has(key))
      this.error(key, `is missing; write ${wanted(expected)}, or an expression that begins with \`=\`.`);
    return template ?? { kind: "literal", value: { json: null } };
  }

  /** A record of inputs; empty when absent. */
  inputs(key: string, types: Readonly<Record<string, ValueType>> = {}): Template {
    return this.optionalTemplate(key, { record: types }) ?? { kind: "literal", value: { json: {} } };
  }

  /** A condition is an expression even where the `=` is left out. */
  condition(key: string): Template {
    return this.#condition(key, false);
  }

  /** The same, evaluated within the chain of the node. */
  loopCondition(key: string): Template {
    return this.#condition(key, true);
  }

  #condition(key: string, isInside: boolean): Template {
    const text = this.raw(key);
    if (typeof text !== "string" || text === "") {
      this.error(key, "is missing; write a condition, such as `trigger.total > 100`.");
      return { kind: "literal", value: { json: false } };
    }
    const shift = text.startsWith("=") ? 1 : 0;
    return readExpression({ text: text.slice(shift), at: this.at(key), expected: "boolean", isInside, shift }, this.#compile);
  }

  /** Any JSON with expressions that are evaluated within the chain of the node. */
  innerTemplate(key: string): Template | null {
    return this.optionalTemplate(key, "any", true);
  }

  /** A duration that may be an expression. */
  duration(key: string): Template | null {
    const template = this.optionalTemplate(key);
    if (template?.kind === "literal" && durationMs(template.value.json) === null)
      this.error(key, `is no duration; write ${DURATION_FORM}.`);
    return template;
  }

  /** A moment that may be an expression. */
  moment(key: string): Template | null {
    const template = this.optionalTemplate(key);
    if (template?.kind === "literal" && momentMs(template.value.json) === null) {
      this.error(key, "is no moment; write a time with its zone, such as `2030-01-31T08:00:00Z`.");
    }
    return template;
  }

  /** A node of the same chain. */
  pointer(key: string): NodeId | null {
    const to = this.optionalText(key, { instead: "write the id of a node" });
    if (to !== null) this.pointers.push({ path: this.at(key), to });
    return to;
  }

  /** A node that lies before this one. */
  backPointer(key: string): NodeId {
    const to = this.text(key, { required: true, instead: "write the id of a node" });
    if (to !== "") this.backward = { path: this.at(key), to };
    return to;
  }

  /** Pointers that stand in another object of the data. */
  addPointers(pointers: readonly Pointer[]): void {
    this.pointers.push(...pointers);
  }

  /** The first node of a chain inside the node. */
  chain(key: string, name: string): void {
    this.addChain({ name, path: this.at(key), start: this.optionalText(key, { instead: "write the id of a node" }) });
  }

  addChain(chain: InnerChain): void {
    this.chains.push(chain);
  }

  /** A reader of an object inside the data, which compiles in the same way. */
  inner(json: object, path: string): NodeReader {
    const { node, report, catalogue, variables } = this;
    return new NodeReader(json, { node, path, report, catalogue, variables, compile: this.#compile });
  }
}

function fits(json: Json, type: ValueType): boolean {
  if (typeof type === "object")
    return "list" in type ? Array.isArray(json) : typeof json === "object" && json !== null && !Array.isArray(json);
  switch (type) {
    case "any":
      return true;
    case "null":
      return json === null;
    case "timestamp":
      return typeof json === "string";
    case "string":
    case "number":
    case "boolean":
      return typeof json === type;
  }
}

function wanted(type: ValueType): string {
  if (typeof type === "object") return "list" in type ? "a list" : "an object";
  return { any: "a value", null: "null", timestamp: "a time", string: "a text", number: "a number", boolean: "true or false" }[type];
}

function nameOf(json: Json): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "a list";
  return typeof json === "object" ? "an object" : `a ${typeof json === "string" ? "text" : typeof json}`;
}
