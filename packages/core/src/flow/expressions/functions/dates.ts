/** Functions of timestamps, all in UTC. Lengths of time are numbers of milliseconds: `now + duration("3d")`, `now - order.createdAt`. */
import type { Json } from "../../../operations/operation.ts";
import { DAY_MS } from "../../../schedules/calendar.ts";
import { addMonths, isMoment, type Moment, momentOf, parseTimestamp, timestampText } from "../timestamps.ts";
import { shorten, type Work } from "../work.ts";
import { formatDate } from "./format-date.ts";
import { type FunctionSpec, numberOf, one, optional, textOf, wholeOf } from "./function-spec.ts";

/** Steps to read or write a timestamp. */
const MOMENT_STEPS = 8;
const COUNT = { min: -1e12, max: 1e12 };
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS } as const;
const DURATION_CHARS = 60;
const DURATION = /^-?(?:\d{1,12}(?:\.\d{1,9})?(?:ms|[smhdw]))+$/;

function momentMs(args: readonly Json[], index: number, work: Work): number {
  work.spend(MOMENT_STEPS);
  const text = textOf(args, index);
  return parseTimestamp(text) ?? work.fail("value", `\`${shorten(text)}\` is no timestamp such as 2026-01-31T09:30:00Z or 2026-01-31.`);
}

function made(ms: number, work: Work): string {
  work.spend(MOMENT_STEPS);
  return isMoment(ms) ? timestampText(ms) : work.fail("value", "Timestamps have the years 1 to 9999.");
}

function durationMs(text: string, work: Work): number {
  work.spend(MOMENT_STEPS);
  if (text.length > DURATION_CHARS || !DURATION.test(text))
    return work.fail("value", `\`${shorten(text)}\` is no length of time such as 90s, 1h30m or 3d; the units are ms, s, m, h, d and w.`);
  let total = 0;
  for (const [, count = "0", unit = "ms"] of text.matchAll(/([\d.]+)(ms|[smhdw])/g)) total += Number(count) * unitMs(unit);
  return Math.round(text.startsWith("-") ? -total : total) + 0;
}

function unitMs(unit: string): number {
  return Object.entries(UNITS).find(([name]) => name === unit)?.[1] ?? 0;
}

/** `addHours(t, n)` and the like. */
function adder(name: string, unit: keyof typeof UNITS, what: string, example: readonly [string, Json]): FunctionSpec {
  return {
    name,
    parameters: [one("time", "timestamp"), one("count", "number")],
    result: "timestamp",
    description: `So many ${what} later; earlier where the number is negative.`,
    examples: [example],
    run: (args, work) => made(Math.round(momentMs(args, 0, work) + numberOf(args, 1) * UNITS[unit]), work),
  };
}

/** `diffHours(from, to)` and the like. */
function difference(name: string, unit: keyof typeof UNITS, what: string, example: readonly [string, Json]): FunctionSpec {
  return {
    name,
    parameters: [one("from", "timestamp"), one("to", "timestamp")],
    result: "number",
    description: `Whole ${what} from the one to the other; negative where \`to\` is earlier.`,
    examples: [example],
    run: (args, work) => Math.trunc((momentMs(args, 1, work) - momentMs(args, 0, work)) / UNITS[unit]) + 0,
  };
}

/** `year(t)` and the like. */
function part(name: string, description: string, read: (moment: Moment) => number, example: readonly [string, Json]): FunctionSpec {
  return {
    name,
    parameters: [one("time", "timestamp")],
    result: "number",
    description,
    examples: [example],
    run: (args, work) => read(momentOf(momentMs(args, 0, work))),
  };
}

export const DATE_FUNCTIONS: readonly FunctionSpec[] = [
  {
    name: "timestamp",
    parameters: [one("value", "timestamp", "number")],
    result: "timestamp",
    description: "A text such as `2026-01-31T09:30:00+01:00` or `2026-01-31`, or milliseconds since 1970, as a timestamp in UTC.",
    examples: [
      ['timestamp("2026-01-31T09:30:00+01:00")', "2026-01-31T08:30:00.000Z"],
      ["timestamp(0)", "1970-01-01T00:00:00.000Z"],
    ],
    run: (args, work) => made(typeof args[0] === "number" ? Math.round(args[0]) : momentMs(args, 0, work), work),
  },
  {
    name: "duration",
    parameters: [one("text", "text")],
    result: "number",
    description: "Milliseconds of a length of time with the units ms, s, m, h, d and w. A timestamp plus or minus it is a timestamp.",
    examples: [
      ['duration("1h30m")', 5_400_000],
      ['timestamp("2026-01-31") + duration("3d")', "2026-02-03T00:00:00.000Z"],
    ],
    run: (args, work) => durationMs(textOf(args, 0), work),
  },
  {
    name: "toMillis",
    parameters: [one("time", "timestamp")],
    result: "number",
    description: "Milliseconds since 1970.",
    examples: [['toMillis("1970-01-01T00:00:01Z")', 1000]],
    run: (args, work) => momentMs(args, 0, work),
  },
  adder("addSeconds", "s", "seconds", ['addSeconds("2026-01-31", -1)', "2026-01-30T23:59:59.000Z"]),
  adder("addMinutes", "m", "minutes", ['addMinutes("2026-01-31", 90)', "2026-01-31T01:30:00.000Z"]),
  adder("addHours", "h", "hours", ['addHours("2026-01-31", 36)', "2026-02-01T12:00:00.000Z"]),
  adder("addDays", "d", "days", ['timestamp("2026-02-27").addDays(2)', "2026-03-01T00:00:00.000Z"]),
  {
    name: "addMonths",
    parameters: [one("time", "timestamp"), one("count", "number")],
    result: "timestamp",
    description: "The same day so many months later, or the last of a month that has no such day.",
    examples: [['addMonths("2026-01-31", 1)', "2026-02-28T00:00:00.000Z"]],
    run: (args, work) => made(addMonths(momentMs(args, 0, work), wholeOf(args, 1, COUNT, work)), work),
  },
  difference("diffSeconds", "s", "seconds", ['diffSeconds("2026-01-31", "2026-01-31T00:01:00Z")', 60]),
  difference("diffMinutes", "m", "minutes", ['diffMinutes("2026-01-31", "2026-01-31T02:00:30Z")', 120]),
  difference("diffHours", "h", "hours", ['diffHours("2026-01-31", "2026-01-30T12:00:00Z")', -12]),
  difference("diffDays", "d", "days", ['diffDays("2026-01-31", "2026-03-01")', 29]),
  {
    name: "formatDate",
    parameters: [one("time", "timestamp"), optional("pattern", "text")],
    result: "string",
    description:
      "As a text: `yyyy` year, `MM` or `M` month, `MMM` Jan, `MMMM` January, `dd` or `d` day, `EEE` Mon, `EEEE` Monday, `HH` or `H` hour, `mm` minute, `ss` second, `SSS` millisecond; letters between `'` stand for themselves. `yyyy-MM-dd` where no pattern is given.",
    examples: [
      ['formatDate("2026-01-31T09:05:00Z", "d MMMM yyyy, HH:mm")', "31 January 2026, 09:05"],
      ['timestamp("2026-01-31T09:05:00Z").formatDate()', "2026-01-31"],
    ],
    run: (args, work) => formatDate(momentMs(args, 0, work), args.length > 1 ? textOf(args, 1) : "yyyy-MM-dd", work),
  },
  part("year", "Its year.", (moment) => moment.year, ['year("2026-01-31")', 2026]),
  part("month", "Its month, 1 to 12.", (moment) => moment.month, ['month("2026-01-31")', 1]),
  part("day", "Its day of the month, 1 to 31.", (moment) => moment.day, ['day("2026-01-31")', 31]),
  part("weekday", "Its day of the week: 1 is Monday, 7 Sunday.", (moment) => moment.weekday || 7, ['weekday("2026-01-31")', 6]),
  part("hour", "Its hour, 0 to 23.", (moment) => moment.hour, ['hour("2026-01-31T09:30:00Z")', 9]),
  part("minute", "Its minute, 0 to 59.", (moment) => moment.minute, ['minute("2026-01-31T09:30:00Z")', 30]),
  part("second", "Its second, 0 to 59.", (moment) => moment.second, ['second("2026-01-31T09:30:15Z")', 15]),
];
