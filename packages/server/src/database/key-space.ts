/**
 * Where everything of a branch lies in the store. A key is
 *
 *   tenant 00 branch 00 [space 1 B] rest
 *
 * Names are UTF-8 with 00 written as 01 01 and 01 as 01 02, so a name ends at the first 00 and no scope is a
 * prefix of another, whatever the names are.
 *
 * | space     | rest                                                         | value                       |
 * |-----------|--------------------------------------------------------------|-----------------------------|
 * | catalogue | 00 version, 01 body, 02 [pending 16 B] failure,              | see catalogue.ts            |
 * |           | 03 [index u32] dropped index                                 |                             |
 * | documents | [table u32] [internal id 16 B]                               | convex JSON of the document |
 * | indexes   | [index u32] [encoded fields, _creationTime and _id]          | internal id of the document |
 * | records   | [record table u16] [encoded key parts]                       | JSON of the row             |
 *
 * All parts before the last have a fixed length or end themselves, so ranges of one kind never meet another's.
 */
import { assert, must } from "@plinth/core/assert.ts";
import { compareBytes, prefixEnd } from "@plinth/core/documents/keys.ts";
import type { Key, KeyRange } from "../store/store.ts";
import type { Scope } from "./database.ts";

const CATALOGUE = 1;
const DOCUMENTS = 2;
const INDEXES = 3;
const RECORDS = 4;

export const INTERNAL_ID_BYTES = 16;
const NOTHING = new Uint8Array(0);

/** All keys of a tenant, whatever the branch. */
export function tenantRange(tenant: string): KeyRange {
  return prefixRange(encodeName(tenant));
}

/** The keys of one branch. */
export class KeySpace {
  readonly scope: Scope;
  readonly catalogueVersion: Key;
  readonly catalogueBody: Key;
  readonly #prefix: Buffer;

  constructor(scope: Scope) {
    this.scope = scope;
    this.#prefix = Buffer.concat([encodeName(scope.tenant), encodeName(scope.branch)]);
    this.catalogueVersion = this.#key(CATALOGUE, Uint8Array.of(0));
    this.catalogueBody = this.#key(CATALOGUE, Uint8Array.of(1));
  }

  /** All keys of the branch. */
  all(): KeyRange {
    return prefixRange(this.#prefix);
  }

  /** The documents and index entries of the branch, and its catalogue before them. */
  data(): KeyRange {
    return { start: this.#key(CATALOGUE, NOTHING), end: this.#key(RECORDS, NOTHING) };
  }

  /** What the branch holds under the key that `key` is in `other`. */
  keyFrom(other: KeySpace, key: Key): Key {
    const rest = other.#prefix.length;
    assert(key.length >= rest && compareBytes(key.subarray(0, rest), other.#prefix) === 0, "the key is one of the other branch");
    return Buffer.concat([this.#prefix, key.subarray(rest)]);
  }

  /** Where writers note that a document does not fit the schema that is being prepared under `pendingId`. */
  schemaFailure(pendingId: Uint8Array): Key {
    assert(pendingId.length === INTERNAL_ID_BYTES, "a pending schema id has 16 bytes");
    return this.#key(CATALOGUE, Buffer.concat([Uint8Array.of(2), pendingId]));
  }

  schemaFailures(): KeyRange {
    return prefixRange(this.#key(CATALOGUE, Uint8Array.of(2)));
  }

  /** Notes an index whose entries are still to be deleted. */
  droppedIndex(index: number): Key {
    const rest = Buffer.allocUnsafe(5);
    rest[0] = 3;
    rest.writeUInt32BE(index, 1);
    return this.#key(CATALOGUE, rest);
  }

  /** The number of the index that `droppedIndex` made the key of. */
  droppedIndexOf(key: Key): number {
    return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(key.length - 4);
  }

  droppedIndexes(): KeyRange {
    return prefixRange(this.#key(CATALOGUE, Uint8Array.of(3)));
  }

  document(table: number, internalId: Uint8Array): Key {
    assert(internalId.length === INTERNAL_ID_BYTES, "an internal id has 16 bytes");
    const at = this.#prefix.length;
    const key = this.#start(DOCUMENTS, 4 + INTERNAL_ID_BYTES);
    key.writeUInt32BE(table, at + 1);
    key.set(internalId, at + 5);
    return key;
  }

  documents(table: number): KeyRange {
    const key = this.#start(DOCUMENTS, 4);
    key.writeUInt32BE(table, this.#prefix.length + 1);
    return prefixRange(key);
  }

  /** An entry of an index, or a bound within it; `encoded` are its values or the first of them. */
  indexKey(index: number, encoded: Uint8Array): Key {
    const at = this.#prefix.length;
    const key = this.#start(INDEXES, 4 + encoded.length);
    key.writeUInt32BE(index, at + 1);
    key.set(encoded, at + 5);
    return key;
  }

  index(index: number): KeyRange {
    return prefixRange(this.indexKey(index, NOTHING));
  }

  record(space: number, encodedKey: Uint8Array): Key {
    const at = this.#prefix.length;
    const key = this.#start(RECORDS, 2 + encodedKey.length);
    key.writeUInt16BE(space, at + 1);
    key.set(encodedKey, at + 3);
    return key;
  }

  /** The encoded key parts of a record's key. */
  recordKey(key: Key): Uint8Array {
    return key.subarray(this.#prefix.length + 3);
  }

  /** What follows the number of the table or index in a key of the documents or indexes. */
  withinTable(key: Key): Uint8Array {
    return key.subarray(this.#prefix.length + 5);
  }

  #start(space: number, restBytes: number): Buffer {
    const key = Buffer.allocUnsafe(this.#prefix.length + 1 + restBytes);
    key.set(this.#prefix, 0);
    key[this.#prefix.length] = space;
    return key;
  }

  #key(space: number, rest: Uint8Array): Buffer {
    const key = this.#start(space, rest.length);
    key.set(rest, this.#prefix.length + 1);
    return key;
  }
}

/** Length of the part of a key that all keys of one table, index or record table of one branch share. */
export function bucketLength(key: Key): number {
  const at = scopeLength(key);
  return at + (key[at] === RECORDS ? 3 : key[at] === CATALOGUE ? 1 : 5);
}

export type KeyMeaning =
  | { readonly kind: "catalogue" }
  | { readonly kind: "document"; readonly table: number }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "record"; readonly space: number };

/** What a key stands for; for conflicts and diagnostics. */
export function keyMeaning(key: Key): KeyMeaning {
  const at = scopeLength(key);
  const rest = Buffer.from(key.buffer, key.byteOffset + at, key.byteLength - at);
  switch (rest[0]) {
    case DOCUMENTS:
      return { kind: "document", table: rest.readUInt32BE(1) };
    case INDEXES:
      return { kind: "index", index: rest.readUInt32BE(1) };
    case RECORDS:
      return { kind: "record", space: rest.readUInt16BE(1) };
    default:
      return { kind: "catalogue" };
  }
}

/** The number of the table whose document lies under a key; undefined when it is no document's. */
export function documentTableOf(key: Key): number | undefined {
  const at = scopeLength(key);
  if (key[at] !== DOCUMENTS) return undefined;
  return Buffer.from(key.buffer, key.byteOffset + at + 1, 4).readUInt32BE(0);
}

/** Whether a key is `catalogueBody` of some branch. */
export function isCatalogueBody(key: Key): boolean {
  const at = scopeLength(key);
  return key.length === at + 2 && key[at] === CATALOGUE && key[at + 1] === 1;
}

/** Where the space byte stands: behind the ends of two names. */
function scopeLength(key: Key): number {
  const tenantEnd = key.indexOf(0);
  const branchEnd = tenantEnd < 0 ? -1 : key.indexOf(0, tenantEnd + 1);
  assert(branchEnd > 0, "the key has a tenant and a branch");
  return branchEnd + 1;
}

/** The internal id at the end of a document key. */
export function internalIdOf(key: Key): Uint8Array {
  return key.subarray(key.length - INTERNAL_ID_BYTES);
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Key): KeyRange {
  return { start: prefix, end: must(prefixEnd(prefix), "a prefix of keys has a byte below FF") };
}

function encodeName(name: string): Buffer {
  assert(name.length > 0 && name.isWellFormed(), "tenant and branch have a well-formed name");
  const bytes: number[] = [];
  for (const byte of Buffer.from(name, "utf8")) {
    if (byte > 1) bytes.push(byte);
    else bytes.push(1, byte + 1);
  }
  bytes.push(0);
  return Buffer.from(bytes);
}
