/** Platform records of one transaction, over its view. */
import { assert } from "@plinth/core/assert.ts";
import { decodeKeyValues, encodeKeyValues, keyAfter } from "@plinth/core/documents/keys.ts";
import type { Value } from "@plinth/core/documents/values.ts";
import type { KeyRange } from "../store/store.ts";
import type { KeyPart, Records, RecordTable } from "./database.ts";
import { type KeySpace, prefixRange } from "./key-space.ts";
import { storedText, textBytes, type View } from "./view.ts";

interface RangeOptions {
  readonly prefix: readonly KeyPart[];
  readonly after?: readonly KeyPart[];
  readonly order?: "asc" | "desc";
  readonly limit: number;
}

export class RecordStore implements Records {
  readonly #view: View;
  readonly #branch: KeySpace;
  readonly #platform: KeySpace;

  constructor(view: View, spaces: { readonly branch: KeySpace; readonly platform: KeySpace }) {
    this.#view = view;
    this.#branch = spaces.branch;
    this.#platform = spaces.platform;
  }

  async get<T>(table: RecordTable<T>, key: readonly KeyPart[]): Promise<T | undefined> {
    const bytes = await this.#view.get(this.#key(table, key));
    return bytes === undefined ? undefined : parseRow(table, bytes);
  }

  put<T>(table: RecordTable<T>, key: readonly KeyPart[], value: T): void {
    const text: string | undefined = JSON.stringify(value);
    assert(text !== undefined, `a row of ${table.name} is JSON`);
    this.#view.put(this.#key(table, key), textBytes(text));
  }

  delete<T>(table: RecordTable<T>, key: readonly KeyPart[]): void {
    this.#view.delete(this.#key(table, key));
  }

  async range<T>(table: RecordTable<T>, options: RangeOptions): Promise<{ readonly key: readonly KeyPart[]; readonly value: T }[]> {
    if (options.limit < 1) return [];
    this.#view.breather.start();
    const space = this.#space(table);
    const order = options.order ?? "asc";
    const { entries } = await this.#view.range({ range: this.#range(table, options), order, limit: options.limit });
    return entries.map((entry) => ({ key: decodeKeyValues(space.recordKey(entry.key)).map(keyPart), value: parseRow(table, entry.value) }));
  }

  #range<T>(table: RecordTable<T>, { prefix, after, order }: RangeOptions): KeyRange {
    const range = prefixRange(this.#key(table, prefix));
    if (after === undefined) return range;
    const bound = this.#key(table, after);
    // A key that only begins with `after` is behind it: its next part begins with a tag above 0.
    return order === "desc" ? { start: range.start, end: bound } : { start: keyAfter(bound), end: range.end };
  }

  #key<T>(table: RecordTable<T>, key: readonly KeyPart[]): Uint8Array {
    return this.#space(table).record(table.space, encodeKeyValues(key));
  }

  #space<T>(table: RecordTable<T>): KeySpace {
    return table.placement === "platform" ? this.#platform : this.#branch;
  }
}

function parseRow<T>(table: RecordTable<T>, bytes: Uint8Array): T {
  return table.parse(JSON.parse(storedText(bytes)));
}

function keyPart(value: Value | undefined): KeyPart {
  assert(value === null || (value !== undefined && typeof value !== "object"), "a record key has scalar parts");
  return value;
}
