/**
 * Results of stored calls that are too large for a row are kept as blobs, under the name of the tenant's results, apart from the
 * blobs of versions. A blob is put before the transaction that refers to it and may outlive it; the retention of records
 * ends both.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Scope } from "../database/database.ts";
import type { InvocationRecord } from "./invocation.ts";

/** The space in which blobs of results and artefacts of a tenant lie. Tenants' names hold no `/`. */
export function resultSpace(tenant: string): string {
  return `${tenant}/results`;
}

export function isResultSpace(space: string): boolean {
  return space.endsWith("/results");
}

export class LargeResults {
  readonly #blobs: Pick<Blobs, "put" | "read"> | undefined;

  constructor(blobs: Pick<Blobs, "put" | "read"> | undefined) {
    this.#blobs = blobs;
  }

  /** What the record holds of a result. */
  async keep(scope: Scope, valueText: string): Promise<Pick<InvocationRecord, "valueText" | "valueBlob">> {
    if (this.#blobs === undefined || valueText.length <= limit("resultInRecordCharsMax")) return { valueText };
    const source = (async function* () {
      yield Buffer.from(valueText, "utf8");
    })();
    const { digest } = await this.#blobs.put(resultSpace(scope.tenant), source, { bytesMax: limit("frameBytesMax") });
    return { valueBlob: digest };
  }

  /** The record with its result. */
  async restore(record: InvocationRecord): Promise<InvocationRecord> {
    const { valueBlob, ...rest } = record;
    if (valueBlob === undefined || this.#blobs === undefined) return record;
    const bytes = await this.#blobs.read(resultSpace(record.tenant), valueBlob);
    // A clock that was set forward ends results before their records.
    return bytes === undefined ? record : { ...rest, valueText: bytes.toString("utf8") };
  }
}
