/** Rows of limits and of what was spent. */
import { assert } from "@plinth/core/assert.ts";
import type { Spending, TenantLimits } from "./budgets.ts";

export function parseTenantLimits(json: unknown): TenantLimits {
  const row = json as TenantLimits;
  assert(Array.isArray(row.functions), "stored limits have their functions");
  return row;
}

export function parseSpending(json: unknown): Spending {
  const row = json as Spending;
  assert(typeof row.day === "string" && typeof row.costNanos === "number", "stored spending has its fields");
  return row;
}
