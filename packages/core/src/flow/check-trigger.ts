/** What a trigger's data has to say, by its type. Types that are not here need nothing. */
import { ObjectReader } from "../manifest/object-reader.ts";
import type { Report } from "../manifest/report.ts";
import { CronSyntaxError, parseCronExpression } from "../schedules/cron-expression.ts";
import { limit } from "../limits.ts";
import type { FlowTrigger, TriggerType } from "./definition.ts";
import { momentMs } from "./durations.ts";

const CHECKS: Readonly<Partial<Record<TriggerType, (reader: ObjectReader) => void>>> = {
  object: (reader) => void reader.text("event", { required: true, instead: "write an event of an object, such as `account_created`" }),
  event: (reader) => void reader.text("event", { required: true, instead: "write the type of the event" }),
  timer: checkTimer,
  api: checkReply,
  webhook: checkReply,
};

export function checkTrigger({ type, data }: FlowTrigger, report: Report): void {
  CHECKS[type]?.(new ObjectReader(data, "trigger.data", report));
}

function checkTimer(reader: ObjectReader): void {
  const cron = reader.optionalText("cron");
  const intervalMs = reader.number("intervalMs", { min: limit("flowTimerMs"), max: limit("flowRunMsMax") });
  const at = reader.raw("at");
  const ways = [reader.has("cron"), reader.has("intervalMs"), reader.has("at")].filter(Boolean).length;
  if (ways !== 1) reader.error("cron", "or `intervalMs` or `at` is needed, one of the three.");
  if (cron !== null) checkCron(reader, cron);
  if (intervalMs === null && typeof at !== "undefined" && (typeof at !== "string" || momentMs(at) === null)) {
    reader.error("at", "is no moment; write a time with its zone, such as `2030-01-31T08:00:00Z`.");
  }
}

function checkCron(reader: ObjectReader, cron: string): void {
  try {
    parseCronExpression(cron);
  } catch (error) {
    if (!(error instanceof CronSyntaxError)) throw error;
    reader.error("cron", `is no cron expression: ${error.message}.`);
  }
}

function checkReply(reader: ObjectReader): void {
  reader.choice("reply", ["sync", "accepted"], "accepted");
}
