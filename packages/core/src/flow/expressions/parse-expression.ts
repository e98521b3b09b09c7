/** Reads the text of an expression into its tree, in bounded time and depth whatever the text is. */
import { Environment, type ASTNode, ParseError } from "@marcbachmann/cel-js";
import { limit } from "../../limits.ts";
import type { Findings } from "./findings.ts";
import type { Syntax } from "./syntax.ts";

const environment = new Environment({
  limits: {
    maxAstNodes: limit("expressionNodesMax"),
    maxDepth: limit("expressionDepthMax"),
    maxListElements: limit("expressionNodesMax"),
    maxMapEntries: limit("expressionNodesMax"),
    maxCallArguments: limit("expressionNodesMax"),
  },
});

/** Words of the parser, as people write them. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: "the end",
  LPAREN: "`(`",
  RPAREN: "`)`",
  LBRACKET: "`[`",
  RBRACKET: "`]`",
  LBRACE: "`{`",
  RBRACE: "`}`",
  IDENTIFIER: "a name",
  NUMBER: "a number",
  STRING: "a text",
  BOOLEAN: "`true` or `false`",
  COMMA: "`,`",
  COLON: "`:`",
  QUESTION: "`?`",
  DOT: "`.`",
  PLUS: "`+`",
  MULTIPLY: "`*`",
  DIVIDE: "`/`",
  MODULO: "`%`",
  AND: "`&&`",
  OR: "`||`",
};

/** Null when something is wrong with it. */
export function parseExpression(text: string, findings: Findings): Syntax | null {
  if (text.length > limit("expressionCharsMax")) {
    findings.add(0, `An expression has at most ${limit("expressionCharsMax")} characters; use a script node for more.`);
    return null;
  }
  if (text.trim() === "") {
    findings.add(0, "The expression is empty.");
    return null;
  }
  if (!text.isWellFormed()) {
    findings.add(0, "The expression has half a character in it.");
    return null;
  }
  try {
    return convert(environment.parse(text).ast, 1);
  } catch (error) {
    if (error instanceof Refusal) findings.add(error.offset, error.message);
    else if (error instanceof ParseError) findings.add(error.range?.start ?? 0, explain(error));
    // A long row of `!` or `-` is the one thing that the parser does not bound: the engine's stack does.
    else if (error instanceof RangeError) findings.add(0, TOO_DEEP);
    else throw error;
    return null;
  }
}

const TOO_DEEP = `Parts of an expression lie at most ${limit("expressionDepthMax")} levels within each other.`;

/** Well-formed CEL that has no place in flows. */
class Refusal extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

function explain(error: ParseError): string {
  if (error.code === "limit_exceeded")
    return error.summary.includes("maxDepth") ? TOO_DEEP : `An expression has at most ${limit("expressionNodesMax")} parts.`;
  if (error.code === "invalid_macro_argument")
    return "The first argument here is the name that each element has in the second one, such as `x` in `list.map(x, x + 1)`.";
  const words = error.summary
    .slice(0, 200)
    .toWellFormed()
    .replace(/\b[A-Z]{2,}\b/g, (token) => (Object.hasOwn(TOKENS, token) ? (TOKENS[token] ?? token) : token));
  return `${words.replace("Unexpected token: ", "A value is missing before ").replace(", got ", ", and there is ")}.`;
}

function convert(node: ASTNode, depth: number): Syntax {
  if (depth > limit("expressionDepthMax")) throw new Refusal(node.start, TOO_DEEP);
  const at = node.start;
  const inner = (child: ASTNode): Syntax => convert(child, depth + 1);
  switch (node.op) {
    case "value":
      return { kind: "literal", at, value: literal(node.args, at) };
    case "id":
      return { kind: "name", at, name: node.args };
    case ".":
      return { kind: "field", at: node.pos, target: inner(node.args[0]), field: node.args[1] };
    case "[]":
      return { kind: "index", at, target: inner(node.args[0]), index: inner(node.args[1]) };
    case "call":
      return { kind: "call", at, name: node.args[0], isMethod: false, args: node.args[1].map(inner) };
    case "rcall":
      return { kind: "call", at, name: node.args[0], isMethod: true, args: [node.args[1], ...node.args[2]].map(inner) };
    case "list":
      return { kind: "list", at, items: node.args.map(inner) };
    case "map":
      return { kind: "record", at, entries: node.args.map(([key, value]) => [inner(key), inner(value)] as const) };
    case "?:":
      return { kind: "conditional", at, condition: inner(node.args[0]), yes: inner(node.args[1]), no: inner(node.args[2]) };
    case "!_":
      return { kind: "not", at, operand: inner(node.args) };
    case "-_":
      return { kind: "negate", at, operand: inner(node.args) };
    case "&&":
      return { kind: "and", at, left: inner(node.args[0]), right: inner(node.args[1]) };
    case "||":
      return { kind: "or", at, left: inner(node.args[0]), right: inner(node.args[1]) };
    case ".?":
    case "[?]":
      throw new Refusal(at, "Use `has(a.b)` or `default(a.b, other)` for what may be absent.");
    default:
      return { kind: "binary", at, operator: node.op, left: inner(node.args[0]), right: inner(node.args[1]) };
  }
}

function literal(value: unknown, at: number): null | boolean | number | string {
  if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (typeof value !== "bigint") throw new Refusal(at, "Flows have JSON values: there are no bytes and no unsigned numbers.");
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new Refusal(at, "This number is too large to be exact; write it as a text, or with a decimal point.");
  return number;
}
