/** The syntax tree of a policy. Names are resolved in place by `compile.ts`. */
import type { Value } from "./values.ts";

export interface Place {
  readonly line: number;
}

export type Term =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "name"; readonly name: string; readonly line: number }
  /** A variable of a body, under a name of its own. */
  | { readonly kind: "variable"; readonly id: string; readonly name: string }
  | { readonly kind: "rule"; readonly name: string }
  | { readonly kind: "input" }
  | { readonly kind: "data" }
  | { readonly kind: "ref"; readonly base: Term; readonly path: readonly Term[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Term[]; readonly line: number }
  | { readonly kind: "array"; readonly items: readonly Term[] }
  | { readonly kind: "set"; readonly items: readonly Term[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [Term, Term])[] }
  | { readonly kind: "arrayOf" | "setOf"; readonly head: Term; readonly body: Body }
  | { readonly kind: "objectOf"; readonly key: Term; readonly value: Term; readonly body: Body };

export type Comprehension = Extract<Term, { readonly kind: "arrayOf" | "setOf" | "objectOf" }>;

export type Body = readonly Literal[];

export interface With {
  readonly path: readonly string[];
  readonly value: Term;
}

export type Literal = { readonly line: number; readonly withs: readonly With[] } & (
  | { readonly kind: "term"; readonly term: Term }
  | { readonly kind: "not"; readonly literal: Literal }
  /** `:=` and `=`. */
  | { readonly kind: "unify"; readonly left: Term; readonly right: Term; readonly declares: boolean }
  | { readonly kind: "some"; readonly names: readonly string[] }
  | { readonly kind: "someIn"; readonly key: Term | null; readonly value: Term; readonly domain: Term }
  | { readonly kind: "every"; readonly key: Term | null; readonly value: Term; readonly domain: Term; readonly body: Body }
);

/** One head with its body; `otherwise` is the chain of `else`. */
export interface Clause {
  readonly value: Term;
  readonly body: Body;
  readonly otherwise: Clause | null;
}

export interface Rule extends Clause {
  readonly name: string;
  readonly line: number;
  readonly isDefault: boolean;
  /** Of functions. */
  readonly args: readonly Term[] | null;
  /** Of heads like `p.q[x] = …`: what stands behind the name. */
  readonly path: readonly Term[];
  /** Of partial sets: what is put into it. */
  readonly member: Term | null;
}

export interface Module {
  readonly package: readonly string[];
  /** Alias → path that begins with `input` or `data`. */
  readonly imports: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly Rule[];
}

/** What is wrong with the text of a policy, for its author. */
export class PolicyError extends Error {
  readonly line: number | undefined;
  readonly detail: string;

  constructor(detail: string, line?: number) {
    super(line === undefined ? detail : `line ${line}: ${detail}`);
    this.detail = detail;
    this.line = line;
  }
}
