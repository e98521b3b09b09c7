/** Runs a hook of the package as a stored call and waits for its end. */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import type { HookType } from "@plinth/core/manifest/manifest.ts";
import { isJsonObject } from "../json-object.ts";
import type { StepContext } from "./saga-step.ts";

export interface HookCall {
  readonly type: HookType;
  readonly payload: unknown;
  /** Inputs that are being tried. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** What the hook answered; `{}` when the manifest has none. Rejects with HookRefused when it threw, hung or said no. */
export async function runHook(context: StepContext, call: HookCall): Promise<Readonly<Record<string, unknown>>> {
  const hook = context.manifest.hooks.find(({ type }) => type === call.type);
  if (hook === undefined) return {};
  const { scope, snapIn, saga, engine, signal } = context;
  const { id } = await engine.enqueue({
    ...scope,
    actor: { kind: "function", scopes: ["admin"] },
    source: "hook",
    path: `@${snapIn.package}/${hook.function}`,
    version: context.version,
    internalAllowed: true,
    argsText: JSON.stringify(call.payload),
    subject: {
      snapInId: snapIn.id,
      eventType: `hook:snap_in_${call.type}`,
      sourceId: `hook:${call.type}`,
      ...(call.inputs === undefined ? {} : { inputs: call.inputs }),
    },
    priority: "normal",
    idempotencyKey: `saga:${saga.id}:${call.type}`,
  });
  for await (const event of engine.watch(scope, id, signal)) {
    if (event.type !== "done") continue;
    const { outcome } = event;
    if (outcome.status === "succeeded") return answerOf(call.type, JSON.parse(outcome.valueText));
    if (outcome.error.code === "ShuttingDown") throw outcome.error;
    throw refused(call.type, outcome.error);
  }
  throw plinthError("ShuttingDown", {});
}

/** The text that a hook threw is for people: they see it in place of the error around it. */
function refused(hook: HookType, error: PlinthError): PlinthError {
  if (error.code !== "FunctionError") return plinthError("HookFailed", { hook, detail: error.message });
  return plinthError("HookRefused", { hook, detail: error.message.replace(/^Uncaught (Error: )?/, "") });
}

function answerOf(hook: HookType, value: unknown): Readonly<Record<string, unknown>> {
  if (!isJsonObject(value)) return {};
  if (value["status"] === "error") throw plinthError("HookRefused", { hook, detail: "it answered with the status 'error'" });
  return value;
}
