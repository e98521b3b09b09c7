/** Makes the event of a handler, with fresh tokens and keyrings; gives inline code the keyrings that it names. */
import type { InlineCode } from "@plinth/core/protocol/runner-protocol.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "../call-run.ts";
import { inlineInRunner } from "../inline-code.ts";
import type { LifecycleHook } from "../lifecycle.ts";
import type { EngineParts } from "../parts.ts";
import { redactStep } from "../step-of-run.ts";

export const hydrateSecrets: LifecycleHook = {
  name: "hydrateSecrets",
  kinds: ["handler", "inline"],
  before: async (parts, run) => {
    if (run.accepted.kind === "inline") await hydrateInline(parts, run);
    else await hydrateEvent(parts, run);
    // What was delivered is not kept longer than the attempt.
    return () => {
      run.prepared.argsText = "";
    };
  },
};

async function hydrateEvent(parts: EngineParts, run: CallRun): Promise<void> {
  const { accepted, prepared } = run;
  const { fn, request } = accepted;
  if (fn === undefined || parts.handlerEvents === undefined) throw plinthError("NotAvailable", { what: "Calling handlers" });
  const event = await parts.handlerEvents.build({
    scope: accepted.scope,
    fn,
    payload: JSON.parse(accepted.argsText) as unknown,
    subject: request.subject ?? { eventType: "api", sourceId: request.actor.keyId ?? "" },
    requestId: accepted.id,
    ...(request.step === undefined ? {} : { step: request.step }),
  });
  prepared.argsText = `[${event.text}]`;
  prepared.environment = event.environment;
  run.redact = request.step === undefined ? event.redact : redactStep(request.step, event.redact);
  run.takeResult = event.takeResult;
}

async function hydrateInline(parts: EngineParts, run: CallRun): Promise<void> {
  const { accepted, prepared } = run;
  const { inline } = accepted;
  if (inline === undefined) throw plinthError("InvalidCode", { detail: "There is no code." });
  let keyrings: Readonly<Record<string, string>> = {};
  if (inline.keyrings.length > 0) {
    if (parts.handlerEvents === undefined) throw plinthError("NotAvailable", { what: "Keyrings in inline code" });
    const delivered = await parts.handlerEvents.keyrings(accepted.scope, inline.keyrings);
    keyrings = delivered.secrets;
    run.redact = delivered.redact;
  }
  const { code, inputs, names, streams } = inline;
  const text = JSON.stringify({ code, inputs, keyrings, names, streams } satisfies InlineCode);
  prepared.argsText = inlineInRunner(accepted.version).kind === "action" ? `[${text}]` : text;
  prepared.environment = {};
}
