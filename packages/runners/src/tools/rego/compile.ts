/**
 * Makes a program of a module: resolves names, puts the conditions of each body into an order in which every variable has its value
 * when it is needed, and refuses what could not be evaluated: unknown functions, variables without a value, recursion.
 */
import { BUILTINS } from "./builtins/table.ts";
import { flowOfTerms, flowsOf, type ClosureNeeds } from "./flow.ts";
import { PolicyError, type Body, type Clause, type Comprehension, type Literal, type Module, type Rule, type Term } from "./syntax.ts";

export interface RuleGroup {
  readonly name: string;
  readonly kind: "value" | "function" | "set" | "object";
  readonly rules: readonly Rule[];
  readonly fallback: Term | null;
}

export interface Program {
  readonly rules: ReadonlyMap<string, RuleGroup>;
}

interface Scope {
  /** Name → id of the variable. */
  readonly names: Map<string, string>;
  readonly parent: Scope | null;
}

export function compile(module: Module): Program {
  return new Compiler(module).program();
}

class Compiler {
  readonly #module: Module;
  readonly #sources: ReadonlyMap<string, readonly Rule[]>;
  readonly #closures: ClosureNeeds = new WeakMap();
  readonly #uses = new Map<string, Set<string>>();
  #current: Set<string> = new Set();
  #line = 1;
  #variables = 0;

  constructor(module: Module) {
    this.#module = module;
    this.#sources = Map.groupBy(module.rules, ({ name }) => name);
  }

  program(): Program {
    const rules = new Map<string, RuleGroup>();
    for (const [name, sources] of this.#sources) {
      this.#current = new Set();
      rules.set(name, this.#group(name, sources));
      this.#uses.set(name, this.#current);
    }
    this.#checkRecursion();
    return { rules };
  }

  #group(name: string, sources: readonly Rule[]): RuleGroup {
    const [first] = sources;
    const kinds = new Set(sources.filter(({ isDefault }) => !isDefault).map(kindOf));
    if (name === "input" || name === "data") throw new PolicyError(`a rule cannot have the name \`${name}\``, first?.line);
    const [kind = "value"] = kinds;
    if (kinds.size > 1) throw new PolicyError(`the rules \`${name}\` are of different kinds`, sources.at(-1)?.line);
    const arity = first?.args?.length;
    const other = sources.find(({ args, isDefault }) => !isDefault && args?.length !== arity);
    if (other !== undefined && kind === "function") throw new PolicyError(`\`${name}\` takes ${arity ?? 0} values elsewhere`, other.line);
    const defaults = sources.filter(({ isDefault }) => isDefault);
    if (defaults.length > 1) throw new PolicyError(`\`${name}\` has two defaults`, defaults[1]?.line);
    const compiled = sources.map((rule) => this.#rule(rule));
    return {
      name,
      kind,
      rules: compiled.filter(({ isDefault }) => !isDefault),
      fallback: compiled.find(({ isDefault }) => isDefault)?.value ?? null,
    };
  }

  #rule(rule: Rule): Rule {
    this.#line = rule.line;
    const scope: Scope = { names: new Map(), parent: null };
    for (const arg of rule.args ?? []) this.#declare(scope, namesIn(arg));
    const args = rule.args?.map((arg) => this.#term(arg, scope)) ?? null;
    const bound = new Set(scope.names.values());
    const clause = this.#clause(rule, { scope, bound, heads: [...rule.path, ...(rule.member === null ? [] : [rule.member])] });
    const member = rule.member === null ? null : (clause.heads.at(-1) ?? null);
    return { ...rule, ...clause.clause, args, path: clause.heads.slice(0, rule.path.length), member };
  }

  #clause(
    { value, body, otherwise }: Clause,
    { scope, bound, heads }: { readonly scope: Scope; readonly bound: ReadonlySet<string>; readonly heads: readonly Term[] },
  ): { readonly clause: Clause; readonly heads: readonly Term[] } {
    const made = this.#body(body, { parent: scope, bound, heads: [value, ...heads] });
    const [first = value, ...rest] = made.heads;
    const next = otherwise === null ? null : this.#clause(otherwise, { scope, bound, heads: [] }).clause;
    return { clause: { value: first, body: made.body, otherwise: next }, heads: rest };
  }

  /** A body with the terms that are evaluated behind it. */
  #body(
    body: Body,
    { parent, bound, heads }: { readonly parent: Scope; readonly bound: ReadonlySet<string>; readonly heads: readonly Term[] },
  ): { readonly body: Body; readonly heads: readonly Term[]; readonly own: ReadonlySet<string> } {
    const scope: Scope = { names: new Map(), parent };
    for (const literal of body) this.#declare(scope, declaredBy(literal));
    for (const name of [...body.flatMap(namesOfLiteral), ...heads.flatMap(namesIn)]) {
      if (!this.#isKnown(name, scope)) this.#declare(scope, [name]);
    }
    const resolved = body.map((literal) => this.#literal(literal, scope));
    const ordered = this.#order(resolved, bound);
    const made = heads.map((head) => this.#term(head, scope));
    const { needs } = flowOfTerms(made, this.#closures);
    this.#checkBound(needs, ordered.bound, this.#line);
    return { body: ordered.body, heads: made, own: new Set(scope.names.values()) };
  }

  #order(body: readonly Literal[], given: ReadonlySet<string>): { readonly body: Body; readonly bound: ReadonlySet<string> } {
    const bound = new Set(given);
    const waiting = body.filter(({ kind }) => kind !== "some");
    const ordered: Literal[] = [];
    while (waiting.length > 0) {
      const found = this.#firstReady(waiting, bound);
      if (found === undefined) {
        const [literal] = waiting;
        const needs = literal === undefined ? new Set<string>() : (flowsOf(literal, this.#closures)[0]?.flow.needs ?? new Set<string>());
        this.#checkBound(needs, bound, literal?.line);
        throw new PolicyError("a condition can never be evaluated", literal?.line);
      }
      waiting.splice(found.index, 1);
      ordered.push(found.literal);
      for (const id of found.binds) bound.add(id);
    }
    return { body: ordered, bound };
  }

  #firstReady(waiting: readonly Literal[], bound: ReadonlySet<string>) {
    for (const [index, literal] of waiting.entries()) {
      for (const way of flowsOf(literal, this.#closures)) {
        if (way.flow.needs.isSubsetOf(bound)) return { index, literal: way.literal, binds: way.flow.binds };
      }
    }
    return undefined;
  }

  #checkBound(needs: ReadonlySet<string>, bound: ReadonlySet<string>, line: number | undefined): void {
    for (const id of needs.difference(bound)) {
      const name = id.startsWith("$") ? "_" : id.slice(0, id.lastIndexOf("#"));
      throw new PolicyError(`\`${name}\` has no value here`, line);
    }
  }

  #literal(literal: Literal, scope: Scope): Literal {
    this.#line = literal.line;
    const withs = literal.withs.map(({ path, value }) => {
      if (path[0] !== "input") throw new PolicyError("`with` replaces `input` or parts of it, nothing else", literal.line);
      return { path, value: this.#term(value, scope) };
    });
    const base = { line: literal.line, withs };
    switch (literal.kind) {
      case "term":
        return { ...base, kind: "term", term: this.#term(literal.term, scope) };
      case "not":
        return { ...base, kind: "not", literal: this.#literal(literal.literal, scope) };
      case "unify":
        return {
          ...base,
          kind: "unify",
          declares: literal.declares,
          left: this.#term(literal.left, scope),
          right: this.#term(literal.right, scope),
        };
      case "some":
        return literal;
      case "someIn": {
        const key = literal.key === null ? null : this.#term(literal.key, scope);
        return { ...base, kind: "someIn", key, value: this.#term(literal.value, scope), domain: this.#term(literal.domain, scope) };
      }
      case "every":
        return this.#every(literal, scope);
    }
  }

  #every(literal: Extract<Literal, { readonly kind: "every" }>, scope: Scope): Literal {
    const domain = this.#term(literal.domain, scope);
    const inner: Scope = { names: new Map(), parent: scope };
    for (const pattern of [literal.key, literal.value]) if (pattern !== null) this.#declare(inner, namesIn(pattern));
    const key = literal.key === null ? null : this.#term(literal.key, inner);
    const value = this.#term(literal.value, inner);
    const { body, own } = this.#body(literal.body, { parent: inner, bound: idsAround(inner), heads: [] });
    const made: Literal = { ...literal, key, value, domain, body };
    this.#closures.set(made, idsOfBody(body, this.#closures).difference(own).difference(new Set(inner.names.values())));
    return made;
  }

  #term(term: Term, scope: Scope): Term {
    switch (term.kind) {
      case "name":
        return this.#resolved(term.name, scope);
      case "ref":
        return this.#ref(
          this.#term(term.base, scope),
          term.path.map((part) => this.#term(part, scope)),
        );
      case "call":
        return this.#call(term, scope);
      case "array":
      case "set":
        return { ...term, items: term.items.map((item) => this.#term(item, scope)) };
      case "object":
        return { ...term, entries: term.entries.map(([key, value]) => [this.#term(key, scope), this.#term(value, scope)] as const) };
      case "arrayOf":
      case "setOf":
      case "objectOf":
        return this.#comprehension(term, scope);
      case "value":
      case "variable":
      case "rule":
      case "input":
      case "data":
        return term;
    }
  }

  #comprehension(term: Comprehension, scope: Scope): Term {
    const heads = term.kind === "objectOf" ? [term.key, term.value] : [term.head];
    const line = this.#line;
    const made = this.#body(term.body, { parent: scope, bound: idsAround(scope), heads });
    this.#line = line;
    const [first = heads[0], second] = made.heads;
    if (first === undefined) return term;
    const result: Comprehension =
      term.kind === "objectOf"
        ? { kind: "objectOf", key: first, value: second ?? first, body: made.body }
        : { kind: term.kind, head: first, body: made.body };
    const { needs, binds } = flowOfTerms(made.heads, this.#closures);
    this.#closures.set(result, idsOfBody(made.body, this.#closures).union(needs).union(binds).difference(made.own));
    return result;
  }

  #resolved(name: string, scope: Scope): Term {
    for (let around: Scope | null = scope; around !== null; around = around.parent) {
      const id = around.names.get(name);
      if (id !== undefined) return { kind: "variable", id, name };
    }
    if (name === "input" || name === "data") return { kind: name };
    const imported = this.#module.imports.get(name);
    if (imported !== undefined) {
      const path = imported.slice(1).map((part) => ({ kind: "value" as const, value: part }));
      return this.#ref({ kind: imported[0] === "input" ? "input" : "data" }, path);
    }
    if (this.#kindOfRule(name) === "function") throw new PolicyError(`\`${name}\` is a function and is called with its values`, this.#line);
    this.#current.add(name);
    return { kind: "rule", name };
  }

  /** `data.rego.name` is the rule of that name; there is nothing else in `data`. */
  #ref(base: Term, path: readonly Term[]): Term {
    if (base.kind === "ref") return this.#ref(base.base, [...base.path, ...path]);
    const own = this.#module.package;
    if (base.kind === "data" && path.length > own.length && own.every((part, i) => textOf(path[i]) === part)) {
      const name = textOf(path[own.length]);
      if (name !== undefined && this.#sources.has(name)) {
        this.#current.add(name);
        const rest = path.slice(own.length + 1);
        return rest.length === 0 ? { kind: "rule", name } : { kind: "ref", base: { kind: "rule", name }, path: rest };
      }
    }
    return path.length === 0 ? base : { kind: "ref", base, path };
  }

  #call(term: Extract<Term, { readonly kind: "call" }>, scope: Scope): Term {
    const args = term.args.map((arg) => this.#term(arg, scope));
    const prefix = `data.${this.#module.package.join(".")}.`;
    const name = term.name.startsWith(prefix) ? term.name.slice(prefix.length) : term.name;
    const own = this.#sources.get(name)?.find((rule) => rule.args !== null)?.args;
    if (own === undefined && this.#sources.has(name)) throw new PolicyError(`\`${name}\` is a rule and no function`, term.line);
    const builtin = own === undefined && Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
    const arity = own?.length ?? builtin?.arity;
    if (arity === undefined || arity === null) throw new PolicyError(`the function \`${name}\` is not offered`, term.line);
    if (arity !== args.length) throw new PolicyError(`\`${name}\` takes ${arity} values, not ${args.length}`, term.line);
    if (own !== undefined) this.#current.add(name);
    return { ...term, name, args };
  }

  #kindOfRule(name: string): RuleGroup["kind"] | undefined {
    const rule = this.#sources.get(name)?.find(({ isDefault }) => !isDefault);
    return rule === undefined ? undefined : kindOf(rule);
  }

  #isKnown(name: string, scope: Scope): boolean {
    for (let around: Scope | null = scope; around !== null; around = around.parent) if (around.names.has(name)) return true;
    return name === "input" || name === "data" || this.#module.imports.has(name) || this.#sources.has(name);
  }

  #declare(scope: Scope, names: readonly string[]): void {
    for (const name of names) if (!scope.names.has(name)) scope.names.set(name, `${name}#${(this.#variables += 1)}`);
  }

  #checkRecursion(): void {
    const ended = new Set<string>();
    const visit = (name: string, above: ReadonlySet<string>): void => {
      if (ended.has(name)) return;
      if (above.has(name)) throw new PolicyError(`\`${name}\` depends on itself`, this.#sources.get(name)?.[0]?.line);
      for (const next of this.#uses.get(name) ?? []) visit(next, new Set([...above, name]));
      ended.add(name);
    };
    for (const name of this.#uses.keys()) visit(name, new Set());
  }
}

function kindOf(rule: Rule): RuleGroup["kind"] {
  if (rule.args !== null) return "function";
  if (rule.member !== null) {
    if (rule.path.length > 0) throw new PolicyError("a set has a plain name", rule.line);
    return "set";
  }
  return rule.path.length > 0 ? "object" : "value";
}

function textOf(term: Term | undefined): string | undefined {
  return term?.kind === "value" && typeof term.value === "string" ? term.value : undefined;
}

function declaredBy(literal: Literal): readonly string[] {
  if (literal.kind === "unify" && literal.declares) return patternNames(literal.left);
  if (literal.kind === "some") return literal.names;
  if (literal.kind === "someIn") return [...(literal.key === null ? [] : patternNames(literal.key)), ...patternNames(literal.value)];
  return [];
}

function patternNames(term: Term): readonly string[] {
  if (term.kind === "name") return [term.name];
  if (term.kind === "array") return term.items.flatMap(patternNames);
  return term.kind === "object" ? term.entries.flatMap(([, value]) => patternNames(value)) : [];
}

/** Names outside of closures. */
function namesIn(term: Term): readonly string[] {
  switch (term.kind) {
    case "name":
      return [term.name];
    case "ref":
      return [term.base, ...term.path].flatMap(namesIn);
    case "call":
      return term.args.flatMap(namesIn);
    case "array":
    case "set":
      return term.items.flatMap(namesIn);
    case "object":
      return term.entries.flat().flatMap(namesIn);
    default:
      return [];
  }
}

function namesOfLiteral(literal: Literal): readonly string[] {
  const ofWiths = literal.withs.flatMap(({ value }) => namesIn(value));
  switch (literal.kind) {
    case "term":
      return [...ofWiths, ...namesIn(literal.term)];
    case "not":
      return [...ofWiths, ...namesOfLiteral(literal.literal)];
    case "unify":
      return [...ofWiths, ...namesIn(literal.left), ...namesIn(literal.right)];
    case "someIn":
      return [...ofWiths, ...[literal.key, literal.value, literal.domain].flatMap((term) => (term === null ? [] : namesIn(term)))];
    case "every":
      return [...ofWiths, ...namesIn(literal.domain)];
    case "some":
      return ofWiths;
  }
}

function idsAround(scope: Scope): ReadonlySet<string> {
  const ids = new Set<string>();
  for (let around: Scope | null = scope; around !== null; around = around.parent) for (const id of around.names.values()) ids.add(id);
  return ids;
}

function idsOfBody(body: Body, closures: ClosureNeeds): Set<string> {
  const ids = new Set<string>();
  for (const literal of body) {
    const flow = flowsOf(literal, closures)[0]?.flow;
    for (const id of [...(flow?.needs ?? []), ...(flow?.binds ?? [])]) ids.add(id);
  }
  return ids;
}
