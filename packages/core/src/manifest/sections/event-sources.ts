/** `event_sources`, and version 1's `event-sources`. */
import { limit } from "../../limits.ts";
import { CronSyntaxError, nextFit, parseCronExpression } from "../../schedules/cron-expression.ts";
import type { EventSourceSpec, InstallScope, Scoped } from "../manifest.ts";
import { didYouMean } from "../near-miss.ts";
import { oneOf, shown, type ObjectReader } from "../object-reader.ts";
import { identifier, isForeign } from "./names.ts";
import { readScoped } from "./keyrings.ts";

type SourceType = EventSourceSpec["type"];
type Config = Readonly<Record<string, unknown>>;

const JQ = { charsMax: limit("manifestJqCharsMax") };
const POLICY_CHARS_MAX = limit("manifestPolicyCharsMax");
const INTERVAL_SECONDS = { min: limit("timerIntervalSecondsMin"), max: limit("timerIntervalSecondsMax") };
const EVENT_TYPE = /^[a-z][a-z0-9_]{0,63}$/;
const REGO_PACKAGE = /^[ \t]*package[ \t]+rego[ \t]*(?:#.*)?\r?$/m;

const CONFIGS: Readonly<Record<SourceType, (config: ObjectReader) => Config>> = {
  "devrev-webhook": (config) => {
    const eventTypes = config.texts("event_types", "manifestEventTypesMax", {
      pattern: EVENT_TYPE,
      instead: "write a type such as `work_created`",
    });
    if (config.isEmpty("event_types")) config.error("event_types", "is missing or empty; list the events, for example `work_created`.");
    return { event_types: eventTypes };
  },
  "flow-custom-webhook": (config) => {
    const policy = config.text("policy", {
      required: true,
      charsMax: POLICY_CHARS_MAX,
      instead: "write the Rego policy that makes events of requests",
    });
    if (policy !== "" && !REGO_PACKAGE.test(policy)) {
      config.error("policy", "is no Rego policy of the package `rego`; begin it with the line `package rego` and give it a rule `output`.");
    }
    return { policy, parameters: config.jsonObject("parameters") };
  },
  "flow-events": () => ({}),
  "timer-events": (config) => {
    const timer = readTimer(config);
    return { ...timer, metadata: config.jsonObject("metadata") };
  },
  "email-forward": (config) => ({ allowlist: readAllowlist(config) }),
};
const TYPES = Object.keys(CONFIGS).filter((type): type is SourceType => type in CONFIGS);

export function readEventSources(manifest: ObjectReader): Scoped<EventSourceSpec> {
  const flat = manifest.objects("event-sources", "manifestEventSourcesMax", (reader) => readEventSource(reader, "organization"));
  const scoped = readScoped(manifest, "event_sources", "manifestEventSourcesMax", readEventSource);
  return { organization: [...flat, ...scoped.organization], user: scoped.user };
}

function readEventSource(reader: ObjectReader, scope: InstallScope): EventSourceSpec {
  const name = identifier(reader, "name", "each event source");
  const type = readType(reader);
  const inner = { filterJq: null as string | null };
  const readConfig = (config: ObjectReader): Config => {
    inner.filterJq = readFilter(config);
    return type === null ? {} : CONFIGS[type](config);
  };
  const filterJq = readFilter(reader);
  const config = reader.object("config", readConfig);
  if (!reader.has("config")) checkMissingConfig(reader, type);
  if (filterJq !== null && inner.filterJq !== null) reader.warning("filter", "stands in two places; the one beside `config` counts.");
  const jq = filterJq ?? inner.filterJq;
  if (jq !== null && scope === "organization" && /\$user\b/.test(jq)) {
    reader.warning("filter", "uses $user, which only sources under `event_sources.user` have.");
  }
  if (reader.has("connection")) reader.warning("connection", "ties the source to a connection, which Plinth does not do; it is ignored.");
  return {
    name,
    description: reader.text("description"),
    displayName: reader.label("display_name", { fallback: name }),
    // Of a source whose type is unknown no event type is known to be wrong.
    type: type ?? "devrev-webhook",
    setupInstructions: reader.optionalText("setup_instructions"),
    config: config ?? {},
    filterJq: jq,
  };
}

function readType(reader: ObjectReader): SourceType | null {
  const text = reader.optionalText("type", { required: true, instead: `write ${oneOf(TYPES)}` });
  if (text === null) return null;
  const type = TYPES.find((known) => known === text);
  if (type === undefined) {
    const detail = isForeign(text) ? "" : didYouMean(text, TYPES);
    reader.error("type", `is \`${shown(text)}\`, which Plinth does not offer; write ${oneOf(TYPES)}.${detail}`);
  }
  return type ?? null;
}

function checkMissingConfig(reader: ObjectReader, type: SourceType | null): void {
  if (type === "devrev-webhook") reader.error("config", "is missing; list the events under `config.event_types`.");
  if (type === "flow-custom-webhook") reader.error("config", "is missing; write the Rego policy under `config.policy`.");
  if (type === "timer-events") reader.error("config", "is missing; write `config.cron` or `config.interval_seconds`.");
}

/** `{emails, domains}`, or one list of both. */
function readAllowlist(config: ObjectReader): Config | null {
  if (Array.isArray(config.raw("allowlist"))) {
    const all = config.texts("allowlist", "manifestAllowedValuesMax");
    const isEmail = (text: string) => text.includes("@");
    return { emails: all.filter(isEmail), domains: all.filter((text) => !isEmail(text)) };
  }
  return config.object("allowlist", (list) => ({
    emails: list.texts("emails", "manifestAllowedValuesMax"),
    domains: list.texts("domains", "manifestAllowedValuesMax"),
  }));
}

/** `filter: {jq_query}`. */
function readFilter(reader: ObjectReader): string | null {
  return reader.object("filter", (filter) =>
    filter.text("jq_query", { ...JQ, required: true, instead: "write a jq program that yields true or false" }),
  );
}

function readTimer(config: ObjectReader): Config {
  const cron = config.optionalText("cron", { charsMax: limit("cronTextCharsMax") });
  const seconds = config.number("interval_seconds", INTERVAL_SECONDS);
  if (config.has("cron") && config.has("interval_seconds")) {
    config.error("cron", "stands beside interval_seconds; keep one of the two.");
  } else if (!config.has("cron") && !config.has("interval_seconds")) {
    config.error("cron", 'is missing; write `cron: "*/10 * * * *"`, or interval_seconds.');
  }
  if (cron === null) return seconds === null ? {} : { interval_seconds: seconds };
  try {
    if (nextFit(parseCronExpression(cron), 0) === null) config.error("cron", "fits no moment; correct the days and months.");
  } catch (error) {
    if (!(error instanceof CronSyntaxError)) throw error;
    config.error("cron", `is no cron expression: ${error.message}.`);
  }
  return { cron };
}
