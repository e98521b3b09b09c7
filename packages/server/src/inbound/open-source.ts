/** Finds the event source of a URL or address. Whether it exists is known to those only who were told its token. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { EVENT_SOURCES, PLATFORM_SCOPE, TRIGGERS } from "../database/record-tables.ts";
import type { EventSourceRow } from "../snap-ins/snap-in-records.ts";

export interface SourceParts {
  readonly database: Database;
  /** Whether tenant and branch exist. */
  readonly isServed: (scope: Scope) => Promise<boolean>;
}

export interface OpenSource {
  readonly scope: Scope;
  readonly source: EventSourceRow;
}

const TOKEN = /^[A-Za-z0-9_-]{32,64}$/;

/** Rejects with NotFound, for sources of other types and those that take no events too. */
export async function findOpenSource({ database, isServed }: SourceParts, token: string, type: string): Promise<OpenSource> {
  const place = TOKEN.test(token) ? await database.read(PLATFORM_SCOPE, ({ records }) => records.get(TRIGGERS, [token])) : undefined;
  if (place === undefined) throw notOpen();
  const scope = { tenant: place.tenant, branch: place.branch };
  if (!(await isServed(scope))) throw notOpen();
  const source = await database.read(scope, ({ records }) => records.get(EVENT_SOURCES, [place.snapInId, place.eventSourceId]));
  if (source === undefined || !source.enabled || source.type !== type) throw notOpen();
  return { scope, source };
}

/** In the transaction that publishes: a source that was closed meanwhile takes nothing. */
export async function checkOpen(records: Records, { snapInId, id }: EventSourceRow): Promise<void> {
  if ((await records.get(EVENT_SOURCES, [snapInId, id]))?.enabled !== true) throw notOpen();
}

function notOpen(): Error {
  return plinthError("NotFound", { what: "open event source with this address" });
}
