/**
 * What scripts of flows must not use, found in their syntax tree. It spares authors surprises and keeps scripts readable for others;
 * what code can reach is decided by its jail, not here.
 *
 * A name that the script declares itself is its own, whatever it is called.
 */
import type { AnyNode, MemberExpression, Program } from "acorn";
import { bodyNames, childrenOf, declaredBy, isDeclared, lexicalNames, namesOf, type Scope, scopeIn } from "./scopes.ts";

export interface Found {
  readonly start: number;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

const CODE_OF_TEXT = "makes code from text, which nobody can check";
const NO_MODULES =
  "loads modules, and a script has none; name the package in `dependencies` and take it from `libs`, or invoke a function that has it";

/** Global names. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["eval", `\`eval\` ${CODE_OF_TEXT}; write the code itself, or look the value up in an object.`],
  ["Function", `\`Function\` ${CODE_OF_TEXT}; write a function, such as \`(a) => a + 1\`.`],
  ["require", `\`require\` ${NO_MODULES}.`],
  ["process", "`process` is not there; take what the script needs from `workflow` or `inputs`."],
]);
const GLOBAL_OBJECTS = new Set(["globalThis", "global", "self", "window"]);
const PROTO = "`__proto__` changes what all objects share; use `Object.getPrototypeOf`, `Object.create(null)` or a `Map`.";
const CONSTRUCTOR = `the constructor of another value ${CODE_OF_TEXT} where it is that of a function; name the class, such as \`new Map()\`.`;
const IMPORT = `\`import\` ${NO_MODULES}.`;
const EXPORT = "`export` has no effect, because a script is the body of a function; write `return` with the result.";

export function findForbidden(program: Program, names: readonly string[]): readonly Found[] {
  const search = new Search();
  search.visitAll(program.body, scopeIn(scopeIn(null, [...names, "arguments"]), bodyNames(program.body.filter((node) => !isModule(node)))));
  return search.found;
}

function isModule(node: AnyNode): node is AnyNode & { readonly type: `${"Import" | "Export"}${string}Declaration` } {
  return /^(Import|Export)\w*Declaration$/.test(node.type);
}

class Search {
  readonly found: Found[] = [];

  visitAll(nodes: Iterable<AnyNode | null | undefined>, scope: Scope): void {
    for (const node of nodes) if (node !== null && node !== undefined) this.visit(node, scope);
  }

  visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case "Identifier":
        return this.#name(node.name, node.start, scope);
      case "MemberExpression":
        return this.#member(node, scope);
      case "UnaryExpression":
        // Asking whether it is there does no harm.
        if (node.operator === "typeof" && node.argument.type === "Identifier") return;
        break;
      case "BinaryExpression":
        if (node.operator === "instanceof" && node.right.type === "Identifier" && node.right.name === "Function")
          return this.visit(node.left, scope);
        break;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        return this.#property(node, scope);
      case "LabeledStatement":
        return this.visit(node.body, scope);
      case "BreakStatement":
      case "ContinueStatement":
      case "MetaProperty":
        return;
      case "ImportExpression":
        this.#add(node.start, IMPORT);
        break;
      case "ImportDeclaration":
        return this.#add(node.start, IMPORT);
      case "ExportAllDeclaration":
      case "ExportDefaultDeclaration":
      case "ExportNamedDeclaration":
        return this.#add(node.start, EXPORT);
      case "CallExpression":
      case "NewExpression":
        return this.#call(node, scope);
      case "VariableDeclarator":
        if (node.id.type === "ObjectPattern" && node.init !== null && node.init !== undefined && this.#isGlobalObject(node.init, scope))
          for (const property of node.id.properties) if (property.type === "Property") this.#globalProperty(property);
        break;
      default:
        if (this.#scoped(node, scope)) return;
    }
    this.visitAll(childrenOf(node), scope);
  }

  /** Visits what has a scope of its own. */
  #scoped(node: AnyNode, scope: Scope): boolean {
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression": {
        const own = scopeIn(
          scope,
          node.params.flatMap((param) => [...namesOf(param)]),
        );
        if (node.type !== "ArrowFunctionExpression") own.names.add("arguments");
        if (node.id) own.names.add(node.id.name);
        this.visitAll(node.params, own);
        if (node.body.type === "BlockStatement") this.visitAll(node.body.body, scopeIn(own, bodyNames(node.body.body)));
        else this.visit(node.body, own);
        return true;
      }
      case "ClassDeclaration":
      case "ClassExpression": {
        const own = scopeIn(scope, node.id ? [node.id.name] : []);
        this.visitAll([node.superClass, node.body], own);
        return true;
      }
      case "StaticBlock":
        this.visitAll(node.body, scopeIn(scope, bodyNames(node.body)));
        return true;
      case "BlockStatement":
        this.visitAll(node.body, scopeIn(scope, lexicalNames(node.body)));
        return true;
      case "SwitchStatement": {
        this.visit(node.discriminant, scope);
        const own = scopeIn(
          scope,
          node.cases.flatMap(({ consequent }) => [...lexicalNames(consequent)]),
        );
        for (const { test, consequent } of node.cases) this.visitAll([test, ...consequent], own);
        return true;
      }
      case "CatchClause": {
        const own = scopeIn(scope, namesOf(node.param ?? null));
        this.visitAll([node.param, node.body], own);
        return true;
      }
      case "ForStatement":
        this.visitAll(childrenOf(node), scopeIn(scope, declaredIn(node.init)));
        return true;
      case "ForInStatement":
      case "ForOfStatement":
        this.visitAll(childrenOf(node), scopeIn(scope, declaredIn(node.left)));
        return true;
      default:
        return false;
    }
  }

  #name(name: string, start: number, scope: Scope): void {
    if (name === "__proto__" && !isDeclared(scope, name)) return this.#add(start, PROTO);
    const message = NAMES.get(name);
    if (message !== undefined && !isDeclared(scope, name)) this.#add(start, message);
  }

  #member(node: MemberExpression, scope: Scope): void {
    const name = nameOfMember(node);
    if (name === "__proto__") this.#add(node.property.start, PROTO);
    if (name === "constructor" && node.object.type === "MemberExpression" && nameOfMember(node.object) === "constructor")
      this.#add(node.property.start, `\`constructor\`: ${CONSTRUCTOR}`);
    const message = name === undefined ? undefined : NAMES.get(name);
    if (message !== undefined && this.#isGlobalObject(node.object, scope)) this.#add(node.property.start, message);
    this.visit(node.object, scope);
    if (node.computed) this.visit(node.property, scope);
  }

  #property(node: AnyNode & { readonly type: "Property" | "MethodDefinition" | "PropertyDefinition" }, scope: Scope): void {
    if (keyOf(node) === "__proto__") this.#add(node.key.start, PROTO);
    if (node.computed) this.visit(node.key, scope);
    if (node.value !== null && node.value !== undefined) this.visit(node.value, scope);
  }

  #globalProperty(node: AnyNode & { readonly type: "Property" | "AssignmentProperty" }): void {
    const message = NAMES.get(keyOf(node) ?? "");
    if (message !== undefined) this.#add(node.key.start, message);
  }

  #call(node: AnyNode & { readonly type: "CallExpression" | "NewExpression" }, scope: Scope): void {
    const { callee } = node;
    if (callee.type === "MemberExpression" && nameOfMember(callee) === "constructor" && callee.object.type !== "ThisExpression")
      this.#add(callee.property.start, `\`constructor\`: ${CONSTRUCTOR}`);
    this.visitAll(childrenOf(node), scope);
  }

  #isGlobalObject(node: AnyNode, scope: Scope): boolean {
    if (node.type === "MemberExpression") return GLOBAL_OBJECTS.has(nameOfMember(node) ?? "") && this.#isGlobalObject(node.object, scope);
    return node.type === "Identifier" && GLOBAL_OBJECTS.has(node.name) && !isDeclared(scope, node.name);
  }

  #add(start: number, message: string): void {
    if (this.found.at(-1)?.start !== start) this.found.push({ start, message });
  }
}

function declaredIn(node: AnyNode | null | undefined): Iterable<string> {
  return node?.type === "VariableDeclaration" && node.kind !== "var" ? declaredBy(node) : [];
}

function nameOfMember({ property, computed }: MemberExpression): string | undefined {
  if (computed) return constantText(property);
  return property.type === "Identifier" ? property.name : undefined;
}

function keyOf({ key, computed }: { readonly key: AnyNode; readonly computed: boolean }): string | undefined {
  return key.type === "Identifier" && !computed ? key.name : constantText(key);
}

/** The text that an expression of constants gives. */
function constantText(node: AnyNode): string | undefined {
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? node.value : undefined;
    case "TemplateLiteral": {
      let text = node.quasis[0]?.value.cooked ?? "";
      for (const [index, expression] of node.expressions.entries()) {
        const part = constantText(expression);
        if (part === undefined) return undefined;
        text += part + (node.quasis[index + 1]?.value.cooked ?? "");
      }
      return text;
    }
    case "BinaryExpression": {
      if (node.operator !== "+") return undefined;
      const left = constantText(node.left);
      const right = left === undefined ? undefined : constantText(node.right);
      return left === undefined || right === undefined ? undefined : left + right;
    }
    default:
      return undefined;
  }
}
