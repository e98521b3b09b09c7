/**
 * Weighs jails by tenant: the jails of one tenant weigh together as much as those of another, however many they are, so that a tenant
 * that keeps a dozen processes busy leaves the one of its neighbour its half of the processor.
 */

/** What has a weight. */
export interface Weighed {
  /** 1 is the weight of a tenant. */
  weigh(part: number): void;
}

export class TenantWeights {
  readonly #jails = new Map<string, Set<Weighed>>();

  /** Returns what is to be called when the jail is gone. */
  add(tenant: string, jail: Weighed): () => void {
    let own = this.#jails.get(tenant);
    if (own === undefined) this.#jails.set(tenant, (own = new Set()));
    const jails = own;
    jails.add(jail);
    weighAll(jails);
    return () => {
      jails.delete(jail);
      weighAll(jails);
      if (jails.size === 0 && this.#jails.get(tenant) === jails) this.#jails.delete(tenant);
    };
  }
}

function weighAll(jails: ReadonlySet<Weighed>): void {
  for (const jail of jails) jail.weigh(1 / jails.size);
}
