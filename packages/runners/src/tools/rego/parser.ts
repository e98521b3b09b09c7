/** Reads terms and bodies. Words of newer versions of Rego (`if`, `in`, `every`, `contains`) are taken with and without imports. */
import type { Token } from "./lexer.ts";
import { PolicyError, type Body, type Literal, type Term, type With } from "./syntax.ts";

const RELATIONS: Readonly<Record<string, string>> = { "==": "equal", "!=": "neq", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" };
/** From the weakest to the strongest. */
const OPERATORS: readonly Readonly<Record<string, string>>[] = [
  RELATIONS,
  { "|": "or" },
  { "&": "and" },
  { "+": "plus", "-": "minus" },
  { "*": "mul", "/": "div", "%": "rem" },
];
const OR_LEVEL = 1;
const DEPTH_MAX = 200;
const RESERVED = new Set(["as", "default", "else", "import", "not", "package", "some", "with"]);

export class TermParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #wildcards = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new PolicyError("the policy is empty");
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && (token.kind === "sign" || token.kind === "name");
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at += 1;
    return true;
  }

  expect(text: string): Token {
    if (!this.is(text)) throw this.unexpected(`'${text}'`);
    return this.next();
  }

  name(what = "a name"): Token {
    const token = this.peek();
    if (token.kind !== "name" || RESERVED.has(token.text)) throw this.unexpected(what);
    return this.next();
  }

  unexpected(wanted: string): PolicyError {
    const token = this.peek();
    return new PolicyError(`${wanted} is expected instead of ${token.kind === "end" ? token.text : `'${token.text}'`}`, token.line);
  }

  /** A term with operators. Without `|`, which ends the head of a comprehension. */
  expression({ or = true }: { readonly or?: boolean } = {}): Term {
    return this.#nested(() => {
      const left = this.#operation(0, or);
      if (!this.is("in") || this.peek().kind !== "name") return left;
      const { line } = this.next();
      return { kind: "call", name: "internal.member", args: [left, this.#operation(0, or)], line };
    });
  }

  /** What stands between braces, or the one literal of `if`. */
  block(): Body {
    this.expect("{");
    const body = this.body("}");
    this.expect("}");
    return body;
  }

  body(end: string): Body {
    const literals: Literal[] = [];
    for (;;) {
      while (this.accept(";"));
      if (this.is(end)) break;
      literals.push(this.literal());
      if (!this.is(end) && !this.is(";") && !this.peek().startsLine) throw this.unexpected(`';', '${end}' or a new line`);
    }
    if (literals.length === 0) throw this.unexpected("a condition");
    return literals;
  }

  literal(): Literal {
    return this.#nested(() => {
      const bare = this.#bareLiteral();
      const withs = this.#withs();
      return withs.length === 0 ? bare : { ...bare, withs };
    });
  }

  #bareLiteral(): Literal {
    const { line } = this.peek();
    const rest = { line, withs: [] };
    if (this.accept("not")) return { ...rest, kind: "not", literal: this.#bareLiteral() };
    if (this.accept("some")) return this.#some(line);
    if (this.is("every") && this.peek(1).kind === "name" && !this.peek(1).startsLine) return this.#every(line);
    const left = this.expression();
    const declares = this.is(":=");
    if (!declares && !this.is("=")) return { ...rest, kind: "term", term: left };
    this.next();
    return { ...rest, kind: "unify", left, right: this.expression(), declares };
  }

  #some(line: number): Literal {
    const terms = [this.#operation(0, true)];
    while (this.accept(",")) terms.push(this.#operation(0, true));
    const [first, second] = terms;
    if (this.accept("in") && first !== undefined && terms.length <= 2) {
      const [key, value] = second === undefined ? [null, first] : [first, second];
      return { line, withs: [], kind: "someIn", key, value, domain: this.expression() };
    }
    const names = terms.map((term) => {
      if (term.kind !== "name") throw new PolicyError("`some` declares names", line);
      return term.name;
    });
    return { line, withs: [], kind: "some", names };
  }

  #every(line: number): Literal {
    this.next();
    const first = this.#operation(0, true);
    const second = this.accept(",") ? this.#operation(0, true) : undefined;
    this.expect("in");
    const domain = this.expression();
    const [key, value] = second === undefined ? [null, first] : [first, second];
    return { line, withs: [], kind: "every", key, value, domain, body: this.block() };
  }

  #withs(): With[] {
    const withs: With[] = [];
    while (this.accept("with")) {
      const path = [this.name("`input`").text];
      while (this.is(".") || this.is("[")) {
        const sign = this.next().text;
        path.push(this.next().text);
        if (sign === "[") this.expect("]");
      }
      this.expect("as");
      withs.push({ path, value: this.expression() });
    }
    return withs;
  }

  #operation(level: number, or: boolean): Term {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#operation(level + 1, or);
    for (;;) {
      const token = this.peek();
      const name = token.kind === "sign" && (or || level !== OR_LEVEL) ? operators[token.text] : undefined;
      if (name === undefined) return left;
      this.next();
      left = { kind: "call", name, args: [left, this.#operation(level + 1, or)], line: token.line };
    }
  }

  #unary(): Term {
    if (!this.is("-")) return this.#term();
    const { line } = this.next();
    const operand = this.#term();
    if (operand.kind === "value" && typeof operand.value === "number") return { kind: "value", value: -operand.value };
    return { kind: "call", name: "minus", args: [{ kind: "value", value: 0 }, operand], line };
  }

  #term(): Term {
    let term = this.#primary();
    let path: Term[] = [];
    const closed = () => (path.length === 0 ? term : ({ kind: "ref", base: term, path } satisfies Term));
    while (this.peek().adjacent) {
      if (this.accept(".")) path.push({ kind: "value", value: this.name("a field").text });
      else if (this.accept("[")) {
        path.push(this.expression());
        this.expect("]");
      } else if (this.is("(")) {
        const { line } = this.peek();
        term = { kind: "call", name: callee(term, path, line), args: this.#args(), line };
        path = [];
      } else break;
    }
    return closed();
  }

  #args(): Term[] {
    this.expect("(");
    const args: Term[] = [];
    while (!this.is(")")) {
      args.push(this.expression());
      if (!this.accept(",")) break;
    }
    this.expect(")");
    return args;
  }

  #primary(): Term {
    const token = this.peek();
    if (token.kind === "number") return { kind: "value", value: Number(this.next().text) };
    if (token.kind === "text") return { kind: "value", value: this.next().text };
    if (token.kind === "name") return this.#named();
    if (this.accept("(")) {
      const inner = this.expression();
      this.expect(")");
      return inner;
    }
    if (this.is("[")) return this.#array();
    if (this.is("{")) return this.#braces();
    throw this.unexpected("a value");
  }

  #named(): Term {
    const { text, line } = this.name("a value");
    if (text === "true" || text === "false") return { kind: "value", value: text === "true" };
    if (text === "null") return { kind: "value", value: null };
    if (text === "_") return { kind: "name", name: `$${(this.#wildcards += 1)}`, line };
    if (text === "set" && this.is("(") && this.peek().adjacent && this.is(")", 1)) {
      this.next();
      this.next();
      return { kind: "set", items: [] };
    }
    return { kind: "name", name: text, line };
  }

  #array(): Term {
    this.expect("[");
    if (this.accept("]")) return { kind: "array", items: [] };
    const first = this.expression({ or: false });
    if (this.accept("|")) {
      const body = this.body("]");
      this.expect("]");
      return { kind: "arrayOf", head: first, body };
    }
    const items = this.#rest(first, "]");
    return { kind: "array", items };
  }

  #braces(): Term {
    this.expect("{");
    if (this.accept("}")) return { kind: "object", entries: [] };
    const first = this.expression({ or: false });
    if (this.accept("|")) {
      const body = this.body("}");
      this.expect("}");
      return { kind: "setOf", head: first, body };
    }
    if (!this.accept(":")) return { kind: "set", items: this.#rest(first, "}") };
    const value = this.expression({ or: false });
    if (this.accept("|")) {
      const body = this.body("}");
      this.expect("}");
      return { kind: "objectOf", key: first, value, body };
    }
    const entries: [Term, Term][] = [[first, value]];
    while (this.accept(",") && !this.is("}")) {
      const key = this.expression();
      this.expect(":");
      entries.push([key, this.expression()]);
    }
    this.expect("}");
    return { kind: "object", entries };
  }

  #rest(first: Term, end: string): Term[] {
    const items = [first];
    while (this.accept(",") && !this.is(end)) items.push(this.expression());
    this.expect(end);
    return items;
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new PolicyError(`terms lie deeper than ${DEPTH_MAX} in each other`, this.peek().line);
    const result = read();
    this.#depth -= 1;
    return result;
  }
}

/** `io.jwt.decode` and `helper`. */
function callee(base: Term, path: readonly Term[], line: number): string {
  const names = [base, ...path].map((part) =>
    part.kind === "name" ? part.name : part.kind === "value" && typeof part.value === "string" ? part.value : undefined,
  );
  if (names.includes(undefined)) throw new PolicyError("only functions can be called", line);
  return names.join(".");
}
