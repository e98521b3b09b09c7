/**
 * Deletes runs that have ended when their time is over or too many came after them, and versions of functions that no run needs.
 *
 * R3 A run that goes on is never deleted, whatever it waits for, and what it needs stays: its flow's version, its functions' version,
 *    its values. So are versions of runs that may be let go on.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Database, KeyPart, Scope } from "../../database/database.ts";
import { ENDED_FLOW_RUNS, FLOW_RUNS, KEPT_VERSIONS, PLATFORM_SCOPE } from "../../database/record-tables.ts";
import { dropKeptVersion } from "../../deploys/kept-versions.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Log } from "../../telemetry/log.ts";
import { deleteRun } from "./delete-run.ts";
import type { EndedRun } from "./ended-runs.ts";

/** How long ended runs of a flow are kept, and how many. */
export interface KeptRuns {
  readonly forMs: number;
  readonly count: number;
}

export interface FlowRetentionParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  /** What the head of a flow says. */
  readonly keptRunsOf: (scope: Scope, flow: string) => Promise<KeptRuns>;
}

const FIRST_MS = 60_000;
const PAGE = 500;

export class FlowRetention {
  readonly #parts: FlowRetentionParts;
  #timer: { cancel(): void } | undefined;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: FlowRetentionParts) {
    this.#parts = parts;
  }

  /** The first time soon, because hosts may be restarted often. */
  start(delayMs = FIRST_MS): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.runtime.timer(delayMs, () => {
      this.#work = this.collect()
        .then(() => undefined)
        .catch((error: unknown) => {
          if (!this.#isStopped) this.#parts.log.warn({ err: error }, "old runs of flows could not be deleted; it is tried again later");
        })
        .finally(() => this.start(limit("flowRetentionIntervalMs")));
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#work;
  }

  /** Returns how many runs and versions were deleted. */
  async collect(): Promise<{ readonly runs: number; readonly versions: number }> {
    let runs = 0;
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const [first] = await this.#endedAfter(after);
      if (first === undefined) break;
      runs += await this.#collectFlow(first).catch((error: unknown) => {
        if (!this.#isStopped) this.#parts.log.warn({ err: error, flow: first.flow }, "old runs of a flow could not be deleted");
        return 0;
      });
      after = [...placeOf(first), Number.MAX_SAFE_INTEGER];
    }
    return { runs, versions: await this.#collectVersions() };
  }

  async #collectFlow(first: EndedRun): Promise<number> {
    const { runtime, keptRunsOf } = this.#parts;
    const { scope, flow } = first;
    const { forMs, count } = await keptRunsOf(scope, flow);
    const nowMs = runtime.nowMs();
    const oldestMs = await this.#oldestOfLast(first, count);
    let deleted = 0;
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const page = await this.#ended(first, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const run of page) {
        const isOld = run.endedMs < nowMs - forMs;
        // Whoever has begun a run reads its result first.
        const isTooMany = run.endedMs < oldestMs && run.endedMs < nowMs - limit("flowRunsKeptMsMin");
        if (!isOld && !isTooMany) return deleted;
        if (this.#isStopped) return deleted;
        if (await deleteRun(this.#parts, run)) deleted += 1;
      }
      if (page.length < PAGE) return deleted;
      const last = page.at(-1);
      after = last === undefined ? undefined : [...placeOf(last), last.endedMs, last.id];
    }
    return deleted;
  }

  /** When the first of the last `count` runs ended; 0 when there are not so many. */
  async #oldestOfLast(place: EndedRun, count: number): Promise<number> {
    let left = count;
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const page = await this.#ended(place, { order: "desc", limit: PAGE, ...(after === undefined ? {} : { after }) });
      const reached = page[left - 1];
      if (reached !== undefined) return reached.endedMs;
      left -= page.length;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return 0;
      after = [...placeOf(last), last.endedMs, last.id];
      await this.#parts.runtime.sleep(0);
    }
    return 0;
  }

  async #ended(
    place: EndedRun,
    page: { readonly order?: "desc"; readonly limit: number; readonly after?: readonly KeyPart[] },
  ): Promise<readonly EndedRun[]> {
    const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(ENDED_FLOW_RUNS, { prefix: placeOf(place), ...page }),
    );
    return rows.map(({ key }) => endedOf(key));
  }

  async #endedAfter(after: readonly KeyPart[] | undefined): Promise<readonly EndedRun[]> {
    const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(ENDED_FLOW_RUNS, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
    );
    return rows.map(({ key }) => endedOf(key));
  }

  async #collectVersions(): Promise<number> {
    const { database, runtime } = this.#parts;
    const pinned = new Map<string, ReadonlySet<string>>();
    let dropped = 0;
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const rows = await database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(KEPT_VERSIONS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key } of rows) {
        const [tenant, branch, digest] = [String(key[0]), String(key[1]), String(key[2])];
        const scope = { tenant, branch };
        const inUse = pinned.get(`${tenant}/${branch}`) ?? (await this.#pinned(scope));
        pinned.set(`${tenant}/${branch}`, inUse);
        if (this.#isStopped) return dropped;
        if (inUse.has(digest)) continue;
        // Only runs that were there pin it: those that begin have the head's.
        if (await database.update(scope, (transaction) => dropKeptVersion(transaction, digest, runtime.nowMs()))) dropped += 1;
      }
      if (rows.length < PAGE) return dropped;
      after = rows.at(-1)?.key;
    }
    return dropped;
  }

  /** Versions of functions of runs that go on, or may. */
  async #pinned(scope: Scope): Promise<ReadonlySet<string>> {
    const { database, runtime } = this.#parts;
    const pinned = new Set<string>();
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const rows = await database.read(scope, ({ records }) =>
        records.range(FLOW_RUNS, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
      );
      for (const { value } of rows) if (value.status !== "completed" && value.functions !== null) pinned.add(value.functions);
      if (rows.length < PAGE) break;
      after = rows.at(-1)?.key;
      await runtime.sleep(0);
    }
    return pinned;
  }
}

function placeOf({ scope, flow }: EndedRun): readonly string[] {
  return [scope.tenant, scope.branch, flow];
}

function endedOf(key: readonly KeyPart[]): EndedRun {
  return { scope: { tenant: String(key[0]), branch: String(key[1]) }, flow: String(key[2]), endedMs: Number(key[3]), id: String(key[4]) };
}
