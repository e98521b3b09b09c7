/**
 * Deletes a flow with all that belongs to it.
 *
 * D1 A flow is deleted while none of its runs goes on. One that begins at the same moment is cancelled, or does not begin.
 * D2 From the first commit on nobody finds the flow, and nothing starts it. Its runs and versions go in slices; a mark stays until all of
 *    them have gone, so that a host that was killed in between goes on, and until then the name is not used again.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, KeyPart, Records, Scope } from "../../database/database.ts";
import {
  DELETED_FLOWS,
  ENDED_FLOW_RUNS,
  FLOW_LEDGER,
  FLOW_RUNS,
  FLOW_RUNS_OF_FLOW,
  FLOW_TESTS,
  FLOW_VERSIONS,
  FLOWS,
  PLATFORM_SCOPE,
} from "../../database/record-tables.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Log } from "../../telemetry/log.ts";
import { forgetBundlesOf } from "../bundles/bundle-rows.ts";
import { unbindTrigger } from "../triggers/bind-trigger.ts";
import { deleteRun } from "./delete-run.ts";

export interface DeletedFlowsParts {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly log: Log;
  readonly cancel: (scope: Scope, run: string) => Promise<void>;
  /** Tells the run that waits for the end of this one, if there is one. */
  readonly tellParent: (scope: Scope, run: string) => Promise<void>;
}

const PAGE = 500;
/** Definitions may have megabytes. */
const VERSIONS = 10;

export class DeletedFlows {
  readonly #parts: DeletedFlowsParts;
  /** By scope and flow. */
  readonly #clearing = new Map<string, Promise<void>>();
  #timer: { cancel(): void } | undefined;
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: DeletedFlowsParts) {
    this.#parts = parts;
  }

  /** D2: nobody finds the flow when it resolves. Rejects with NotFound, and with FlowHasRuns (D1). */
  async delete(scope: Scope, flow: string): Promise<void> {
    const { database, runtime } = this.#parts;
    const count = await this.#live(scope, flow, () => Promise.resolve());
    await database.update(scope, async (transaction) => {
      const { records } = transaction;
      if ((await records.get(FLOWS, [flow])) === undefined) throw plinthError("NotFound", { what: `flow '${flow.slice(0, 64)}'` });
      if (count > 0) throw plinthError("FlowHasRuns", { flow, count });
      records.delete(FLOWS, [flow]);
      records.delete(FLOW_TESTS, [flow]);
      await unbindTrigger(transaction, flow, runtime.nowMs());
      records.put(DELETED_FLOWS, markOf(scope, flow), true);
    });
    // Few runs are gone before anybody asks for the name again; many go on being deleted.
    const time = new AbortController();
    this.#later(0);
    await Promise.race([this.#clear(scope, flow), runtime.sleep(limit("flowDeleteWaitMs"), time.signal)]).catch((error: unknown) =>
      this.#failed(error, flow),
    );
    time.abort();
  }

  /** Those that an earlier host has left, and whose runs have ended since. */
  start(): void {
    this.#later(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#work;
    await Promise.allSettled(this.#clearing.values());
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.runtime.timer(delayMs, () => {
      this.#work = this.#work.then(() => this.#collect());
    });
  }

  async #collect(): Promise<void> {
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(DELETED_FLOWS, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
      );
      const [first] = rows;
      if (first === undefined) break;
      const [tenant, branch, flow] = first.key.map(String);
      await this.#clear({ tenant: tenant ?? "", branch: branch ?? "" }, flow ?? "").catch((error: unknown) => this.#failed(error, flow));
      after = first.key;
    }
    const left = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) => records.range(DELETED_FLOWS, { prefix: [], limit: 1 }));
    if (left.length > 0) this.#later(limit("flowReaperMs"));
  }

  #failed(error: unknown, flow: string | undefined): void {
    if (!this.#isStopped)
      this.#parts.log.warn({ err: error, flow }, "what belongs to a deleted flow could not be deleted; it is tried again later");
  }

  /** Once at a time for each flow. */
  async #clear(scope: Scope, flow: string): Promise<void> {
    const key = [scope.tenant, scope.branch, flow].join("/");
    const clearing = this.#clearing.get(key) ?? this.#clearNow(scope, flow).finally(() => this.#clearing.delete(key));
    this.#clearing.set(key, clearing);
    await clearing;
  }

  async #clearNow(scope: Scope, flow: string): Promise<void> {
    const { database, runtime, cancel, tellParent } = this.#parts;
    await this.#live(scope, flow, (id) => cancel(scope, id).catch((error: unknown) => this.#failed(error, flow)));
    const place = [scope.tenant, scope.branch, flow];
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const page = { prefix: place, limit: PAGE, ...(after === undefined ? {} : { after }) };
      const rows = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(ENDED_FLOW_RUNS, page));
      for (const { key } of rows) {
        if (this.#isStopped) return;
        const id = String(key[4]);
        await tellParent(scope, id);
        await deleteRun({ database, runtime }, { scope, flow, endedMs: Number(key[3]), id });
      }
      if (rows.length < PAGE) break;
      after = rows.at(-1)?.key;
    }
    for (let isDone = false; !isDone && !this.#isStopped;) {
      isDone = await database.update(scope, ({ records }) => deleteVersions(records, { scope, flow, nowMs: runtime.nowMs() }));
      await runtime.sleep(0);
    }
  }

  /** Returns how many runs go on. */
  async #live(scope: Scope, flow: string, each: (run: string) => Promise<void>): Promise<number> {
    const { database, runtime } = this.#parts;
    let count = 0;
    for (let after: readonly KeyPart[] | undefined; !this.#isStopped;) {
      const page = { prefix: [flow], limit: PAGE, ...(after === undefined ? {} : { after }) };
      const { keys, rows } = await database.read(scope, async ({ records }) => {
        const found = await records.range(FLOW_RUNS_OF_FLOW, page);
        return {
          keys: found.map(({ key }) => key),
          rows: await Promise.all(found.map(({ key }) => records.get(FLOW_RUNS, [String(key[1])]))),
        };
      });
      for (const row of rows) {
        if (row === undefined || row.endedMs !== null) continue;
        count += 1;
        await each(row.id);
      }
      if (keys.length < PAGE) break;
      after = keys.at(-1);
      await runtime.sleep(0);
    }
    return count;
  }
}

function markOf({ tenant, branch }: Scope, flow: string): readonly [string, string, string] {
  return [tenant, branch, flow];
}

/** Once no run needs them; true when there is nothing more to do now. */
async function deleteVersions(
  records: Records,
  { scope, flow, nowMs }: { readonly scope: Scope; readonly flow: string; readonly nowMs: number },
): Promise<boolean> {
  if ((await records.range(FLOW_RUNS_OF_FLOW, { prefix: [flow], limit: 1 })).length > 0) return true;
  const versions = await records.range(FLOW_VERSIONS, { prefix: [flow], limit: VERSIONS });
  for (const { key } of versions) {
    records.delete(FLOW_VERSIONS, key);
    await forgetBundlesOf(records, { flow, version: String(key[1]), nowMs });
  }
  const moves = await records.range(FLOW_LEDGER, { prefix: [flow], limit: PAGE });
  for (const { key } of moves) records.delete(FLOW_LEDGER, key);
  if (versions.length === VERSIONS || moves.length === PAGE) return false;
  records.delete(DELETED_FLOWS, markOf(scope, flow));
  return true;
}
