/**
 * Owns the way of a batch from `commit` to its answer: check, timestamp, hand-over to the writer, answer.
 * All commits pass here, in one thread, so the order of checks is the order of timestamps.
 *
 * P1 Timestamps increase strictly, over restarts and clocks that go back (S3): the next one is greater
 *    than the last that was given out or found in the database.
 * P2 A batch is checked against every commit after its snapshot, those included that are not durable
 *    yet, and gets its timestamp in the same turn (S4). When the writer fails to write an earlier batch,
 *    the later ones stay right: they were checked against more than what was written.
 * P3 A conflict is reported only when the commit that caused it is durable, so that the snapshot of the
 *    next try shows it. If that commit fails, the batch is checked again.
 * P4 Listeners hear of commits in the order of timestamps, each after it is durable and before its
 *    `commit` resolves.
 * P5 Each batch is answered according to what is durable, also when the writer thread is lost.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { assert, must } from "@plinth/core/assert.ts";
import { compareBytes } from "@plinth/core/documents/keys.ts";
import { firstConflict } from "@plinth/core/documents/read-set.ts";
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import type { Batch, Commit, CommitResult, Key, KeyRange, PinChanges, Timestamp, Write } from "../store.ts";
import { batchBytes, encodeGroup } from "./group-encoding.ts";
import { apart, type RecentCommits } from "./recent-commits.ts";
import type { WriterClient } from "./writer-client.ts";
import type { BatchFailure } from "./writer-protocol.ts";

/** The sorted keys of commits, and how far they reach. */
export interface CommittedKeys {
  readonly commits: readonly { readonly ts: Timestamp; readonly keys: readonly Key[] }[];
  readonly through: Timestamp;
}

/** What the pipeline needs of the rest of the store. */
export interface PipelineHost {
  nowMs(): number;
  /** Called for each durable commit, in order. */
  durable(commit: Commit, pins: PinChanges | undefined): void;
  /** Called before the answers of a group are given: the database has changed. */
  written(logPages: number): void;
  /** Which of these commits are in the database. */
  findCommits(timestamps: readonly Timestamp[]): ReadonlySet<Timestamp>;
  /** Some durable commits after `at`, oldest first; there are no others up to `through`. */
  keysAfter(at: Timestamp): CommittedKeys;
}

export interface PipelineOptions {
  readonly host: PipelineHost;
  readonly writer: Pick<WriterClient, "request">;
  readonly recent: RecentCommits;
  /** Timestamps go on after this one. */
  readonly lastTs: Timestamp;
  readonly groupBytesMax: number;
  readonly pendingBytesMax: number;
}

/** What is known about the conflicts of a batch. */
type Check =
  | { readonly kind: "free" }
  | { readonly kind: "conflict"; readonly key: Key }
  /** No conflict up to `at`; the rest is checked after something has happened. */
  | { readonly kind: "again"; readonly at: Timestamp; readonly ranges: readonly KeyRange[]; readonly after: Promise<void> };

interface InFlight {
  readonly ts: Timestamp;
  readonly writes: readonly Write[];
  readonly pins: PinChanges | undefined;
  readonly bytes: number;
  resolve(result: CommitResult): void;
  reject(error: PlinthError): void;
  /** Batches that conflict with this one and wait for its outcome. */
  readonly waiting: (() => void)[];
}

export class CommitPipeline {
  readonly #host: PipelineHost;
  readonly #writer: Pick<WriterClient, "request">;
  readonly #recent: RecentCommits;
  readonly #groupBytesMax: number;
  readonly #pendingBytesMax: number;
  readonly #inFlight = new Map<Timestamp, InFlight>();
  #queued: InFlight[] = [];
  #pendingBytes = 0;
  #lastTs: Timestamp;
  /** Batches without an answer, those included that are still being checked. */
  #active = 0;
  readonly #idle: (() => void)[] = [];

  constructor(options: PipelineOptions) {
    this.#host = options.host;
    this.#writer = options.writer;
    this.#recent = options.recent;
    this.#lastTs = options.lastTs;
    this.#groupBytesMax = options.groupBytesMax;
    this.#pendingBytesMax = options.pendingBytesMax;
  }

  /** Bytes of the batches that wait for their answer. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    this.#active += 1;
    try {
      return await this.#checkAndSubmit(batch);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** Resolves when every batch has its answer. */
  async drained(): Promise<void> {
    while (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #checkAndSubmit(batch: Batch): Promise<CommitResult> {
    const writes = sortWrites(batch.writes);
    const bytes = batchBytes(writes);
    let check = this.#firstCheck(batch.reads);
    while (check.kind === "again") {
      await check.after;
      check = this.#check(check.at, check.ranges);
    }
    if (check.kind === "conflict") return { kind: "conflict", key: check.key.slice() };
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#pendingBytesMax) {
      throw plinthError("StoreFailure", { what: `take more writes: ${this.#pendingBytes} bytes wait for the disk` });
    }
    return this.#submit({ writes, pins: batch.pins, bytes });
  }

  /** Must be called in the turn in which the batch was found free of conflicts. */
  #submit({ writes, pins, bytes }: Pick<InFlight, "writes" | "pins" | "bytes">): Promise<CommitResult> {
    const ts = Math.max(this.#lastTs + 1, Math.floor(this.#host.nowMs() * 1000));
    assert(Number.isSafeInteger(ts), "the clock is within the range of timestamps");
    this.#lastTs = ts;
    this.#recent.add(ts, writes);
    this.#pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      const entry: InFlight = { ts, writes, pins, bytes, resolve, reject, waiting: [] };
      this.#inFlight.set(ts, entry);
      // What else this turn submits travels in the same message.
      if (this.#queued.push(entry) === 1) setImmediate(() => this.#handOver());
    });
  }

  #handOver(): void {
    const queued = this.#queued;
    this.#queued = [];
    let group: InFlight[] = [];
    let bytes = 0;
    for (const entry of queued) {
      if (bytes > 0 && bytes + entry.bytes > this.#groupBytesMax) {
        this.#send(group, bytes);
        group = [];
        bytes = 0;
      }
      group.push(entry);
      bytes += entry.bytes;
    }
    this.#send(group, bytes);
  }

  #send(group: readonly InFlight[], bytes: number): void {
    const pins = group.flatMap(({ ts, pins: changes }) => (changes === undefined ? [] : [{ ts, changes }]));
    this.#writer.request({ kind: "commit", group: encodeGroup(group, bytes), ...(pins.length === 0 ? {} : { pins }) }).then(
      (reply) => {
        assert(reply.kind === "written", "a group is answered with its outcome");
        this.#host.written(reply.logPages);
        this.#answer(group, reply.failures);
      },
      (lost: unknown) => this.#answerFromDatabase(group, lost),
    );
  }

  #answer(group: readonly InFlight[], failures: readonly BatchFailure[], cause?: unknown): void {
    const reasons = new Map(failures.map(({ ts, reason }) => [ts, reason]));
    for (const entry of group) {
      this.#inFlight.delete(entry.ts);
      this.#pendingBytes -= entry.bytes;
      const reason = reasons.get(entry.ts);
      if (reason === undefined) {
        this.#host.durable({ ts: entry.ts, writes: entry.writes }, entry.pins);
        entry.resolve({ kind: "committed", ts: entry.ts });
      } else {
        this.#recent.remove(entry.ts);
        entry.reject(plinthError("StoreFailure", { what: `write: ${reason}` }, { cause }));
      }
      for (const wake of entry.waiting) wake();
    }
    this.#recent.forget(must(group.at(-1), "a group has a batch").ts);
  }

  /** If the database cannot tell either, this throws, and the process ends rather than guess (P5). */
  #answerFromDatabase(group: readonly InFlight[], cause: unknown): void {
    this.#host.written(0);
    const found = this.#host.findCommits(group.map(({ ts }) => ts));
    const failures = group.filter(({ ts }) => !found.has(ts)).map(({ ts }) => ({ ts, reason: "the writer thread ended" }));
    this.#answer(group, failures, cause);
  }

  #firstCheck(reads: Batch["reads"]): Check {
    if (reads === undefined) return { kind: "free" };
    assert(reads.at <= this.#lastTs, "a batch has read at a moment that was reached");
    return this.#check(reads.at, apart(reads.ranges));
  }

  /** Checks against the commits after `at`. "free" holds for this turn only. */
  #check(at: Timestamp, ranges: readonly KeyRange[]): Check {
    if (at < this.#recent.floor) return this.#checkInLog(at, ranges);
    const conflict = this.#recent.firstConflict(at, ranges);
    if (conflict === undefined) return { kind: "free" };
    const cause = this.#inFlight.get(conflict.ts);
    if (cause === undefined) return { kind: "conflict", key: conflict.key };
    return { kind: "again", at, ranges, after: new Promise((resolve) => cause.waiting.push(resolve)) };
  }

  #checkInLog(at: Timestamp, ranges: readonly KeyRange[]): Check {
    const { commits, through } = this.#host.keysAfter(at);
    for (const { keys } of commits) {
      const key = firstConflict(ranges, keys);
      if (key !== null) return { kind: "conflict", key };
    }
    return { kind: "again", at: through, ranges, after: nextTurn() };
  }
}

/** The writes in the order of their keys. */
function sortWrites(writes: readonly Write[]): readonly Write[] {
  let sorted = true;
  for (let i = 1; i < writes.length && sorted; i++) sorted = compareWrites(writes[i - 1], writes[i]) < 0;
  if (sorted) return writes;
  const copy = writes.toSorted(compareWrites);
  for (let i = 1; i < copy.length; i++) assert(compareWrites(copy[i - 1], copy[i]) < 0, "a batch writes each key once");
  return copy;
}

function compareWrites(a: Write | undefined, b: Write | undefined): number {
  return compareBytes(must(a, "a write").key, must(b, "a write").key);
}
