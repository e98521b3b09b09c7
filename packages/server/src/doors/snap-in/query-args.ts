/** Arguments in the query of a call: `a=1&b=2&b=3`, and lists as clients of the contract write them: `b="2","3"`. */
import type { JsonObject } from "../request-body.ts";

const QUOTED_LIST = /^"[^"]*"(?:,"[^"]*")*$/;

export function argsOfQuery(query: URLSearchParams): JsonObject {
  const args: Record<string, string | readonly string[]> = {};
  for (const name of new Set(query.keys())) {
    // Which branch is meant is the door's to read.
    if (name === "branch") continue;
    const values = query.getAll(name).flatMap(listOf);
    const isList = values.length > 1 || QUOTED_LIST.test(query.get(name) ?? "");
    Object.defineProperty(args, name, { value: isList ? values : (values[0] ?? ""), enumerable: true });
  }
  return args;
}

function listOf(text: string): readonly string[] {
  return QUOTED_LIST.test(text) ? text.slice(1, -1).split('","') : [text];
}
