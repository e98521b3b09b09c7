/**
 * The embedded store: one database file, one connection that reads, one thread that writes. Owns their
 * life together; what crosses its boundary is the port `store.ts`.
 *
 * A commit goes through `commit-pipeline.ts` to the writer thread; a read goes through
 * `moment-reader.ts` to the connection of this thread, which answers within microseconds from the page cache.
 *
 * T1 `latest` never exceeds what is durable, and no snapshot exceeds `latest`.
 * T2 A moment is readable when horizon ≤ moment ≤ latest, and the moment of a pin in the range of the pin; what it needs is kept
 *    while it is in use.
 * T3 The write-ahead log starts anew whenever it exceeds its size, unless a backup holds it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { plinthError } from "@plinth/core/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Batch, Commit, CommitResult, Key, KeyRange, PinChanges, Snapshot, Store, Timestamp } from "../store.ts";
import { writeBackup } from "./backup.ts";
import { CommitPipeline } from "./commit-pipeline.ts";
import type { DataFolder } from "./data-folder.ts";
import { History } from "./history.ts";
import { LogReader } from "./log-reader.ts";
import { MomentReader } from "./moment-reader.ts";
import { PinnedConnection } from "./pinned-connection.ts";
import { PinBook, type StoredPin } from "./pins.ts";
import { RecentCommits } from "./recent-commits.ts";
import { MomentSnapshot, MomentsInUse } from "./snapshots.ts";
import { WalKeeper } from "./wal-keeper.ts";
import { WriterClient } from "./writer-client.ts";
import type { WriterSettings } from "./writer-protocol.ts";

export interface SqliteStoreOptions {
  readonly folder: DataFolder;
  readonly runtime: Runtime;
  readonly writer: WriterSettings;
  readonly state: StoredState;
  readonly pins: readonly StoredPin[];
  readonly historyRetentionMs: number;
  readonly collectIntervalMs: number;
  readonly readerCacheBytes: number;
  readonly recentBytesMax: number;
  readonly pendingBytesMax: number;
  readonly walPagesMax: number;
}

/** What the database said when it was opened. */
export interface StoredState {
  readonly latest: Timestamp;
  readonly horizon: Timestamp;
  /** New commits have a greater timestamp. */
  readonly tsFloor: Timestamp;
}

/** For metrics. */
export interface SqliteStoreStats {
  readonly snapshotsInUse: number;
  readonly pendingBytes: number;
  readonly recentBytes: number;
  readonly walPages: number;
  readonly horizon: Timestamp;
}

export class SqliteStore implements Store {
  readonly #folder: DataFolder;
  readonly #connection: PinnedConnection;
  readonly #recent: RecentCommits;
  readonly #inUse = new MomentsInUse();
  readonly #pins: PinBook;
  readonly #reader: MomentReader;
  readonly #logReader: LogReader;
  readonly #writer: WriterClient;
  readonly #pipeline: CommitPipeline;
  readonly #history: History;
  readonly #wal: WalKeeper;
  readonly #listeners = new Set<(commit: Commit) => void>();
  #latest: Timestamp;
  #closing: Promise<void> | undefined;
  #backups = new Set<Promise<void>>();

  constructor(options: SqliteStoreOptions) {
    const { folder, runtime, state } = options;
    this.#folder = folder;
    this.#latest = state.latest;
    this.#pins = new PinBook(options.pins);
    this.#connection = new PinnedConnection(folder.databaseFile, { cacheBytes: options.readerCacheBytes });
    this.#recent = new RecentCommits({ floor: state.latest, bytesMax: options.recentBytesMax });
    this.#reader = new MomentReader(this.#connection, this.#recent);
    this.#logReader = new LogReader(this.#connection);
    this.#writer = new WriterClient(options.writer);
    this.#wal = new WalKeeper({
      databaseFile: folder.databaseFile,
      writer: this.#writer,
      connection: this.#connection,
      pagesMax: options.walPagesMax,
    });
    this.#pipeline = new CommitPipeline({
      writer: this.#writer,
      recent: this.#recent,
      lastTs: Math.max(state.latest, state.tsFloor),
      groupBytesMax: options.writer.groupBytesMax,
      pendingBytesMax: options.pendingBytesMax,
      host: {
        nowMs: () => runtime.nowMs(),
        written: (walPages) => this.#written(walPages),
        durable: (commit, pins) => this.#durable(commit, pins),
        findCommits: (timestamps) => this.#logReader.find(timestamps),
        keysAfter: (at) => {
          this.#assertReadable(at);
          return this.#logReader.keysAfter(at);
        },
      },
    });
    this.#history = new History({
      runtime,
      writer: this.#writer,
      inUse: this.#inUse,
      horizon: state.horizon,
      retentionMs: options.historyRetentionMs,
      intervalMs: options.collectIntervalMs,
      latest: () => this.#latest,
      oldestCommit: () => this.#logReader.oldest(),
      busy: () => this.#pipeline.pendingBytes > 0,
    });
  }

  /** Resolves when the writer thread is ready. */
  async start(): Promise<void> {
    await this.#wal.restart();
    this.#history.start();
  }

  latest(): Timestamp {
    return this.#latest;
  }

  async snapshot(at?: Timestamp, within?: KeyRange): Promise<Snapshot> {
    this.#assertOpen();
    const ts = at ?? this.#newest();
    const letGo = within === undefined ? this.#hold(ts) : this.#holdWithin(ts, within);
    return new MomentSnapshot(ts, this.#reader, { letGo, within });
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.#assertOpen();
    const made = batch.pins?.made ?? [];
    if (made.length === 0) return this.#pipeline.commit(batch);
    // The pin itself holds its moment only when the writer thread has it.
    const holds: (() => void)[] = [];
    try {
      for (const { at, range } of made) holds.push(this.#holdWithin(at, range));
      return await this.#pipeline.commit(batch);
    } finally {
      for (const letGo of holds) letGo();
    }
  }

  isUnchanged(key: Key, after: Timestamp, until: Timestamp): boolean {
    return this.#recent.isUnchanged(key, after, until);
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    // A function of its own, so that one listener that is added twice is two listeners.
    const own = (commit: Commit): void => listener(commit);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  async log(from: Timestamp, limit: number): Promise<Commit[]> {
    this.#assertOpen();
    const until = this.#newest();
    if (from >= until) return [];
    this.#assertReadable(from);
    const letGo = this.#inUse.hold(from);
    try {
      const commits: Commit[] = [];
      while (commits.length < limit) {
        const page = this.#logReader.commits(commits.at(-1)?.ts ?? from, until, limit - commits.length);
        if (page.length === 0) break;
        commits.push(...page);
        await nextTurn();
      }
      return commits;
    } finally {
      letGo();
    }
  }

  async backup(path: string): Promise<void> {
    this.#assertOpen();
    const writing = this.#wal.whileHeld(() => writeBackup(this.#folder.databaseFile, path));
    this.#backups.add(writing);
    try {
      await writing;
    } finally {
      this.#backups.delete(writing);
    }
  }

  async collect(): Promise<{ readonly removed: number }> {
    this.#assertOpen();
    return this.#history.collect();
  }

  stats(): SqliteStoreStats {
    return {
      snapshotsInUse: this.#inUse.count,
      pendingBytes: this.#pipeline.pendingBytes,
      recentBytes: this.#recent.bytes,
      walPages: this.#wal.pages,
      horizon: this.#history.horizon,
    };
  }

  /** Refuses new work, finishes what was taken, and gives the folder free. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#history.stop();
    await this.#pipeline.drained();
    await Promise.allSettled(this.#backups);
    await this.#wal.close();
    this.#connection.close();
    try {
      await this.#writer.close();
    } finally {
      this.#folder.unlock();
    }
  }

  /** The newest moment that can be read; it may be durable before its `commit` is answered. */
  #newest(): Timestamp {
    const pin = this.#connection.read((at) => at);
    this.#latest = Math.max(this.#latest, pin);
    return pin;
  }

  #written(walPages: number): void {
    this.#connection.dropPin();
    this.#wal.grown(walPages);
  }

  #durable(commit: Commit, pins: PinChanges | undefined): void {
    this.#latest = Math.max(this.#latest, commit.ts);
    if (pins !== undefined) this.#pins.change(commit.ts, pins, this.#history.horizon);
    for (const listener of this.#listeners) {
      try {
        listener(commit);
      } catch (error) {
        // A listener that throws is a bug of its own; the commit and the other listeners go on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #hold(at: Timestamp): () => void {
    this.#assertReadable(at);
    return this.#inUse.hold(at);
  }

  /** A moment at which the pin holds is held instead of the pinned one, so that history can be collected meanwhile. */
  #holdWithin(at: Timestamp, range: KeyRange): () => void {
    const endedTs = this.#pins.holdsUntil(at, range, this.#history.horizon);
    return endedTs === undefined ? this.#hold(at) : this.#inUse.hold(Math.min(this.#latest, endedTs - 1));
  }

  #assertReadable(at: Timestamp): void {
    const readable = Number.isSafeInteger(at) && at >= this.#history.horizon && at <= this.#latest;
    if (!readable) throw plinthError("SnapshotTooOld", { at });
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw plinthError("ShuttingDown", {});
  }
}
