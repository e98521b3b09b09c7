/**
 * What keeps stored values: a row for each value of a run, written with the event that brings it and deleted with the run. The collector
 * of blobs deletes what no row names.
 */
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import type { StoredPart, StoredValue } from "@plinth/core/flow/value.ts";
import type { KeyPart, Records } from "../../database/database.ts";
import { FLOW_VALUES } from "../../database/record-tables.ts";

const PAGE = 500;

/** Returns how many bytes they have. */
export function writeValues(records: Records, run: string, events: readonly FlowEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    for (const { value } of partsOf(event)) {
      records.put(FLOW_VALUES, [run, value.digest], value);
      bytes += value.bytes;
    }
  }
  return bytes;
}

function partsOf(event: FlowEvent): readonly StoredPart[] {
  switch (event.kind) {
    case "started":
      return event.trigger.stored ?? [];
    case "completed":
      return event.output.stored ?? [];
    case "signalled":
      return event.payload.stored ?? [];
    case "retried":
      return event.input?.stored ?? [];
    default:
      return [];
  }
}

/** A value of the run; undefined for a digest that it does not have. */
export async function valueOfRun(records: Records, run: string, digest: string): Promise<StoredValue | undefined> {
  return await records.get(FLOW_VALUES, [run, digest]);
}

/** Blobs that the runs of a branch refer to. `pause` lets others go on between two pages. */
export function flowBlobs(pause: () => Promise<void>): (records: Records) => Promise<readonly string[]> {
  return async (records) => {
    const digests = new Set<string>();
    for (let after: readonly KeyPart[] | undefined; ;) {
      const rows = await records.range(FLOW_VALUES, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { value } of rows) digests.add(value.digest);
      if (rows.length < PAGE) return [...digests];
      after = rows.at(-1)?.key;
      await pause();
    }
  };
}
