/** Which names of a script are its own: the scopes of JavaScript, as far as names need them. */
import type { AnyNode, Pattern, Statement, VariableDeclaration } from "acorn";

export interface Scope {
  readonly parent: Scope | null;
  readonly names: Set<string>;
}

export function scopeIn(parent: Scope | null, names: Iterable<string> = []): Scope {
  return { parent, names: new Set(names) };
}

export function isDeclared(scope: Scope, name: string): boolean {
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.names.has(name)) return true;
  return false;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The nodes directly below. */
export function* childrenOf(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    if (isNode(value)) yield value;
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) yield item;
  }
}

/** Names that a pattern binds. */
export function* namesOf(pattern: Pattern | null): Generator<string> {
  switch (pattern?.type) {
    case "Identifier":
      return yield pattern.name;
    case "ObjectPattern":
      for (const property of pattern.properties) yield* namesOf(property.type === "RestElement" ? property.argument : property.value);
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) yield* namesOf(element);
      return;
    case "AssignmentPattern":
      return yield* namesOf(pattern.left);
    case "RestElement":
      return yield* namesOf(pattern.argument);
    default:
      return;
  }
}

/** What `let`, `const`, `class` and `function` declare directly in a list of statements. */
export function* lexicalNames(statements: readonly AnyNode[]): Generator<string> {
  for (const statement of statements) {
    if (statement.type === "VariableDeclaration" && statement.kind !== "var") yield* declaredBy(statement);
    else if (statement.type === "ClassDeclaration" || statement.type === "FunctionDeclaration") yield* namesOf(statement.id);
  }
}

/** What `var` and functions in blocks declare in the function around them. */
export function* hoistedNames(node: AnyNode): Generator<string> {
  if (node.type === "FunctionDeclaration") {
    yield* namesOf(node.id);
    return;
  }
  if (isFunction(node) || node.type === "StaticBlock" || node.type === "PropertyDefinition") return;
  if (node.type === "VariableDeclaration" && node.kind === "var") yield* declaredBy(node);
  for (const child of childrenOf(node)) yield* hoistedNames(child);
}

export function* declaredBy({ declarations }: VariableDeclaration): Generator<string> {
  for (const { id } of declarations) yield* namesOf(id);
}

function isFunction(node: AnyNode): boolean {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";
}

/** Of the body of a function: all that its statements declare. */
export function bodyNames(statements: readonly Statement[]): string[] {
  return [...lexicalNames(statements), ...statements.flatMap((statement) => [...hoistedNames(statement)])];
}
