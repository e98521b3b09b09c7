/**
 * A type of node: what it takes (`fields`, `read`), what it needs at run time (`resolve`), and what it then asks for (`execute`). All
 * are pure. `nodes/` has one file a type; `nodes/table.ts` lists them.
 *
 * N1 `resolve` evaluates expressions and nothing else does; `execute` sees their values only.
 * N2 A node says what has to happen as a Decision; `advance.ts` is the only place that carries decisions out.
 */
import type { OperationField } from "../operations/operation.ts";
import type { CallDescription, WaitDescription } from "./calls.ts";
import type { NodeId, ValueType } from "./definition.ts";
import type { FlowCatalogue } from "./catalogue.ts";
import type { NodeReader } from "./node-reader.ts";
import type { Template } from "./template.ts";
import type { FlowValue } from "./value.ts";

export type Decision =
  | { readonly kind: "call"; readonly call: CallDescription }
  /** `next`: another node of the chain than the one that follows. */
  | { readonly kind: "output"; readonly output: FlowValue; readonly next?: NodeId | null }
  | { readonly kind: "assign"; readonly values: Readonly<Record<string, FlowValue>> }
  | { readonly kind: "sleep"; readonly untilMs: number }
  /** `late`: node of the chain that takes over after the deadline; the step fails then when null. */
  | { readonly kind: "wait"; readonly wait: WaitDescription; readonly deadlineMs: number; readonly late: NodeId | null }
  | {
      readonly kind: "each";
      readonly items: FlowValue;
      readonly concurrency: number;
      /** Whether the failure of one item fails the node, or is collected. */
      readonly stopsAtFailure: boolean;
    }
  /** Asked anew before each iteration. */
  | { readonly kind: "while"; readonly again: boolean; readonly iterationsMax: number }
  | { readonly kind: "branches"; readonly join: "all" | "any" }
  | { readonly kind: "goBack"; readonly to: NodeId; readonly times: number; readonly whenSpent: "fail" | "continue" }
  /** Ends the run. */
  | { readonly kind: "return"; readonly output: FlowValue }
  /** Answers the agent that called the flow; the run goes on. */
  | { readonly kind: "reply"; readonly output: FlowValue };

/** What `resolve` has at hand. */
export interface Resolver {
  /** What is stored as a whole, as JSON. */
  readonly loaded: (value: FlowValue, what: string) => FlowValue;
  readonly nowMs: number;
  /** Throws StepFailure. */
  value(template: Template): FlowValue;
}

/** What `execute` knows beside its inputs. */
export interface StepInfo {
  readonly node: NodeId;
  readonly nowMs: number;
}

export type NodeCategory = "call" | "control" | "wait";

/** A pointer within the chain: where it stands in the document and where it leads. */
export interface Pointer {
  readonly path: string;
  readonly to: NodeId;
}

/** The first node of a chain inside the node. */
export interface InnerChain {
  /** `body`, or the name of a branch. */
  readonly name: string;
  readonly path: string;
  readonly start: NodeId | null;
}

/** A node of one definition, ready to run. */
export interface BoundNode {
  readonly pointers: readonly Pointer[];
  /** Of go_back. */
  readonly backward: Pointer | null;
  readonly chains: readonly InnerChain[];
  /** What the node gives, as far as it is known. */
  readonly output: ValueType;
  /** What `item` is in its chains; null when they have none. */
  readonly item: ValueType | null;
  /** It is decided within its chain, before each iteration. */
  readonly decidesInside: boolean;
  readonly decide: (resolver: Resolver, info: StepInfo) => Decision;
  /** What an iteration gives to the collected results; its last output when null. */
  readonly collect: ((resolver: Resolver) => FlowValue) | null;
}

export interface NodeSpec<Data, Inputs> {
  readonly type: string;
  /** Other names that it has elsewhere. */
  readonly aliases?: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly category: NodeCategory;
  /** For forms. */
  readonly fields: readonly OperationField[];
  readonly read: (reader: NodeReader) => Data;
  readonly output: (data: Data, catalogue: FlowCatalogue | null) => ValueType;
  readonly item?: (data: Data) => ValueType;
  readonly decidesInside?: boolean;
  readonly resolve: (data: Data, resolver: Resolver) => Inputs;
  readonly execute: (inputs: Inputs, data: Data, info: StepInfo) => Decision;
  readonly collect?: (data: Data) => Template | null;
}

export interface NodeType {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly title: string;
  readonly description: string;
  readonly category: NodeCategory;
  readonly fields: readonly OperationField[];
  readonly bind: (reader: NodeReader) => BoundNode;
}

export function defineNode<Data, Inputs>(spec: NodeSpec<Data, Inputs>): NodeType {
  const { type, aliases = [], title, description, category, fields } = spec;
  return { type, aliases, title, description, category, fields, bind: (reader) => bindNode(spec, reader) };
}

function bindNode<Data, Inputs>(spec: NodeSpec<Data, Inputs>, reader: NodeReader): BoundNode {
  const data = spec.read(reader);
  const collect = spec.collect?.(data) ?? null;
  return {
    pointers: reader.pointers,
    backward: reader.backward,
    chains: reader.chains,
    output: spec.output(data, reader.catalogue),
    item: spec.item?.(data) ?? null,
    decidesInside: spec.decidesInside ?? false,
    decide: (resolver, info) => spec.execute(spec.resolve(data, resolver), data, info),
    collect: collect === null ? null : (resolver) => resolver.value(collect),
  };
}
