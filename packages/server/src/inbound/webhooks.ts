/**
 * Requests of the world to event sources of the type `flow-custom-webhook`.
 *
 * W1 What a request means is said by the policy of its source alone, which a jail evaluates; without its yes nothing happens.
 * W2 A request is answered after its event is committed.
 * W3 A source takes a bounded number of requests, whoever sends them.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Events } from "../events/events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { JailTools } from "../sandbox/tools.ts";
import type { Log } from "../telemetry/log.ts";
import { checkOpen, findOpenSource, type OpenSource, type SourceParts } from "./open-source.ts";
import type { SourceGate } from "./source-gate.ts";
import { parseWebhookAnswer, WrongOutput, type WebhookAnswer, type WebhookEvent, type WebhookResponse } from "./webhook-answer.ts";

export interface WebhookRequest {
  readonly method: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Of who sends it (`engine/cause-depth.ts`). */
  readonly causeDepth?: number;
}

export interface WebhookParts extends SourceParts {
  readonly events: Pick<Events, "publish">;
  readonly tools: Pick<JailTools, "run">;
  readonly gate: SourceGate;
  readonly runtime: Pick<Runtime, "nowMs">;
  readonly log: Pick<Log, "warn">;
}

export class Webhooks {
  readonly #parts: WebhookParts;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /** Rejects with NotFound, WebhookRefused, WebhookFailed, or what says that there is too much to do. */
  async take(token: string, request: WebhookRequest): Promise<WebhookResponse> {
    const open = await findOpenSource(this.#parts, token, "flow-custom-webhook");
    return await this.#parts.gate.run(open.source.id, async () => {
      const { event, response } = await this.#ask(open, request);
      if (event !== null) await this.#publish(open, event, request.causeDepth);
      return response;
    });
  }

  /** W1 */
  async #ask({ scope, source }: OpenSource, request: WebhookRequest): Promise<WebhookAnswer> {
    const { tools, runtime } = this.#parts;
    const { method, query, headers, body } = request;
    let answer: WebhookAnswer | null;
    try {
      const { policy, parameters } = source.config;
      const input = { method, query, headers, bodyBase64: body.toString("base64") };
      answer = parseWebhookAnswer(await tools.run(scope.tenant, "rego", { policy, parameters, nowMs: runtime.nowMs(), request: input }));
    } catch (error) {
      throw this.#failure({ scope, source }, error);
    }
    if (answer === null) throw plinthError("WebhookRefused", {});
    return answer;
  }

  /** W2 */
  async #publish({ scope, source }: OpenSource, event: WebhookEvent, causeDepth = 0): Promise<void> {
    const { database, events } = this.#parts;
    const { eventKey, payload, syncId, idempotencyKey } = event;
    const key = idempotencyKey === null ? {} : { key: idempotencyKey };
    try {
      await database.update(scope, async (transaction) => {
        await checkOpen(transaction.records, source);
        await events.publish(transaction, { type: `custom:${eventKey}`, sourceId: source.id, payload, syncId, causeDepth, ...key });
      });
    } catch (error) {
      if (!(error instanceof PlinthError) || error.code !== "LimitExceeded") throw error;
      throw plinthError("RequestTooLarge", { what: "event", actual: "more bytes", max: `${limit("eventPayloadBytesMax")} bytes` });
    }
  }

  /** The author reads what is wrong in the log; senders learn nothing about the policy. */
  #failure({ scope, source }: OpenSource, error: unknown): unknown {
    const isWrong = error instanceof WrongOutput || (error instanceof PlinthError && error.spec.fault !== "platform");
    if (!isWrong) return error;
    this.#parts.log.warn({ ...scope, eventSource: source.id, name: source.name, detail: error.message }, "the policy of a webhook fails");
    return plinthError("WebhookFailed", {});
  }
}
