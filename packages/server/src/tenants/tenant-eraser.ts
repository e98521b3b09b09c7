/**
 * Removes the data of deleted tenants, in the background. The rows of deleted tenants say what is left to do, so a host
 * that was stopped in the middle goes on at its next start.
 */
import type { Blobs } from "../blobs/blobs.ts";
import type { Database } from "../database/database.ts";
import { erasePlatformRows, TABLES_OF_BRANCHES } from "../database/erase-platform-rows.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { Log } from "../telemetry/log.ts";
import type { Tenants } from "./tenants.ts";

export class TenantEraser {
  readonly #database: Database;
  readonly #blobs: Blobs | undefined;
  readonly #tenants: Tenants;
  readonly #budgets: Pick<Budgets, "forgetTenant"> | undefined;
  readonly #log: Log;
  #work: Promise<void> = Promise.resolve();

  constructor({
    database,
    blobs,
    tenants,
    budgets,
    log,
  }: {
    readonly database: Database;
    readonly blobs?: Blobs;
    readonly tenants: Tenants;
    readonly budgets?: Pick<Budgets, "forgetTenant">;
    readonly log: Log;
  }) {
    this.#database = database;
    this.#blobs = blobs;
    this.#tenants = tenants;
    this.#budgets = budgets;
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
      await erasePlatformRows(this.#database, TABLES_OF_BRANCHES, [name]);
      await this.#budgets?.forgetTenant(name);
      await this.#database.eraseTenant(name);
      this.#database.waitingEvents.forget({ tenant: name });
    } catch (error) {
      this.#log.error({ err: error, tenant: name }, "a deleted tenant's data is not all gone; the next start goes on");
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
