/**
 * Tenants: organisations that share a host. `default` always exists and is what the root of the API serves;
 * the others are made with the admin key and reached by their keys or under `/t/<tenant>`.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database } from "../database/database.ts";
import { PLATFORM_SCOPE, TENANTS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tenant } from "./tenant-records.ts";

export const DEFAULT_TENANT = "default";
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export interface TenantsOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  /** Isolation tier of this host; below 2 only the tenant `default` is served. */
  readonly tier: number;
}

export class Tenants {
  readonly #options: TenantsOptions;
  readonly #cache = new Map<string, Tenant>();
  /** Grows with each change, so that a row read before a change is not cached after it. */
  #generation = 0;

  constructor(options: TenantsOptions) {
    this.#options = options;
  }

  /** The tenant, or undefined when there is none of that name or it was deleted. */
  async find(name: string): Promise<Tenant | undefined> {
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    if (!NAME.test(name)) return undefined;
    const generation = this.#generation;
    const stored = await this.#options.database.read(PLATFORM_SCOPE, (transaction) => transaction.records.get(TENANTS, [name]));
    const tenant = stored ?? (name === DEFAULT_TENANT ? defaultTenant() : undefined);
    if (tenant === undefined || tenant.deletedMs !== null) return undefined;
    if (name !== DEFAULT_TENANT && this.#options.tier < 2) return undefined;
    if (generation === this.#generation) this.#keep(tenant);
    return tenant;
  }

  async list(): Promise<readonly Tenant[]> {
    const tenants = (await this.#all()).filter((tenant) => tenant.deletedMs === null);
    return tenants.some((tenant) => tenant.name === DEFAULT_TENANT) ? tenants : [defaultTenant(), ...tenants];
  }

  /** Names of tenants that were deleted. */
  async listDeleted(): Promise<readonly string[]> {
    return (await this.#all()).filter((tenant) => tenant.deletedMs !== null).map((tenant) => tenant.name);
  }

  async #all(): Promise<readonly Tenant[]> {
    const rows = await this.#options.database.read(PLATFORM_SCOPE, (transaction) =>
      transaction.records.range(TENANTS, { prefix: [], limit: limit("tenantsMax") }),
    );
    return rows.map((row) => row.value);
  }

  async create(request: { readonly name: string; readonly requireKey: boolean }): Promise<Tenant> {
    if (!NAME.test(request.name)) {
      throw plinthError("BadRequest", {
        detail: "`name` has 1 to 63 lower-case letters, digits and hyphens and begins with a letter or digit.",
      });
    }
    if (this.#options.tier < 2) throw plinthError("IsolationTooWeak", { tier: this.#options.tier });
    const tenant: Tenant = {
      name: request.name,
      createdMs: this.#options.runtime.nowMs(),
      requireKey: request.requireKey,
      deletedMs: null,
    };
    await this.#options.database.update(PLATFORM_SCOPE, async (transaction) => {
      const existing = await transaction.records.get(TENANTS, [tenant.name]);
      if (existing !== undefined && existing.deletedMs !== null)
        throw plinthError("AlreadyExists", { what: `A deleted tenant '${tenant.name}'` });
      if (existing !== undefined || tenant.name === DEFAULT_TENANT)
        throw plinthError("AlreadyExists", { what: `The tenant '${tenant.name}'` });
      const all = await transaction.records.range(TENANTS, { prefix: [], limit: limit("tenantsMax") });
      if (all.length >= limit("tenantsMax"))
        throw plinthError("RequestTooLarge", { what: "list of tenants", actual: all.length + 1, max: limit("tenantsMax") });
      transaction.records.put(TENANTS, [tenant.name], tenant);
    });
    this.#changed(tenant.name);
    return tenant;
  }

  /** Sets whether public functions of the tenant need a key. */
  async setRequireKey(name: string, requireKey: boolean): Promise<Tenant> {
    const tenant = await this.#options.database.update(PLATFORM_SCOPE, async (transaction) => {
      const existing = (await transaction.records.get(TENANTS, [name])) ?? (name === DEFAULT_TENANT ? defaultTenant() : undefined);
      if (existing === undefined || existing.deletedMs !== null) throw plinthError("NotFound", { what: `tenant '${name}'` });
      const changed = { ...existing, requireKey };
      transaction.records.put(TENANTS, [name], changed);
      return changed;
    });
    this.#changed(name);
    return tenant;
  }

  /** Ends a tenant: from now on nothing of it is served. The caller revokes its keys, evicts its runners and has its data erased. */
  async delete(name: string): Promise<void> {
    if (name === DEFAULT_TENANT) throw plinthError("BadRequest", { detail: "The tenant 'default' cannot be deleted." });
    const deletedMs = this.#options.runtime.nowMs();
    await this.#options.database.update(PLATFORM_SCOPE, async (transaction) => {
      const existing = await transaction.records.get(TENANTS, [name]);
      if (existing === undefined || existing.deletedMs !== null) throw plinthError("NotFound", { what: `tenant '${name}'` });
      transaction.records.put(TENANTS, [name], { ...existing, deletedMs });
    });
    this.#changed(name);
  }

  #keep(tenant: Tenant): void {
    if (this.#cache.size >= limit("cachedTenantsMax")) this.#cache.clear();
    this.#cache.set(tenant.name, tenant);
  }

  #changed(name: string): void {
    this.#generation++;
    this.#cache.delete(name);
  }
}

function defaultTenant(): Tenant {
  return { name: DEFAULT_TENANT, createdMs: 0, requireKey: false, deletedMs: null };
}
