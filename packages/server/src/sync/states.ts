/** What packages remember between their calls: a text for each sync unit and direction, and the first mappings of their types. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { SYNC_BLUEPRINTS, SYNC_STATES } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { StateDirection, SyncBlueprintRow } from "./sync-records.ts";

export interface StateKey {
  readonly unitId: string;
  readonly direction: StateDirection;
}

export class SyncStates {
  readonly #database: Database;
  readonly #runtime: Runtime;

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** The text as it was stored; undefined when nothing was. */
  async get(scope: Scope, { unitId, direction }: StateKey): Promise<string | undefined> {
    const row = await this.#database.read(scope, ({ records }) => records.get(SYNC_STATES, [unitId, direction]));
    return row?.text;
  }

  async put(scope: Scope, { unitId, direction }: StateKey, text: string): Promise<void> {
    const [actual, max] = [Buffer.byteLength(text), limit("syncStateBytesMax")];
    if (actual > max) throw plinthError("RequestTooLarge", { what: "state", actual: `${actual} bytes`, max: `${max} bytes` });
    await this.#database.update(scope, async ({ records }) => {
      records.put(SYNC_STATES, [unitId, direction], { text, updatedMs: this.#runtime.nowMs() });
      await Promise.resolve();
    });
  }

  /** Keeps a first mapping of an import's types; the oldest go when there are many. */
  async keepBlueprint(scope: Scope, at: { readonly snapInId: string; readonly slug: string }, text: string): Promise<SyncBlueprintRow> {
    const [actual, max] = [Buffer.byteLength(text), limit("syncBlueprintBytesMax")];
    if (actual > max) throw plinthError("RequestTooLarge", { what: "mapping", actual: `${actual} bytes`, max: `${max} bytes` });
    const row: SyncBlueprintRow = {
      id: `blueprint_${Buffer.from(this.#runtime.randomBytes(16)).toString("hex")}`,
      text,
      createdMs: this.#runtime.nowMs(),
    };
    const prefix = [at.snapInId, at.slug];
    return await this.#database.update(scope, async ({ records }) => {
      // Slugs are the package's own words, so those of all of them count together.
      const rows = await records.range(SYNC_BLUEPRINTS, { prefix: [at.snapInId], limit: limit("syncBlueprintsMax") });
      if (rows.length >= limit("syncBlueprintsMax")) {
        const oldest = rows.reduce((a, b) => (b.value.createdMs < a.value.createdMs ? b : a));
        records.delete(SYNC_BLUEPRINTS, oldest.key);
      }
      records.put(SYNC_BLUEPRINTS, [...prefix, row.id], row);
      return row;
    });
  }
}
