/**
 * Removes the data of deleted tenants, in the background. The rows of deleted tenants say what is left to do, so a host
 * that was stopped in the middle goes on at its next start.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Database } from "../database/database.ts";
import {
  DELIVERY_QUEUE,
  DUE_TIMES,
  EVENT_QUEUE,
  INVOCATION_QUEUE,
  KEYRING_PLACES,
  OPEN_FLOW_RUNS,
  OPEN_SYNC_RUNS,
  PLATFORM_SCOPE,
  SAGAS,
  TENANT_LIMITS,
} from "../database/record-tables.ts";
import type { Log } from "../telemetry/log.ts";
import type { Tenants } from "./tenants.ts";

export class TenantEraser {
  readonly #database: Database;
  readonly #blobs: Blobs | undefined;
  readonly #tenants: Tenants;
  readonly #log: Log;
  #work: Promise<void> = Promise.resolve();

  constructor({
    database,
    blobs,
    tenants,
    log,
  }: {
    readonly database: Database;
    readonly blobs?: Blobs;
    readonly tenants: Tenants;
    readonly log: Log;
  }) {
    this.#database = database;
    this.#blobs = blobs;
    this.#tenants = tenants;
    this.#log = log;
  }

  /** Goes on with what an earlier host left. */
  start(): void {
    this.#work = this.#work.then(async () => {
      for (const name of await this.#tenants.listDeleted()) await this.#eraseOne(name);
    });
    this.#work = this.#work.catch((error: unknown) => this.#log.error({ err: error }, "deleted tenants could not be listed"));
  }

  /** Erases a tenant after those before it. */
  erase(name: string): void {
    this.#work = this.#work.then(() => this.#eraseOne(name));
  }

  /** Resolves when all that was asked for so far is done. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #eraseOne(name: string): Promise<void> {
    try {
      await this.#eraseBlobs(name);
      await this.#erasePlatformRows(name);
      await this.#database.eraseTenant(name);
    } catch (error) {
      this.#log.error({ err: error, tenant: name }, "a deleted tenant's data is not all gone; the next start goes on");
    }
  }

  /** Rows about the tenant that lie under the platform's scope, so that work of all tenants can be found. */
  async #erasePlatformRows(tenant: string): Promise<void> {
    const page = limit("schemaBatchDocumentsMax");
    for (const table of [
      DUE_TIMES,
      INVOCATION_QUEUE,
      SAGAS,
      KEYRING_PLACES,
      EVENT_QUEUE,
      DELIVERY_QUEUE,
      OPEN_SYNC_RUNS,
      OPEN_FLOW_RUNS,
      TENANT_LIMITS,
    ]) {
      for (let found = page; found === page;) {
        found = await this.#database.update(PLATFORM_SCOPE, async ({ records }) => {
          const rows = await records.range<unknown>(table, { prefix: [tenant], limit: page });
          for (const { key } of rows) records.delete<unknown>(table, key);
          return rows.length;
        });
      }
    }
  }

  /** Before the rows, which say that there is something left to do. A tenant's spaces are named `<tenant>/…`. */
  async #eraseBlobs(tenant: string): Promise<void> {
    if (this.#blobs === undefined) return;
    for (const name of await this.#blobs.tenants()) {
      if (name === tenant || name.startsWith(`${tenant}/`)) await this.#blobs.eraseTenant(name);
    }
  }
}
