/** What all pools of a host share: how many runners there may be, and how much memory they may take. */

/** A runner that nobody uses at the moment. */
export interface IdleRunner {
  readonly lastUsedMs: number;
  end(): void;
}

export interface BudgetMember {
  count(): number;
  /** Runners that start count as what they are expected to take. */
  memoryBytes(): number;
  /** The least recently used idle runner that may give way to one of `forTenant`; `asker` is the pool that needs the room. */
  idle(request: { readonly asker: BudgetMember; readonly forTenant: string | undefined }): IdleRunner | undefined;
}

export class SandboxBudget {
  readonly #runnersMax: number;
  readonly #memoryBytesMax: number;
  readonly #members: BudgetMember[] = [];

  constructor(options: { readonly runnersMax: number; readonly memoryBytesMax: number }) {
    this.#runnersMax = options.runnersMax;
    this.#memoryBytesMax = options.memoryBytesMax;
  }

  join(member: BudgetMember): void {
    this.#members.push(member);
  }

  /** Whether one more runner that takes so much fits. */
  hasRoom(bytes: number): boolean {
    return this.#sum((member) => member.count()) < this.#runnersMax && this.#memoryBytes() + bytes <= this.#memoryBytesMax;
  }

  /** Ends the least recently used idle runner of any pool; false when there is none. */
  endIdle(asker: BudgetMember, forTenant?: string): boolean {
    const idle = this.#members
      .map((member) => member.idle({ asker, forTenant }))
      .filter((found) => found !== undefined)
      .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)[0];
    idle?.end();
    return idle !== undefined;
  }

  /** Ends idle runners while they take more than they may. */
  trim(asker: BudgetMember): void {
    while (this.#memoryBytes() > this.#memoryBytesMax && this.endIdle(asker));
  }

  #memoryBytes(): number {
    return this.#sum((member) => member.memoryBytes());
  }

  #sum(of: (member: BudgetMember) => number): number {
    let sum = 0;
    for (const member of this.#members) sum += of(member);
    return sum;
  }
}
