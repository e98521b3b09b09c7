/** Events of the documents that a transaction created, changed and deleted, where automations listen to them. */
import { limit } from "@plinth/core/limits.ts";
import type { EventWriter } from "../events/event-writer.ts";
import { changeType, payloadName } from "../events/object-events.ts";
import type { Catalogue } from "./catalogue.ts";
import { documentTableOf } from "./key-space.ts";
import type { Snapshot, Write } from "../store/store.ts";
import { storedText } from "./view.ts";

/**
 * Puts an event for each document whose final state differs from that of the snapshot. Reads of the snapshot are not recorded: who
 * changes a document has read it.
 */
export async function putDocumentEvents(change: {
  readonly catalogue: Catalogue;
  readonly writes: readonly Write[];
  readonly snapshot: Pick<Snapshot, "get">;
  readonly writer: () => EventWriter;
  readonly nowMs: number;
}): Promise<void> {
  const { catalogue, writes, snapshot, nowMs } = change;
  for (const { key, value } of writes) {
    const table = documentTableOf(key);
    const object = table === undefined ? undefined : catalogue.watchedObjects.get(table);
    if (object === undefined) continue;
    const before = await snapshot.get(key);
    const type = changeType(object, { before: before !== undefined, after: value !== null });
    if (type === undefined || !catalogue.watchedTypes.has(type)) continue;
    const texts = { before: before === undefined ? null : storedText(before), after: value === null ? null : storedText(value) };
    if (texts.before === texts.after) continue;
    const writer = change.writer();
    const id = writer.nextId;
    const payload = payloadText({ id, type, object, timestamp: new Date(nowMs).toISOString() }, texts);
    writer.put({ type, sourceId: null, payloadText: payload, syncId: documentId(texts), createdMs: nowMs });
  }
}

interface Texts {
  readonly before: string | null;
  readonly after: string | null;
}

/** Documents that are too large for an event are named in it and can be read. */
function payloadText(
  { id, type, object, timestamp }: { readonly id: string; readonly type: string; readonly object: string; readonly timestamp: string },
  texts: Texts,
): string {
  const name = payloadName(object);
  const fields = [`"id":${JSON.stringify(documentId(texts))}`];
  const isLarge = Buffer.byteLength(texts.before ?? "") + Buffer.byteLength(texts.after ?? "") > limit("eventPayloadBytesMax") - 4096;
  if (isLarge) fields.push(`"truncated":true`);
  if (!isLarge && texts.after !== null) fields.push(`${JSON.stringify(name)}:${texts.after}`);
  if (!isLarge && texts.before !== null) fields.push(`${JSON.stringify(`old_${name}`)}:${texts.before}`);
  const head = `"id":${JSON.stringify(id)},"timestamp":${JSON.stringify(timestamp)},"type":${JSON.stringify(type)},"unique_key":${JSON.stringify(id)}`;
  return `{${head},${JSON.stringify(type)}:{${fields.join(",")}}}`;
}

function documentId({ before, after }: Texts): string {
  const { _id: id } = JSON.parse(after ?? before ?? "{}") as { readonly _id?: unknown };
  return String(id);
}
