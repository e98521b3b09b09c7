/** The versions that a host serves, by tenant, in the order of the tenants' turns: the one that was served last is last. */
import type { Runtime } from "../runtime/runtime.ts";
import type { VersionCode } from "./sandbox.ts";
import { newGroup, rejectAll, stockKey, type Use, type VersionGroup } from "./version-groups.ts";

export class VersionTurns {
  readonly #runtime: Runtime;
  readonly #tenants = new Map<string, Map<string, VersionGroup>>();
  #passing = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  tenants(): readonly string[] {
    return [...this.#tenants.keys()];
  }

  of(tenant: string): readonly VersionGroup[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])];
  }

  all(): readonly VersionGroup[] {
    return this.tenants().flatMap((tenant) => this.of(tenant));
  }

  /** The group of a version, or a new one. */
  groupOf(request: { readonly tenant: string; readonly branch: string; readonly version: VersionCode }): VersionGroup {
    const { tenant, branch, version } = request;
    const use = useOf(version);
    const key = JSON.stringify([branch, version.runtime, version.digest, use === "inline" ? stockKey(version) : ""]);
    const known = this.#tenants.get(tenant)?.get(key);
    if (known === undefined) return this.#add(newGroup(this.#runtime, { key, tenant, branch, version, use, passing: false }));
    known.version = version;
    return known;
  }

  /** A group that nobody finds again. */
  passingGroup(request: { readonly tenant: string; readonly version: VersionCode }): VersionGroup {
    const { tenant, version } = request;
    const key = `passing ${++this.#passing}`;
    return this.#add(newGroup(this.#runtime, { key, tenant, branch: "", version, use: "once", passing: true }));
  }

  forget(group: VersionGroup, error: Error): void {
    const groups = this.#tenants.get(group.tenant);
    if (groups?.get(group.key) === group) groups.delete(group.key);
    if (groups?.size === 0) this.#tenants.delete(group.tenant);
    rejectAll(group, error);
  }

  /** The tenant was served; the others come first now. */
  over(tenant: string): void {
    const groups = this.#tenants.get(tenant);
    if (groups === undefined || !this.#tenants.delete(tenant)) return;
    this.#tenants.set(tenant, groups);
  }

  #add(group: VersionGroup): VersionGroup {
    const groups = this.#tenants.get(group.tenant) ?? new Map<string, VersionGroup>();
    this.#tenants.set(group.tenant, groups.set(group.key, group));
    return group;
  }
}

function useOf(version: VersionCode): Use {
  if (version.package?.folder === null) return "inline";
  return version.package?.reuse === true ? "again" : "once";
}
