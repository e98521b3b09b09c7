/**
 * User ids for jails of a host that runs as root: one per running jail, so that jails cannot touch each
 * other even outside their namespaces and limits counted by user are limits of one jail.
 */
import { assert } from "@plinth/core/assert.ts";

// 0x70000000–0x7fffffff is free of users by convention (below it lie containers, above it signed ids break).
const BASE = 0x7000_0000;
const PER_HOST = 256;

export class UserSlots {
  readonly #base: number;
  readonly #taken = new Set<number>();

  /** Hosts on one machine get different ranges by their process id. */
  constructor(processId: number) {
    this.#base = BASE + (processId % (0x1000_0000 / PER_HOST)) * PER_HOST;
  }

  take(): number {
    for (let slot = 0; slot < PER_HOST; slot++) {
      const user = this.#base + slot;
      if (this.#taken.has(user)) continue;
      this.#taken.add(user);
      return user;
    }
    throw new Error("all user slots of the host are taken");
  }

  free(user: number): void {
    assert(this.#taken.delete(user), "a slot is freed once");
  }
}
