/**
 * Takes requests at the addresses of flows.
 *
 * H1 Whether a flow has an address is known to those only who were told it; a flow that is off, or has another trigger, has none.
 * H2 With a policy, nothing happens without its yes.
 * H3 A request is answered after its run is stored, or with the result of the run.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Budgets } from "../../budgets/budgets.ts";
import type { Database, Scope } from "../../database/database.ts";
import { FLOW_TRIGGERS } from "../../database/record-tables.ts";
import type { Actor } from "../../engine/invocation.ts";
import { atDepth, checkCauseDepth } from "../../engine/cause-depth.ts";
import { SourceGate } from "../../inbound/source-gate.ts";
import { parseWebhookAnswer, WrongOutput, type WebhookResponse } from "../../inbound/webhook-answer.ts";
import type { WebhookRequest } from "../../inbound/webhooks.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { JailTools } from "../../sandbox/tools.ts";
import type { Log } from "../../telemetry/log.ts";
import { digestOf } from "../answer-tokens.ts";
import type { Flows, RunDetail } from "../flows.ts";
import { isSameSecret, parseFlowAddress } from "./flow-address.ts";
import type { FlowTriggerRow } from "./trigger-records.ts";
import { contextOfRequest, responseOf } from "./webhook.ts";
import { wholeOutput } from "./whole-output.ts";

export interface FlowWebhookParts {
  readonly database: Database;
  /** Whether tenant and branch exist. */
  readonly isServed: (scope: Scope) => Promise<boolean>;
  readonly flows: Pick<Flows, "start" | "startAndWait" | "value">;
  /** Whose rate, where the operator has set one, is that of an address too if it is greater than the host's own. */
  readonly budgets?: Pick<Budgets, "limits">;
  readonly tools: Pick<JailTools, "run">;
  readonly runtime: Pick<Runtime, "nowMs" | "monotonicMs">;
  readonly log: Pick<Log, "warn">;
}

interface OpenFlow {
  readonly scope: Scope;
  readonly row: FlowTriggerRow;
}

/** What a request means: a context to start with, or just an answer. */
type Meaning = Start | { readonly response: WebhookResponse };

interface Start {
  readonly input: Json;
  readonly idempotencyKey: string | null;
}

const ACTOR: Actor = { kind: "anonymous", scopes: [] };

export class FlowWebhooks {
  readonly #parts: FlowWebhookParts;
  readonly #gate: SourceGate;

  constructor(parts: FlowWebhookParts) {
    this.#parts = parts;
    this.#gate = new SourceGate(parts.runtime, {
      what: "this flow",
      perSecond: limit("flowHookRequestsPerSecond"),
      burst: limit("flowHookRequestsBurst"),
      runningMax: limit("flowHookRequestsRunningMax"),
    });
  }

  /** Rejects with NotFound, WebhookRefused, WebhookFailed, FlowRunFailed, or what says that there is too much to do. */
  async take(address: string, request: WebhookRequest): Promise<WebhookResponse> {
    const open = await this.#find(address);
    const { tenant, branch } = open.scope;
    const work = async (): Promise<WebhookResponse> => {
      const meaning = await this.#meaning(open, request);
      return "response" in meaning ? meaning.response : await this.#start(open, request, meaning);
    };
    return await this.#gate.run(`flow ${tenant}/${branch}/${open.row.flow}`, work, this.#parts.budgets?.limits(tenant).rate);
  }

  /** H1 */
  async #find(text: string): Promise<OpenFlow> {
    const { database, isServed } = this.#parts;
    const address = parseFlowAddress(text);
    if (address === undefined || !(await isServed(address.scope))) throw noAddress();
    const row = await database.read(address.scope, ({ records }) => records.get(FLOW_TRIGGERS, [address.flow]));
    if (row?.type !== "webhook" || !row.isOn || !isSameSecret(row.secret, address.secret)) throw noAddress();
    return { scope: address.scope, row };
  }

  /** H2 */
  async #meaning({ scope, row }: OpenFlow, request: WebhookRequest): Promise<Meaning> {
    const { policy, parameters = {} } = row.data;
    const [, key] = request.headers.find(([name]) => name.toLowerCase() === "idempotency-key") ?? [];
    if (typeof policy !== "string") return { input: contextOfRequest(row.data, request), idempotencyKey: key ?? null };
    const { tools, runtime, log } = this.#parts;
    const { method, query, headers, body } = request;
    try {
      const asked = { method, query, headers, bodyBase64: body.toString("base64") };
      const answer = parseWebhookAnswer(
        await tools.run(scope.tenant, "rego", { policy, parameters, nowMs: runtime.nowMs(), request: asked }),
      );
      if (answer === null) throw plinthError("WebhookRefused", {});
      const { event, response } = answer;
      return event === null ? { response } : { input: event.payload as Json, idempotencyKey: event.idempotencyKey };
    } catch (error) {
      const isWrong = error instanceof WrongOutput || (error instanceof PlinthError && error.spec.fault !== "platform");
      if (!isWrong || (error instanceof PlinthError && error.code === "WebhookRefused")) throw error;
      // The author reads what is wrong; senders learn nothing about the policy.
      log.warn({ ...scope, flow: row.flow, detail: error.message }, "the policy of a flow's webhook fails");
      throw plinthError("WebhookFailed", {});
    }
  }

  /** H3 */
  async #start({ scope, row }: OpenFlow, request: WebhookRequest, meaning: Start): Promise<WebhookResponse> {
    const actor = atDepth(ACTOR, request.causeDepth);
    checkCauseDepth(actor);
    const { input, idempotencyKey: key } = meaning;
    const start = {
      ...{ scope, actor, flow: row.flow, input, source: "native" as const, trigger: "webhook" },
      ...(key === null ? {} : { idempotencyKey: `webhook ${shortKey(key)}` }),
    };
    try {
      const { flows } = this.#parts;
      if (row.data["reply"] !== "sync") return accepted(await flows.start(start));
      return await replyOf(flows, scope, await flows.startAndWait({ ...start, waitMs: limit("flowAnswerWaitMsMax") }));
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      if (error.code === "FlowFiltered") return { status: 204, headers: [], body: "" };
      throw error.code === "FlowRunRefused" ? noAddress() : error;
    }
  }
}

/** Two long ones are two. */
function shortKey(key: string): string {
  return key.length > limit("idempotencyKeyBytesMax") ? digestOf(key) : key;
}

async function replyOf(flows: Pick<Flows, "value">, scope: Scope, run: RunDetail): Promise<WebhookResponse> {
  const output = run.status === "completed" ? await wholeOutput(flows, scope, run) : undefined;
  if (output !== undefined) return responseOf(output);
  if (run.endedMs === null || run.status === "completed") return accepted(run);
  // What went wrong is for those who may read runs.
  throw plinthError("FlowRunFailed", { run: run.id, flow: run.flow, status: run.status, detail: "its history says why." });
}

function accepted({ id }: { readonly id: string }): WebhookResponse {
  return { status: 202, headers: [["content-type", "application/json"]], body: JSON.stringify({ run: id }) };
}

function noAddress(): Error {
  return plinthError("NotFound", { what: "flow with this address" });
}
