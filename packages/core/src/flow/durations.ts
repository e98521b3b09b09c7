/** Times and durations as authors write them. */
import type { Json } from "../operations/operation.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

export const DURATION_FORM = 'a number of milliseconds, or a text such as "90s", "15m", "6h" or "3d"';

/** Milliseconds of a number or of `1h30m`; null for what is neither. */
export function durationMs(json: Json): number | null {
  if (typeof json === "number") return Number.isFinite(json) && json >= 0 ? Math.round(json) : null;
  if (typeof json !== "string" || !/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhdw]))+$/.test(json)) return null;
  const parts = json.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g);
  return Math.round([...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ""] ?? 0), 0));
}

/** Milliseconds since 1970 of a number or an RFC 3339 text; null for what is neither. */
export function momentMs(json: Json): number | null {
  if (typeof json === "number") return Number.isSafeInteger(Math.round(json)) && json >= 0 ? Math.round(json) : null;
  if (typeof json !== "string" || !TIMESTAMP.test(json)) return null;
  const ms = Date.parse(json);
  return Number.isNaN(ms) ? null : ms;
}

export function momentText(ms: number): string {
  return new Date(ms).toISOString();
}
