/** Lists of documents by a key (a word, a mark), kept in as little memory as is simple. */

/** What a key takes in the map, with the head of its list; an estimate. */
const KEY_BYTES = 96;
const LIST_START = 4;

/** One number alone, or a list whose first element is its length. */
type List = number | Uint32Array;

/** K is a word or a number. Items are added in ascending order of whatever the caller packs into them, and never taken out. */
export class Postings<K extends string | number> {
  readonly #lists = new Map<K, List>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(key: K, item: number): void {
    const list = this.#lists.get(key);
    if (list === undefined) {
      this.#lists.set(key, item);
      this.#bytes += KEY_BYTES + (typeof key === "string" ? key.length : 0);
      return;
    }
    const grown = typeof list === "number" ? started(list) : list;
    const length = grown[0] ?? 0;
    const roomy = length + 1 < grown.length ? grown : enlarged(grown);
    if (roomy !== list) {
      this.#bytes += roomy.byteLength - (typeof list === "number" ? 0 : list.byteLength);
      this.#lists.set(key, roomy);
    }
    roomy[length + 1] = item;
    roomy[0] = length + 1;
  }

  of(key: K): Uint32Array {
    const list = this.#lists.get(key);
    if (list === undefined) return new Uint32Array(0);
    return typeof list === "number" ? Uint32Array.of(list) : list.subarray(1, 1 + (list[0] ?? 0));
  }
}

function started(item: number): Uint32Array {
  const list = new Uint32Array(LIST_START);
  list[0] = 1;
  list[1] = item;
  return list;
}

function enlarged(list: Uint32Array): Uint32Array {
  const larger = new Uint32Array(Math.ceil(list.length * 1.5));
  larger.set(list);
  return larger;
}
