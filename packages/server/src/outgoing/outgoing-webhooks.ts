/**
 * Webhooks: addresses outside to which events of a branch are sent. They listen as automations do, and their requests are deliveries
 * like calls of those: durable, repeated, and dead letters in the end.
 *
 * O1 An address gets no event before it has echoed a challenge, and again after its URL or its secret has changed, and after many
 *    failures one after the other: one that is gone does not fill the list of dead letters.
 * O2 Each request is signed: HMAC-SHA256 of its body with the secret, in hexadecimal.
 * O3 Requests leave through the egress guard, and an answer is waited for a few seconds.
 */
import { createHmac } from "node:crypto";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { WEBHOOKS } from "../database/record-tables.ts";
import { calledBack } from "../engine/cause-depth.ts";
import type { EventRow, SubscriptionRow } from "../events/event-records.ts";
import { publishEvent } from "../events/publish.ts";
import { changeSubscriptions } from "../events/subscriptions.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Egress } from "../sandbox/egress.ts";
import type { WebhookHeader, WebhookRow } from "./webhook-records.ts";

export const SIGNATURE_HEADER = "x-devrev-signature";
/** Type of the events that ask an address for the echo. */
const VERIFY = "verify";

export interface OutgoingParts {
  readonly database: Pick<Database, "read" | "update" | "waitingEvents">;
  readonly egress: Pick<Egress, "fetch">;
  readonly runtime: Runtime;
  /** Of the host's own API, which packages' webhooks may name. */
  readonly apiUrl: Promise<string>;
}

/** What of a webhook can be given. An empty secret asks for a new one. */
export interface WebhookChange {
  readonly url?: string;
  readonly secret?: string;
  readonly eventTypes?: (before: readonly string[]) => readonly string[];
  readonly headers?: (before: readonly WebhookHeader[]) => readonly WebhookHeader[];
  readonly action?: "activate" | "deactivate";
}

export class OutgoingWebhooks {
  readonly #parts: OutgoingParts;
  /** Failures one after the other, of webhooks that have any; a restart begins anew. */
  readonly #failures = new Map<string, number>();

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
  }

  async create(
    scope: Scope,
    given: { readonly snapInId: string; readonly url: string; readonly secret: string } & Pick<WebhookRow, "eventTypes" | "headers">,
  ): Promise<WebhookRow> {
    const nowMs = this.#parts.runtime.nowMs();
    const made: WebhookRow = {
      ...given,
      id: `whk_${this.#random(16, "hex")}`,
      secret: given.secret === "" ? this.#random(24, "base64") : given.secret,
      ...this.#unverified(),
      createdMs: nowMs,
      modifiedMs: nowMs,
    };
    return await this.#parts.database.update(scope, async (transaction) => {
      const max = limit("webhooksPerBranchMax");
      const all = await transaction.records.range(WEBHOOKS, { prefix: [], limit: max });
      if (all.length >= max) throw plinthError("RequestTooLarge", { what: "list of webhooks", actual: all.length + 1, max });
      await this.#put(transaction, made, undefined);
      return made;
    });
  }

  /** `owner`: the snap-in that asks; absent for keys, which see all. Undefined when there is none. */
  async find(scope: Scope, id: string, owner: string | undefined): Promise<WebhookRow | undefined> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(WEBHOOKS, [id]));
    return owner === undefined || row?.snapInId === owner ? row : undefined;
  }

  async list(scope: Scope, owner: string | undefined): Promise<readonly WebhookRow[]> {
    const rows = await this.#parts.database.read(scope, ({ records }) =>
      records.range(WEBHOOKS, { prefix: [], limit: limit("webhooksPerBranchMax") }),
    );
    return rows.map(({ value }) => value).filter(({ snapInId }) => owner === undefined || snapInId === owner);
  }

  /** Rejects with NotFound. `check` sees what it becomes, and may refuse it. */
  async update(
    scope: Scope,
    { id, owner, change, check }: { id: string; owner: string | undefined; change: WebhookChange; check: (row: WebhookRow) => void },
  ): Promise<WebhookRow> {
    const newSecret = this.#random(24, "base64");
    const unverified = this.#unverified();
    const nowMs = this.#parts.runtime.nowMs();
    return await this.#parts.database.update(scope, async (transaction) => {
      const before = await transaction.records.get(WEBHOOKS, [id]);
      if (before === undefined || (owner !== undefined && before.snapInId !== owner)) throw noSuchWebhook();
      const { url = before.url, secret = before.secret, action } = change;
      const wanted = { url, secret: secret === "" ? newSecret : secret };
      const isOther = wanted.url !== before.url || wanted.secret !== before.secret;
      const begins = action === "activate" ? before.status !== "active" || isOther : isOther && before.status !== "inactive";
      const next: WebhookRow = {
        ...before,
        ...wanted,
        eventTypes: change.eventTypes?.(before.eventTypes) ?? before.eventTypes,
        headers: change.headers?.(before.headers) ?? before.headers,
        modifiedMs: nowMs,
        ...(action === "deactivate" ? { status: "inactive" as const } : begins ? unverified : {}),
      };
      check(next);
      await this.#put(transaction, next, before);
      return next;
    });
  }

  /** False when there is none. */
  async delete(scope: Scope, id: string, owner: string | undefined): Promise<boolean> {
    return await this.#parts.database.update(scope, async (transaction) => {
      const row = await transaction.records.get(WEBHOOKS, [id]);
      if (row === undefined || (owner !== undefined && row.snapInId !== owner)) return false;
      await drop(transaction, id);
      return true;
    });
  }

  /** With a snap-in that is removed. */
  async forgetSnapIn(scope: Scope, snapInId: string): Promise<void> {
    const own = await this.list(scope, snapInId);
    if (own.length === 0) return;
    await this.#parts.database.update(scope, async (transaction) => {
      for (const { id } of own) await drop(transaction, id);
    });
  }

  /** One delivery. Rejects with WebhookUndelivered, or with what the guard refuses. */
  async deliver(scope: Scope, id: string, event: EventRow): Promise<void> {
    const row = await this.#parts.database.read(scope, ({ records }) => records.get(WEBHOOKS, [id]));
    if (row === undefined) return;
    if (event.type === VERIFY) return await this.#verify(scope, row, event);
    // What was underway when it was turned off, or became another address.
    if (row.status !== "active") return;
    try {
      await this.#send(scope, row, { event, body: { ...(JSON.parse(event.payloadText) as object), webhook_id: row.id } });
      this.#failures.delete(id);
    } catch (error) {
      await this.#failed(scope, row);
      throw error;
    }
  }

  /** O1 */
  async #failed(scope: Scope, row: WebhookRow): Promise<void> {
    const failures = (this.#failures.get(row.id) ?? 0) + 1;
    this.#failures.set(row.id, failures);
    if (failures < limit("webhookFailuresMax")) return;
    this.#failures.delete(row.id);
    const unverified = this.#unverified();
    await this.#parts.database.update(scope, async (transaction) => {
      const now = await transaction.records.get(WEBHOOKS, [row.id]);
      if (now?.status === "active" && now.challenge === row.challenge) await this.#put(transaction, { ...now, ...unverified }, now);
    });
  }

  /** O1 */
  async #verify(scope: Scope, row: WebhookRow, event: EventRow): Promise<void> {
    const { challenge } = JSON.parse(event.payloadText) as { readonly challenge?: unknown };
    if (row.status !== "unverified" || challenge !== row.challenge) return;
    const timestamp = new Date(this.#parts.runtime.nowMs()).toISOString();
    const head = { id: event.id, webhook_id: row.id, timestamp, type: VERIFY };
    // Receivers look for it in either place.
    const answer = await this.#send(scope, row, { event, body: { ...head, challenge, verify: { challenge } } });
    if (echoOf(answer) !== challenge) throw plinthError("WebhookUndelivered", { detail: "it does not echo the challenge" });
    await this.#parts.database.update(scope, async (transaction) => {
      const now = await transaction.records.get(WEBHOOKS, [row.id]);
      if (now?.status === "unverified" && now.challenge === challenge) await this.#put(transaction, { ...now, status: "active" }, now);
    });
  }

  /** O2, O3: the text of the answer. */
  async #send(scope: Scope, row: WebhookRow, { event, body }: { readonly event: EventRow; readonly body: object }): Promise<string> {
    const { egress, runtime, apiUrl } = this.#parts;
    const bytes = Buffer.from(JSON.stringify(body));
    const signature = createHmac("sha256", row.secret).update(bytes).digest("hex");
    const headers = [...row.headers.map(({ name, value }) => [name.toLowerCase(), value] as const), [SIGNATURE_HEADER, signature] as const];
    const request = {
      url: row.url,
      method: "POST",
      headers: [...headers, ["content-type", "application/json"] as const],
      bodyBase64: bytes.toString("base64"),
      redirect: "manual" as const,
    };
    const cut = new AbortController();
    const timer = runtime.timer(limit("webhookAnswerMs"), () => cut.abort());
    try {
      const callback = new URL(await apiUrl).origin;
      const actor = { kind: "anonymous" as const, scopes: [], causeDepth: event.causeDepth ?? 0 };
      const sent = calledBack(request, { actor, callback });
      const answer = await egress.fetch(sent, {
        tenant: scope.tenant,
        invocation: `webhook ${row.id}`,
        signal: cut.signal,
        callback,
      });
      if (answer.status < 200 || answer.status > 299) throw plinthError("WebhookUndelivered", { detail: `it answers ${answer.status}` });
      return Buffer.from(answer.bodyBase64, "base64").toString("utf8");
    } catch (error) {
      if (cut.signal.aborted) throw plinthError("WebhookUndelivered", { detail: "it does not answer in time" });
      if (error instanceof PlinthError && error.code === "FetchFailed")
        throw plinthError("WebhookUndelivered", { detail: "it cannot be reached" }, { cause: error });
      throw error;
    } finally {
      timer.cancel();
    }
  }

  /** Stores it with what it listens to, and asks for the echo where one is due. */
  async #put(transaction: Transaction, row: WebhookRow, before: WebhookRow | undefined): Promise<void> {
    transaction.records.put(WEBHOOKS, [row.id], row);
    await changeSubscriptions(transaction, row.id, listened(row));
    if (row.status !== "unverified" || row.challenge === before?.challenge) return;
    const payload = { challenge: row.challenge };
    const { runtime, database } = this.#parts;
    // What a failure asks for was not asked for from outside.
    const checkRoom =
      before?.status === "active" ? undefined : () => database.waitingEvents.check(transaction.scope, { isChange: false, causeDepth: 0 });
    await publishEvent(transaction, { type: VERIFY, sourceId: row.id, payload, syncId: null }, runtime.nowMs(), checkRoom);
  }

  #unverified(): Pick<WebhookRow, "status" | "challenge"> {
    return { status: "unverified", challenge: this.#random(24, "base64") };
  }

  #random(bytes: number, encoding: "hex" | "base64"): string {
    return Buffer.from(this.#parts.runtime.randomBytes(bytes)).toString(encoding);
  }
}

function listened({ id, snapInId, status, eventTypes }: WebhookRow): readonly SubscriptionRow[] {
  const types = status === "active" ? [VERIFY, ...eventTypes] : [VERIFY];
  const names = { sourceId: id, automation: id, snapInId, function: "", ordered: false, filterJq: null, user: null, webhook: id };
  return types.map((type) => ({ type, ...names }));
}

async function drop(transaction: Transaction, id: string): Promise<void> {
  transaction.records.delete(WEBHOOKS, [id]);
  await changeSubscriptions(transaction, id, []);
}

function echoOf(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && "challenge" in json ? json.challenge : undefined;
  } catch {
    return undefined;
  }
}

export function noSuchWebhook(): Error {
  return plinthError("NotFound", { what: "webhook with this id" });
}
