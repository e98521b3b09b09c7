/**
 * Once a day, at midnight UTC or at the first start after it, the heads of all branches are written down.
 *
 * S1 A day is done once: its rows are keyed by the day and never replaced, and the day is marked done at the end. A host that
 *    was stopped in the middle goes on with the branches that have no row of the day.
 * S2 Rows lie in the scope of their branch, so they go with it.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { DAILY_JOBS, HEAD_SNAPSHOTS, HEADS, PACKAGE_HEADS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { HeadSnapshot } from "./branch-records.ts";
import { MAIN_BRANCH, type Branches } from "./branches.ts";
import { DAY_MS, dayOf, untilNextDayMs } from "./daily.ts";

type Heads = HeadSnapshot["heads"];

/** Reads heads of one kind of package. To add a kind: a function of this form, in the list below. */
export type ReadHeads = (transaction: Pick<Transaction, "records">) => Promise<Heads>;

const HEAD_READERS: readonly ReadHeads[] = [functionsHead, packageHeads];
const JOB = ["headSnapshots"];

export interface HeadSnapshotsOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly branches: Branches;
  readonly tenants: { list(): Promise<readonly { readonly name: string }[]> };
}

export class HeadSnapshots {
  readonly #options: HeadSnapshotsOptions;
  #timer: { cancel(): void } | undefined;
  #work: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: HeadSnapshotsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#work;
  }

  /** The snapshots of a branch, the latest first. */
  async list(scope: Scope): Promise<readonly HeadSnapshot[]> {
    const rows = await this.#options.database.read(scope, ({ records }) =>
      records.range(HEAD_SNAPSHOTS, { prefix: [], order: "desc", limit: limit("headSnapshotDaysMax") }),
    );
    return rows.map((row) => row.value);
  }

  /** Does what is left of today. */
  async takeDue(): Promise<void> {
    const { database, runtime, tenants, branches } = this.#options;
    const day = dayOf(runtime.nowMs());
    const done = await database.read(PLATFORM_SCOPE, ({ records }) => records.get(DAILY_JOBS, JOB));
    if (done !== undefined && done.day >= day) return;
    for (const { name: tenant } of await tenants.list()) {
      for (const branch of [MAIN_BRANCH, ...(await branches.list(tenant)).map(({ name }) => name)]) {
        if (this.#stopped) return;
        await this.#take({ tenant, branch }, day);
        // Calls go before this.
        await runtime.sleep(0);
      }
    }
    await database.update(PLATFORM_SCOPE, async ({ records }) => records.put(DAILY_JOBS, JOB, { day }));
  }

  #run(): void {
    const { runtime, log } = this.#options;
    this.#work = this.takeDue().catch((error: unknown) => log.error({ err: error }, "heads of branches could not be written down"));
    this.#timer = runtime.timer(untilNextDayMs(runtime.nowMs()), () => {
      if (!this.#stopped) this.#run();
    });
  }

  /** S1 */
  async #take(scope: Scope, day: string): Promise<void> {
    const atMs = this.#options.runtime.nowMs();
    const oldest = dayOf(atMs - limit("headSnapshotDaysMax") * DAY_MS);
    const known = await this.#options.database.read(scope, async ({ records }) => {
      const heads = await headsOf({ records });
      return (await records.get(HEAD_SNAPSHOTS, [day])) !== undefined || Object.keys(heads).length === 0;
    });
    if (known) return;
    await this.#options.database.update(scope, async ({ records }) => {
      // A branch that was deleted meanwhile gets no row.
      if (!(await this.#options.branches.isServed(scope))) return;
      records.put(HEAD_SNAPSHOTS, [day], { day, atMs, heads: await headsOf({ records }) });
      const rows = await records.range(HEAD_SNAPSHOTS, { prefix: [], limit: limit("headSnapshotDaysMax") + 1 });
      for (const { key } of rows) if (String(key[0]) <= oldest) records.delete(HEAD_SNAPSHOTS, key);
    });
  }
}

async function headsOf(transaction: Pick<Transaction, "records">): Promise<Heads> {
  const all = await Promise.all(HEAD_READERS.map((read) => read(transaction)));
  return Object.assign({}, ...all) as Heads;
}

async function functionsHead({ records }: Pick<Transaction, "records">): Promise<Heads> {
  const head = await records.get(HEADS, ["head"]);
  return head === undefined ? {} : { "": { version: head.version, seq: head.seq } };
}

async function packageHeads({ records }: Pick<Transaction, "records">): Promise<Heads> {
  const rows = await records.range(PACKAGE_HEADS, { prefix: [], limit: limit("packagesPerBranchMax") });
  return Object.fromEntries(rows.map(({ key, value: { version, seq } }) => [String(key[0]), { version, seq }]));
}
