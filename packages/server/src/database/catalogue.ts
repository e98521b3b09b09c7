/**
 * The catalogue of a branch: its tables, its indexes, the schema that is enforced and the one that is being
 * prepared. One immutable value; every transaction that touches documents reads it, so that a change of the
 * catalogue conflicts with whatever ran on the old one.
 */
import { assert } from "@plinth/core/assert.ts";
import { USER_TABLE_NUMBER_MIN } from "@plinth/core/documents/ids.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { objectNames } from "@plinth/core/operations/object-name.ts";
import { changeTypesOf } from "../events/object-events.ts";
import { CursorCodec } from "./cursor.ts";
import { SchemaRules } from "./schema-rules.ts";
import { SYSTEM_TABLES, USER_INDEX_NUMBER_MIN } from "./system-tables.ts";

export interface TableInfo {
  readonly name: string;
  readonly number: number;
  /** Number of the index `by_creation_time`; `by_id` is the order of the documents themselves. */
  readonly creationIndex: number;
  /** Made for a schema that is being prepared and not yet written to: shown to nobody. */
  readonly hidden: boolean;
}

export interface IndexInfo {
  readonly number: number;
  readonly table: number;
  readonly name: string;
  /** Declared fields; `_creationTime` and the id follow in every entry. */
  readonly fields: readonly string[];
  /** Writers keep both kinds up to date; queries use ready ones. */
  readonly state: "backfilling" | "ready";
  /** Kept up to date, but not for queries yet. */
  readonly staged: boolean;
}

export interface PendingSchema {
  /** 16 bytes in hexadecimal. */
  readonly id: string;
  readonly schemaText: string | null;
}

/** A branch whose state at a moment lies under another one. */
export interface BaseLayer {
  readonly branch: string;
  readonly at: number;
}

/** What a branch with a copy shows where it has nothing of its own. */
export interface CatalogueBase {
  /** The nearest first. */
  readonly layers: readonly BaseLayer[];
  /** Tables and indexes from these numbers on are the branch's own: the layers hold nothing of them. */
  readonly tablesEnd: number;
  readonly indexesEnd: number;
  /** Hexadecimal ids of the pins that keep the layers, one for each. */
  readonly pins: readonly string[];
}

/** What is stored. */
export interface CatalogueData {
  /** Base64 of the secret that cursors are encrypted with. */
  readonly cursorSecret: string;
  readonly nextTable: number;
  readonly nextIndex: number;
  readonly tables: readonly TableInfo[];
  readonly indexes: readonly IndexInfo[];
  readonly schemaText: string | null;
  readonly pending: PendingSchema | null;
  readonly base: CatalogueBase | null;
  /** Types of events that are written for changes of documents, because an automation listens to them. */
  readonly watched: readonly string[];
}

const NO_OBJECTS: ReadonlyMap<number, string> = new Map();
const NO_TYPES: ReadonlySet<string> = new Set();
const SYSTEM_TABLE_INFOS: readonly TableInfo[] = SYSTEM_TABLES.map((table) => ({ ...table, hidden: false }));

export class Catalogue {
  readonly data: CatalogueData;
  readonly rules: SchemaRules;
  /** Rules of the schema that is being prepared; null when there is none. */
  readonly pendingRules: SchemaRules | null;
  readonly #byName = new Map<string, TableInfo>();
  readonly #byNumber = new Map<number, TableInfo>();
  readonly #indexesByTable = new Map<number, IndexInfo[]>();
  #numbers: Readonly<Record<string, number>> | undefined;
  #cursors: CursorCodec | undefined;
  #watchedTypes: ReadonlySet<string> | undefined;
  #watchedObjects: ReadonlyMap<number, string> | undefined;

  constructor(data: CatalogueData, known?: { readonly rules: SchemaRules; readonly pendingRules: SchemaRules | null }) {
    this.data = data;
    this.rules = known?.rules ?? SchemaRules.parse(data.schemaText);
    this.pendingRules =
      known === undefined ? (data.pending === null ? null : SchemaRules.parse(data.pending.schemaText)) : known.pendingRules;
    for (const table of [...SYSTEM_TABLE_INFOS, ...data.tables]) {
      this.#byName.set(table.name, table);
      this.#byNumber.set(table.number, table);
    }
    for (const index of data.indexes) {
      const indexes = this.#indexesByTable.get(index.table);
      if (indexes === undefined) this.#indexesByTable.set(index.table, [index]);
      else indexes.push(index);
    }
  }

  static empty(): Catalogue {
    return EMPTY;
  }

  table(name: string): TableInfo | undefined {
    return this.#byName.get(name);
  }

  tableByNumber(number: number): TableInfo | undefined {
    return this.#byNumber.get(number);
  }

  /** Number of a table, for `v.id()`. */
  readonly tableNumber = (name: string): number | undefined => this.#byName.get(name)?.number;

  /** All indexes of a table that writers maintain, those of no declaration excluded. */
  indexes(table: number): readonly IndexInfo[] {
    return this.#indexesByTable.get(table) ?? [];
  }

  /** The table that an index belongs to, `by_creation_time` included. */
  tableOfIndex(index: number): TableInfo | undefined {
    for (const table of this.#byNumber.values()) if (table.creationIndex === index) return table;
    const info = this.data.indexes.find((one) => one.number === index);
    return info === undefined ? undefined : this.#byNumber.get(info.table);
  }

  /** Table name → number, for the runner. */
  numbers(): Readonly<Record<string, number>> {
    this.#numbers ??= Object.freeze(
      Object.fromEntries([...this.#byName.values()].filter((table) => !table.hidden).map((table) => [table.name, table.number])),
    );
    return this.#numbers;
  }

  get watchedTypes(): ReadonlySet<string> {
    if (this.data.watched.length === 0) return NO_TYPES;
    return (this.#watchedTypes ??= new Set(this.data.watched));
  }

  /** Tables whose changes an automation may listen to, by number, and what their objects are called. */
  get watchedObjects(): ReadonlyMap<number, string> {
    if (this.data.watched.length === 0) return NO_OBJECTS;
    return (this.#watchedObjects ??= this.#findWatched());
  }

  /** Declared tables have their names first: operations are made of them alone. */
  #findWatched(): ReadonlyMap<number, string> {
    const declared = objectNames(this.rules.tableNames());
    const others = this.data.tables.filter(({ name, hidden }) => !hidden && !declared.has(name));
    const taken = new Set(declared.values());
    const names = new Map(declared);
    for (const [table, object] of objectNames(others.map(({ name }) => name))) if (!taken.has(object)) names.set(table, object);
    return new Map(
      [...names].flatMap(([table, object]) => {
        const number = this.#byName.get(table)?.number;
        const isWatched = changeTypesOf(object).some((type) => this.watchedTypes.has(type));
        return number === undefined || !isWatched ? [] : [[number, object] as const];
      }),
    );
  }

  get cursors(): CursorCodec {
    this.#cursors ??= new CursorCodec(Buffer.from(this.data.cursorSecret, "base64"));
    return this.#cursors;
  }

  /** The same catalogue with `name` as a table that is not hidden. `secret` is used when the catalogue is the first one. */
  withTable(
    name: string,
    options: { readonly secret: () => Uint8Array; readonly hidden?: boolean },
  ): { readonly catalogue: Catalogue; readonly table: TableInfo } {
    const hidden = options.hidden ?? false;
    const existing = this.table(name);
    assert(existing === undefined || existing.hidden, `table ${name} is new`);
    if (existing !== undefined) {
      const table = { ...existing, hidden };
      return { catalogue: this.#with({ tables: this.data.tables.map((one) => (one.name === name ? table : one)) }), table };
    }
    const { data } = this;
    const max = limit("tablesPerBranchMax");
    if (data.tables.length >= max) throw plinthError("LimitExceeded", { what: "Tables of a branch", actual: data.tables.length + 1, max });
    const table = { name, number: data.nextTable, creationIndex: data.nextIndex, hidden };
    const cursorSecret = data.cursorSecret === "" ? Buffer.from(options.secret()).toString("base64") : data.cursorSecret;
    return {
      catalogue: this.#with({
        cursorSecret,
        nextTable: data.nextTable + 1,
        nextIndex: data.nextIndex + 1,
        tables: [...data.tables, table],
      }),
      table,
    };
  }

  /** The same tables and rules with other contents where `changes` says so. */
  change(changes: Partial<CatalogueData>): Catalogue {
    return new Catalogue({ ...this.data, ...changes });
  }

  #with(changes: Partial<CatalogueData>): Catalogue {
    return new Catalogue({ ...this.data, ...changes }, this);
  }
}

const EMPTY = new Catalogue({
  cursorSecret: "",
  nextTable: USER_TABLE_NUMBER_MIN,
  nextIndex: USER_INDEX_NUMBER_MIN,
  tables: [],
  indexes: [],
  schemaText: null,
  pending: null,
  base: null,
  watched: [],
});
