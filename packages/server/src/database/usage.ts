/** What a transaction has used of its limits. Counts only grow, so that nested calls and their undoing cannot stretch them (D5). */
import { plinthError } from "@plinth/core/errors.ts";
import { LIMITS, limit, type LimitName } from "@plinth/core/limits.ts";
import type { TransactionMetrics } from "./database.ts";

const READ_BYTES_MAX = limit("transactionReadBytesMax");
const READ_DOCUMENTS_MAX = limit("transactionReadDocumentsMax");
const READ_RANGES_MAX = limit("transactionReadRangesMax");
const WRITE_BYTES_MAX = limit("transactionWriteBytesMax");
const WRITE_DOCUMENTS_MAX = limit("transactionWriteDocumentsMax");

export class Usage {
  #bytesRead = 0;
  #bytesWritten = 0;
  #databaseQueries = 0;
  #documentsRead = 0;
  #documentsWritten = 0;
  #functionsScheduled = 0;
  #scheduledArgsBytes = 0;

  /** One `get`, one query or one page. */
  countQuery(): void {
    if (++this.#databaseQueries > READ_RANGES_MAX)
      throw exceeded("transactionReadRangesMax", "Index ranges read in one function call", this.#databaseQueries);
  }

  countDocumentRead(bytes: number): void {
    this.#bytesRead += bytes;
    if (++this.#documentsRead > READ_DOCUMENTS_MAX)
      throw exceeded("transactionReadDocumentsMax", "Documents read in one function call", this.#documentsRead);
    if (this.#bytesRead > READ_BYTES_MAX) throw exceeded("transactionReadBytesMax", "Bytes read in one function call", this.#bytesRead);
  }

  countDocumentWritten(bytes: number): void {
    this.#bytesWritten += bytes;
    if (++this.#documentsWritten > WRITE_DOCUMENTS_MAX) {
      throw exceeded("transactionWriteDocumentsMax", "Documents written in one function call", this.#documentsWritten);
    }
    if (this.#bytesWritten > WRITE_BYTES_MAX)
      throw exceeded("transactionWriteBytesMax", "Bytes written in one function call", this.#bytesWritten);
  }

  countSchedule(argsBytes: number): void {
    if (argsBytes > limit("scheduleArgsBytesMax"))
      throw exceeded("scheduleArgsBytesMax", "Bytes of the arguments of a scheduled function", argsBytes);
    this.#scheduledArgsBytes += argsBytes;
    if (++this.#functionsScheduled > limit("transactionSchedulesMax")) {
      throw exceeded("transactionSchedulesMax", "Functions scheduled by one mutation", this.#functionsScheduled);
    }
    if (this.#scheduledArgsBytes > limit("transactionScheduleArgsBytesMax")) {
      throw exceeded("transactionScheduleArgsBytesMax", "Bytes of the arguments of all scheduled functions", this.#scheduledArgsBytes);
    }
  }

  get documentsRead(): number {
    return this.#documentsRead;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  metrics(): TransactionMetrics {
    return {
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      databaseQueries: this.#databaseQueries,
      documentsRead: this.#documentsRead,
      documentsWritten: this.#documentsWritten,
      functionsScheduled: this.#functionsScheduled,
      scheduledFunctionArgsBytes: this.#scheduledArgsBytes,
    };
  }
}

function exceeded(name: LimitName, what: string, actual: number): Error {
  return plinthError("LimitExceeded", { what, actual, max: LIMITS[name].value });
}
