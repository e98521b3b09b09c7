/**
 * Idempotency keys: the first outcome of a key is the outcome of every call with it.
 *
 * I1 A mutation's outcome is stored in the transaction of its writes: both are there or none.
 * I2 An action is noted before it starts, so it starts once; when its host died meanwhile, the outcome is RunnerLost.
 * I3 The same key with another function, other arguments or for another identity is IdempotencyConflict and changes
 *    nothing: nobody gets the outcome of somebody else's call.
 * I4 Failures that are not the function's are not stored: the same key may try again.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { valueToText } from "@plinth/core/documents/values.ts";
import type { Records, Scope } from "../database/database.ts";
import { IDEMPOTENCY, IDEMPOTENCY_BY_TIME } from "../database/record-tables.ts";
import { restoreOutcome, storeOutcome, type IdempotencyRow } from "./engine-records.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";
import type { Retention } from "./retention.ts";

export class Idempotency {
  readonly #parts: EngineParts;
  readonly #retention: Retention;

  constructor(parts: EngineParts, retention: Retention) {
    this.#parts = parts;
    this.#retention = retention;
  }

  /** The row of the key, when it was used before for the same call. */
  async find(records: Records, accepted: AcceptedCall, key: string): Promise<IdempotencyRow | undefined> {
    const row = await records.get(IDEMPOTENCY, [key]);
    if (row !== undefined && row.fingerprint !== fingerprintOf(accepted)) throw conflict(key);
    return row;
  }

  put(records: Records, accepted: AcceptedCall, entry: { readonly key: string; readonly result: IdempotencyRow["result"] }): void {
    const { createdMs } = accepted;
    records.put(IDEMPOTENCY, [entry.key], { fingerprint: fingerprintOf(accepted), createdMs, result: entry.result });
    records.put(IDEMPOTENCY_BY_TIME, [createdMs, entry.key], true);
    this.#retention.note(records, "idempotency", accepted.scope, createdMs);
  }

  /** The stored first outcome of a mutation or action; undefined when there is none yet. */
  firstOutcome(row: IdempotencyRow | undefined, key: string): InvocationOutcome | undefined {
    if (row === undefined || row.result.kind === "started") return undefined;
    if (row.result.kind === "enqueued") throw conflict(key);
    const outcome = restoreOutcome(row.result.outcome);
    // Every later moment shows the writes of the first call; its own moment is not known inside its transaction.
    return outcome.status === "succeeded" ? { ...outcome, ts: this.#parts.database.latest() } : outcome;
  }

  /** I2. `started` = this call goes on; otherwise what came of the first one (undefined = not known: it was lost). */
  async startAction(
    accepted: AcceptedCall,
    key: string,
  ): Promise<{ readonly kind: "started" } | { readonly kind: "known"; readonly row: IdempotencyRow }> {
    return await this.#parts.database.update(accepted.scope, async ({ records }) => {
      const row = await this.find(records, accepted, key);
      if (row !== undefined) return { kind: "known", row } as const;
      this.put(records, accepted, { key, result: { kind: "started", id: accepted.id } });
      return { kind: "started" } as const;
    });
  }

  /** Stores the outcome of an action, or of a mutation that failed; the first one stays. */
  async finish(accepted: AcceptedCall, key: string, outcome: InvocationOutcome): Promise<void> {
    await this.#parts.database.update(accepted.scope, async ({ records }) => {
      const row = await records.get(IDEMPOTENCY, [key]);
      if (row === undefined || (row.result.kind === "started" && row.result.id === accepted.id)) {
        this.put(records, accepted, { key, result: { kind: "finished", outcome: storeOutcome(outcome) } });
      }
    });
  }

  /** I4: an action that was not run at all leaves no trace of its key. */
  async forget(scope: Scope, accepted: AcceptedCall, key: string): Promise<void> {
    await this.#parts.database.update(scope, async ({ records }) => {
      const row = await records.get(IDEMPOTENCY, [key]);
      if (row?.result.kind !== "started" || row.result.id !== accepted.id) return;
      records.delete(IDEMPOTENCY, [key]);
      records.delete(IDEMPOTENCY_BY_TIME, [row.createdMs, key]);
    });
  }
}

function fingerprintOf(accepted: AcceptedCall): string {
  const { comparedText, subject, actor } = accepted.request;
  const args = comparedText ?? (accepted.args === undefined ? accepted.argsText : valueToText(accepted.args));
  return createHash("sha256")
    .update(`${accepted.path}\n${args}${asWhom(actor, subject?.userId)}`)
    .digest("base64url");
}

/** I3. Applications share their keys' calls; identities, users and service accounts do not. */
function asWhom({ identity, service }: AcceptedCall["request"]["actor"], userId: string | undefined): string {
  const own = service === undefined ? undefined : [service.account, service.user];
  const parts = [identity, own, userId].filter((part) => part !== undefined);
  return parts.map((part) => `\n${JSON.stringify(part)}`).join("");
}

function conflict(key: string) {
  return plinthError("IdempotencyConflict", { key: JSON.stringify(key).slice(1, -1).slice(0, 80) });
}
