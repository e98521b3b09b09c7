/** What a trigger's data has to say, by its type, and what it brings. */
import { ObjectReader } from "../manifest/object-reader.ts";
import type { Report } from "../manifest/report.ts";
import { CronSyntaxError, parseCronExpression } from "../schedules/cron-expression.ts";
import { limit } from "../limits.ts";
import type { FlowTrigger, TriggerType, ValueType } from "./definition.ts";
import { momentMs } from "./durations.ts";
import { isRecordType } from "./expressions/value-types.ts";

interface TriggerCheck {
  readonly check: (reader: ObjectReader) => void;
  /** What it brings besides what its `output` says. */
  readonly brings?: Readonly<Record<string, ValueType>>;
}

/** Of names that people type and agents call. */
const CALLED = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const NOTHING_MORE: TriggerCheck = { check: () => undefined };

const TRIGGERS: Readonly<Record<TriggerType, TriggerCheck>> = {
  manual: NOTHING_MORE,
  subflow: NOTHING_MORE,
  object: {
    check: (reader) =>
      void reader.text("event", {
        required: true,
        pattern: /^[^:]+_(?:created|updated|deleted)$/,
        instead: "write an event of an object, such as `account_created`, `account_updated` or `account_deleted`",
      }),
    brings: {
      _before: "any",
      _event: { record: { id: "string", type: "string", at: "timestamp", truncated: "boolean" } },
    },
  },
  event: { check: (reader) => void reader.text("event", { required: true, instead: "write the type of the event" }) },
  timer: { check: checkTimer, brings: { scheduledTime: "timestamp" } },
  api: { check: checkReply },
  webhook: { check: checkWebhook },
  sync: {
    check: (reader) => void reader.choice("on", ["started", "ended"], "ended"),
    brings: {
      ...{ run: "string", unit: "string", import: "any", snapIn: "string", mode: "string", status: "string", phase: "string" },
      ...{ reason: "any", startedAt: "timestamp", endedAt: "any" },
    },
  },
  command: { check: checkCommand, brings: { object: "string", parameters: "string", surface: "any", user: "string" } },
  agentSkill: { check: checkSkill },
};

export function checkTrigger({ type, data }: FlowTrigger, report: Report): void {
  const reader = new ObjectReader(data, "trigger.data", report);
  TRIGGERS[type].check(reader);
  reader.optionalBoolean("callable");
  reader.end();
}

/** Type of the first context. Where the flow declares fields of it, those that its trigger adds are known too. */
export function contextType({ type, output }: Pick<FlowTrigger, "type" | "output">): ValueType {
  const { brings } = TRIGGERS[type];
  if (brings === undefined || !isRecordType(output)) return output;
  return { record: { ...output.record, ...brings, ...output.record } };
}

/** Whether other flows may run it: those that are for nothing else, and those that say so. */
export function isCallable({ type, data }: Pick<FlowTrigger, "type" | "data">): boolean {
  return type === "subflow" || data["callable"] === true;
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

function checkWebhook(reader: ObjectReader): void {
  checkReply(reader);
  reader.choice("context", ["body", "request"], "body");
  reader.optionalText("policy", { charsMax: limit("manifestPolicyCharsMax"), instead: "write a policy in Rego" });
  checkObject(reader, "parameters", "write an object, which the policy sees as `input.parameters`");
  if (reader.has("parameters") && !reader.has("policy")) reader.warning("parameters", "are for a `policy`, and there is none.");
  if (reader.has("policy") && reader.has("context")) reader.warning("context", "has no effect beside a `policy`, which says what it is.");
}

function checkCommand(reader: ObjectReader): void {
  reader.text("name", { required: true, pattern: CALLED, instead: "write a name of letters, digits, `_` and `-`" });
  reader.optionalText("namespace", { pattern: CALLED, instead: "write a name of letters, digits, `_` and `-`" });
  reader.label("description");
  reader.label("usageHint");
  reader.objects("surfaces", "manifestSurfacesMax", (surface) => {
    surface.label("surface");
    surface.texts("objectTypes", "manifestSurfacesMax");
    surface.end();
  });
}

function checkSkill(reader: ObjectReader): void {
  reader.optionalText("name", { pattern: CALLED, instead: "write a name of letters, digits, `_` and `-`" });
  reader.label("title");
  reader.optionalText("description", { charsMax: limit("manifestTextCharsMax") });
  for (const port of ["input", "output"]) checkObject(reader, port, "write the JSON Schema of an object");
}

function checkObject(reader: ObjectReader, key: string, instead: string): void {
  const value = reader.raw(key);
  if (value !== undefined && (typeof value !== "object" || Array.isArray(value))) reader.error(key, `is no object; ${instead}.`);
}
