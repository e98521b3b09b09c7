/** Which variables a term or condition needs, and which it gives values to. */
import type { Literal, Term } from "./syntax.ts";

export interface Flow {
  readonly needs: ReadonlySet<string>;
  readonly binds: ReadonlySet<string>;
}

/** What closures need of what stands around them. Filled while they are compiled. */
export type ClosureNeeds = WeakMap<object, ReadonlySet<string>>;

class FlowReader {
  readonly needs = new Set<string>();
  readonly binds = new Set<string>();
  readonly #closures: ClosureNeeds;

  constructor(closures: ClosureNeeds) {
    this.#closures = closures;
  }

  term(term: Term): this {
    switch (term.kind) {
      case "variable":
        this.needs.add(term.id);
        break;
      case "ref":
        this.term(term.base);
        for (const part of term.path)
          if (part.kind === "variable") this.binds.add(part.id);
          else this.term(part);
        break;
      case "call":
        for (const arg of term.args) this.term(arg);
        break;
      case "array":
      case "set":
        for (const item of term.items) this.term(item);
        break;
      case "object":
        for (const [key, value] of term.entries) this.term(key).term(value);
        break;
      case "arrayOf":
      case "setOf":
      case "objectOf":
        this.closure(term);
        break;
      case "value":
      case "name":
      case "rule":
      case "input":
      case "data":
        break;
    }
    return this;
  }

  /** A term that another value is laid upon. */
  pattern(term: Term): this {
    if (term.kind === "variable") this.binds.add(term.id);
    else if (term.kind === "array") for (const item of term.items) this.pattern(item);
    else if (term.kind === "object") for (const [key, value] of term.entries) this.term(key).pattern(value);
    else this.term(term);
    return this;
  }

  closure(closure: object): this {
    for (const id of this.#closures.get(closure) ?? []) this.needs.add(id);
    return this;
  }

  /** What is bound on the way is not needed from outside. */
  done(): Flow {
    return { needs: this.needs.difference(this.binds), binds: this.binds };
  }
}

export function flowOfTerms(terms: readonly Term[], closures: ClosureNeeds): Flow {
  const reader = new FlowReader(closures);
  for (const term of terms) reader.term(term);
  return reader.done();
}

/** The ways in which a condition can be evaluated; of `=`, either side can be the pattern. */
export function flowsOf(literal: Literal, closures: ClosureNeeds): readonly { readonly flow: Flow; readonly literal: Literal }[] {
  const reader = () => {
    const made = new FlowReader(closures);
    for (const { value } of literal.withs) made.term(value);
    return made;
  };
  switch (literal.kind) {
    case "term":
      return [{ flow: reader().term(literal.term).done(), literal }];
    case "unify": {
      const there = { flow: reader().term(literal.right).pattern(literal.left).done(), literal };
      if (literal.declares) return [there];
      const swapped: Literal = { ...literal, left: literal.right, right: literal.left };
      return [there, { flow: reader().term(literal.left).pattern(literal.right).done(), literal: swapped }];
    }
    case "some":
      return [{ flow: reader().done(), literal }];
    case "someIn": {
      const made = reader().term(literal.domain).pattern(literal.value);
      if (literal.key !== null) made.pattern(literal.key);
      return [{ flow: made.done(), literal }];
    }
    case "every":
      return [{ flow: reader().term(literal.domain).closure(literal).done(), literal }];
    case "not": {
      // Nothing that stands under `not` gets a value by it.
      const inner = flowsOf(literal.literal, closures).map(({ flow }) => flow.needs.union(flow.binds));
      const needs = new Set([...(inner[0] ?? [])].filter((id) => !id.startsWith("$")));
      return [{ flow: { needs: needs.union(reader().done().needs), binds: new Set() }, literal }];
    }
  }
}
