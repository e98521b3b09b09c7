/**
 * Resolves and warms the versions of branches that were used lately, after a start and after a head has moved, so that their
 * next call finds everything in memory. One branch at a time, in the background; nothing waits for it, and a failure only means
 * that the next call warms for itself.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";

export interface CacheWarmerOptions {
  readonly deploys: Pick<Deploys, "version">;
  readonly sandbox: Pick<Sandbox, "warm">;
  readonly log: Log;
  /** Branches used last, the latest first. */
  readonly used: () => Promise<readonly Scope[]>;
  readonly isServed: (scope: Scope) => Promise<boolean>;
}

export class CacheWarmer {
  readonly #options: CacheWarmerOptions;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #stopped = false;

  constructor(options: CacheWarmerOptions) {
    this.#options = options;
  }

  /** Begins with what was used before the start. */
  start(): void {
    this.#then(async () => {
      for (const scope of await this.#options.used()) await this.#warmOne(scope);
    });
  }

  /** The head of a branch has moved. */
  warm(scope: Scope): void {
    if (this.#waiting >= limit("usedBranchesMax")) return;
    this.#then(() => this.#warmOne(scope));
  }

  /** Resolves when nothing is warmed any more. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  #then(body: () => Promise<void>): void {
    this.#waiting++;
    this.#work = this.#work
      .then(body)
      .catch((error: unknown) => this.#options.log.debug({ err: error }, "branches could not be warmed"))
      .finally(() => this.#waiting--);
  }

  async #warmOne(scope: Scope): Promise<void> {
    const { deploys, sandbox, isServed, log } = this.#options;
    if (this.#stopped || !(await isServed(scope))) return;
    try {
      const version = await deploys.version(scope);
      if (version !== undefined && !this.#stopped) await sandbox.warm({ ...scope, version });
    } catch (error) {
      log.debug({ err: error, ...scope }, "a branch could not be warmed");
    }
  }
}
