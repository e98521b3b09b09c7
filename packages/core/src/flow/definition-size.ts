/**
 * How much there is to check in a document, found before any of it is looked at: its checks take the host's thread, so their work is
 * bounded. Pure, and without recursion.
 */
import { plinthError } from "../errors.ts";
import { limit } from "../limits.ts";

/** Fields that are expressions without a mark. */
const CONDITIONS: ReadonlySet<string> = new Set(["when", "filter"]);

/** Throws TooDeep or RequestTooLarge. */
export function checkDefinitionSize(json: unknown): void {
  const depthMax = limit("flowDefinitionDepthMax");
  let [expressions, chars] = [0, 0];
  const stack: { readonly value: unknown; readonly key: string; readonly depth: number }[] = [{ value: json, key: "", depth: 0 }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { value, key, depth } = at;
    if (typeof value === "string") {
      if (!CONDITIONS.has(key) && !(value.startsWith("=") && !value.startsWith("=="))) continue;
      expressions += 1;
      chars += value.length;
    } else if (typeof value === "object" && value !== null) {
      if (depth >= depthMax) throw plinthError("TooDeep", { what: "definition", max: depthMax });
      for (const [name, inner] of Object.entries(value))
        if (typeof inner === "string" || typeof inner === "object") stack.push({ value: inner, key: name, depth: depth + 1 });
    }
  }
  bounded(expressions, limit("flowExpressionsMax"), "expressions");
  bounded(chars, limit("flowExpressionCharsMax"), "characters in its expressions");
}

function bounded(actual: number, max: number, what: string): void {
  if (actual > max) throw plinthError("RequestTooLarge", { what: "definition", actual: `${actual} ${what}`, max: `${max}` });
}
