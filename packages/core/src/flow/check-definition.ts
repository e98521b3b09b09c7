/**
 * Finds what is wrong with a flow before it is saved: pointers, data of nodes, types in expressions, names of what it calls.
 *
 * K1 Every finding has the path of its place, and its node; one in an expression has the position in its text.
 * K2 A flow without errors compiles, and its runs fail only for what values and the outside do.
 */
import { Report } from "../manifest/report.ts";
import type { FlowCatalogue } from "./catalogue.ts";
import { checkTrigger, contextType } from "./check-trigger.ts";
import type { FlowDefinition, FlowFinding, NodeId, ValueType } from "./definition.ts";
import { compileExpression } from "./expressions/expression.ts";
import type { Position } from "./expressions/findings.ts";
import { type Chain, ERROR_CHAIN, layOut, type Layout, MAIN_CHAIN } from "./layout.ts";
import type { BoundNode } from "./node-type.ts";
import { parseDefinition } from "./parse-definition.ts";
import { ANY_TYPES, bindCompensation, bindNode, compileFlow, type FlowProgram } from "./program.ts";
import { type Compile, type ExpressionSource, positionInSource } from "./template.ts";
import { limit } from "../limits.ts";
import { isRecordType } from "./expressions/value-types.ts";

export type CheckedFlow =
  | { readonly ok: true; readonly program: FlowProgram; readonly findings: readonly FlowFinding[] }
  | { readonly ok: false; readonly findings: readonly FlowFinding[] };

/** Reads and checks a document. Without a catalogue, what the flow calls is not looked at. */
export function checkFlow(json: unknown, catalogue: FlowCatalogue | null): CheckedFlow {
  const report = new Report(null);
  const definition = parseDefinition(json, report);
  if (definition === null) return { ok: false, findings: findingsOf(report, []) };
  return checkDefinition(definition, { catalogue, report });
}

export function checkDefinition(
  definition: FlowDefinition,
  { catalogue, report = new Report(null) }: { readonly catalogue: FlowCatalogue | null; readonly report?: Report },
): CheckedFlow {
  const check = new Check(definition, catalogue, report);
  const findings = check.run();
  if (findings.some(({ severity }) => severity === "error")) return { ok: false, findings };
  return { ok: true, program: compileFlow(definition), findings };
}

function findingsOf(report: Report, expressions: readonly FlowFinding[]): readonly FlowFinding[] {
  const others = report.findings.map(({ path, message, severity }) => ({ path, node: nodeOf(path), message, severity }));
  return [...others, ...expressions].slice(0, limit("flowFindingsMax"));
}

/** `price` for `nodes.price.data.code`. */
function nodeOf(path: string): NodeId | null {
  return /^nodes\.([A-Za-z0-9_-]+)/.exec(path)?.[1] ?? null;
}

const ERROR_TYPE: ValueType = { record: { code: "string", message: "string", node: "string" } };

class Check {
  readonly #definition: FlowDefinition;
  readonly #catalogue: FlowCatalogue | null;
  readonly #parsed: Report;
  readonly #expressions: FlowFinding[] = [];
  readonly #bound = new Map<NodeId, BoundNode>();

  constructor(definition: FlowDefinition, catalogue: FlowCatalogue | null, parsed: Report) {
    this.#definition = definition;
    this.#catalogue = catalogue;
    this.#parsed = parsed;
  }

  run(): readonly FlowFinding[] {
    const untyped = new Report(null);
    const bound = this.#bindAll(untyped);
    const graph = this.#parsed;
    checkTrigger(this.#definition.trigger, graph);
    const layout = layOut(this.#definition, bound, graph);
    if (untyped.failed || graph.failed || this.#expressions.length > 0) {
      for (const { severity, path, message } of untyped.findings) graph[severity](path, message);
      return findingsOf(graph, this.#expressions);
    }
    this.#bindTyped(layout, graph);
    this.#checkFilter();
    this.#checkVariables(graph);
    return findingsOf(graph, this.#expressions);
  }

  /** Without types, which follow from the layout, which follows from this. */
  #bindAll(report: Report): ReadonlyMap<NodeId, BoundNode> {
    const bound = new Map<NodeId, BoundNode>();
    for (const id of Object.keys(this.#definition.nodes)) {
      const node = bindNode(this.#definition, id, { report, catalogue: null, compile: (source) => this.#compile(source, ANY_TYPES, id) });
      if (node !== null) bound.set(id, node);
    }
    return bound;
  }

  #compile(source: ExpressionSource, types: Readonly<Record<string, ValueType>>, node: NodeId | null): ReturnType<Compile> {
    const compiled = compileExpression(source.text, types, source.expected);
    if (compiled.ok) return compiled.expression;
    for (const { message, position } of compiled.findings) {
      const told = this.#unseenStep(source.text, position) ?? message;
      this.#expressions.push({ path: source.at, node, message: told, severity: "error", position: positionInSource(position, source) });
    }
    return null;
  }

  /** A step of the flow that the expression cannot see has a better reason than that it is not there. */
  #unseenStep(text: string, { line, column }: Position): string | null {
    const at = (text.split("\n")[line - 1] ?? "").slice(column - 1);
    const before = (text.split("\n")[line - 1] ?? "").slice(0, column - 1);
    const step = /^\w+/.exec(at)?.[0] ?? "";
    if (!/\bsteps\.$/.test(before) || !Object.hasOwn(this.#definition.nodes, step)) return null;
    return `The step \`${step}\` is not seen here, since it runs later, beside or inside another node; hand its value on in a variable.`;
  }

  /** Chain by chain, the outer ones first, each in its order: so the outputs of all earlier nodes are known. */
  #bindTyped(layout: Layout, report: Report): void {
    const main = layout.chains.get(MAIN_CHAIN);
    if (main !== undefined) this.#bindChain(main, layout, { report, steps: {}, item: null });
    const error = layout.chains.get(ERROR_CHAIN);
    if (error === undefined) return;
    const steps = Object.fromEntries((main?.nodes ?? []).map((id) => [id, this.#stepType(id)]));
    this.#bindChain(error, layout, { report, steps, item: null });
  }

  #bindChain(chain: Chain, layout: Layout, around: Around): void {
    for (const id of chain.nodes) {
      const earlier = [...(layout.before.get(id) ?? [])].map((other) => [other, this.#stepType(other)] as const);
      const steps = { ...around.steps, ...Object.fromEntries(earlier) };
      const bound = this.#bindOne(id, { around: { ...around, steps }, layout });
      if (bound === null) continue;
      this.#bound.set(id, bound);
      this.#bindUndo(id, { ...around, steps });
      for (const { name } of bound.chains) {
        const inner = layout.chains.get(`${id}.${name}`);
        if (inner === undefined) continue;
        const item = bound.item ?? around.item;
        const own =
          bound.item === null ? {} : { [id]: { record: { output: "any", error: "any", item: bound.item, index: "number" } } as ValueType };
        this.#bindChain(inner, layout, { report: around.report, steps: { ...steps, ...own }, item });
      }
    }
  }

  #bindOne(id: NodeId, { around, layout }: { readonly around: Around; readonly layout: Layout }): BoundNode | null {
    const types = this.#types(around.steps, around.item);
    const inside = this.#insideTypes(id, around, layout);
    return bindNode(this.#definition, id, {
      report: around.report,
      catalogue: this.#catalogue,
      compile: (source) => this.#compile(source, source.isInside ? inside : types, id),
    });
  }

  /** What undoes a node sees its output too. */
  #bindUndo(id: NodeId, { report, steps, item }: Around): void {
    const types = this.#types({ ...steps, [id]: this.#stepType(id) }, item);
    bindCompensation(this.#definition, id, { report, catalogue: this.#catalogue, compile: (source) => this.#compile(source, types, id) });
  }

  /** Within the chain of a node, before the types of its nodes are known. */
  #insideTypes(id: NodeId, { steps }: Around, layout: Layout): Readonly<Record<string, ValueType>> {
    const inner = [...layout.chains.values()].filter(({ container }) => container === id).flatMap(({ nodes }) => nodes);
    const unknown: ValueType = { record: { output: "any", error: "any" } };
    const own: ValueType = { record: { output: "any", error: "any", item: "any", index: "number" } };
    return this.#types({ ...steps, ...Object.fromEntries(inner.map((node) => [node, unknown])), [id]: own }, "any");
  }

  #types(steps: Readonly<Record<string, ValueType>>, item: ValueType | null): Readonly<Record<string, ValueType>> {
    const { trigger, variables } = this.#definition;
    return {
      trigger: contextType(trigger),
      vars: { record: Object.fromEntries(Object.entries(variables).map(([name, { type }]) => [name, type])) },
      steps: { record: steps },
      run: {
        record: {
          id: "string",
          flow: "string",
          startedAt: "timestamp",
          company: { record: { id: "string", name: "string" } },
          error: ERROR_TYPE,
          stored: "any",
        },
      },
      now: "timestamp",
      ...(item === null ? {} : { item, index: "number" }),
    };
  }

  #stepType(id: NodeId): ValueType {
    return { record: { output: this.#bound.get(id)?.output ?? "any", error: ERROR_TYPE } };
  }

  #checkFilter(): void {
    const { trigger } = this.#definition;
    const { filter } = trigger;
    if (filter === null) return;
    const source = { text: filter, at: "trigger.filter", expected: "boolean", isInside: false, shift: 0 } as const;
    this.#compile(source, { trigger: contextType(trigger), now: "timestamp" }, null);
  }

  #checkVariables(report: Report): void {
    for (const [name, { type, initial }] of Object.entries(this.#definition.variables)) {
      if (initial === null || isRecordType(type)) continue;
      const isRight = typeof type === "object" ? Array.isArray(initial) : type === "any" || type === typeof initial || type === "timestamp";
      if (!isRight)
        report.error(
          `variables.${name}.initial`,
          `variables.${name}.initial does not fit the type of the variable; correct one of the two.`,
        );
    }
  }
}

interface Around {
  readonly report: Report;
  /** Types of the steps that are seen. */
  readonly steps: Readonly<Record<string, ValueType>>;
  /** Type of `item`; null outside of loops. */
  readonly item: ValueType | null;
}
