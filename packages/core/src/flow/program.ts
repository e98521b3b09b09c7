/** A definition that is ready to run: nodes with their data read, laid out in chains. */
import { assert, must } from "../assert.ts";
import { limit } from "../limits.ts";
import { Report } from "../manifest/report.ts";
import type { FlowCatalogue } from "./catalogue.ts";
import { DEFAULT_RETRY, type FlowDefinition, type FlowNode, type NodeId, type RetryPolicy, type ValueType } from "./definition.ts";
import { compileExpression } from "./expressions/expression.ts";
import { type Chain, layOut, type Layout } from "./layout.ts";
import { type BoundNode, type NodeCategory, type NodeType } from "./node-type.ts";
import { NodeReader } from "./node-reader.ts";
import { nodeType } from "./nodes/table.ts";
import { childPath } from "../manifest/paths.ts";
import type { Compile } from "./template.ts";

export interface ProgramNode extends BoundNode {
  readonly id: NodeId;
  readonly type: string;
  readonly label: string;
  readonly category: NodeCategory;
  readonly chain: string;
  /** Position in its chain, and of its result in a frame. */
  readonly slot: number;
  readonly next: NodeId | null;
  readonly onError: NodeId | null;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly compensate: BoundNode | null;
  /** Chains inside it, in their order. */
  readonly inner: readonly Chain[];
}

export interface FlowProgram {
  readonly definition: FlowDefinition;
  readonly chains: ReadonlyMap<string, Chain>;
  readonly nodes: ReadonlyMap<NodeId, ProgramNode>;
  /** Longest time of a run. */
  readonly timeoutMs: number;
}

export interface BindOptions {
  readonly report: Report;
  readonly compile: Compile;
  readonly catalogue: FlowCatalogue | null;
}

/** Types of what expressions see when nothing is known of it. */
export const ANY_TYPES: Readonly<Record<string, ValueType>> = {
  trigger: "any",
  vars: "any",
  steps: "any",
  item: "any",
  index: "number",
  run: "any",
  now: "timestamp",
};

/** Reads the data of one node; null for an unknown type. */
export function bindNode(definition: FlowDefinition, id: NodeId, options: BindOptions): BoundNode | null {
  const node = definition.nodes[id];
  const type = node === undefined ? undefined : nodeType(node.type);
  if (node === undefined || type === undefined) return null;
  return bindData(definition, { id, type, data: node.data, path: childPath(childPath("nodes", id), "data") }, options);
}

/** Reads what undoes a node; null when nothing does. */
export function bindCompensation(definition: FlowDefinition, id: NodeId, options: BindOptions): BoundNode | null {
  const compensate = definition.nodes[id]?.compensate ?? null;
  const type = compensate === null ? undefined : nodeType(compensate.type);
  if (compensate === null || type === undefined) return null;
  const path = childPath(childPath(childPath("nodes", id), "compensate"), "data");
  return bindData(definition, { id, type, data: compensate.data, path }, options);
}

interface Binding {
  readonly id: NodeId;
  readonly type: NodeType;
  readonly data: object;
  readonly path: string;
}

function bindData(definition: FlowDefinition, { id, type, data, path }: Binding, options: BindOptions): BoundNode {
  const variables = Object.fromEntries(Object.entries(definition.variables).map(([name, variable]) => [name, variable.type]));
  const reader = new NodeReader(data, { node: id, path, variables, ...options });
  const bound = type.bind(reader);
  reader.end();
  return bound;
}

/** The program of a definition that the checker found no error in. */
export function compileFlow(definition: FlowDefinition): FlowProgram {
  const report = new Report(null);
  const options: BindOptions = { report, catalogue: null, compile: untyped };
  const bound = new Map<NodeId, BoundNode>();
  for (const id of Object.keys(definition.nodes)) bound.set(id, must(bindNode(definition, id, options), `the type of ${id} is known`));
  const layout = layOut(definition, bound, report);
  return assemble(definition, layout, { bound, compensations: compensationsOf(definition, options) });
}

/** Expressions were checked with their types when the flow was saved; here they only have to be readable. */
function untyped({ text }: { readonly text: string }): ReturnType<Compile> {
  const compiled = compileExpression(text, ANY_TYPES);
  assert(compiled.ok, "expressions of a checked flow are readable");
  return compiled.expression;
}

function compensationsOf(definition: FlowDefinition, options: BindOptions): ReadonlyMap<NodeId, BoundNode | null> {
  return new Map(Object.keys(definition.nodes).map((id) => [id, bindCompensation(definition, id, options)]));
}

interface Parts {
  readonly bound: ReadonlyMap<NodeId, BoundNode>;
  readonly compensations: ReadonlyMap<NodeId, BoundNode | null>;
}

function assemble(definition: FlowDefinition, layout: Layout, { bound, compensations }: Parts): FlowProgram {
  const nodes = new Map<NodeId, ProgramNode>();
  for (const chain of layout.chains.values()) {
    chain.nodes.forEach((id, slot) => {
      const node: FlowNode = must(definition.nodes[id], "chains hold nodes of the definition");
      const own = must(bound.get(id), "every node is bound");
      const type = must(nodeType(node.type), "every node has a type");
      nodes.set(id, {
        ...own,
        id,
        slot,
        type: type.type,
        label: node.label,
        category: type.category,
        chain: chain.id,
        next: node.next,
        onError: node.onError,
        retry: node.retry ?? DEFAULT_RETRY,
        timeoutMs: node.timeoutMs ?? limit("flowStepMs"),
        compensate: compensations.get(id) ?? null,
        inner: own.chains.map(({ name }) => must(layout.chains.get(`${id}.${name}`), "every inner chain is laid out")),
      });
    });
  }
  return { definition, chains: layout.chains, nodes, timeoutMs: definition.timeoutMs ?? limit("flowRunMs") };
}
