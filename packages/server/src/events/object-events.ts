/**
 * Types of the events of objects, which are the documents of a table: `account_created` of the table `accounts`. Objects are called as
 * operations call them.
 */

const CHANGES = ["created", "updated", "deleted"] as const;

/** Under which name the payload of an event has the object: that of the object, but for entries of timelines, which clients know as `entry`. */
export function payloadName(object: string): string {
  return object === "timeline_entry" ? "entry" : object;
}

/** The type of a change; undefined when nothing is there before or after it. */
export function changeType(object: string, there: { readonly before: boolean; readonly after: boolean }): string | undefined {
  if (there.after) return `${object}_${there.before ? "updated" : "created"}`;
  return there.before ? `${object}_deleted` : undefined;
}

/** Whether changes of documents may have this type. */
export function isChangeType(type: string): boolean {
  return CHANGES.some((change) => type.endsWith(`_${change}`)) && !type.includes(":");
}

export function changeTypesOf(object: string): readonly string[] {
  return CHANGES.map((change) => `${object}_${change}`);
}
