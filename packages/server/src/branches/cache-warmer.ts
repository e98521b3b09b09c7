/**
 * Resolves and warms the versions of branches that were used lately, after a start and after a head has moved, so that their
 * next call finds everything in memory. One branch at a time, in the background; nothing waits for it, and a failure only means
 * that the next call warms for itself.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { Deploys } from "../deploys/deploys.ts";
import type { Packages } from "../packages/packages.ts";
import type { Sandbox, VersionCode } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";

export interface CacheWarmerOptions {
  readonly deploys: Pick<Deploys, "version">;
  readonly packages: Pick<Packages, "list" | "version" | "resolve">;
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
    const { sandbox, isServed, log } = this.#options;
    if (this.#stopped || !(await isServed(scope))) return;
    try {
      for await (const version of this.#versionsOf(scope)) {
        if (this.#stopped) return;
        await sandbox.warm({ ...scope, version });
      }
    } catch (error) {
      log.debug({ err: error, ...scope }, "a branch could not be warmed");
    }
  }

  /** The version of the branch's functions, then those of the packages that were deployed last. */
  async *#versionsOf(scope: Scope): AsyncGenerator<VersionCode> {
    const { deploys, packages } = this.#options;
    const functions = await deploys.version(scope);
    if (functions !== undefined) yield functions;
    const latest = (await packages.list(scope)).toSorted((a, b) => b.deployedMs - a.deployedMs).slice(0, limit("packagesWarmedMax"));
    for (const { name } of latest) {
      const [first] = (await packages.version(scope, name))?.functions ?? [];
      const found = first === undefined ? undefined : await packages.resolve(scope, `@${name}/${first}`);
      if (found !== undefined) yield found.version;
    }
  }
}
