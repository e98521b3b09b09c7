/** Reads a whole policy: its package, imports and rules. */
import { tokensOf } from "./lexer.ts";
import { TermParser } from "./parser.ts";
import { PolicyError, type Body, type Clause, type Module, type Rule, type Term } from "./syntax.ts";

const TRUE: Term = { kind: "value", value: true };
const RULES_MAX = 2000;

export function parseModule(source: string): Module {
  const parser = new TermParser(tokensOf(source));
  parser.expect("package");
  const name = path(parser);
  const imports = new Map<string, readonly string[]>();
  const rules: Rule[] = [];
  while (parser.peek().kind !== "end") {
    if (parser.accept(";")) continue;
    if (parser.is("import")) readImport(parser, imports);
    else rules.push(...readRule(parser));
    if (rules.length > RULES_MAX) throw new PolicyError(`the policy has more than ${RULES_MAX} rules`);
  }
  return { package: name, imports, rules };
}

function path(parser: TermParser): string[] {
  const parts = [parser.name().text];
  for (;;) {
    if (parser.accept(".")) parts.push(parser.next().text);
    else if (parser.is("[") && parser.peek().adjacent) {
      parser.next();
      parts.push(parser.next().text);
      parser.expect("]");
    } else return parts;
  }
}

function readImport(parser: TermParser, imports: Map<string, readonly string[]>): void {
  const { line } = parser.next();
  const target = path(parser);
  const alias = parser.accept("as") ? parser.name().text : target.at(-1);
  const [root] = target;
  if (root === "future" || root === "rego") return;
  if (root !== "input" && root !== "data")
    throw new PolicyError(`an import begins with input, data, future or rego, not ${root ?? ""}`, line);
  if (alias !== undefined && target.length > 1) imports.set(alias, target);
}

/** `head { a } { b }` are two rules. */
function readRule(parser: TermParser): Rule[] {
  const { line } = parser.peek();
  const isDefault = parser.accept("default");
  const name = parser.name("a rule").text;
  const head = readHead(parser, { name, line });
  if (isDefault) return [{ ...head, isDefault, body: [], otherwise: null }];
  const body = readBody(parser);
  const otherwise = readElse(parser);
  const rules: Rule[] = [{ ...head, body, otherwise }];
  while (parser.is("{") && body.length > 0) rules.push({ ...head, body: parser.block(), otherwise: null });
  return rules;
}

function readHead(parser: TermParser, { name, line }: { readonly name: string; readonly line: number }): Rule {
  const behind: Term[] = [];
  let args: readonly Term[] | null = null;
  let isBracketLast = false;
  while (parser.peek().adjacent) {
    if (parser.accept(".")) {
      behind.push({ kind: "value", value: parser.name("a field").text });
      isBracketLast = false;
    } else if (parser.accept("[")) {
      behind.push(parser.expression());
      parser.expect("]");
      isBracketLast = true;
    } else if (parser.is("(")) {
      args = readArgs(parser);
      break;
    } else break;
  }
  if (args !== null && behind.length > 0) throw new PolicyError("functions have plain names", line);
  const rule = { name, line, isDefault: false, args, body: [], otherwise: null };
  if (parser.is("contains") && !parser.peek().adjacent) {
    parser.next();
    return { ...rule, path: behind, member: parser.expression(), value: TRUE };
  }
  if (parser.accept("=") || parser.accept(":=")) return { ...rule, path: behind, member: null, value: parser.expression() };
  // The older form of a set; with `if` it is an object.
  const last = behind.at(-1);
  if (isBracketLast && last !== undefined && !parser.is("if")) return { ...rule, path: behind.slice(0, -1), member: last, value: TRUE };
  return { ...rule, path: behind, member: null, value: TRUE };
}

function readArgs(parser: TermParser): Term[] {
  parser.expect("(");
  const args: Term[] = [];
  while (!parser.is(")")) {
    args.push(parser.expression());
    if (!parser.accept(",")) break;
  }
  parser.expect(")");
  return args;
}

function readBody(parser: TermParser): Body {
  if (parser.accept("if")) return parser.is("{") ? parser.block() : [parser.literal()];
  return parser.is("{") ? parser.block() : [];
}

function readElse(parser: TermParser): Clause | null {
  if (!parser.accept("else")) return null;
  const own = parser.accept("=") || parser.accept(":=") ? parser.expression() : TRUE;
  const body = readBody(parser);
  return { value: own, body, otherwise: readElse(parser) };
}
