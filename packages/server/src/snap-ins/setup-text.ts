/** Setup instructions with what is known of the source filled in. Placeholders are looked up, never evaluated. */
import { limit } from "@plinth/core/limits.ts";
import type { EventSourceRow } from "./snap-in-records.ts";

/** Where a source takes events. */
export interface SourcePlaces {
  readonly triggerUrl: string | null;
  readonly emailAddress: string | null;
}

const PLACEHOLDER = /\{\{\s{0,8}source\.([a-z_]{1,32})(?:\.([A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,3}))?\s{0,8}\}\}/g;

/** Placeholders whose values would make the text too long stay as they are: a package chooses how often it names how long a value. */
export function setupText(row: EventSourceRow, places: SourcePlaces): string | null {
  if (row.setupInstructions === null) return null;
  const values = new Map<string, string | undefined>();
  let room = limit("setupTextCharsMax") - row.setupInstructions.length;
  return row.setupInstructions.replace(PLACEHOLDER, (whole, field: string, name: string | undefined) => {
    const key = name === undefined ? field : `${field}.${name}`;
    if (!values.has(key)) values.set(key, valueOf(row, { field, name, ...places }));
    const value = values.get(key);
    if (value === undefined || value.length > room) return whole;
    room -= value.length;
    return value;
  });
}

function valueOf(
  row: EventSourceRow,
  { field, name, triggerUrl, emailAddress }: { readonly field: string; readonly name: string | undefined } & SourcePlaces,
): string | undefined {
  if (field === "name") return row.name;
  if (field === "trigger_url") return triggerUrl ?? "";
  if (field === "email_address") return emailAddress ?? "";
  return field === "config" && name !== undefined ? configured(row.config, name) : undefined;
}

/** `parameters.secret` is what lies in `parameters`. */
function configured(config: Readonly<Record<string, unknown>>, path: string): string | undefined {
  let value: unknown = config;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return shown(value);
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
