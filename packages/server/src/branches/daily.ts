/** Days in UTC, as the records of daily jobs name them. */
export const DAY_MS = 86_400_000;

/** `2026-01-31` */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

export function untilNextDayMs(nowMs: number): number {
  return DAY_MS - (nowMs % DAY_MS);
}
