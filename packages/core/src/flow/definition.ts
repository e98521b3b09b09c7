/**
 * A flow as it is written: a JSON document of nodes that point to the next ones. This file is the contract; `parse-definition.ts` reads
 * a document, `check-definition.ts` finds what is wrong with one, `transition.ts` runs it.
 *
 * F1 Everything is data: nothing in a definition is run by the core; expressions are CEL, and code is text for a jail.
 * F2 Control is structured: the body of a loop and the branches of a `parallel` are chains of their own that end where `next` is
 *    absent. A node belongs to one chain. Pointers lead forward within their chain; only `onError` and `go_back` may lead to a chain
 *    around it, and only `go_back` backward, a bounded number of times.
 * F3 A text in `data` that begins with `=` is an expression; one that begins with `==` is the literal text behind the first `=`.
 */
import type { Json, JsonObject } from "../operations/operation.ts";
import type { LockedDependencies } from "./dependencies.ts";

export type NodeId = string;

export interface FlowDefinition {
  /** Version of this format. */
  readonly format: 1;
  /** `[a-z][a-z0-9_-]*`: its name in the branch. */
  readonly name: string;
  readonly description: string;
  readonly trigger: FlowTrigger;
  /** Set by `assignment` nodes, seen by all. */
  readonly variables: Readonly<Record<string, FlowVariable>>;
  readonly start: NodeId;
  readonly nodes: Readonly<Record<NodeId, FlowNode>>;
  /** Node that runs when a step fails for good and has no handler of its own; the run then ends as the handler says. */
  readonly onError: NodeId | null;
  /** Longest time from start to end, waits included; `flowRunMs` when null. */
  readonly timeoutMs: number | null;
  /** How long its ended runs are kept, and how many. */
  readonly keep: KeepRuns | null;
  /** What was found for the packages that its code names, when it was published. */
  readonly lock: readonly LockedDependencies[];
}

/** Null: as `flowRunsKeptMs` and `flowRunsKept` say. */
export interface KeepRuns {
  readonly forMs: number | null;
  readonly runs: number | null;
}

export interface FlowVariable {
  readonly type: ValueType;
  readonly initial: Json;
}

/** Types of values, as far as expressions are checked with them. */
export type ValueType =
  | "string"
  | "number"
  | "boolean"
  | "timestamp"
  | "null"
  | "any"
  | { readonly list: ValueType }
  | { readonly record: Readonly<Record<string, ValueType>> };

export type TriggerType = "object" | "timer" | "api" | "webhook" | "command" | "agentSkill" | "sync" | "manual" | "subflow" | "event";

export interface FlowTrigger {
  readonly type: TriggerType;
  /** CEL over `trigger`; the run starts where it is true. */
  readonly filter: string | null;
  /**
   * What starts it, by type (`check-trigger.ts`): `{event: "account_created"}`, `{cron}`, `{intervalMs}`, `{at}`, …;
   * of api and webhook `{reply}`: `sync` waits for the result, `accepted` answers at once.
   */
  readonly data: JsonObject;
  /** Types of what it brings, for expressions. */
  readonly output: ValueType;
}

export interface RetryPolicy {
  /** Attempts together, the first one included. */
  readonly attempts: number;
  /** `retryable`: failures of the platform and of other systems that may pass; `any`: exceptions of code as well. */
  readonly on: "retryable" | "any";
  readonly delayMs: number;
  readonly delayMsMax: number;
  readonly factor: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 3, on: "retryable", delayMs: 5_000, delayMsMax: 60_000, factor: 2 };

export interface FlowNode {
  readonly type: string;
  /** For people. */
  readonly label: string;
  /** Checked by the node's type; texts may be expressions (F3). */
  readonly data: JsonObject;
  /** Absent at the end of a chain. */
  readonly next: NodeId | null;
  /** Takes over when the node fails for good; `steps.<node>.error` is set then. */
  readonly onError: NodeId | null;
  readonly retry: RetryPolicy | null;
  /** Of one attempt. */
  readonly timeoutMs: number | null;
  /** What undoes it, in reverse order, when the run fails later or is cancelled: type and data of a node that makes a call. */
  readonly compensate: { readonly type: string; readonly data: JsonObject } | null;
}

/** One thing that is wrong with a definition. */
export interface FlowFinding {
  /** `nodes.price.data.code`: where, as a path in the document. */
  readonly path: string;
  readonly node: NodeId | null;
  readonly message: string;
  readonly severity: "error" | "warning";
  /** In the text at `path`: 1-based. */
  readonly position?: { readonly line: number; readonly column: number };
}
