/** The catalogue as one transaction sees and changes it, in layers like its other writes. */
import { assert, must } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { Catalogue, type TableInfo } from "./catalogue.ts";
import { type CatalogueCache, storeCatalogue } from "./catalogue-cache.ts";
import type { InternalIds } from "./internal-ids.ts";
import type { Store } from "../store/store.ts";
import type { KeySpace } from "./key-space.ts";
import type { View } from "./view.ts";

const SECRET_BYTES = 32;
const VERSION_BYTES = 16;

export class TransactionCatalogue {
  readonly #store: Store;
  readonly #view: View;
  readonly #keys: KeySpace;
  readonly #cache: CatalogueCache;
  readonly #ids: InternalIds;
  #base: Catalogue | undefined;
  #loading: Promise<Catalogue> | undefined;
  #current: Catalogue | undefined;
  readonly #layers: (Catalogue | undefined)[] = [];
  #tablesMade = 0;

  constructor(options: {
    readonly store: Store;
    readonly view: View;
    readonly keys: KeySpace;
    readonly cache: CatalogueCache;
    readonly ids: InternalIds;
  }) {
    this.#store = options.store;
    this.#view = options.view;
    this.#keys = options.keys;
    this.#cache = options.cache;
    this.#ids = options.ids;
  }

  async load(): Promise<Catalogue> {
    if (this.#current !== undefined) return this.#current;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** The one load of the transaction: calls and the platform's own reads may ask at the same time. */
  async #load(): Promise<Catalogue> {
    const loaded = await this.#cache.load(this.#view, this.#keys);
    if (loaded.data.base !== null) await this.#view.layOver(loaded.data.base, { keys: this.#keys, store: this.#store });
    this.#base = loaded;
    this.#current = loaded;
    return loaded;
  }

  /** The catalogue if it was loaded. */
  get known(): Catalogue | undefined {
    return this.#current;
  }

  /** The catalogue, which was loaded before. */
  get current(): Catalogue {
    return must(this.#current, "the catalogue is loaded");
  }

  /** A catalogue for a branch that has none, read or not. */
  begin(next: Catalogue): void {
    assert(this.#base === undefined || this.#base.data.tables.length === 0, "the branch has no catalogue");
    assert(this.#layers.length === 0, "a branch begins outside nested calls");
    this.#base = Catalogue.empty();
    this.#current = next;
  }

  change(next: Catalogue): void {
    assert(this.#base !== undefined, "a catalogue is read before it is changed");
    this.#current = next;
  }

  /** The table of that name for a write; it is made when there is none. */
  tableForWrite(name: string): TableInfo {
    const known = this.current.table(name);
    if (known !== undefined && !known.hidden) return known;
    const max = limit("transactionTablesMax");
    // Each new table copies the catalogue, so one transaction may make only so many.
    if (++this.#tablesMade > max)
      throw plinthError("LimitExceeded", { what: "New tables in one function call", actual: this.#tablesMade, max });
    const { catalogue, table } = this.current.withTable(name, { secret: () => this.newSecret() });
    this.change(catalogue);
    return table;
  }

  newSecret(): Uint8Array {
    return this.#ids.random(SECRET_BYTES);
  }

  startLayer(): void {
    this.#layers.push(this.#current);
  }

  keepLayer(): void {
    assert(this.#layers.length > 0, "a layer is open");
    this.#layers.pop();
  }

  undoLayer(): void {
    assert(this.#layers.length > 0, "a layer is open");
    // What was loaded within the layer stays loaded: it is the state before any change.
    this.#current = this.#layers.pop() ?? this.#base;
  }

  /** Puts a change into the transaction's writes; once, right before the commit. */
  flush(): void {
    if (this.#current === this.#base || this.#current === undefined) return;
    storeCatalogue(this.#view, this.#keys, { catalogue: this.#current, version: Buffer.from(this.#ids.random(VERSION_BYTES)) });
  }
}
