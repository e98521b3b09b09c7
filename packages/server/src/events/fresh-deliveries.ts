/** What this process knows of deliveries that it has just made, so that it need not read them again. Hints: all of it may be forgotten. */
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { DeliveryKey, StoredDelivery } from "./delivery-rows.ts";

export class FreshDeliveries {
  readonly #deliveries = new Map<string, StoredDelivery>();
  readonly #followed = new Set<string>();

  /** It has its turn with the commit that is being made. */
  add(scope: Scope, key: DeliveryKey, stored: StoredDelivery): void {
    this.#deliveries.set(nameOf(scope, key), stored);
    for (const oldest of this.#deliveries.keys()) {
      if (this.#deliveries.size <= limit("freshDeliveriesMax")) break;
      this.#deliveries.delete(oldest);
    }
  }

  take(scope: Scope, key: DeliveryKey): StoredDelivery | undefined {
    const name = nameOf(scope, key);
    const stored = this.#deliveries.get(name);
    this.#deliveries.delete(name);
    return stored;
  }

  /** Others of the group wait for the end of its first one. */
  follow(scope: Scope, group: string): void {
    if (this.#followed.size >= limit("followedGroupsMax")) this.#followed.clear();
    this.#followed.add(nameOf(scope, [group]));
  }

  notFollowed(scope: Scope, group: string | null): void {
    if (group !== null) this.#followed.delete(nameOf(scope, [group]));
  }

  isFollowed(scope: Scope, group: string | null): boolean {
    return group !== null && this.#followed.has(nameOf(scope, [group]));
  }
}

function nameOf({ tenant, branch }: Scope, parts: readonly (string | number)[]): string {
  return [tenant, branch, ...parts].join("\n");
}
