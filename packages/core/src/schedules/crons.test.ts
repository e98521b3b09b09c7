import { cronJobs } from "convex/server";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calendarDay, DAY_MS } from "./calendar.ts";
import { parseCronExpression } from "./cron-expression.ts";
import { nextRun, parseCrons, type CronSchedule } from "./crons.ts";

const at = (text: string): number => Date.parse(text);
const shown = (ms: number): string => new Date(ms).toISOString();
const moment = fc.integer({ min: 0, max: at("2150-01-01") });
const cron = (expression: string): CronSchedule => ({ kind: "cron", expression });
const job = (schedule: unknown, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ job: { name: "m:f", args: [{}], schedule, ...more } });

describe("calendarDay", () => {
  const leapDay = fc.constantFrom("1600-02-29", "1900-02-28", "2000-02-29", "2100-02-28", "2400-02-29").map((date) => at(date) / DAY_MS);

  test("it is the calendar of Date", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -1_000_000, max: 1_000_000 }), leapDay), (day) => {
        const date = new Date(day * DAY_MS);
        const last = new Date(date);
        // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
        last.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + 1, 0);
        expect(calendarDay(day)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          weekday: date.getUTCDay(),
          daysInMonth: last.getUTCDate(),
        });
      }),
      { numRuns: 2000 },
    );
  });
});

describe("nextRun of cron expressions", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00.000Z"],
    ["* * * * *", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"],
    ["*/15 * * * *", "2026-01-01T00:16:00Z", "2026-01-01T00:30:00.000Z"],
    ["5/20 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:05:00.000Z"],
    ["10-14/2 3 * * *", "2026-01-01T03:12:00Z", "2026-01-01T03:14:00.000Z"],
    ["0 9,17 * * *", "2026-01-01T09:00:00Z", "2026-01-01T17:00:00.000Z"],
    ["0 0 * * mon", "2026-11-20T00:00:00Z", "2026-11-23T00:00:00.000Z"],
    ["0 0 * * 0", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00.000Z"],
    ["0 0 * * 7", "2026-11-20T00:00:00Z", "2026-11-22T00:00:00.000Z"],
    ["0 0 * * FRI-SUN", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00.000Z"],
    ["0 0 * * SAT-SUN", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00.000Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00.000Z"],
    ["0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00.000Z"],
    ["0 0 1 jan,jul *", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00.000Z"],
    // Both day fields: either of them.
    ["0 0 13 * FRI", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00.000Z"],
    ["0 0 21 * FRI", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00.000Z"],
    // A field that begins with a star restricts the other.
    ["0 0 */2 * FRI", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00.000Z"],
    ["0 0 ? * WED", "2026-11-20T00:00:00Z", "2026-11-25T00:00:00.000Z"],
    ["0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00.000Z"],
    ["0 0 LW * *", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00.000Z"],
    ["0 0 15W * *", "2026-08-01T00:00:00Z", "2026-08-14T00:00:00.000Z"],
    ["0 0 15W * *", "2026-11-01T00:00:00Z", "2026-11-16T00:00:00.000Z"],
    ["0 0 1W * *", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00.000Z"],
    ["0 0 31W * *", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00.000Z"],
    ["0 0 * * 2#2", "2026-11-01T00:00:00Z", "2026-11-10T00:00:00.000Z"],
    ["0 0 * * FRI#5", "2026-11-20T00:00:00Z", "2027-01-29T00:00:00.000Z"],
    ["0 0 * * 5L", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00.000Z"],
    ["0 0 29 2 */7", "2001-01-01T00:00:00Z", "2004-02-29T00:00:00.000Z"],
  ];
  test.each(cases)("%s after %s", (expression, after, expected) => {
    expect(shown(nextRun(cron(expression), at(after)))).toBe(expected);
  });

  const numbers = (min: number, max: number): fc.Arbitrary<{ text: string; has: (n: number) => boolean }> =>
    fc.oneof(
      fc.constant({ text: "*", has: () => true }),
      fc.integer({ min, max }).map((n) => ({ text: String(n), has: (x: number) => x === n })),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        return { text: `${from}-${to}`, has: (x: number) => from <= x && x <= to };
      }),
      fc.integer({ min: 1, max: 20 }).map((step) => ({ text: `*/${step}`, has: (x: number) => (x - min) % step === 0 })),
      fc
        .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
        .map((list) => ({ text: list.join(","), has: (x: number) => list.includes(x) })),
    );

  test("the next run is later, fits the fields, and no minute between fits", () => {
    fc.assert(
      fc.property(
        numbers(0, 59),
        numbers(0, 23),
        numbers(1, 28),
        numbers(1, 12),
        numbers(0, 6),
        moment,
        (minute, hour, day, month, weekday, afterMs) => {
          const next = nextRun(cron([minute, hour, day, month, weekday].map((field) => field.text).join(" ")), afterMs);
          const fits = (ms: number): boolean => {
            const date = new Date(ms);
            const fitsDay = day.has(date.getUTCDate());
            const fitsWeekday = weekday.has(date.getUTCDay());
            const either = !day.text.startsWith("*") && !weekday.text.startsWith("*");
            return (
              minute.has(date.getUTCMinutes()) &&
              hour.has(date.getUTCHours()) &&
              month.has(date.getUTCMonth() + 1) &&
              (either ? fitsDay || fitsWeekday : fitsDay && fitsWeekday)
            );
          };
          expect(next).toBeGreaterThan(afterMs);
          expect(next % 60_000).toBe(0);
          expect(fits(next)).toBe(true);
          // All minutes between would be too many; the first ones and the last ones show an error as well.
          for (let i = 1; i <= 200; i += 1) {
            const early = (Math.floor(afterMs / 60_000) + i) * 60_000;
            if (early < next) expect(fits(early)).toBe(false);
            const late = next - i * 60_000;
            if (late > afterMs) expect(fits(late)).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["", "five fields"],
    ["* * * *", "five fields"],
    ["* * * * * *", "five fields"],
    ["@daily", "five fields"],
    ["60 * * * *", "`60` is not a minute, which is from 0 to 59"],
    ["* 24 * * *", "not a hour"],
    ["* * 0 * *", "not a day of month"],
    ["* * 32 * *", "not a day of month"],
    ["* * * 13 *", "not a month"],
    ["* * * * 8", "not a day of week"],
    ["* * * FOO *", "`FOO` is not a month"],
    ["a * * * *", "`A` is not a minute"],
    ["1.5 * * * *", "not a minute"],
    ["-1 * * * *", "not a minute"],
    ["5- * * * *", "not a minute"],
    ["9-3 * * * *", "ends before it begins"],
    ["1-2-3 * * * *", "is not a range"],
    ["*/0 * * * *", "is not a step"],
    ["*/ * * * *", "is not a step"],
    ["*/1/1 * * * *", "two steps"],
    ["1,,2 * * * *", "not a minute"],
    ["* * * * 1#6", "1 to 5"],
    ["* * * * #1", "not a day of week"],
    ["* * W * *", "not a day of month"],
    ["* * 40W * *", "not a day of month"],
    ["* * * * L", "not a day of week"],
    ["1e1 * * * *", "not a minute"],
    ["0x1 * * * *", "not a minute"],
  ];
  test.each(wrong)("refuses %j", (expression, part) => {
    expect(() => parseCronExpression(expression)).toThrow(part);
    expect(() => parseCrons(job({ type: "cron", cron: expression }))).toThrow("The package cannot be deployed");
  });

  test("an expression that fits no moment is refused at once", () => {
    for (const expression of ["0 0 31 2 *", "0 0 30 FEB *", "0 0 31 4,6,9,11 *", "0 0 31W 2 *"]) {
      expect(() => parseCrons(job({ type: "cron", cron: expression }))).toThrow("no moment fits it");
    }
  });
});

describe("nextRun of intervals", () => {
  test("runs are whole periods after the anchor, the first one at it", () => {
    fc.assert(
      fc.property(moment, moment, fc.integer({ min: 1, max: 1e9 }), (afterMs, anchorMs, periodMs) => {
        const next = nextRun({ kind: "interval", periodMs }, afterMs, anchorMs);
        expect((next - anchorMs) % periodMs).toBe(0);
        expect(next).toBeGreaterThan(afterMs);
        expect(next).toBeGreaterThanOrEqual(anchorMs);
        if (next > anchorMs) expect(next - periodMs).toBeLessThanOrEqual(afterMs);
      }),
    );
    expect(nextRun({ kind: "interval", periodMs: 1000 }, 2500)).toBe(3000);
    expect(nextRun({ kind: "interval", periodMs: 1000 }, 3000)).toBe(4000);
    expect(nextRun({ kind: "interval", periodMs: 1000 }, 100, 5500)).toBe(5500);
  });
});

describe("parseCrons", () => {
  test("reads what the convex package exports", () => {
    const crons = cronJobs();
    const target = "jobs:run" as never;
    crons.interval("interval", { minutes: 5 }, target, { n: 1n } as never);
    crons.hourly("hourly", { minuteUTC: 7 }, target);
    crons.daily("daily", { hourUTC: 4, minuteUTC: 30 }, target);
    crons.weekly("weekly", { dayOfWeek: "saturday", hourUTC: 0, minuteUTC: 0 }, target);
    crons.monthly("monthly", { day: 31, hourUTC: 23, minuteUTC: 59 }, target);
    crons.cron("cron", "0 9 * * MON", target);
    const jobs = parseCrons((crons as unknown as { export(): string }).export());
    expect(jobs.map((each) => [each.name, each.schedule])).toEqual([
      ["interval", { kind: "interval", periodMs: 300_000 }],
      ["hourly", cron("7 * * * *")],
      ["daily", cron("30 4 * * *")],
      ["weekly", cron("0 0 * * 6")],
      ["monthly", cron("59 23 31 * *")],
      ["cron", cron("0 9 * * MON")],
    ]);
    expect(jobs[0]).toMatchObject({ functionPath: "jobs:run", argsText: '[{"n":{"$integer":"AQAAAAAAAAA="}}]' });
  });

  test("without a minute each job has its own, always the same", () => {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`job ${i}`, { name: "m:f", args: [{}], schedule: { type: "hourly" } }])),
    );
    const expressions = parseCrons(text).map(({ schedule }) => (schedule.kind === "cron" ? schedule.expression : ""));
    expect(new Set(expressions).size).toBeGreaterThan(25);
    expect(parseCrons(text).map(({ schedule }) => schedule)).toEqual(expressions.map(cron));
  });

  const cases: readonly (readonly [string, string, string])[] = [
    ["no JSON", "{", "the list of cron jobs is not usable JSON"],
    ["too deep", "[".repeat(100_000), "nested deeper"],
    ["null", "null", "made by `cronJobs()`"],
    ["a list", "[]", "made by `cronJobs()`"],
    ["too many", JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [i, {}]))), "1001 cron jobs and may be 1000"],
    ["an empty name", '{"":{}}', "a name has 1 to 256"],
    ["a long name", `{"${"x".repeat(257)}":{}}`, "a name has 1 to 256"],
    ["a name with other characters", '{"é":{}}', "printable ASCII"],
    ["a job that is none", '{"job":5}', 'the cron job "job" is not valid: it has no schedule'],
    ["no function", job({ type: "hourly" }, { name: 5 }), "it needs a function"],
    ["no arguments", job({ type: "hourly" }, { args: undefined }), "undefined is not a value"],
    ["two arguments", job({ type: "hourly" }, { args: [{}, {}] }), "one object"],
    ["an argument that is no object", job({ type: "hourly" }, { args: [5] }), "one object"],
    ["a bad argument", job({ type: "hourly" }, { args: [{ a: { $x: 1 } }] }), "at [0].a"],
    ["no schedule", job(undefined), "it has no schedule"],
    ["an unknown schedule", job({ type: "yearly" }), "interval, hourly, daily, weekly, monthly or cron"],
    ["no unit", job({ type: "interval" }), "one of `seconds`, `minutes` and `hours`"],
    ["two units", job({ type: "interval", seconds: 1, hours: 1 }), "one of `seconds`, `minutes` and `hours`"],
    ["a zero interval", job({ type: "interval", seconds: 0 }), "`seconds` is a whole number from 1"],
    ["a fraction", job({ type: "interval", hours: 1.5 }), "`hours` is a whole number from 1"],
    ["an endless interval", job({ type: "interval", hours: 1e9 }), "`hours` is a whole number from 1 to 43800"],
    ["a minute of 60", job({ type: "hourly", minuteUTC: 60 }), "`minuteUTC` is a whole number from 0 to 59"],
    ["no hour", job({ type: "daily", minuteUTC: 0 }), "`hourUTC` is a whole number from 0 to 23"],
    ["a text as hour", job({ type: "daily", hourUTC: "0 0 * * *" }), "`hourUTC` is a whole number"],
    ["no day", job({ type: "weekly", hourUTC: 0 }), "`dayOfWeek` is the English name"],
    ["day 32", job({ type: "monthly", day: 32, hourUTC: 0 }), "`day` is a whole number from 1 to 31"],
    ["an expression that is no text", job({ type: "cron", cron: 5 }), "a cron expression is text"],
    ["a long expression", job({ type: "cron", cron: `${"0,".repeat(500)}0 * * * *` }), "at most 256 characters"],
  ];
  test.each(cases)("refuses %s", (_what, text, part) => {
    expect(() => parseCrons(text)).toThrow(part);
    expect(() => parseCrons(text)).toThrow("The package cannot be deployed");
  });
});
