/**
 * What a step asks the driver to do and what a wait is for, as data.
 */
import type { NodeId } from "./definition.ts";
import type { FlowValue } from "./value.ts";

/** `input` is what the node was given after its expressions; it may be edited for a retry. */
export type CallDescription =
  /** Stored values that an expression of the node reads. `input`: a list of them; its output is the same list as JSON. */
  | { readonly kind: "load"; readonly input: FlowValue }
  /** An operation by slug, or `<namespace>/<slug>`. */
  | ({ readonly kind: "operation"; readonly operation: string; readonly input: FlowValue } & MayBeLater & Opens)
  /** A function by path: `dir/module:export` or `@package/function`. */
  | ({ readonly kind: "function"; readonly path: string; readonly input: FlowValue } & MayBeLater & Opens)
  /** Code of the node `node`, which stays in the definition. */
  | {
      readonly kind: "inline";
      readonly language: "javascript" | "python";
      readonly node: NodeId;
      /** `async`: the run waits without a worker until the code reports through its callback. */
      readonly mode: "sync" | "async";
      readonly input: FlowValue;
    }
  /** `input`: `{method, url, headers, query, body}`. A status of 400 or more is a failure, except with `anyStatus`. */
  | ({ readonly kind: "http"; readonly connection: string | null; readonly anyStatus?: true; readonly input: FlowValue } & MayBeLater)
  /** `awaited`: the step ends with that run; else when it has begun. */
  | { readonly kind: "subflow"; readonly flow: string; readonly awaited: boolean; readonly input: FlowValue }
  /** `input`: `{message, context, …}`. */
  | { readonly kind: "agent"; readonly agent: string; readonly session: string | null; readonly input: FlowValue };

/**
 * `laterMs`: the call is given a callback, may answer that its result comes by it, and has that long for it. Without it the result has
 * to come at once.
 */
export interface MayBeLater {
  readonly laterMs?: number;
}

/** `open`: fields of the input that the code gets as handles and reads by pieces, whatever their size. */
export interface Opens {
  readonly open?: readonly string[];
}

/** What the outside has to do for a step that waits. */
export type WaitDescription =
  /** Whoever has the address that the driver makes for it answers; `details` go with it. */
  | { readonly kind: "callback"; readonly details: FlowValue }
  | {
      readonly kind: "approval";
      readonly title: string;
      readonly form: FlowValue;
      readonly approvers: readonly string[];
      readonly details: FlowValue;
    }
  | { readonly kind: "signal"; readonly name: string };
