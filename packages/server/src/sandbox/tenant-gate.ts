/** Which tenants may have runners: all, or only the first few where the jail is too weak to separate them. */
import { plinthError } from "@plinth/core/errors.ts";

export class TenantGate {
  #max = Number.POSITIVE_INFINITY;
  readonly #admitted = new Set<string>();

  limit(max: number): void {
    this.#max = max;
  }

  /** Where tenants are limited, those that came first stay the only ones, also after their runners ended. Throws NotAvailable. */
  admit(tenant: string): void {
    if (!Number.isFinite(this.#max) || this.#admitted.has(tenant)) return;
    if (this.#admitted.size >= this.#max)
      throw plinthError("NotAvailable", {
        what: "A second tenant (the jail of this host is too weak to separate tenants; `plinth doctor` says what is missing)",
      });
    this.#admitted.add(tenant);
  }
}
