/**
 * Changes the schema of a branch while the old one serves.
 *
 * 1. declare: one commit enters the new schema as pending, with hidden tables and backfilling indexes. Every
 *    transaction that writes documents has the catalogue in its read set, so from this commit on each writer
 *    maintains the new indexes, and notes documents that the pending schema does not allow.
 * 2. fill: documents that are older are read in bounded transactions, checked and entered into the new indexes.
 *    Each batch has its documents in its read set; a document that changes meanwhile makes the batch run again.
 * 3. activate: in the transaction of the caller. It reads the note of step 1, so a bad document that is written
 *    before the activation stops it, and one that is written at the same moment is a conflict.
 *
 * C1 Until the activation commits nobody sees anything of the new schema; afterwards nobody sees the old one.
 * C2 A failure, or a crash whose rest the next preparation clears, leaves documents and the serving schema as they were.
 * C3 An index is complete when it becomes ready, and when a schema is active every document fits it.
 */
import { keyAfter } from "@plinth/core/documents/keys.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KeyRange, Store, Write } from "../store/store.ts";
import { BatchSize } from "./batch-size.ts";
import { backoffMs } from "./conflict-backoff.ts";
import type { PreparedSchema, Scope } from "./database.ts";
import { idOf, indexEntryKey, parseDocument, pendingFailure } from "./documents.ts";
import { INTERNAL_ID_BYTES, internalIdOf } from "./key-space.ts";
import { activatePending, declarePending, type TableWork, withoutPending } from "./schema-plan.ts";
import { SchemaRules } from "./schema-rules.ts";
import type { OpenTransaction } from "./transaction.ts";
import { storedText } from "./view.ts";

/** The parts of the database that a schema change uses. */
export interface SchemaHost {
  readonly store: Store;
  readonly runtime: Runtime;
  begin(scope: Scope, options: { readonly readonly: boolean }): Promise<OpenTransaction>;
  update<T>(scope: Scope, body: (transaction: OpenTransaction) => Promise<T>): Promise<T>;
  /** Starts the removal of what was dropped. */
  sweep(scope: Scope): void;
}

export interface Prepared extends PreparedSchema {
  readonly schemaText: string | null;
  /** Id of the pending schema; null when the schema is the active one already. */
  readonly pendingId: string | null;
}

type Progress = (text: string) => void;

export async function prepareSchema(
  host: SchemaHost,
  scope: Scope,
  options: { readonly schemaText: string | null; readonly progress?: Progress },
): Promise<Prepared> {
  const { schemaText, progress = () => {} } = options;
  const rules = SchemaRules.parse(schemaText);
  const declared = await host.update(scope, (transaction) => declare(transaction, { host, schemaText, rules }));
  host.sweep(scope);
  const { prepared, work } = declared;
  const { pendingId } = prepared;
  if (pendingId === null) return prepared;
  try {
    for (const task of work) await fillTable(host, scope, { task, pendingId, progress });
    await checkNotes(host, scope, pendingId);
  } catch (error) {
    // When this fails too, the first error says more, and the next preparation clears what is left.
    await discard(host, scope, pendingId).catch(() => {});
    throw error;
  }
  return prepared;
}

async function declare(
  transaction: OpenTransaction,
  { host, schemaText, rules }: { readonly host: SchemaHost; readonly schemaText: string | null; readonly rules: SchemaRules },
): Promise<{ readonly prepared: Prepared; readonly work: readonly TableWork[] }> {
  const loaded = await transaction.catalogue.load();
  const { catalogue, dropped } = withoutPending(loaded);
  await clearPending(transaction, dropped);
  if (catalogue.data.schemaText === schemaText) {
    if (catalogue !== loaded) transaction.catalogue.change(catalogue);
    return { prepared: { kind: "preparedSchema", schemaText, pendingId: null, indexesAdded: [], indexesRemoved: [] }, work: [] };
  }
  const id = Buffer.from(host.runtime.randomBytes(INTERNAL_ID_BYTES)).toString("hex");
  const next = declarePending(catalogue, { id, schemaText, rules, secret: () => transaction.catalogue.newSecret() });
  transaction.catalogue.change(next.catalogue);
  const { indexesAdded, indexesRemoved, work } = next;
  return { prepared: { kind: "preparedSchema", schemaText, pendingId: id, indexesAdded, indexesRemoved }, work };
}

/** Notes indexes for removal, and deletes what writers noted for a pending schema that is given up. */
async function clearPending({ view, keys }: OpenTransaction, dropped: readonly number[]): Promise<void> {
  for (const index of dropped) view.put(keys.droppedIndex(index), Uint8Array.of(1));
  const notes = await view.range({ range: keys.schemaFailures(), order: "asc", limit: limit("schemaBatchDocumentsMax") });
  for (const note of notes.entries) view.delete(note.key);
}

export async function activateSchema(host: SchemaHost, transaction: OpenTransaction, prepared: Prepared): Promise<void> {
  const catalogue = await transaction.catalogue.load();
  const { pending } = catalogue.data;
  if (prepared.pendingId === null) {
    if (catalogue.data.schemaText !== prepared.schemaText) throw replaced();
    return;
  }
  if (pending?.id !== prepared.pendingId) throw replaced();
  await throwNote(transaction, prepared.pendingId);
  const { catalogue: next, dropped } = activatePending(catalogue);
  for (const index of dropped) transaction.view.put(transaction.keys.droppedIndex(index), Uint8Array.of(1));
  transaction.catalogue.change(next);
  transaction.afterCommit(() => host.sweep(transaction.scope));
}

/** Gives a pending schema up. Nothing happens when it is not the pending one. */
export async function discard(host: SchemaHost, scope: Scope, pendingId: string): Promise<void> {
  await host.update(scope, async (transaction) => {
    const loaded = await transaction.catalogue.load();
    if (loaded.data.pending?.id !== pendingId) return;
    const { catalogue, dropped } = withoutPending(loaded);
    await clearPending(transaction, dropped);
    transaction.catalogue.change(catalogue);
  });
  host.sweep(scope);
}

async function checkNotes(host: SchemaHost, scope: Scope, pendingId: string): Promise<void> {
  const transaction = await host.begin(scope, { readonly: true });
  try {
    await throwNote(transaction, pendingId);
  } finally {
    transaction.release();
  }
}

async function throwNote({ view, keys }: OpenTransaction, pendingId: string): Promise<void> {
  const note = await view.get(keys.schemaFailure(Buffer.from(pendingId, "hex")));
  if (note !== undefined) throw plinthError("SchemaMismatch", { detail: storedText(note) });
}

function replaced(): Error {
  return plinthError("InvalidPackage", { detail: "another deploy changed the schema of the branch meanwhile; deploy again." });
}

interface FillOptions {
  readonly task: TableWork;
  readonly pendingId: string;
  readonly progress: Progress;
}

/** Checks the documents of a table and enters them into its new indexes. */
async function fillTable(host: SchemaHost, scope: Scope, { task, pendingId, progress }: FillOptions): Promise<void> {
  const what = [task.check ? "checking documents" : "", ...task.indexes.map(({ name }) => `filling index ${name}`)]
    .filter((part) => part !== "")
    .join(", ");
  const size = new BatchSize();
  let rest = await existingDocuments(host, scope, task);
  let done = 0;
  let attempt = 0;
  while (rest !== null) {
    const outcome = await fillBatch(host, scope, { task, pendingId, range: rest, size });
    if (outcome.kind === "done") {
      attempt = 0;
      done += outcome.documents;
      rest = outcome.rest;
      progress(`${task.table.name}: ${what}: ${done} documents`);
    } else if (!size.shrink()) {
      if (++attempt >= limit("platformConflictAttemptsMax")) throw outcome.error;
      await host.runtime.sleep(backoffMs(host.runtime, attempt));
    }
  }
}

/** The range of the documents that are older than the pending schema; null when there are none. */
async function existingDocuments(host: SchemaHost, scope: Scope, { table }: TableWork): Promise<KeyRange | null> {
  const transaction = await host.begin(scope, { readonly: true });
  try {
    await transaction.catalogue.load();
    const range = transaction.keys.documents(table.number);
    const { entries } = await transaction.view.range({ range, order: "desc", limit: 1 });
    const last = entries[0];
    // Documents behind this one are written by writers that know the pending schema.
    return last === undefined ? null : { start: range.start, end: keyAfter(last.key) };
  } finally {
    transaction.release();
  }
}

type BatchOutcome =
  | { readonly kind: "done"; readonly documents: number; readonly rest: KeyRange | null }
  | { readonly kind: "again"; readonly error: Error };

async function fillBatch(
  host: SchemaHost,
  scope: Scope,
  options: { readonly task: TableWork; readonly pendingId: string; readonly range: KeyRange; readonly size: BatchSize },
): Promise<BatchOutcome> {
  const { task, pendingId, range, size } = options;
  const transaction = await host.begin(scope, { readonly: task.indexes.length === 0 });
  try {
    const catalogue = await transaction.catalogue.load();
    if (catalogue.data.pending?.id !== pendingId) throw replaced();
    const { entries, exhausted } = await transaction.view.range({ range, order: "asc", limit: size.size });
    let bytes = 0;
    for (const entry of entries) {
      bytes += entry.value.length;
      fillDocument(transaction, task, entry);
      await transaction.view.breather.breathe();
    }
    const outcome = await transaction.commit();
    if (outcome.kind === "conflict")
      return {
        kind: "again",
        error: plinthError("OptimisticConcurrencyControlFailure", {
          path: "a schema change",
          attempts: limit("platformConflictAttemptsMax"),
        }),
      };
    size.observe(entries.length, bytes);
    const last = entries.at(-1);
    return {
      kind: "done",
      documents: entries.length,
      rest: exhausted || last === undefined ? null : { start: keyAfter(last.key), end: range.end },
    };
  } catch (error) {
    // Many index entries of large documents: fewer documents at once may fit.
    if (error instanceof PlinthError && error.code === "LimitExceeded" && size.size > 1) return { kind: "again", error };
    throw error;
  } finally {
    transaction.release();
  }
}

function fillDocument(
  transaction: OpenTransaction,
  task: TableWork,
  entry: { readonly key: Uint8Array; readonly value: Uint8Array },
): void {
  const document = parseDocument(storedText(entry.value));
  for (const index of task.indexes) {
    transaction.view.put(indexEntryKey(transaction.keys, index.number, index.fields, document), internalIdOf(entry.key));
  }
  if (!task.check) return;
  const id = idOf(document);
  delete document["_id"];
  delete document["_creationTime"];
  const failure = pendingFailure(transaction.catalogue.current, { table: task.table.name, id, document });
  if (failure !== null) throw plinthError("SchemaMismatch", { detail: failure });
}

/** Deletes the entries of dropped indexes, a bounded part at a time. Nobody reads or writes them any more. */
export async function sweepDropped(host: SchemaHost, scope: Scope, stopped: () => boolean): Promise<void> {
  for (;;) {
    const transaction = await host.begin(scope, { readonly: true });
    const writes: Write[] = [];
    try {
      // The catalogue is not loaded: entries of a layer below are not the branch's to delete.
      const { view, keys } = transaction;
      const note = (await view.range({ range: keys.droppedIndexes(), order: "asc", limit: 1 })).entries[0];
      if (note === undefined || stopped()) return;
      const { entries, exhausted } = await view.range({
        range: keys.index(keys.droppedIndexOf(note.key)),
        order: "asc",
        limit: limit("schemaBatchDocumentsMax"),
      });
      for (const { key } of entries) writes.push({ key, value: null });
      if (exhausted) writes.push({ key: note.key, value: null });
    } finally {
      transaction.release();
    }
    await host.store.commit({ writes });
  }
}
