/** One transaction: the syscalls of user code, the platform's records, nested calls and the commit. */
import type { Schema } from "@plinth/core/documents/schema.ts";
import { assert, unreachable } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { KeyRange, Pin, Store, Timestamp } from "../store/store.ts";
import type { Records, Scope, SystemTableName, Transaction, TransactionMetrics } from "./database.ts";
import { EventWriter } from "../events/event-writer.ts";
import type { WaitingEvents } from "../events/waiting-events.ts";
import type { Catalogue } from "./catalogue.ts";
import { putDocumentEvents } from "./document-events.ts";
import { Documents } from "./documents.ts";
import { type KeySpace, keyMeaning } from "./key-space.ts";
import {
  parseCount,
  parseGet,
  parseInsert,
  parsePatch,
  parseQueryClose,
  parseQueryNext,
  parseQueryPage,
  parseRemove,
  parseReplace,
} from "./parse-syscalls.ts";
import { Queries } from "./queries.ts";
import { recordTables } from "./record-tables.ts";
import { RecordStore } from "./record-store.ts";
import type { TransactionCatalogue } from "./transaction-catalogue.ts";
import type { InternalIds } from "./internal-ids.ts";
import { Usage } from "./usage.ts";
import type { View } from "./view.ts";

const READ_CALLS = ["1.0/get", "1.0/count", "1.0/queryPage", "plinth/queryNext", "plinth/queryClose"] as const;
const WRITE_CALLS = ["1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove"] as const;
type ReadCall = (typeof READ_CALLS)[number];
type WriteCall = (typeof WRITE_CALLS)[number];

const READS: ReadonlySet<string> = new Set(READ_CALLS);
const WRITES: ReadonlySet<string> = new Set(WRITE_CALLS);

function isReadCall(op: string): op is ReadCall {
  return READS.has(op);
}

function isWriteCall(op: string): op is WriteCall {
  return WRITES.has(op);
}

export interface TransactionOptions {
  readonly store: Store;
  readonly view: View;
  readonly keys: { readonly branch: KeySpace; readonly platform: KeySpace };
  readonly catalogue: TransactionCatalogue;
  readonly ids: InternalIds;
  readonly readonly: boolean;
  readonly nowMs: number;
  readonly causeDepth?: number;
  readonly waitingEvents: Pick<WaitingEvents, "check">;
}

type CommitOutcome = Awaited<ReturnType<Transaction["commit"]>>;

export class OpenTransaction implements Transaction {
  readonly scope: Scope;
  readonly readonly: boolean;
  readonly ts: Timestamp;
  readonly records: Records;
  /** For schema changes, which are part of the database. */
  readonly view: View;
  readonly keys: KeySpace;
  readonly catalogue: TransactionCatalogue;
  readonly #store: Store;
  // Made when they are used: most transactions are the platform's own and have records alone.
  #ownDocuments: Documents | undefined;
  #ownQueries: Queries | undefined;
  #ownSystem: Transaction["system"] | undefined;
  readonly #usage = new Usage();
  #running: Promise<unknown> = Promise.resolve();
  #pending = 0;
  /** `ending`: calls that arrived are performed still, new ones are refused. */
  #state: "open" | "ending" | "over" = "open";
  readonly #afterCommit: (() => void)[] = [];
  readonly #pins: Pin[] = [];
  readonly #ids: InternalIds;
  readonly #nowMs: number;
  readonly #causeDepth: number;
  readonly #waitingEvents: Pick<WaitingEvents, "check">;
  #events: EventWriter | undefined;

  constructor(options: TransactionOptions) {
    const { view, keys, catalogue, ids, nowMs } = options;
    this.scope = keys.branch.scope;
    this.readonly = options.readonly;
    this.ts = view.snapshot.ts;
    this.view = view;
    this.keys = keys.branch;
    this.catalogue = catalogue;
    this.#store = options.store;
    this.#ids = ids;
    this.#nowMs = nowMs;
    this.#causeDepth = options.causeDepth ?? 0;
    this.#waitingEvents = options.waitingEvents;
    this.records = new RecordStore(view, keys);
  }

  get #documents(): Documents {
    if (this.#ownDocuments !== undefined) return this.#ownDocuments;
    const { view, keys, catalogue } = this;
    const usage = this.#usage;
    const ids = this.#ids;
    return (this.#ownDocuments = new Documents({ view, keys, catalogue, usage, ids, nowMs: this.#nowMs }));
  }

  get #queries(): Queries {
    if (this.#ownQueries !== undefined) return this.#ownQueries;
    const { view, keys, catalogue } = this;
    return (this.#ownQueries = new Queries({ view, keys, usage: this.#usage, catalogue }));
  }

  get system(): Transaction["system"] {
    return (this.#ownSystem ??= {
      insert: (table: SystemTableName, valueText) => Promise.resolve(this.#documents.insertSystem(table, valueText)),
      replace: (id, valueText) => this.#documents.replaceSystem(id, valueText),
      get: (id) => this.#documents.getSystem(id),
      delete: (id) => this.#documents.deleteSystem(id),
    });
  }

  handles(op: string): boolean {
    return isReadCall(op) || isWriteCall(op);
  }

  syscall(op: string, argText: string): Promise<string> {
    if (this.#state !== "open") return Promise.reject(tooLate(op));
    const run = this.#pending++ === 0 ? this.#perform(op, argText) : this.#running.then(() => this.#perform(op, argText));
    const settled = (): void => {
      this.#pending--;
    };
    this.#running = run.then(settled, settled);
    return run;
  }

  async idle(): Promise<void> {
    while (this.#pending > 0) await this.#running;
  }

  async #perform(op: string, argText: string): Promise<string> {
    try {
      if (this.#state !== "over") return await this.#performCall(op, argText);
    } catch (error) {
      // A release pulls the snapshot away from under a call; whatever that looks like, the call came too late.
      if (!this.#isOver()) throw error;
    }
    throw tooLate(op);
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  async #performCall(op: string, argText: string): Promise<string> {
    const { breather } = this.view;
    breather.start();
    try {
      return await this.#performRun(op, argText);
    } finally {
      // Failed calls too: a function may catch the error and make the next one.
      await breather.breathe();
      breather.end();
    }
  }

  async #performRun(op: string, argText: string): Promise<string> {
    if (isReadCall(op)) return this.#performRead(op, argText);
    if (!isWriteCall(op)) throw plinthError("NotAvailable", { what: `The database call ${op.slice(0, 40)}` });
    if (this.readonly) throw plinthError("EffectDenied", { detail: "Queries cannot write to the database; use a mutation." });
    return this.#performWrite(op, argText);
  }

  async #performRead(op: ReadCall, argText: string): Promise<string> {
    switch (op) {
      case "1.0/get": {
        const { id, isSystem } = parseGet(argText);
        return (await this.#documents.get(id, isSystem)) ?? "null";
      }
      case "plinth/queryNext":
        return this.#queries.next(parseQueryNext(argText), argText.length);
      case "plinth/queryClose":
        this.#queries.close(parseQueryClose(argText).stream);
        return "null";
      case "1.0/queryPage":
        return this.#queries.page(parseQueryPage(argText));
      case "1.0/count":
        return String(await this.#queries.count(parseCount(argText).table));
      default:
        return unreachable(op);
    }
  }

  async #performWrite(op: WriteCall, argText: string): Promise<string> {
    switch (op) {
      case "1.0/insert": {
        const { table, value } = parseInsert(argText);
        return `{"_id":"${await this.#documents.insert(table, value)}"}`;
      }
      case "1.0/shallowMerge": {
        const { id, value, removed } = parsePatch(argText);
        return this.#documents.patch(id, value, removed);
      }
      case "1.0/replace": {
        const { id, value } = parseReplace(argText);
        return this.#documents.replace(id, value);
      }
      case "1.0/remove":
        return this.#documents.remove(parseRemove(argText).id);
      default:
        return unreachable(op);
    }
  }

  async tables(): Promise<Readonly<Record<string, number>>> {
    return (await this.catalogue.load()).numbers();
  }

  async schema(): Promise<Schema | null> {
    return (await this.catalogue.load()).rules.schema;
  }

  nested(): { keep(): void; undo(): void } {
    assert(this.#state === "open" && this.#pending === 0, "a nested call starts while nothing else of the transaction runs");
    this.#queries.startLayer();
    this.view.overlay.startLayer();
    this.catalogue.startLayer();
    const layers = this.#queries.layers;
    const end = (): void => {
      assert(
        this.#queries.layers === layers && this.#pending === 0,
        "nested calls end in the reverse order of their start, when nothing of them runs",
      );
      this.#queries.endLayer();
    };
    return {
      keep: () => {
        end();
        this.view.overlay.keepLayer();
        this.catalogue.keepLayer();
      },
      undo: () => {
        end();
        this.view.overlay.undoLayer();
        this.catalogue.undoLayer();
      },
    };
  }

  async watchEvents(types: readonly string[]): Promise<void> {
    const catalogue = await this.catalogue.load();
    const watched = [...new Set(types)].sort();
    if (JSON.stringify(watched) !== JSON.stringify(catalogue.data.watched)) this.catalogue.change(catalogue.change({ watched }));
  }

  putEvent(event: Parameters<Transaction["putEvent"]>[0]): string {
    return this.#writer().put(event);
  }

  #writer(): EventWriter {
    const { records, scope, ts } = this;
    const random = (): string => Buffer.from(this.#ids.random(6)).toString("hex");
    return (this.#events ??= new EventWriter({ records, scope, ts, random: random(), causeDepth: this.#causeDepth }));
  }

  /** After everything else: what was undone is not there any more, and of several writes to a document the last one counts. */
  async #putDocumentEvents(catalogue: Catalogue): Promise<void> {
    const { overlay, snapshot } = this.view;
    const writer = (): EventWriter => {
      this.#waitingEvents.check(this.scope, { isChange: true, causeDepth: this.#causeDepth });
      return this.#writer();
    };
    await putDocumentEvents({ catalogue, writes: overlay.writes(), snapshot, writer, nowMs: this.#nowMs });
  }

  countSchedule(argsBytes: number): void {
    this.#usage.countSchedule(argsBytes);
  }

  metrics(): TransactionMetrics {
    return this.#usage.metrics();
  }

  readRanges(): readonly KeyRange[] {
    return this.view.reads.ranges();
  }

  /** Makes pins together with the commit. */
  pin(pins: readonly Pin[]): void {
    this.#pins.push(...pins);
  }

  /** Calls `action` when the transaction has committed. */
  afterCommit(action: () => void): void {
    this.#afterCommit.push(action);
  }

  async commit(): Promise<CommitOutcome> {
    assert(this.#state === "open", "a transaction is committed once");
    assert(this.#ownQueries === undefined || this.#ownQueries.layers === 1, "nested calls end before the transaction does");
    this.#state = "ending";
    // Calls that a function made and did not wait for.
    await this.idle();
    if (this.#isOver()) throw tooLate("commit");
    const { known } = this.catalogue;
    if (!this.readonly && known !== undefined && known.data.watched.length > 0) await this.#putDocumentEvents(known);
    if (this.#isOver()) throw tooLate("commit");
    if (!this.readonly) this.catalogue.flush();
    const prepared = this.view.storeWrites();
    // Without layers nothing happens between the last call and the commit.
    const writes = Array.isArray(prepared) ? prepared : await prepared;
    if (this.#isOver()) throw tooLate("commit");
    this.release();
    if (writes.length === 0) return { kind: "committed", ts: this.ts };
    const pins = this.#pins.length === 0 ? {} : { pins: { made: this.#pins, ended: [] } };
    const result = await this.#store.commit({ writes, reads: { at: this.ts, ranges: this.readRanges() }, ...pins });
    if (result.kind === "conflict") return { kind: "conflict", what: this.#describe(result.key) };
    for (const action of this.#afterCommit) action();
    return result;
  }

  release(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.view.release();
  }

  #describe(key: Uint8Array): string {
    const meaning = keyMeaning(key);
    switch (meaning.kind) {
      case "document":
        return `table "${this.catalogue.known?.tableByNumber(meaning.table)?.name ?? meaning.table}"`;
      case "index":
        return `table "${this.catalogue.known?.tableOfIndex(meaning.index)?.name ?? "unknown"}"`;
      case "record":
        return `records "${recordTables().find(({ space }) => space === meaning.space)?.name ?? meaning.space}"`;
      case "catalogue":
        return "the tables and the schema";
      default:
        return unreachable(meaning);
    }
  }
}

function tooLate(op: string): Error {
  return plinthError("InvalidArgument", { detail: `The transaction of this call is over; ${op.slice(0, 40)} came too late.` });
}
