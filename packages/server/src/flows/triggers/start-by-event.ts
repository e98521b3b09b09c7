/** Starts flows by events (G2). */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Scope } from "../../database/database.ts";
import type { Actor } from "../../engine/invocation.ts";
import { atDepth, checkCauseDepth } from "../../engine/cause-depth.ts";
import type { EventRow } from "../../events/event-records.ts";
import type { Verdict } from "../../events/filters.ts";
import { STEP_ANSWERS, type FlowListener, type FlowListeners } from "../../events/flow-listeners.ts";
import { answerResult } from "../answer-result.ts";
import type { Flows } from "../flows.ts";
import { TriggerFilters } from "./trigger-filters.ts";
import { triggerKind } from "./table.ts";

/** The flow has gone, is off, or has another trigger or filter by now. */
const STARTS_NOTHING: ReadonlySet<string> = new Set(["NotFound", "FlowRunRefused", "FlowFiltered"]);

/** Runs are code of the branch, which events start. */
const ACTOR: Actor = { kind: "function", scopes: [] };

export class StartByEvent implements FlowListeners {
  readonly #flows: Pick<Flows, "start" | "answerByToken">;
  readonly #filters = new TriggerFilters();

  constructor(flows: Pick<Flows, "start" | "answerByToken">) {
    this.#flows = flows;
  }

  judge({ trigger, filter }: FlowListener, event: EventRow): Verdict {
    if (filter === null) return "yes";
    try {
      return this.#filters.says(filter, contextOf(trigger, event), event.createdMs) ? "yes" : "no";
    } catch (error) {
      if (error instanceof PlinthError) return error;
      throw error;
    }
  }

  async start(scope: Scope, { name, trigger }: FlowListener, event: EventRow): Promise<string | null> {
    if (trigger === STEP_ANSWERS) return await this.#answer(event);
    const kind = triggerKind(trigger);
    const actor = atDepth(ACTOR, (event.causeDepth ?? 0) + 1);
    checkCauseDepth(actor);
    try {
      const { id } = await this.#flows.start({
        ...{ scope, actor, flow: name, input: contextOf(trigger, event), source: kind?.source ?? "automation", trigger },
        idempotencyKey: `event ${event.id}`,
      });
      return id;
    } catch (error) {
      if (error instanceof PlinthError && STARTS_NOTHING.has(error.code)) return null;
      throw error;
    }
  }

  async #answer({ payloadText }: EventRow): Promise<null> {
    const payload = JSON.parse(payloadText) as Json;
    const { token, ...result } = isRecord(payload) ? payload : {};
    if (typeof token !== "string") throw plinthError("InvalidArgument", { detail: "The payload has no `token`." });
    try {
      await this.#flows.answerByToken({ token, via: "event", result: answerResult(result) });
    } catch (error) {
      if (!(error instanceof PlinthError) || !IS_REFUSED.has(error.code)) throw error;
    }
    return null;
  }
}

/** What was refused is written down with its run; another attempt would be refused too. */
const IS_REFUSED: ReadonlySet<string> = new Set(["NotFound", "AnswerRefused"]);

function contextOf(trigger: string, event: EventRow): Json {
  const context = triggerKind(trigger)?.context;
  if (context === undefined) throw plinthError("FlowRunRefused", { detail: `Events start no flow by a trigger '${trigger}'.` });
  return context(event);
}
