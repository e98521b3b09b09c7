/** Timestamps as arithmetic on milliseconds since 1970 in UTC, for the years 1 to 9999. */
import { calendarDay, type CalendarDay, DAY_MS } from "../../schedules/calendar.ts";

const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;
const LONGEST_TEXT = 40;
const PATTERN = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2}))?$/;

/**
 * Milliseconds of an RFC 3339 text; a day alone is its midnight in UTC. Null where it is none: a time of day without a zone could be
 * any moment, and days like 30 February do not exist.
 */
export function parseTimestamp(text: string): number | null {
  if (text.length > LONGEST_TEXT) return null;
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const part = (group: number): number => Number(match[group] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const zone = zoneMinutes(match[8] ?? "Z");
  if (zone === null || hour > 23 || minute > 59 || second > 59 || !isDay(year, month, day)) return null;
  const fraction = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000 + 1e-6);
  const ms = dayNumber(year, month, day) * DAY_MS + ((hour * 60 + minute - zone) * 60 + second) * 1000 + fraction;
  return isMoment(ms) ? ms : null;
}

/** Whole milliseconds in the years that timestamps have. */
export function isMoment(ms: number): boolean {
  return Number.isInteger(ms) && ms >= FIRST_MS && ms <= LAST_MS;
}

export interface Moment extends CalendarDay {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

export function momentOf(ms: number): Moment {
  const dayIndex = Math.floor(ms / DAY_MS);
  const inDay = ms - dayIndex * DAY_MS;
  return {
    ...calendarDay(dayIndex),
    hour: Math.floor(inDay / 3_600_000),
    minute: Math.floor(inDay / 60_000) % 60,
    second: Math.floor(inDay / 1000) % 60,
    millisecond: inDay % 1000,
  };
}

const SORTABLE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Whether a text has the form that `timestampText` writes; there may be no such day. */
export function isTimestampText(text: string): boolean {
  return text.length === 24 && SORTABLE.test(text);
}

/** `2026-01-02T03:04:05.006Z` */
export function timestampText(ms: number): string {
  const { year, month, day, hour, minute, second, millisecond } = momentOf(ms);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}.${digits(millisecond, 3)}Z`;
}

export function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

/** Days from 1970-01-01 to the given one. */
export function dayNumber(year: number, month: number, day: number): number {
  // The inverse of `calendarDay`: years begin with March, eras have 400 years.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** The same day of the month so many months later; the last day of the month where it has no such day. */
export function addMonths(ms: number, months: number): number {
  const { year, month, day } = calendarDay(Math.floor(ms / DAY_MS));
  const index = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(index / 12), (((index % 12) + 12) % 12) + 1];
  const { daysInMonth } = calendarDay(dayNumber(newYear, newMonth, 1));
  return dayNumber(newYear, newMonth, Math.min(day, daysInMonth)) * DAY_MS + (ms - Math.floor(ms / DAY_MS) * DAY_MS);
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= calendarDay(dayNumber(year, month, 1)).daysInMonth;
}

function zoneMinutes(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
