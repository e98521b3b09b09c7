/**
 * Values that one call of a run reads and writes by pieces.
 *
 * H1 A handle has 24 random bytes and means something to this call alone, as long as it lasts. JSON with another one in it is JSON.
 * H2 What is in memory is bounded: a few pieces of the call, and a buffer of each value that is being read.
 * H3 What was written and is in no result is named by no row: the collector of blobs deletes it.
 */
import { Readable } from "node:stream";
import { plinthError } from "@plinth/core/errors.ts";
import { type FlowValue, isList, isRecord, partOf, type StoredPart, type StoredValue, valueAt } from "@plinth/core/flow/value.ts";
import { limit, type LimitName } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import type { CallValues, ReadPiece, ValueHandle } from "../../engine/call-values.ts";
import { SerialQueue } from "../../engine/serial-queue.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { JSON_TYPE, type LargeValues, TEXT_TYPE } from "./large-values.ts";
import { ValueReader } from "./value-reader.ts";
import { ValueWriter } from "./value-writer.ts";

export interface OpenedValuesParts {
  readonly values: LargeValues;
  readonly runtime: Pick<Runtime, "randomBytes">;
  readonly scope: Scope;
}

interface OpenValue {
  readonly handle: ValueHandle;
  /** What stands for it in a result. */
  readonly value: FlowValue;
  readonly reader: ValueReader;
}

export class OpenedValues implements CallValues {
  readonly #parts: OpenedValuesParts;
  readonly #given = new Map<string, OpenValue>();
  readonly #written = new Map<string, OpenValue>();
  readonly #writers = new Map<string, { readonly writer: ValueWriter; readonly contentType: string }>();
  readonly #reads = new SerialQueue();
  #waiting = 0;
  #bytesRead = 0;
  #bytesWritten = 0;
  #begun = 0;

  constructor(parts: OpenedValuesParts) {
    this.#parts = parts;
  }

  /** The input of the call, with a handle in place of each named field that has a value; the others are read into memory. */
  async give(input: FlowValue, names: readonly string[]): Promise<Json> {
    if (names.length === 0 && input.stored === undefined) return input.json;
    const handles: Record<string, Json> = {};
    for (const name of names) {
      const [part, ...more] = valueAt(input, [name])?.stored ?? [];
      if (part?.path.length === 0 && more.length === 0) handles[name] = { ...this.#openStored(this.#given, part.value) };
    }
    const isRead = ({ path: [name] }: StoredPart): boolean => typeof name !== "string" || !Object.hasOwn(handles, name);
    const { values, scope } = this.#parts;
    const rest = await values.inlined(scope, { json: input.json, stored: input.stored?.filter(isRead) ?? [] });
    if (!isRecord(rest)) return rest;
    for (const name of names) {
      const json = Object.hasOwn(handles, name) ? null : (partOf(rest, name) ?? null);
      if (json !== null) handles[name] = { ...this.#openHeld(json) };
    }
    return { ...rest, ...handles };
  }

  /** H1: what a result of the call stands for. */
  take(json: Json): FlowValue {
    if (this.#given.size + this.#written.size === 0) return { json };
    const stored: StoredPart[] = [];
    const plain = this.#taken(json, [], stored);
    const max = limit("flowStoredPartsMax");
    if (stored.length > max) throw plinthError("LimitExceeded", { what: "Handles of values in one result", actual: stored.length, max });
    return stored.length === 0 ? { json: plain } : { json: plain, stored };
  }

  /** Ends what is still being read or written. */
  close(): void {
    this.beginAttempt();
  }

  beginAttempt(): void {
    for (const { writer } of this.#writers.values()) writer.giveUp();
    this.#writers.clear();
    for (const { reader } of [...this.#given.values(), ...this.#written.values()]) reader.close();
    this.#written.clear();
  }

  async read(name: string, piece: { readonly offset: number; readonly bytes: number }): Promise<ReadPiece> {
    const open = this.#given.get(name) ?? this.#written.get(name);
    if (open === undefined) throw unknown("value that this call was given");
    const body = await this.#inTurn(() => open.reader.read(piece));
    return { body, done: piece.offset + body.length >= open.handle.bytes };
  }

  begin(contentType: string): string {
    checkMax("Values that one call writes at the same time", this.#writers.size + 1, "valueWritersMax");
    checkMax("Values that one call writes", this.#begun + 1, "valuesWrittenMax");
    this.#begun += 1;
    const { values, scope } = this.#parts;
    const name = this.#newName();
    const writer = new ValueWriter((source) => values.bodies(scope, null).keep(source, contentType));
    this.#writers.set(name, { writer, contentType });
    return name;
  }

  async write(name: string, piece: { readonly offset: number; readonly body: Buffer }): Promise<void> {
    const { writer } = this.#writerOf(name);
    checkMax("Bytes that one call writes by pieces", this.#bytesWritten + piece.body.length, "valueBytesWrittenMax");
    await this.#counted(async () => {
      // Room on the disk is taken by what is given up, too.
      this.#bytesWritten += piece.body.length;
      await writer.write(piece);
    });
  }

  async finish(name: string): Promise<ValueHandle> {
    const { writer } = this.#writerOf(name);
    try {
      const value = await writer.finish();
      // The call may have begun again while the bytes became durable.
      if (!this.#writers.has(name)) throw unknown("value that this call writes");
      return this.#openStored(this.#written, value);
    } finally {
      this.#writers.delete(name);
    }
  }

  /** What is small enough for a journal, and what is in memory for other reasons. */
  #openHeld(json: Json): ValueHandle {
    const isText = typeof json === "string";
    const body = Buffer.from(isText ? json : JSON.stringify(json), "utf8");
    const about = { bytes: body.length, contentType: isText ? TEXT_TYPE : JSON_TYPE };
    const source = () => Promise.resolve(Readable.from([body], { objectMode: false }));
    return this.#open(this.#given, { about, value: { json }, source });
  }

  #openStored(into: Map<string, OpenValue>, stored: StoredValue): ValueHandle {
    const { values, scope } = this.#parts;
    const value: FlowValue = { json: null, stored: [{ path: [], value: stored }] };
    return this.#open(into, { about: stored, value, source: () => values.open(scope, stored) });
  }

  #open(
    into: Map<string, OpenValue>,
    opened: {
      readonly about: Pick<StoredValue, "bytes" | "contentType">;
      readonly value: FlowValue;
      readonly source: () => Promise<Readable>;
    },
  ): ValueHandle {
    const { about, value, source } = opened;
    const handle = { valueHandle: this.#newName(), bytes: about.bytes, contentType: about.contentType };
    const count = (bytes: number): void => {
      checkMax("Bytes that one call reads by pieces", this.#bytesRead + bytes, "valueBytesReadMax");
      this.#bytesRead += bytes;
    };
    into.set(handle.valueHandle, { handle, value, reader: new ValueReader(source, count) });
    return handle;
  }

  #taken(json: Json, path: StoredPart["path"], stored: StoredPart[]): Json {
    if (isList(json)) return json.map((item, i) => this.#taken(item, [...path, i], stored));
    if (!isRecord(json)) return json;
    const open = this.#handleIn(json);
    if (open === undefined)
      return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, this.#taken(value, [...path, name], stored)]));
    for (const part of open.value.stored ?? []) stored.push({ ...part, path: [...path, ...part.path] });
    return open.value.json;
  }

  #handleIn({ valueHandle: name }: JsonObject): OpenValue | undefined {
    return typeof name === "string" ? (this.#given.get(name) ?? this.#written.get(name)) : undefined;
  }

  #writerOf(name: string) {
    const found = this.#writers.get(name);
    if (found === undefined) throw unknown("value that this call writes");
    return found;
  }

  /** H2 */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#counted(() => this.#reads.run(task));
  }

  async #counted<T>(task: () => Promise<T>): Promise<T> {
    checkMax("Pieces that one call asks for at the same time", this.#waiting + 1, "valuePiecesWaitingMax");
    this.#waiting += 1;
    try {
      return await task();
    } finally {
      this.#waiting -= 1;
    }
  }

  #newName(): string {
    return `value_${Buffer.from(this.#parts.runtime.randomBytes(24)).toString("base64url")}`;
  }
}

function checkMax(what: string, actual: number, name: LimitName): void {
  const max = limit(name);
  if (actual > max) throw plinthError("LimitExceeded", { what, actual, max });
}

function unknown(what: string) {
  return plinthError("InvalidArgument", { detail: `There is no such ${what}.` });
}
