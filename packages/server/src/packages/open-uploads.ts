/** Counts the uploads of each tenant that have not ended: each holds an archive on the disk and waits for a thread and for jails. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";

export class OpenUploads {
  readonly #open = new Map<string, number>();

  /** Returns what ends it, once. Throws TooManyConcurrentRequests. */
  begin(tenant: string): () => void {
    const max = limit("uploadsPerTenantMax");
    const open = this.#open.get(tenant) ?? 0;
    if (open >= max) throw plinthError("TooManyConcurrentRequests", { detail: `${max} uploads of packages of this tenant are under way` });
    this.#open.set(tenant, open + 1);
    return () => {
      const left = (this.#open.get(tenant) ?? 1) - 1;
      if (left === 0) this.#open.delete(tenant);
      else this.#open.set(tenant, left);
    };
  }
}
