/**
 * Cron expressions of five fields (minute, hour, day of month, month, day of week) in UTC. Each is a list of
 * `*`, `a`, `a-b` with an optional step `/n`; months and weekdays have names; 0 and 7 are Sunday. Days of month
 * may be `L` (the last), `LW` (the last working day) or `nW` (the working day nearest to n); weekdays `nL` (the
 * last one) or `n#k` (the k-th one). When both day fields are restricted, a day that fits either of them counts.
 */
import { DAY_MS, calendarDay, type CalendarDay } from "./calendar.ts";

export interface CronExpression {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly fitsDay: DayRule;
}

type DayRule = (day: CalendarDay) => boolean;

/** Why a text is no cron expression: the rest of a sentence. */
export class CronSyntaxError extends Error {
  override name = "CronSyntaxError";
}

interface FieldSpec {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
}

const MINUTE: FieldSpec = { name: "minute", min: 0, max: 59 };
const HOUR: FieldSpec = { name: "hour", min: 0, max: 23 };
const DAY_OF_MONTH: FieldSpec = { name: "day of month", min: 1, max: 31 };
const MONTH: FieldSpec = {
  name: "month",
  min: 1,
  max: 12,
  names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const DAY_OF_WEEK: FieldSpec = { name: "day of week", min: 0, max: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/** A leap day on a given weekday comes again after 40 years at the latest. */
const DAYS_AHEAD = 41 * 366;
const MINUTE_MS = 60_000;
const MINUTES_PER_DAY = 1440;

/** Throws CronSyntaxError. */
export function parseCronExpression(text: string): CronExpression {
  const fields = text.trim().toUpperCase().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (
    minute === undefined ||
    hour === undefined ||
    dayOfMonth === undefined ||
    month === undefined ||
    dayOfWeek === undefined ||
    fields.length > 5
  ) {
    throw new CronSyntaxError("it needs five fields: minute, hour, day of month, month and day of week");
  }
  return {
    minutes: parseNumbers(minute, MINUTE),
    hours: parseNumbers(hour, HOUR),
    months: parseNumbers(month, MONTH),
    fitsDay: parseDays(dayOfMonth, dayOfWeek),
  };
}

/** The first moment after `afterMs` that fits; null when there is none. Milliseconds since 1970. */
export function nextFit(expression: CronExpression, afterMs: number): number | null {
  const firstMinute = Math.floor(afterMs / MINUTE_MS) + 1;
  const firstDay = Math.floor(firstMinute / MINUTES_PER_DAY);
  for (let day = firstDay; day <= firstDay + DAYS_AHEAD; day += 1) {
    const date = calendarDay(day);
    if (!expression.months.has(date.month) || !expression.fitsDay(date)) continue;
    const minute = nextMinuteOfDay(expression, day === firstDay ? firstMinute - firstDay * MINUTES_PER_DAY : 0);
    if (minute !== null) return day * DAY_MS + minute * MINUTE_MS;
  }
  return null;
}

function nextMinuteOfDay({ hours, minutes }: CronExpression, from: number): number | null {
  for (let minute = from; minute < MINUTES_PER_DAY; minute += 1) {
    if (hours.has(Math.floor(minute / 60)) && minutes.has(minute % 60)) return minute;
  }
  return null;
}

function parseDays(dayOfMonth: string, dayOfWeek: string): DayRule {
  const fitsMonthDay = anyOf(dayOfMonth.split(",").map(monthDayRule));
  const fitsWeekday = anyOf(dayOfWeek.split(",").map(weekdayRule));
  const either = !isOpen(dayOfMonth) && !isOpen(dayOfWeek);
  return either ? (day) => fitsMonthDay(day) || fitsWeekday(day) : (day) => fitsMonthDay(day) && fitsWeekday(day);
}

/** A field that begins with a star does not restrict the days on its own. */
function isOpen(field: string): boolean {
  return field.startsWith("*") || field.startsWith("?");
}

function anyOf(rules: readonly DayRule[]): DayRule {
  return (day) => rules.some((rule) => rule(day));
}

function monthDayRule(item: string): DayRule {
  if (item === "L") return ({ day, daysInMonth }) => day === daysInMonth;
  if (item === "LW") return (date) => date.day === nearestWorkingDay(date, date.daysInMonth);
  if (item.endsWith("W")) {
    const target = parseNumber(item.slice(0, -1), DAY_OF_MONTH);
    return (date) => target <= date.daysInMonth && date.day === nearestWorkingDay(date, target);
  }
  const days = parseNumbers(item, DAY_OF_MONTH);
  return ({ day }) => days.has(day);
}

/** The day from Monday to Friday that is nearest to `target`, within the month of `date`. */
function nearestWorkingDay(date: CalendarDay, target: number): number {
  const weekday = (((date.weekday + target - date.day) % 7) + 7) % 7;
  if (weekday === 6) return target === 1 ? 3 : target - 1;
  if (weekday === 0) return target === date.daysInMonth ? target - 2 : target + 1;
  return target;
}

function weekdayRule(item: string): DayRule {
  const [name, nth] = item.split("#");
  if (nth !== undefined) {
    const wanted = parseNumber(name ?? "", DAY_OF_WEEK) % 7;
    if (!/^[1-5]$/.test(nth)) throw new CronSyntaxError(`\`${cut(item)}\` has to end with # and 1 to 5`);
    return ({ weekday, day }) => weekday === wanted && Math.ceil(day / 7) === Number(nth);
  }
  if (item.length > 1 && item.endsWith("L")) {
    const wanted = parseNumber(item.slice(0, -1), DAY_OF_WEEK) % 7;
    return ({ weekday, day, daysInMonth }) => weekday === wanted && day + 7 > daysInMonth;
  }
  const days = parseNumbers(item, DAY_OF_WEEK);
  return ({ weekday }) => days.has(weekday) || (weekday === 0 && days.has(7));
}

/** The numbers that a list of ranges names. */
function parseNumbers(field: string, spec: FieldSpec): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const item of field.split(",")) {
    const [range, stepText, ...more] = item.split("/");
    if (more.length > 0) throw new CronSyntaxError(`\`${cut(item)}\` has two steps`);
    const step = stepText === undefined ? 1 : parseStep(stepText, spec);
    const [from, to] = parseRange(range ?? "", stepText !== undefined, spec);
    for (let number = from; number <= to; number += step) numbers.add(number);
  }
  return numbers;
}

function parseRange(range: string, hasStep: boolean, spec: FieldSpec): readonly [number, number] {
  if (range === "*" || range === "?") return [spec.min, spec === DAY_OF_WEEK ? 6 : spec.max];
  const [first, last, ...more] = range.split("-");
  if (more.length > 0) throw new CronSyntaxError(`\`${cut(range)}\` is not a range`);
  const from = parseNumber(first ?? "", spec);
  if (last === undefined) return [from, hasStep ? spec.max : from];
  const to = parseNumber(last, spec);
  // A week that ends with Sunday.
  if (spec === DAY_OF_WEEK && to === 0 && from > 0) return [from, 7];
  if (from > to) throw new CronSyntaxError(`the range \`${cut(range)}\` ends before it begins`);
  return [from, to];
}

function parseNumber(text: string, spec: FieldSpec): number {
  const named = spec.names?.indexOf(text) ?? -1;
  if (named >= 0) return spec.min + named;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= spec.min && number <= spec.max)) {
    throw new CronSyntaxError(`\`${cut(text)}\` is not a ${spec.name}, which is from ${spec.min} to ${spec.max}`);
  }
  return number;
}

function parseStep(text: string, spec: FieldSpec): number {
  const step = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (step < 1) throw new CronSyntaxError(`\`/${cut(text)}\` is not a step of the ${spec.name}`);
  return step;
}

function cut(text: string): string {
  return text.slice(0, 40);
}
