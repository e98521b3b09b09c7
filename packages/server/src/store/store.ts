/**
 * Port: an ordered, durable, transactional key-value store with history. Everything that Plinth keeps
 * lies in one of these. Adapters stand beside this file and pass `store-contract.ts`.
 *
 * What an adapter guarantees:
 * S1 Atomic: all writes of a batch become visible together, or none does.
 * S2 Durable: when `commit` resolves with a timestamp, the batch survives a crash of process and machine.
 * S3 Ordered: timestamps increase strictly over the life of the store, restarts included, and every
 *    snapshot at `t` shows exactly the commits with a timestamp ≤ `t`.
 * S4 Serializable: a batch with `reads` commits only if no key in these ranges was written by a commit
 *    after `reads.at`; otherwise it has no effect and the result says `conflict`.
 * S5 History: any moment within the retention can be read, and what a snapshot in use reads is never collected.
 * S6 Exclusive: at most one host has an embedded store open.
 * S7 `commit` never blocks the event loop of its caller; batches that wait together share one sync.
 * S8 Pinned: the moment of a pin can be read in the range of the pin for as long as any readable moment has the pin, restarts
 *    and restored backups included. Nothing else is kept for it.
 */
export type Key = Uint8Array;

/** Microseconds since 1970, unique per commit; 0 is the empty store. */
export type Timestamp = number;

/** Half-open: start ≤ key < end, in byte order. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
}

export interface Write {
  readonly key: Key;
  /** null deletes. */
  readonly value: Uint8Array | null;
}

export interface Entry {
  readonly key: Key;
  readonly value: Uint8Array;
}

/** Keeps one moment of one range readable, however old it becomes. */
export interface Pin {
  /** Unique over the life of the store. */
  readonly id: Key;
  readonly range: KeyRange;
  readonly at: Timestamp;
}

export interface PinChanges {
  readonly made: readonly Pin[];
  /** Ids. An unknown one is harmless. */
  readonly ended: readonly Key[];
}

export interface Batch {
  /** At most one write per key. */
  readonly writes: readonly Write[];
  /** Pins that come and go with the writes (error SnapshotTooOld when the moment of a new one cannot be read any more). */
  readonly pins?: PinChanges;
  /** What the writer has read and at which snapshot; absent for blind writes. */
  readonly reads?: { readonly at: Timestamp; readonly ranges: readonly KeyRange[] };
}

export type CommitResult =
  | { readonly kind: "committed"; readonly ts: Timestamp }
  /** `key` is one that another commit wrote. */
  | { readonly kind: "conflict"; readonly key: Key };

export interface Commit {
  readonly ts: Timestamp;
  readonly writes: readonly Write[];
}

export interface RangeOptions extends KeyRange {
  readonly order: "asc" | "desc";
  readonly limit: number;
}

/** A consistent view at one moment. It costs a place until it is released; releasing twice is harmless. */
export interface Snapshot {
  readonly ts: Timestamp;
  get(key: Key): Promise<Uint8Array | undefined>;
  /** The first `limit` entries of the range in `order`. */
  range(options: RangeOptions): Promise<Entry[]>;
  release(): void;
}

export interface Store {
  /**
   * The latest committed state, or the state at `at` (error SnapshotTooOld outside the retention or in the future). A snapshot
   * that is asked for with `within` reads only keys of that range; a pin may make it possible outside the retention.
   */
  snapshot(at?: Timestamp, within?: KeyRange): Promise<Snapshot>;
  /** Rejects with StoreFailure when the outcome is a failure of the store; then nothing was written. */
  commit(batch: Batch): Promise<CommitResult>;
  /** The timestamp of the last durable commit. */
  latest(): Timestamp;
  /**
   * Whether it is known without reading that no commit in after < ts ≤ until wrote `key`, both moments that snapshots showed. False
   * says nothing. Stores that other processes write into do not have it.
   */
  isUnchanged?(key: Key, after: Timestamp, until: Timestamp): boolean;
  /** Calls `listener` after each durable commit, in order. Returns the way to stop. */
  onCommit(listener: (commit: Commit) => void): () => void;
  /** Commits after `from`, in order, up to the latest at the time of the call; at most `limit`. */
  log(from: Timestamp, limit: number): Promise<Commit[]>;
  /** Writes a consistent copy of the whole store into the new file `path`, while in use. */
  backup(path: string): Promise<void>;
  /** Collects history older than the retention. Runs by itself in the background too. */
  collect(): Promise<{ readonly removed: number }>;
  close(): Promise<void>;
}
