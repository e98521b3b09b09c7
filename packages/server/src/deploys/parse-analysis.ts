/** Reads a stored analysis back; it passed `checkAnalysis` before it was stored. */
import { assert } from "@plinth/core/assert.ts";
import type { Analysis } from "./check-analysis.ts";

export function parseAnalysis(text: string): Analysis {
  const analysis = JSON.parse(text) as Analysis;
  assert(Array.isArray(analysis.functions) && Array.isArray(analysis.httpRoutes), "a stored analysis has its fields");
  return analysis;
}
