/**
 * What an invocation costs. Sums are whole nanos (a billionth of the currency's unit), so that adding up many small ones loses
 * nothing; a safe integer holds nine million units.
 */
import { assert } from "../assert.ts";

/** In units of the host's currency. */
export interface Prices {
  readonly perGibSecond: number;
  readonly perCpuSecond: number;
  readonly perMillionCalls: number;
  readonly perEgressGib: number;
}

/** What of an invocation's usage is paid for. */
export interface BilledUsage {
  /** Wall time of the run. */
  readonly executionMs: number;
  /** Time in user code. */
  readonly userMs: number;
  readonly memoryBytes: number;
  readonly egressBytes: number;
}

const GIB = 1024 ** 3;
const NANOS = 1e9;

/** The price list of a host that sets none: the public prices of a well-known function service, in dollars, as a starting point. */
export const DEFAULT_PRICES: Prices = { perGibSecond: 0.000_016_666_7, perCpuSecond: 0, perMillionCalls: 0.2, perEgressGib: 0.09 };

/** Whole nanos, rounded up; never negative. */
export function costNanosOf(usage: BilledUsage, prices: Prices): number {
  const units =
    ((usage.memoryBytes / GIB) * usage.executionMs * prices.perGibSecond) / 1000 +
    (usage.userMs * prices.perCpuSecond) / 1000 +
    prices.perMillionCalls / 1e6 +
    (usage.egressBytes / GIB) * prices.perEgressGib;
  // Multiples of a tenth of a nano are what rounding of floats leaves.
  const nanos = Math.ceil(Math.round(units * NANOS * 10) / 10);
  assert(nanos >= 0, "a cost is not negative");
  return Math.min(nanos, Number.MAX_SAFE_INTEGER);
}
