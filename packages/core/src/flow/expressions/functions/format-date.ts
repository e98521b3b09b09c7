/** `formatDate(t, "d MMMM yyyy")` */
import { digits, type Moment, momentOf } from "../timestamps.ts";
import type { Work } from "../work.ts";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SHORT_CHARS = 3;

const FIELDS: ReadonlyMap<string, (moment: Moment) => string> = new Map([
  ["yyyy", ({ year }) => digits(year, 4)],
  ["yy", ({ year }) => digits(year % 100, 2)],
  ["MMMM", ({ month }) => MONTHS[month - 1] ?? ""],
  ["MMM", ({ month }) => (MONTHS[month - 1] ?? "").slice(0, SHORT_CHARS)],
  ["MM", ({ month }) => digits(month, 2)],
  ["M", ({ month }) => digits(month, 1)],
  ["dd", ({ day }) => digits(day, 2)],
  ["d", ({ day }) => digits(day, 1)],
  ["EEEE", ({ weekday }) => DAYS[weekday] ?? ""],
  ["EEE", ({ weekday }) => (DAYS[weekday] ?? "").slice(0, SHORT_CHARS)],
  ["HH", ({ hour }) => digits(hour, 2)],
  ["H", ({ hour }) => digits(hour, 1)],
  ["mm", ({ minute }) => digits(minute, 2)],
  ["ss", ({ second }) => digits(second, 2)],
  ["SSS", ({ millisecond }) => digits(millisecond, 3)],
]);

export function formatDate(ms: number, pattern: string, work: Work): string {
  work.growText(pattern.length * 3);
  const moment = momentOf(ms);
  let made = "";
  let at = 0;
  while (at < pattern.length) {
    const end = runEnd(pattern, at);
    const run = pattern.slice(at, end);
    work.spend(2);
    if (run.startsWith("'")) made += run === "''" ? "'" : run.slice(1, -1);
    else if (isLetter(run)) {
      const field = FIELDS.get(run);
      if (field === undefined)
        return work.fail("value", `\`${run.slice(0, 20)}\` means nothing in the pattern of a date; texts stand between \`'\`.`);
      made += field(moment);
    } else made += run;
    at = end;
  }
  return made;
}

/** Behind a quoted text, a row of one letter, or one other character. */
function runEnd(pattern: string, from: number): number {
  const first = pattern.charAt(from);
  if (first === "'") {
    const close = pattern.indexOf("'", from + 1);
    return close === -1 ? pattern.length : close + 1;
  }
  let end = from + 1;
  if (isLetter(first)) while (pattern.charAt(end) === first) end += 1;
  return end;
}

function isLetter(text: string): boolean {
  return /^[A-Za-z]/.test(text);
}
