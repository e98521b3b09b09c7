/**
 * Changes many runs, a slice at a time: who asks goes on with the next slice until there is none. After a crash the same request with
 * the same id changes only what was not changed yet (U3): its events carry the id, and new runs have it in their idempotency keys.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import type { FlowEvent } from "@plinth/core/flow/events.ts";
import { retryNodes } from "@plinth/core/flow/retry-run.ts";
import { type FlowValue, NOTHING } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../../database/database.ts";
import { FLOW_JOURNAL } from "../../database/record-tables.ts";
import { isInvocationId, timeOfId } from "../../engine/invocation-ids.ts";
import type { RunRow } from "../flow-records.ts";
import { findRows } from "./find-runs.ts";
import { moveOne } from "./move-runs.ts";
import { rerun } from "./rerun.ts";
import type { BulkRequest, BulkSlice } from "./upkeep.ts";
import type { UpkeepParts } from "./upkeep-parts.ts";

const AT_A_TIME = 8;
const ROWS = 200;

export class BulkRuns {
  readonly #parts: UpkeepParts;
  /** Ids of changes of which a slice is being made. */
  readonly #running = new Set<string>();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  async slice(scope: Scope, request: BulkRequest): Promise<BulkSlice> {
    if (!isInvocationId(request.id)) throw plinthError("BadRequest", { detail: "`id` is none that a count has given." });
    const key = `${scope.tenant}/${scope.branch}/${request.id}`;
    if (this.#running.has(key)) throw plinthError("FlowRunRefused", { detail: "A slice of the same change is under way." });
    this.#running.add(key);
    try {
      return await this.#slice(scope, request);
    } finally {
      this.#running.delete(key);
    }
  }

  async #slice(scope: Scope, request: BulkRequest): Promise<BulkSlice> {
    const { rows, seen, next } = await findRows(this.#parts, scope, request);
    const made: Made = { done: [], already: [], refused: [] };
    if (request.isDry) return { seen, matched: rows.length, ...made, done: rows.map(({ id }) => id), next };
    const endMs = this.#parts.runtime.nowMs() + limit("flowBulkMs");
    const prepared = await this.#prepared(scope, request);
    let last: string | null = null;
    for (let at = 0; at < rows.length; at += AT_A_TIME) {
      if (at > 0 && this.#parts.runtime.nowMs() > endMs) return { seen, matched: at, ...made, next: last };
      const some = rows.slice(at, at + AT_A_TIME);
      await Promise.all(some.map((row) => this.#change(scope, row, prepared, made)));
      last = some.at(-1)?.id ?? last;
    }
    return { seen, matched: rows.length, ...made, next };
  }

  async #prepared(scope: Scope, request: BulkRequest): Promise<Prepared> {
    const { action } = request;
    const given = action.kind === "signal" ? action.payload : "input" in action ? action.input : undefined;
    return { request, value: given === undefined ? null : await this.#parts.calls.values.keep(scope, given) };
  }

  async #change(scope: Scope, row: RunRow, prepared: Prepared, made: Made): Promise<void> {
    try {
      const isNew = await this.#changed(scope, row, prepared);
      (isNew ? made.done : made.already).push(row.id);
    } catch (error) {
      if (!(error instanceof PlinthError) || error.spec.fault === "platform") throw error;
      made.refused.push({ id: row.id, message: error.message });
    }
  }

  /** False when an earlier request has done it. */
  async #changed(scope: Scope, { id }: RunRow, { request, value }: Prepared): Promise<boolean> {
    const { action, actor, by } = request;
    if (action.kind === "rerun") {
      const input = action.input === undefined ? {} : { input: action.input };
      await rerun(this.#parts, scope, id, { actor, ...input, idempotencyKey: `bulk ${request.id} ${id}` });
      return true;
    }
    if (await this.#hasEvent(scope, id, request.id)) return false;
    if (action.kind === "move") {
      await moveOne(this.#parts, scope, id, { by, to: action.to, isDry: false, request: request.id });
      return true;
    }
    const common = { atMs: this.#parts.runtime.nowMs(), by, request: request.id };
    const refusal = await this.#parts.runs.with(scope, id, async (driver) => {
      const event = eventOf(action, common, { value, retryFrom: retryNodes(driver.program, driver.state) });
      return await driver.deliver(event, { isDurable: true });
    });
    if (refusal !== null) throw plinthError("FlowRunRefused", { detail: refusal.message });
    return true;
  }

  /** Whether the run has an event of this request, looking back to when it was made. */
  async #hasEvent(scope: Scope, run: string, request: string): Promise<boolean> {
    const sinceMs = timeOfId(request) - limit("flowBulkClockMs");
    for (let before: number | undefined; ;) {
      const rows = await this.#parts.database.read(scope, ({ records }) =>
        records.range(FLOW_JOURNAL, {
          prefix: [run],
          order: "desc",
          limit: ROWS,
          ...(before === undefined ? {} : { after: [run, before] }),
        }),
      );
      for (const { value } of rows) {
        if (value.events.some((event) => event.request === request)) return true;
        if ((value.events[0]?.atMs ?? 0) < sinceMs) return false;
      }
      if (rows.length < ROWS) return false;
      before = Number(rows.at(-1)?.key[1]);
    }
  }
}

interface Made {
  readonly done: string[];
  readonly already: string[];
  readonly refused: { readonly id: string; readonly message: string }[];
}

interface Prepared {
  readonly request: BulkRequest;
  readonly value: FlowValue | null;
}

type ByEvent = Exclude<BulkRequest["action"], { readonly kind: "rerun" | "move" }>;

function eventOf(
  action: ByEvent,
  common: { readonly atMs: number; readonly by: string; readonly request: string },
  { value, retryFrom }: { readonly value: FlowValue | null; readonly retryFrom: readonly string[] },
): FlowEvent {
  switch (action.kind) {
    case "cancel":
      return { ...common, kind: "cancelled", reason: action.reason };
    case "pause":
      return { ...common, kind: "paused", reason: action.reason };
    case "resume":
      return { ...common, kind: "resumed" };
    case "signal":
      return { ...common, kind: "signalled", name: action.name, payload: value ?? NOTHING };
    case "retry": {
      const node = action.node ?? retryFrom[0];
      if (node === undefined) throw plinthError("FlowRunRefused", { detail: "The run has nothing that could be retried." });
      return { ...common, kind: "retried", node, input: value };
    }
  }
}
