/** Cron jobs: read from the hostile text that `crons.export()` returns, and when they run. */
import { PlinthError, plinthError } from "../errors.ts";
import { limit } from "../limits.ts";
import { isJsonObject, parsePackageJson } from "../documents/validator-json.ts";
import { isValueObject, valueFromJson, valueToText } from "../documents/values.ts";
import { CronSyntaxError, nextFit, parseCronExpression } from "./cron-expression.ts";

/** Plain JSON, so that it can be stored as it is. */
export type CronSchedule =
  | { readonly kind: "interval"; readonly periodMs: number }
  /** Five fields, UTC; checked, and known to fit some moment. */
  | { readonly kind: "cron"; readonly expression: string };

export interface CronJob {
  readonly name: string;
  /** `dir/module:export` */
  readonly functionPath: string;
  /** JSON text of an array with one object. */
  readonly argsText: string;
  readonly schedule: CronSchedule;
}

type JsonObject = Readonly<Record<string, unknown>>;

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
/** Values, in the list of arguments of a job. */
const JSON_DEPTH_MAX = limit("valueDepthMax") + 8;

/**
 * The first run after `afterMs`. Intervals count from `anchorMs`, the first run of which is at it; the anchor
 * of a calendar schedule is the calendar.
 */
export function nextRun(schedule: CronSchedule, afterMs: number, anchorMs = 0): number {
  switch (schedule.kind) {
    case "interval": {
      const periods = Math.floor((afterMs - anchorMs) / schedule.periodMs) + 1;
      return anchorMs + Math.max(0, periods) * schedule.periodMs;
    }
    case "cron": {
      const next = nextFit(parseCronExpression(schedule.expression), afterMs);
      if (next === null) throw new CronSyntaxError("it fits no moment");
      return next;
    }
  }
}

/** Reads what `crons.ts` declares. Throws InvalidPackage, which names the job and says what to write. */
export function parseCrons(text: string): CronJob[] {
  const json = parsePackageJson(text, "list of cron jobs", JSON_DEPTH_MAX);
  if (!isJsonObject(json))
    throw plinthError("InvalidPackage", { detail: "the default export of `crons.ts` has to be made by `cronJobs()`." });
  const names = Object.keys(json);
  const max = limit("cronsPerVersionMax");
  if (names.length > max) throw plinthError("InvalidPackage", { detail: `there are ${names.length} cron jobs and may be ${max}.` });
  return names.map((name) => parseJob(name, json[name]));
}

function parseJob(name: string, json: unknown): CronJob {
  if (name === "" || name.length > limit("cronTextCharsMax") || !/^[ -~]*$/.test(name)) {
    throw invalid(name, `a name has 1 to ${limit("cronTextCharsMax")} printable ASCII characters`);
  }
  if (!isJsonObject(json)) throw invalid(name, "it has no schedule");
  return {
    name,
    functionPath: parseFunctionPath(name, json["name"]),
    argsText: parseArgs(name, json["args"]),
    schedule: parseSchedule(name, json["schedule"]),
  };
}

function parseFunctionPath(name: string, json: unknown): string {
  if (typeof json !== "string" || json === "" || json.length > limit("fieldNameBytesMax")) {
    throw invalid(name, "it needs a function, such as `internal.module.name`");
  }
  return json;
}

function parseArgs(name: string, json: unknown): string {
  try {
    const args = valueFromJson(json);
    if (Array.isArray(args) && args.length === 1 && isValueObject(args[0])) return valueToText(args);
  } catch (error) {
    throw error instanceof PlinthError ? invalid(name, error.message) : error;
  }
  throw invalid(name, "its arguments have to be one object");
}

function parseSchedule(name: string, json: unknown): CronSchedule {
  if (!isJsonObject(json)) throw invalid(name, "it has no schedule");
  const { type } = json as { type?: unknown };
  const number = (key: string, min: number, max: number): number => parseNumber({ name, json, key, min, max });
  // Without a minute each job gets its own, so that they do not all start at the full hour.
  const minute = (): number => (json["minuteUTC"] === undefined ? hash(name) % 60 : number("minuteUTC", 0, 59));
  switch (type) {
    case "interval":
      return { kind: "interval", periodMs: parsePeriodMs(name, json) };
    case "hourly":
      return cron(name, `${minute()} * * * *`);
    case "daily":
      return cron(name, `${minute()} ${number("hourUTC", 0, 23)} * * *`);
    case "weekly":
      return cron(name, `${minute()} ${number("hourUTC", 0, 23)} * * ${parseWeekday(name, json["dayOfWeek"])}`);
    case "monthly":
      return cron(name, `${minute()} ${number("hourUTC", 0, 23)} ${number("day", 1, 31)} * *`);
    case "cron":
      return parseCronText(name, json["cron"]);
    default:
      throw invalid(name, "the type of a schedule is interval, hourly, daily, weekly, monthly or cron");
  }
}

function parseCronText(name: string, json: unknown): CronSchedule {
  if (typeof json !== "string" || json.length > limit("cronTextCharsMax")) {
    throw invalid(name, `a cron expression is text of at most ${limit("cronTextCharsMax")} characters, such as "0 9 * * MON"`);
  }
  return cron(name, json);
}

function cron(name: string, expression: string): CronSchedule {
  try {
    const next = nextFit(parseCronExpression(expression), 0);
    if (next === null) throw new CronSyntaxError("no moment fits it");
  } catch (error) {
    throw error instanceof CronSyntaxError
      ? invalid(name, `the cron expression ${JSON.stringify(expression)} is not usable: ${error.message}`)
      : error;
  }
  return { kind: "cron", expression };
}

const UNITS_MS = { seconds: 1000, minutes: 60_000, hours: 3_600_000 } as const;

function parsePeriodMs(name: string, json: JsonObject): number {
  const units = (["seconds", "minutes", "hours"] as const).filter((unit) => json[unit] !== undefined);
  const unit = units[0];
  if (unit === undefined || units.length > 1) throw invalid(name, "an interval has one of `seconds`, `minutes` and `hours`");
  const max = Math.floor(limit("scheduleAheadMsMax") / UNITS_MS[unit]);
  return parseNumber({ name, json, key: unit, min: 1, max }) * UNITS_MS[unit];
}

function parseWeekday(name: string, json: unknown): number {
  const weekday = typeof json === "string" ? WEEKDAYS.indexOf(json) : -1;
  if (weekday < 0) throw invalid(name, '`dayOfWeek` is the English name of a day, such as "monday"');
  return weekday;
}

function parseNumber(options: { name: string; json: JsonObject; key: string; min: number; max: number }): number {
  const { name, json, key, min, max } = options;
  const number = json[key];
  if (typeof number !== "number" || !Number.isInteger(number) || number < min || number > max) {
    throw invalid(name, `\`${key}\` is a whole number from ${min} to ${max}`);
  }
  return number;
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c_9dc5;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), 0x0100_0193) >>> 0;
  return state;
}

function invalid(name: string, why: string): Error {
  return plinthError("InvalidPackage", { detail: `the cron job ${JSON.stringify(name.slice(0, 80))} is not valid: ${why}.` });
}
