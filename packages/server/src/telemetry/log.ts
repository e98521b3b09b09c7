/**
 * The host's own log: JSON lines on standard error. Field values may hold text of user code, so every text is
 * escaped and cut before it is written; JSON already keeps a line a line.
 */
import { escapeText } from "@plinth/core/policy/escape-text.ts";
import { limit } from "@plinth/core/limits.ts";
import { pino, type DestinationStream } from "pino";

export type LogFields = Readonly<Record<string, unknown>>;
export type HostLogLevel = "silent" | "error" | "warn" | "info" | "debug";

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** `destination` is standard error when absent. */
export function createLog(options: { readonly level: HostLogLevel; readonly destination?: DestinationStream }): Log {
  const logger = pino(
    { level: options.level, base: null, formatters: { level: (label) => ({ level: label }) }, timestamp: pino.stdTimeFunctions.isoTime },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return {
    debug: (fields, message) => logger.debug(safeFields(fields), message),
    info: (fields, message) => logger.info(safeFields(fields), message),
    warn: (fields, message) => logger.warn(safeFields(fields), message),
    error: (fields, message) => logger.error(safeFields(fields), message),
  };
}

/** What is written: texts, numbers, booleans and errors. Other values are shown as cut JSON. */
function safeFields(fields: LogFields): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) safe[name] = safeValue(value);
  return safe;
}

function safeValue(value: unknown): unknown {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "string":
      return escapeText(value, limit("hostLogFieldCharsMax"));
    default:
      return value === null ? null : escapeText(value instanceof Error ? errorText(value) : jsonText(value), limit("hostLogFieldCharsMax"));
  }
}

function errorText(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined) return own;
  return `${own}\ncaused by ${error.cause instanceof Error ? errorText(error.cause) : jsonText(error.cause)}`;
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "(cannot be shown)";
  }
}
