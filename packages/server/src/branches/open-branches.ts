/**
 * Makes `Branches`. Rows of branches lie under the platform's scope; the rows of a tenant are in memory after the first look,
 * so that a name that exists is as quick to refuse as one that does not.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { erasePlatformRows, TABLES_OF_BRANCHES } from "../database/erase-platform-rows.ts";
import { BRANCHES, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import { isBranchKey, newBranchKey } from "./branch-key.ts";
import type { BranchRow } from "./branch-records.ts";
import { BRANCH_NAME, MAIN_BRANCH, type Branch, type Branches } from "./branches.ts";
import { copyEnvironment, STARTING_RECORDS } from "./starting-records.ts";

export interface BranchesOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
}

/** `start` goes on with what an earlier host left half made or half deleted; `settled` resolves when no erasure is under way. */
export interface OpenedBranches extends Branches {
  start(): void;
  settled(): Promise<void>;
}

export function openBranches(options: BranchesOptions): OpenedBranches {
  return new StoredBranches(options);
}

type CreateRequest = Parameters<Branches["create"]>[1];

class StoredBranches implements OpenedBranches {
  readonly #options: BranchesOptions;
  /** Open branches by tenant; the whole of a tenant or nothing. */
  readonly #cache = new Map<string, ReadonlyMap<string, BranchRow>>();
  readonly #listeners: ((scope: Scope) => Promise<void>)[] = [];
  /** Grows with each change, so that rows read before a change are not cached after it. */
  #generation = 0;
  #erasures: Promise<void> = Promise.resolve();

  constructor(options: BranchesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#erasures = this.#erasures.then(async () => {
      for await (const [tenant, row] of this.#all()) if (row.state !== "open") await this.#erase({ tenant, branch: row.name });
    });
    this.#erasures = this.#erasures.catch((error: unknown) => this.#options.log.error({ err: error }, "branches could not be listed"));
  }

  async settled(): Promise<void> {
    await this.#erasures;
  }

  async create(tenant: string, request: CreateRequest): Promise<Branch & { readonly key: string }> {
    const { database, runtime } = this.#options;
    const { name, from } = request;
    if (!BRANCH_NAME.test(name))
      throw plinthError("BadRequest", {
        detail: "`name` has 1 to 63 lower-case letters, digits, hyphens, underscores and dots, and begins with a letter or digit.",
      });
    if (from === undefined && request.at !== undefined) throw plinthError("BadRequest", { detail: "`at` needs `from`." });
    if (from !== undefined && !(await this.isServed({ tenant, branch: from }))) throw noBranch(from);
    const { key, sha256 } = newBranchKey(runtime);
    const base = from === undefined ? null : { branch: from, at: Math.min(request.at ?? Infinity, database.latest()) };
    const row: BranchRow = { name, state: "made", createdMs: runtime.nowMs(), base, sha256 };
    await this.#reserve(tenant, row);
    try {
      // A call that outlived a branch of this name may have left a record after its erasure.
      if (!(await this.#clear({ tenant, branch: name }))) throw plinthError("ShuttingDown", {});
      await this.#fill({ tenant, branch: name }, row, request.copyEnvironment === true);
    } catch (error) {
      this.#eraseLater({ tenant, branch: name });
      throw error;
    }
    this.#changed(tenant);
    return { ...shown(row), key };
  }

  async list(tenant: string): Promise<readonly Branch[]> {
    return [...(await this.#ofTenant(tenant)).values()].map(shown);
  }

  async get(tenant: string, name: string): Promise<Branch | undefined> {
    const row = (await this.#ofTenant(tenant)).get(name);
    return row === undefined ? undefined : shown(row);
  }

  async rotateKey(tenant: string, name: string): Promise<{ readonly key: string }> {
    const { key, sha256 } = newBranchKey(this.#options.runtime);
    await this.#changeOpen(tenant, name, (row) => ({ ...row, sha256 }));
    return { key };
  }

  async delete(tenant: string, name: string): Promise<void> {
    if (name === MAIN_BRANCH) throw plinthError("BadRequest", { detail: "The branch 'main' cannot be deleted." });
    await this.#changeOpen(tenant, name, (row) => ({ ...row, state: "deleted" }));
    const scope = { tenant, branch: name };
    await this.#end(scope);
    this.#eraseLater(scope);
  }

  async deleteAll(tenant: string): Promise<void> {
    const names = [MAIN_BRANCH, ...(await this.#ofTenant(tenant)).keys()];
    await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
      const rows = await records.range(BRANCHES, { prefix: [tenant], limit: limit("branchesPerTenantMax") });
      for (const { key } of rows) records.delete(BRANCHES, key);
    });
    this.#changed(tenant);
    for (const branch of names) await this.#end({ tenant, branch });
  }

  async opens(scope: Scope, key: string | undefined): Promise<boolean> {
    if (scope.branch === MAIN_BRANCH) return true;
    return isBranchKey(key, (await this.#ofTenant(scope.tenant)).get(scope.branch)?.sha256);
  }

  async isServed(scope: Scope): Promise<boolean> {
    return scope.branch === MAIN_BRANCH || (await this.#ofTenant(scope.tenant)).has(scope.branch);
  }

  onEnded(listener: (scope: Scope) => Promise<void>): void {
    this.#listeners.push(listener);
  }

  /** Takes the name, before anything is written under it. */
  async #reserve(tenant: string, row: BranchRow): Promise<void> {
    const max = limit("branchesPerTenantMax");
    await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
      const existing = await records.get(BRANCHES, [tenant, row.name]);
      if (existing?.state === "deleted")
        throw plinthError("AlreadyExists", { what: `A deleted branch '${row.name}' whose data is being erased` });
      if (existing !== undefined || row.name === MAIN_BRANCH) throw plinthError("AlreadyExists", { what: `The branch '${row.name}'` });
      const all = await records.range(BRANCHES, { prefix: [tenant], limit: max });
      if (all.length >= max) throw plinthError("RequestTooLarge", { what: "list of branches", actual: all.length + 1, max });
      records.put(BRANCHES, [tenant, row.name], row);
    });
  }

  /** Gives a branch what it starts with, and opens it in the same commit. */
  async #fill(scope: Scope, row: BranchRow, withEnvironment: boolean): Promise<void> {
    const { database, runtime } = this.#options;
    const open = { ...row, state: "open" } as const;
    if (row.base === null)
      return await database.update(scope, async ({ records }) => records.put(BRANCHES, [scope.tenant, row.name], open));
    const { branch, at } = row.base;
    const base = await database.begin({ tenant: scope.tenant, branch }, { readonly: true, at, nowMs: runtime.nowMs() });
    try {
      await database.update(scope, async (transaction) => {
        const { records } = transaction;
        await database.createBranchFrom(transaction, { base: base.scope, at });
        for (const copy of STARTING_RECORDS) await copy(base, records);
        if (withEnvironment) await copyEnvironment(base, records);
        records.put(BRANCHES, [scope.tenant, row.name], open);
      });
    } finally {
      base.release();
    }
  }

  async #changeOpen(tenant: string, name: string, change: (row: BranchRow) => BranchRow): Promise<void> {
    await this.#options.database.update(PLATFORM_SCOPE, async ({ records }) => {
      const row = BRANCH_NAME.test(name) ? await records.get(BRANCHES, [tenant, name]) : undefined;
      if (row?.state !== "open") throw noBranch(name);
      records.put(BRANCHES, [tenant, name], change(row));
    });
    this.#changed(tenant);
  }

  async #end(scope: Scope): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener(scope)));
  }

  #eraseLater(scope: Scope): void {
    this.#erasures = this.#erasures.then(() => this.#erase(scope));
  }

  /** Deletes what is left of a branch, and its row last: until then nobody gets its name. */
  async #erase(scope: Scope): Promise<void> {
    const { database, log } = this.#options;
    try {
      await this.#end(scope);
      if (!(await this.#clear(scope))) return;
      // What was read while its data went, by work that had begun before, is forgotten too.
      await this.#end(scope);
      await database.update(PLATFORM_SCOPE, async ({ records }) => records.delete(BRANCHES, [scope.tenant, scope.branch]));
    } catch (error) {
      log.error({ err: error, ...scope }, "a deleted branch's data is not all gone; the next start goes on");
    }
  }

  /** Deletes all that is stored about a branch but its row; false when the database was closed before the end. */
  async #clear(scope: Scope): Promise<boolean> {
    await erasePlatformRows(this.#options.database, TABLES_OF_BRANCHES, [scope.tenant, scope.branch]);
    return await this.#options.database.eraseBranch(scope);
  }

  async #ofTenant(tenant: string): Promise<ReadonlyMap<string, BranchRow>> {
    const cached = this.#cache.get(tenant);
    if (cached !== undefined) return cached;
    const generation = this.#generation;
    const rows = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(BRANCHES, { prefix: [tenant], limit: limit("branchesPerTenantMax") }),
    );
    const open = new Map(rows.filter(({ value }) => value.state === "open").map(({ value }) => [value.name, value]));
    if (generation === this.#generation) {
      if (this.#cache.size >= limit("cachedTenantsMax")) this.#cache.clear();
      this.#cache.set(tenant, open);
    }
    return open;
  }

  async *#all(): AsyncGenerator<readonly [string, BranchRow]> {
    const page = limit("branchesPerTenantMax");
    let after: readonly [string, string] | undefined;
    for (;;) {
      const rows = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(BRANCHES, { prefix: [], limit: page, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key, value } of rows) {
        after = [String(key[0]), String(key[1])];
        yield [after[0], value];
      }
      if (rows.length < page) return;
    }
  }

  #changed(tenant: string): void {
    this.#generation++;
    this.#cache.delete(tenant);
  }
}

function shown({ name, createdMs, base }: BranchRow): Branch {
  return { name, createdMs, base };
}

function noBranch(name: string) {
  return plinthError("NotFound", { what: `branch '${name.slice(0, 64)}'` });
}
