/**
 * Evaluates a program. A body is solved by going on with each way in which its next condition holds: what is given a value is given
 * it for what comes behind, and it is taken away again. Continuations return true to end the search.
 */
import { BUILTINS } from "./builtins/table.ts";
import { Budget } from "./budget.ts";
import type { Program, RuleGroup } from "./compile.ts";
import { PolicyError, type Body, type Clause, type Comprehension, type Literal, type Term, type With } from "./syntax.ts";
import { equal, isArray, RegoObject, RegoSet, type Value } from "./values.ts";

type Environment = Map<string, Value>;
type Continue = (value: Value) => boolean;

export interface Evaluation {
  readonly input: Value;
  readonly nowMs: number;
}

/** The value of a rule; undefined when it has none. */
export function evaluateRule(program: Program, rule: string, given: Evaluation): Value | undefined {
  try {
    return new Evaluator(program, { ...given, budget: new Budget() }).rule(rule);
  } catch (error) {
    if (error instanceof RangeError) throw new PolicyError("the policy or its values lie too deep in each other, or are too large");
    throw error;
  }
}

class Evaluator {
  readonly #program: Program;
  readonly #given: Evaluation & { readonly budget: Budget };
  readonly #values = new Map<string, Value | undefined>();

  constructor(program: Program, given: Evaluation & { readonly budget: Budget }) {
    this.#program = program;
    this.#given = given;
  }

  rule(name: string): Value | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    const group = this.#program.rules.get(name);
    const value = group === undefined ? undefined : this.#valueOf(group);
    this.#values.set(name, value);
    return value;
  }

  #valueOf(group: RuleGroup): Value | undefined {
    switch (group.kind) {
      case "set":
        return this.#setOf(group);
      case "object":
        return this.#objectOf(group);
      case "value":
        return this.#single(group, null);
      case "function":
        return undefined;
    }
  }

  /** The one value of a rule or of a call. */
  #single(group: RuleGroup, args: readonly Value[] | null): Value | undefined {
    let found: Value | undefined;
    for (const rule of group.rules) {
      const take = (value: Value): boolean => {
        if (found !== undefined && !equal(found, value)) throw new PolicyError(`\`${group.name}\` gets two different values`, rule.line);
        found = value;
        return false;
      };
      if (args === null) this.#clause(rule, new Map(), take);
      else this.#matchAll(rule.args ?? [], args, { env: new Map(), next: (env) => this.#clause(rule, env, take) && false });
    }
    if (found === undefined && group.fallback !== null) this.#term(group.fallback, new Map(), (value) => ((found = value), true));
    return found;
  }

  /** Gives the values of the first clause that has any; true when there were some. */
  #clause(clause: Clause, env: Environment, take: Continue): boolean {
    for (let each: Clause | null = clause; each !== null; each = each.otherwise) {
      const { value } = each;
      let some = false;
      this.#solve(each.body, 0, env, () =>
        this.#term(value, env, (result) => {
          some = true;
          take(result);
          return value.kind === "value";
        }),
      );
      if (some) return true;
    }
    return false;
  }

  #setOf(group: RuleGroup): RegoSet {
    const set = new RegoSet();
    for (const rule of group.rules) {
      const env: Environment = new Map();
      const { member } = rule;
      if (member !== null) this.#solve(rule.body, 0, env, () => this.#term(member, env, (value) => this.#add(set, value)));
    }
    return set;
  }

  #add(set: RegoSet, value: Value): false {
    this.#given.budget.take(1);
    set.add(value);
    return false;
  }

  #objectOf(group: RuleGroup): RegoObject {
    const tree = new RegoObject();
    for (const rule of group.rules) {
      const env: Environment = new Map();
      this.#solve(rule.body, 0, env, () =>
        this.#terms(rule.path, env, (path) =>
          this.#term(rule.value, env, (value) => {
            this.#given.budget.take(path.length);
            if (!putIn(tree, path, value)) throw new PolicyError(`\`${group.name}\` gets two different values for one key`, rule.line);
            return false;
          }),
        ),
      );
    }
    return tree;
  }

  /** True when a continuation ended the search. */
  #solve(body: Body, at: number, env: Environment, next: () => boolean): boolean {
    const literal = body[at];
    if (literal === undefined) return next();
    return this.#literal(literal, env, () => this.#solve(body, at + 1, env, next));
  }

  #literal(literal: Literal, env: Environment, next: () => boolean): boolean {
    this.#given.budget.take(1);
    if (literal.withs.length > 0) {
      return this.#with(literal.withs, env, (other) => other.#literal({ ...literal, withs: [] }, env, next));
    }
    switch (literal.kind) {
      case "term":
        return this.#term(literal.term, env, (value) => value !== false && next());
      case "not": {
        const holds = this.#literal(literal.literal, env, () => true);
        return !holds && next();
      }
      case "unify":
        return this.#term(literal.right, env, (value) => this.#match(literal.left, value, env, next));
      case "someIn":
        return this.#someIn(literal, env, next);
      case "every":
        return this.#every(literal, env, next);
      case "some":
        return next();
    }
  }

  #someIn(literal: Extract<Literal, { readonly kind: "someIn" }>, env: Environment, next: () => boolean): boolean {
    return this.#term(literal.domain, env, (domain) => {
      for (const [key, value] of membersOf(domain)) {
        this.#given.budget.take(1);
        const withKey = () => (literal.key === null ? next() : this.#match(literal.key, key, env, next));
        if (this.#match(literal.value, value, env, withKey)) return true;
      }
      return false;
    });
  }

  #every(literal: Extract<Literal, { readonly kind: "every" }>, env: Environment, next: () => boolean): boolean {
    return this.#term(literal.domain, env, (domain) => {
      for (const [key, value] of membersOf(domain)) {
        const body = () => this.#solve(literal.body, 0, env, () => true);
        const withKey = () => (literal.key === null ? body() : this.#match(literal.key, key, env, body));
        if (!this.#match(literal.value, value, env, withKey)) return false;
      }
      return next();
    });
  }

  #with(withs: readonly With[], env: Environment, next: (other: Evaluator) => boolean): boolean {
    const values = withs.map(({ value }) => value);
    return this.#terms(values, env, (given) => {
      let { input } = this.#given;
      for (const [i, { path }] of withs.entries()) input = replaced(input, path.slice(1), given[i] ?? null);
      return next(new Evaluator(this.#program, { ...this.#given, input }));
    });
  }

  /** Goes on with each value of a term. */
  #term(term: Term, env: Environment, next: Continue): boolean {
    this.#given.budget.take(1);
    switch (term.kind) {
      case "value":
        return next(term.value);
      case "variable": {
        const value = env.get(term.id);
        return value !== undefined && next(value);
      }
      case "input":
        return next(this.#given.input);
      case "data":
        return next(new RegoObject());
      case "rule": {
        const value = this.rule(term.name);
        return value !== undefined && next(value);
      }
      case "ref":
        return this.#term(term.base, env, (base) => this.#ref(base, term.path, { at: 0, env, next }));
      case "call":
        return this.#terms(term.args, env, (args) => {
          const value = this.#call(term.name, args);
          return value !== undefined && next(value);
        });
      case "array":
        return this.#terms(term.items, env, next);
      case "set":
        return this.#terms(term.items, env, (items) => next(new RegoSet(items)));
      case "object":
        return this.#terms(term.entries.flat(), env, (parts) => next(objectOfParts(parts)));
      case "arrayOf":
      case "setOf":
      case "objectOf":
        return next(this.#comprehension(term, env));
      case "name":
        throw new PolicyError(`\`${term.name}\` is not known`, term.line);
    }
  }

  #terms(terms: readonly Term[], env: Environment, next: (values: readonly Value[]) => boolean): boolean {
    const values: Value[] = [];
    const from = (at: number): boolean => {
      const term = terms[at];
      if (term === undefined) return next([...values]);
      return this.#term(term, env, (value) => {
        values[at] = value;
        return from(at + 1);
      });
    };
    return from(0);
  }

  #ref(
    base: Value,
    path: readonly Term[],
    { at, env, next }: { readonly at: number; readonly env: Environment; readonly next: Continue },
  ): boolean {
    const part = path[at];
    if (part === undefined) return next(base);
    const into = (value: Value): boolean => this.#ref(value, path, { at: at + 1, env, next });
    if (part.kind !== "variable" || env.has(part.id)) {
      return this.#term(part, env, (key) => {
        const value = memberOf(base, key);
        return value !== undefined && into(value);
      });
    }
    for (const [key, value] of membersOf(base)) {
      this.#given.budget.take(1);
      env.set(part.id, base instanceof RegoSet ? value : key);
      const ended = into(value);
      env.delete(part.id);
      if (ended) return true;
    }
    return false;
  }

  /** Lays a value upon a term; variables without a value get theirs for what follows. */
  #match(pattern: Term, value: Value, env: Environment, next: () => boolean): boolean {
    this.#given.budget.take(1);
    if (pattern.kind === "variable" && !env.has(pattern.id)) {
      env.set(pattern.id, value);
      const ended = next();
      env.delete(pattern.id);
      return ended;
    }
    if (pattern.kind === "array") {
      return isArray(value) && value.length === pattern.items.length && this.#matchAll(pattern.items, value, { env, next });
    }
    if (pattern.kind === "object") {
      if (!(value instanceof RegoObject) || value.size !== pattern.entries.length) return false;
      const keys = pattern.entries.map(([key]) => key);
      const patterns = pattern.entries.map(([, inner]) => inner);
      return this.#terms(keys, env, (found) => {
        const values = found.map((key) => value.get(key)).filter((inner) => inner !== undefined);
        return values.length === patterns.length && this.#matchAll(patterns, values, { env, next });
      });
    }
    return this.#term(pattern, env, (other) => equal(other, value) && next());
  }

  #matchAll(
    patterns: readonly Term[],
    values: readonly Value[],
    { env, next }: { readonly env: Environment; readonly next: (env: Environment) => boolean },
  ): boolean {
    const from = (at: number): boolean => {
      const pattern = patterns[at];
      const value = values[at];
      return pattern === undefined || value === undefined ? next(env) : this.#match(pattern, value, env, () => from(at + 1));
    };
    return from(0);
  }

  #comprehension(term: Comprehension, env: Environment): Value {
    if (term.kind === "objectOf") {
      const object = new RegoObject();
      this.#solve(term.body, 0, env, () =>
        this.#terms([term.key, term.value], env, ([key = null, value = null]) => {
          this.#given.budget.take(1);
          if (!putIn(object, [key], value)) throw new PolicyError("one key of an object gets two different values");
          return false;
        }),
      );
      return object;
    }
    const items: Value[] = [];
    this.#solve(term.body, 0, env, () =>
      this.#term(term.head, env, (value) => {
        this.#given.budget.take(1);
        items.push(value);
        return false;
      }),
    );
    return term.kind === "arrayOf" ? items : new RegoSet(items);
  }

  #call(name: string, args: readonly Value[]): Value | undefined {
    const group = this.#program.rules.get(name);
    if (group !== undefined) return this.#single(group, args);
    const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
    return builtin?.call(args, this.#given);
  }
}

/** False when another value stands there. */
function putIn(object: RegoObject, path: readonly Value[], value: Value): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return false;
  const known = object.get(key);
  if (rest.length > 0) {
    if (known !== undefined && !(known instanceof RegoObject)) return false;
    const inner = known ?? new RegoObject();
    object.set(key, inner);
    return putIn(inner, rest, value);
  }
  if (known !== undefined) return equal(known, value);
  object.set(key, value);
  return true;
}

function memberOf(base: Value, key: Value): Value | undefined {
  if (isArray(base)) return typeof key === "number" ? base[key] : undefined;
  if (base instanceof RegoObject) return base.get(key);
  return base instanceof RegoSet && base.has(key) ? key : undefined;
}

/** Keys and values; members of a set are both. */
function membersOf(value: Value): readonly (readonly [Value, Value])[] {
  if (isArray(value)) return value.map((item, i) => [i, item]);
  if (value instanceof RegoObject) return value.entries();
  return value instanceof RegoSet ? value.items().map((item) => [item, item]) : [];
}

function objectOfParts(parts: readonly Value[]): RegoObject {
  const object = new RegoObject();
  for (let i = 0; i + 1 < parts.length; i += 2) object.set(parts[i] ?? null, parts[i + 1] ?? null);
  return object;
}

function replaced(input: Value, path: readonly string[], value: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const object = new RegoObject();
  if (input instanceof RegoObject) for (const [name, inner] of input.entries()) object.set(name, inner);
  return object.set(key, replaced(object.get(key) ?? new RegoObject(), rest, value));
}
