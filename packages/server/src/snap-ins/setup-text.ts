/** Setup instructions with what is known of the source filled in. Placeholders are looked up, never evaluated. */
import type { EventSourceRow } from "./snap-in-records.ts";

const PLACEHOLDER = /\{\{\s{0,8}source\.([a-z_]{1,32})(?:\.([A-Za-z0-9_-]{1,64}))?\s{0,8}\}\}/g;

export function setupText(row: EventSourceRow, triggerUrl: string | null): string | null {
  if (row.setupInstructions === null) return null;
  return row.setupInstructions.replace(PLACEHOLDER, (whole, field: string, name: string | undefined) => {
    if (field === "name") return row.name;
    if (field === "trigger_url") return triggerUrl ?? "";
    if (field === "config" && name !== undefined && Object.hasOwn(row.config, name)) return shown(row.config[name]);
    return whole;
  });
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
