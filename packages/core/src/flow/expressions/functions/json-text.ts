/** JSON as text, counted before it is written: one value may stand in another many times. */
import { limit } from "../../../limits.ts";
import type { Json } from "../../../operations/operation.ts";
import { isList, type Work } from "../work.ts";

export function jsonText(value: Json, work: Work): string {
  measure(value, work, 1);
  const text = JSON.stringify(value);
  work.growText(text.length);
  return text;
}

function measure(value: Json, work: Work, depth: number): void {
  work.spend(1);
  if (typeof value === "string") return work.growText(value.length);
  if (typeof value !== "object" || value === null) return;
  if (depth > limit("valueDepthMax")) return work.fail("value", `JSON has at most ${limit("valueDepthMax")} levels here.`);
  if (isList(value)) {
    for (const item of value) measure(item, work, depth + 1);
    return;
  }
  for (const name of Object.keys(value)) {
    work.growText(name.length);
    measure(value[name] ?? null, work, depth + 1);
  }
}
