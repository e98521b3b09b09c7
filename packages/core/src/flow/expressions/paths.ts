/** Which parts of the context an expression reads, as far as its text tells: the driver loads no others. */
import { asLoop, type Syntax } from "./syntax.ts";

export function pathsOf(syntax: Syntax): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  collect(syntax, new Set(), found);
  return [...found.values()];
}

function collect(syntax: Syntax, locals: ReadonlySet<string>, found: Map<string, readonly string[]>): void {
  const path = pathOf(syntax, locals);
  if (path !== null) {
    found.set(JSON.stringify(path), path);
    return;
  }
  const loop = syntax.kind === "call" ? asLoop(syntax) : null;
  if (loop !== null) {
    const inside = loop.variable.kind === "name" ? new Set([...locals, loop.variable.name]) : locals;
    collect(loop.list, locals, found);
    for (const part of loop.body) collect(part, inside, found);
    return;
  }
  for (const child of children(syntax)) collect(child, locals, found);
}

/** `["steps", "price", "output"]` for `steps.price.output` and `steps["price"].output`. */
function pathOf(syntax: Syntax, locals: ReadonlySet<string>): readonly string[] | null {
  if (syntax.kind === "name") return locals.has(syntax.name) ? null : [syntax.name];
  if (syntax.kind !== "field" && syntax.kind !== "index") return null;
  const last = syntax.kind === "field" ? syntax.field : syntax.index.kind === "literal" ? syntax.index.value : null;
  if (typeof last !== "string") return null;
  const target = pathOf(syntax.target, locals);
  return target === null ? null : [...target, last];
}

function children(syntax: Syntax): readonly Syntax[] {
  switch (syntax.kind) {
    case "literal":
    case "name":
      return [];
    case "field":
      return [syntax.target];
    case "index":
      return [syntax.target, syntax.index];
    case "call":
      return syntax.args;
    case "list":
      return syntax.items;
    case "record":
      return syntax.entries.flat();
    case "conditional":
      return [syntax.condition, syntax.yes, syntax.no];
    case "not":
    case "negate":
      return [syntax.operand];
    case "and":
    case "or":
    case "binary":
      return [syntax.left, syntax.right];
  }
}
