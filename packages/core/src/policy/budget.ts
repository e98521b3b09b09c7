/** What a tenant may spend in a period, and what follows from what it has spent. */

export interface Budget {
  readonly period: "day" | "month";
  readonly amountNanos: number;
  /** Shares of the amount. */
  readonly warnAt: number;
  readonly throttleAt: number;
  /** What happens when the whole amount is spent. */
  readonly whenSpent: "degrade" | "refuse";
}

/**
 * - ok: nothing happens.
 * - warn: an event tells of it; calls are as before.
 * - throttle: each call waits a little, longer the more is spent.
 * - degrade: calls run behind those of everybody else, and wait as throttled ones at most do.
 * - refuse: calls are refused until the period ends.
 */
export type BudgetStage = "ok" | "warn" | "throttle" | "degrade" | "refuse";

export function stageOf(spentNanos: number, budget: Budget): BudgetStage {
  const share = budget.amountNanos === 0 ? 1 : spentNanos / budget.amountNanos;
  if (share >= 1) return budget.whenSpent;
  if (share >= budget.throttleAt) return "throttle";
  return share >= budget.warnAt ? "warn" : "ok";
}

/** How long a call waits before it takes its place. */
export function throttleDelayMs(spentNanos: number, budget: Budget, { delayMsMax }: { readonly delayMsMax: number }): number {
  switch (stageOf(spentNanos, budget)) {
    case "ok":
    case "warn":
    case "refuse":
      return 0;
    case "degrade":
      return delayMsMax;
    case "throttle": {
      const share = (spentNanos / budget.amountNanos - budget.throttleAt) / (1 - budget.throttleAt);
      return Math.ceil(delayMsMax * Math.min(1, Math.max(0, share)));
    }
  }
}

/** `2026-11-21`, in UTC. */
export function dayOf(nowMs: number): string {
  const day = Math.floor(nowMs / DAY_MS);
  if (day !== lastDay.day) lastDay = { day, text: new Date(nowMs).toISOString().slice(0, 10) };
  return lastDay.text;
}

const DAY_MS = 86_400_000;

/** Every call asks for the day, and it is nearly always the same. */
let lastDay = { day: Number.NaN, text: "" };

/** Whether a day lies in the period that `nowMs` is in. */
export function isInPeriod(day: string, period: Budget["period"], nowMs: number): boolean {
  const today = dayOf(nowMs);
  return period === "day" ? day === today : day.slice(0, 7) === today.slice(0, 7);
}

/** When the period that `nowMs` is in ends. */
export function periodEndMs(period: Budget["period"], nowMs: number): number {
  const now = new Date(nowMs);
  return period === "day"
    ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)
    : Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
}
