/** For tests: the names of the guest's lazy globals. */
import { readFileSync } from "node:fs";

export function webGlobalNames(): string[] {
  const source = readFileSync(new URL("guest/web/index.ts", import.meta.url), "utf8");
  const names = [...source.matchAll(/^ {2}(\w+): "/gm)].map((match) => match[1] ?? "");
  return [...names, "Convex", "process", "self", "console", "Date", "Intl", "Temporal", "WeakRef", "FinalizationRegistry", "WebAssembly"];
}
