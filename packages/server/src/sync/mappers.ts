/**
 * Which item of the other system is which item here, as loaders write it down for each sync unit.
 *
 * M1 An item belongs to one mapping. What would take an item of another mapping is refused as a whole, so that of two who map the same
 *    item at once one is told of the other.
 * M2 Each write sees those before it: additions of two add up, of two lists the later one stays. None is half done.
 * M3 A creation that finds its own items, all in one mapping that has no others, is that mapping: an answer that was lost can be asked
 *    for again.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Records, Scope } from "../database/database.ts";
import { SYNC_MAPPERS, SYNC_MAPPERS_BY_ITEM, SYNC_UNITS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isJsonObject } from "../snap-ins/json-object.ts";
import type { SyncMapperRow } from "./sync-records.ts";

export type MapperSide = "external" | "target";

const ID_CHARS = 1024;

/** The fields that a package sent; hostile. */
export type MapperFields = Readonly<Record<string, unknown>>;

export class SyncMappers {
  readonly #database: Database;
  readonly #runtime: Runtime;

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  async find(scope: Scope, unitId: string, at: { readonly side: MapperSide; readonly item: string }): Promise<SyncMapperRow> {
    const row = await this.#database.read(scope, async ({ records }) => {
      const id = at.item.length > ID_CHARS ? undefined : await records.get(SYNC_MAPPERS_BY_ITEM, [unitId, at.side, at.item]);
      return id === undefined ? undefined : await records.get(SYNC_MAPPERS, [unitId, id]);
    });
    if (row === undefined) throw plinthError("NotFound", { what: `mapping of this ${at.side} item` });
    return row;
  }

  async create(scope: Scope, unitId: string, fields: MapperFields): Promise<SyncMapperRow> {
    const row: SyncMapperRow = {
      id: `mapping_${Buffer.from(this.#runtime.randomBytes(16)).toString("hex")}`,
      unitId,
      externalIds: items(fields["external_ids"], "external_ids"),
      targets: items(fields["targets"], "targets"),
      status: statusOf(fields["status"]) ?? "operational",
      rest: restOf(fields),
    };
    checkSize(row);
    return await this.#database.update(scope, async ({ records }) => {
      const same = await sameMapper(records, row);
      if (same !== undefined) {
        const again = { ...row, id: same.id };
        records.put(SYNC_MAPPERS, [unitId, same.id], again);
        return again;
      }
      await checkItems(records, row);
      const unit = await records.get(SYNC_UNITS, [unitId]);
      if (unit === undefined) throw plinthError("NotFound", { what: "sync unit of the mapping" });
      const max = limit("syncMappersPerUnitMax");
      if (unit.mappers >= max) throw plinthError("RequestTooLarge", { what: "sync unit", actual: `${unit.mappers} mappings`, max });
      records.put(SYNC_UNITS, [unitId], { ...unit, mappers: unit.mappers + 1 });
      putMapper(records, row);
      return row;
    });
  }

  /** Lists are `{add: […]}`, or replaced by a plain list. */
  async update(scope: Scope, unitId: string, fields: MapperFields): Promise<SyncMapperRow> {
    const id = String(fields["id"]).slice(0, ID_CHARS);
    return await this.#database.update(scope, async ({ records }) => {
      const before = await records.get(SYNC_MAPPERS, [unitId, id]);
      if (before === undefined) throw plinthError("NotFound", { what: "mapping with this id" });
      const row: SyncMapperRow = {
        ...before,
        externalIds: changed(before.externalIds, fields["external_ids"], "external_ids"),
        targets: changed(before.targets, fields["targets"], "targets"),
        status: statusOf(fields["status"]) ?? before.status,
        rest: { ...before.rest, ...restOf(fields) },
      };
      checkSize(row);
      await checkItems(records, row);
      for (const [side, item] of keysOf(before)) records.delete(SYNC_MAPPERS_BY_ITEM, [unitId, side, item]);
      putMapper(records, row);
      return row;
    });
  }
}

/** As packages see it. */
export function shownMapper({ id, externalIds, targets, status, rest }: SyncMapperRow) {
  return { ...rest, id, external_ids: externalIds, targets, status };
}

function putMapper(records: Records, row: SyncMapperRow): void {
  records.put(SYNC_MAPPERS, [row.unitId, row.id], row);
  for (const [side, item] of keysOf(row)) records.put(SYNC_MAPPERS_BY_ITEM, [row.unitId, side, item], row.id);
}

/** M1 */
async function checkItems(records: Records, row: SyncMapperRow): Promise<void> {
  for (const [side, item] of keysOf(row)) {
    const mapping = await records.get(SYNC_MAPPERS_BY_ITEM, [row.unitId, side, item]);
    if (mapping !== undefined && mapping !== row.id) throw plinthError("SyncItemMapped", { side, item: item.slice(0, 128), mapping });
  }
}

/** M3 */
async function sameMapper(records: Records, row: SyncMapperRow): Promise<SyncMapperRow | undefined> {
  const [first] = keysOf(row);
  const id = first === undefined ? undefined : await records.get(SYNC_MAPPERS_BY_ITEM, [row.unitId, ...first]);
  const known = id === undefined ? undefined : await records.get(SYNC_MAPPERS, [row.unitId, id]);
  return known !== undefined && itemsText(known) === itemsText(row) ? known : undefined;
}

function itemsText(row: SyncMapperRow): string {
  return JSON.stringify(keysOf(row).map(String).sort());
}

function keysOf({ externalIds, targets }: SyncMapperRow): readonly (readonly [MapperSide, string])[] {
  return [...externalIds.map((item) => ["external", item] as const), ...targets.map((item) => ["target", item] as const)];
}

function changed(before: readonly string[], given: unknown, field: string): readonly string[] {
  if (given === undefined) return before;
  if (!isJsonObject(given)) return items(given, field);
  return items([...new Set([...before, ...items(given["add"] ?? [], field)])], field);
}

function items(given: unknown, field: string): readonly string[] {
  const list: readonly unknown[] = given === undefined ? [] : Array.isArray(given) ? given : [given];
  const max = limit("syncMapperItemsMax");
  if (list.length > max) throw plinthError("RequestTooLarge", { what: `\`${field}\``, actual: `${list.length} items`, max });
  return list.map((item) => {
    if (typeof item !== "string" || item === "" || item.length > ID_CHARS)
      throw plinthError("BadRequest", { detail: `\`${field}\` must be a list of ids.` });
    return item;
  });
}

function statusOf(given: unknown): string | undefined {
  return typeof given === "string" ? given.slice(0, 64) : undefined;
}

function restOf(fields: MapperFields): Readonly<Record<string, unknown>> {
  const known = new Set(["id", "sync_unit", "external_ids", "targets", "status"]);
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !known.has(name)));
}

function checkSize(row: SyncMapperRow): void {
  const [actual, max] = [JSON.stringify(row).length, limit("syncMapperBytesMax")];
  if (actual > max) throw plinthError("RequestTooLarge", { what: "mapping", actual: `${actual} characters`, max });
}
