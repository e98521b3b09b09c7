/**
 * The writer thread: the only writer of the database (S7). It takes all requests that wait and writes
 * those commits that follow each other in one transaction, so that many clients share one sync.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { must, unreachable } from "@plinth/core/assert.ts";
import { firstRow, integerAt, openConnection, reasonOf } from "./connection.ts";
import { decodeGroup } from "./group-encoding.ts";
import { GroupWriter } from "./group-writer.ts";
import { HistoryCollector } from "./history-collector.ts";
import { PinTable } from "./pins.ts";
import type { WriterReply, WriterRequest, WriterSettings } from "./writer-protocol.ts";

type CommitRequest = Extract<WriterRequest, { kind: "commit" }>;

class WriterThread {
  readonly #port: MessagePort;
  readonly #database: DatabaseSync;
  readonly #groups: GroupWriter;
  readonly #collector: HistoryCollector;
  readonly #groupBytesMax: number;
  readonly #logSize: StatementSync;

  constructor(port: MessagePort, settings: WriterSettings) {
    this.#port = port;
    this.#groupBytesMax = settings.groupBytesMax;
    this.#database = openConnection(settings.databaseFile, { cacheBytes: settings.cacheBytes, lockWaitMs: 100 });
    const pageBytes = integerAt(must(firstRow(this.#database.prepare("PRAGMA page_size")), "a pragma has a row"), 0);
    this.#database.exec(`PRAGMA max_page_count = ${Math.floor(settings.databaseBytesMax / pageBytes)}`);
    const pins = new PinTable(this.#database);
    this.#groups = new GroupWriter(this.#database, pins);
    const limits = { keysMax: settings.collectKeysMax, bytesMax: settings.collectBytesMax };
    this.#collector = new HistoryCollector(this.#database, pins, limits);
    this.#logSize = this.#database.prepare("PRAGMA wal_checkpoint(NOOP)");
    port.on("message", (request: WriterRequest) => this.#drain(request));
  }

  /** Handles a request and all that wait behind it. */
  #drain(first: WriterRequest): void {
    let request: WriterRequest | undefined = first;
    while (request !== undefined) {
      if (request.kind !== "commit") {
        this.#answer(request);
        request = this.#next();
        continue;
      }
      const together: CommitRequest[] = [];
      let bytes = 0;
      while (request?.kind === "commit" && bytes < this.#groupBytesMax) {
        together.push(request);
        bytes += request.group.byteLength;
        request = this.#next();
      }
      this.#writeTogether(together);
    }
  }

  #next(): WriterRequest | undefined {
    return receiveMessageOnPort(this.#port)?.message;
  }

  #writeTogether(requests: readonly CommitRequest[]): void {
    const groups = requests.map(({ group }) => decodeGroup(group));
    const pins = new Map(requests.flatMap((request) => request.pins ?? []).map(({ ts, changes }) => [ts, changes]));
    const failures = this.#groups.write(groups.flat(), pins);
    const logPages = this.#logPages();
    for (const batches of groups) {
      const own = failures.length === 0 ? failures : failures.filter(({ ts }) => batches.some((batch) => batch.ts === ts));
      this.#reply({ kind: "written", failures: own, logPages });
    }
  }

  #answer(request: Exclude<WriterRequest, CommitRequest>): void {
    try {
      this.#reply(this.#perform(request));
    } catch (error) {
      this.#reply({ kind: "failed", reason: reasonOf(error) });
    }
    if (request.kind === "close") this.#port.close();
  }

  #perform(request: Exclude<WriterRequest, CommitRequest>): WriterReply {
    switch (request.kind) {
      case "collect":
        return { kind: "collected", ...this.#collector.collectSlice(request.horizon), logPages: this.#logPages() };
      case "checkpoint":
        return this.#checkpoint("RESTART");
      case "close":
        this.#checkpoint("TRUNCATE");
        this.#database.close();
        return { kind: "closed" };
      default:
        return unreachable(request);
    }
  }

  #checkpoint(mode: "RESTART" | "TRUNCATE"): WriterReply {
    const row = must(firstRow(this.#database.prepare(`PRAGMA wal_checkpoint(${mode})`)), "a checkpoint has a result");
    const logPages = Math.max(integerAt(row, 1), 0);
    return { kind: "checkpointed", logPages, pagesLeft: logPages - Math.max(integerAt(row, 2), 0) };
  }

  #logPages(): number {
    return Math.max(integerAt(must(firstRow(this.#logSize), "a checkpoint has a result"), 1), 0);
  }

  #reply(reply: WriterReply): void {
    this.#port.postMessage(reply);
  }
}

new WriterThread(must(parentPort, "the writer runs in a thread"), workerData);
