/**
 * Which node belongs to which chain (F2), and the order within each. What is wrong with the pointers is told to the report; nodes that
 * it concerns may then be missing here.
 */
import { limit } from "../limits.ts";
import { didYouMean } from "../manifest/near-miss.ts";
import { childPath } from "../manifest/paths.ts";
import type { Report } from "../manifest/report.ts";
import type { FlowDefinition, NodeId } from "./definition.ts";
import type { BoundNode, Pointer } from "./node-type.ts";

export const MAIN_CHAIN = "main";
export const ERROR_CHAIN = "error";

export interface Chain {
  readonly id: string;
  readonly start: NodeId | null;
  /** The node that it is inside; null for the outermost ones. */
  readonly container: NodeId | null;
  /** Name within that node, and position among its chains. */
  readonly name: string;
  readonly place: number;
  readonly depth: number;
  /** In an order in which pointers lead forward. A node's slot is its position here. */
  readonly nodes: readonly NodeId[];
}

export interface Layout {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly chainOf: ReadonlyMap<NodeId, Chain>;
  /** Nodes of the same chain that may run before a node. */
  readonly before: ReadonlyMap<NodeId, ReadonlySet<NodeId>>;
}

export function layOut(definition: FlowDefinition, bound: ReadonlyMap<NodeId, BoundNode>, report: Report): Layout {
  return new LayoutMaker(definition, bound, report).make();
}

type OpenChain = Omit<Chain, "nodes"> & { readonly nodes: NodeId[] };

class LayoutMaker {
  readonly #definition: FlowDefinition;
  readonly #bound: ReadonlyMap<NodeId, BoundNode>;
  readonly #report: Report;
  readonly #chains = new Map<string, OpenChain>();
  readonly #chainOf = new Map<NodeId, OpenChain>();
  readonly #edges = new Map<NodeId, Set<NodeId>>();
  readonly #before = new Map<NodeId, ReadonlySet<NodeId>>();
  /** A pointer leads nowhere, or to a node that cannot be read. */
  #isBroken = false;

  constructor(definition: FlowDefinition, bound: ReadonlyMap<NodeId, BoundNode>, report: Report) {
    this.#definition = definition;
    this.#bound = bound;
    this.#report = report;
  }

  make(): Layout {
    const { start, onError, nodes } = this.#definition;
    this.#open({ id: MAIN_CHAIN, start, container: null, name: MAIN_CHAIN, place: 0, depth: 0, nodes: [] }, "start");
    if (onError !== null)
      this.#open({ id: ERROR_CHAIN, start: onError, container: null, name: ERROR_CHAIN, place: 0, depth: 0, nodes: [] }, "onError");
    for (const chain of this.#chains.values()) this.#sort(chain);
    const unreached = Object.keys(nodes).filter((id) => this.#bound.has(id) && !this.#chainOf.has(id));
    for (const pointer of unreached.flatMap((id) => this.#pointers(id))) this.#isKnown(pointer);
    // Behind a broken pointer they are not reached because of it.
    if (!this.#isBroken)
      for (const id of unreached) this.#report.warning(nodePath(id), `the node \`${id}\` is never reached; point to it, or remove it.`);
    for (const [id, node] of this.#bound) if (node.backward !== null && this.#chainOf.has(id)) this.#checkBackward(id, node.backward);
    return { chains: this.#chains, chainOf: this.#chainOf, before: this.#before };
  }

  /** Takes all nodes that its pointers reach, then opens the chains inside them. */
  #open(chain: OpenChain, path: string): void {
    this.#chains.set(chain.id, chain);
    if (chain.depth > limit("flowNestingMax")) {
      this.#report.error(
        path,
        `chains may lie ${limit("flowNestingMax")} deep in each other; move the inner ones into a flow of their own.`,
      );
      return;
    }
    if (chain.start !== null && chain.start !== "") this.#take(chain, { path, to: chain.start });
    for (let i = 0; i < chain.nodes.length; i += 1) {
      const id = chain.nodes[i] ?? "";
      for (const pointer of this.#pointers(id)) this.#follow(chain, id, pointer);
    }
    for (const container of [...chain.nodes]) {
      this.#bound.get(container)?.chains.forEach(({ name, path: at, start }, place) => {
        this.#open({ id: `${container}.${name}`, start, container, name, place, depth: chain.depth + 1, nodes: [] }, at);
      });
    }
  }

  #pointers(id: NodeId): readonly Pointer[] {
    const next = this.#definition.nodes[id]?.next ?? null;
    const own = next === null ? [] : [{ path: childPath(nodePath(id), "next"), to: next }];
    return [...own, ...(this.#bound.get(id)?.pointers ?? []), ...this.#errorPointer(id)];
  }

  #errorPointer(id: NodeId): readonly Pointer[] {
    const to = this.#definition.nodes[id]?.onError ?? null;
    return to === null ? [] : [{ path: childPath(nodePath(id), "onError"), to }];
  }

  #follow(chain: OpenChain, from: NodeId, pointer: Pointer): void {
    const outer = pointer.path === childPath(nodePath(from), "onError") ? this.#containerIn(chain, this.#chainOf.get(pointer.to)) : null;
    if (outer !== null) this.#connect(outer, pointer.to);
    else if (this.#take(chain, pointer)) this.#connect(from, pointer.to);
  }

  /** The node around `inner` that lies in the chain `outer`; null when `outer` is not around it. */
  #containerIn(inner: Chain, outer: Chain | undefined): NodeId | null {
    if (outer === undefined || outer === inner) return null;
    for (let at: Chain | undefined = inner; at !== undefined && at.container !== null;) {
      const around: OpenChain | undefined = this.#chainOf.get(at.container);
      if (around === outer) return at.container;
      at = around;
    }
    return null;
  }

  #connect(from: NodeId, to: NodeId): void {
    const targets = this.#edges.get(from) ?? new Set();
    this.#edges.set(from, targets.add(to));
  }

  #isKnown({ path, to }: Pointer): boolean {
    if (this.#bound.has(to)) return true;
    this.#isBroken = true;
    const { nodes } = this.#definition;
    if (!Object.hasOwn(nodes, to))
      this.#report.error(path, `${path} points to \`${to}\`, which is no node of the flow.${didYouMean(to, Object.keys(nodes))}`);
    return false;
  }

  #take(chain: OpenChain, pointer: Pointer): boolean {
    if (!this.#isKnown(pointer)) return false;
    const { path, to } = pointer;
    const known = this.#chainOf.get(to);
    if (known === chain) return true;
    if (known !== undefined) {
      this.#report.error(
        path,
        `${path} points to \`${to}\`, which belongs to ${chainText(known)}; a pointer stays within ${chainText(chain)}. Let the chain end there, and point on from the node around it.`,
      );
      return false;
    }
    this.#chainOf.set(to, chain);
    chain.nodes.push(to);
    return true;
  }

  /** Brings the nodes into the order of their pointers, and tells of circles. */
  #sort(chain: OpenChain): void {
    const order: NodeId[] = [];
    const waiting = new Map(chain.nodes.map((id) => [id, 0]));
    for (const id of chain.nodes) {
      for (const to of this.#edges.get(id) ?? []) waiting.set(to, (waiting.get(to) ?? 0) + 1);
    }
    const ready = chain.nodes.filter((id) => waiting.get(id) === 0);
    const before = new Map<NodeId, Set<NodeId>>(chain.nodes.map((id) => [id, new Set()]));
    for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
      order.push(id);
      for (const to of this.#edges.get(id) ?? []) {
        before.get(id)?.forEach((earlier) => before.get(to)?.add(earlier));
        before.get(to)?.add(id);
        const left = (waiting.get(to) ?? 0) - 1;
        waiting.set(to, left);
        if (left === 0) ready.push(to);
      }
    }
    const circle = chain.nodes.filter((id) => !order.includes(id));
    if (circle[0] !== undefined) {
      this.#report.error(
        nodePath(circle[0]),
        `the pointers of ${circle
          .slice(0, 5)
          .map((id) => `\`${id}\``)
          .join(", ")} lead in a circle; use a go_back, while or for_each node, which end.`,
      );
    }
    chain.nodes.splice(0, chain.nodes.length, ...order, ...circle);
    for (const [id, set] of before) this.#before.set(id, set);
  }

  #checkBackward(id: NodeId, { path, to }: Pointer): void {
    const target = this.#chainOf.get(to);
    const own = this.#chainOf.get(id);
    if (target === undefined || own === undefined) {
      this.#report.error(path, `${path} points to \`${to}\`, which is no node that the flow reaches.${didYouMean(to, this.#bound.keys())}`);
      return;
    }
    const from = target === own ? id : this.#containerIn(own, target);
    const isEarlier = from !== null && (to === from ? target !== own : this.#before.get(from)?.has(to) === true);
    if (!isEarlier) this.#report.error(path, `${path} points to \`${to}\`, which does not lie before it in its chain or in one around it.`);
  }
}

function nodePath(id: NodeId): string {
  return childPath("nodes", id);
}

function chainText(chain: Chain): string {
  if (chain.container === null) return chain.id === MAIN_CHAIN ? "the main chain" : "the chain of the error handler";
  return `the chain \`${chain.name}\` of \`${chain.container}\``;
}
