/** What modalities look things up in, and how their calls are run. */
import type { Database, Scope } from "../database/database.ts";
import type { Engine, InvocationEvent, InvocationRequest } from "../engine/invocation.ts";
import type { Keyrings } from "../keyrings/keyrings.ts";
import type { Packages } from "../packages/packages.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SnapIns } from "../snap-ins/snap-ins.ts";
import type { Modality, ModalityCall } from "./modality.ts";

export interface ModalityContext {
  readonly database: Database;
  readonly packages: Packages;
  readonly snapIns: SnapIns;
  readonly keyrings: Keyrings;
  readonly engine: Pick<Engine, "invoke" | "enqueue">;
  readonly runtime: Runtime;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  readonly trace?: InvocationRequest["trace"];
}

/** Runs a modality's call and waits for its end. */
export async function runModality<Trigger, Result>(
  context: ModalityContext,
  modality: Modality<Trigger, Result>,
  { scope, trigger, options = {} }: { readonly scope: Scope; readonly trigger: Trigger; readonly options?: RunOptions },
): Promise<Result> {
  const call = await modality.prepare(context, scope, trigger);
  const { trace, ...rest } = options;
  const outcome = await context.engine.invoke(requestOf(scope, modality, call, trace), rest);
  if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
  return await modality.finish(context, trigger, outcome);
}

/** Stores a modality's call; it is durable when this resolves. */
export async function enqueueModality<Trigger>(
  context: ModalityContext,
  modality: Modality<Trigger, unknown>,
  { scope, trigger, trace }: { readonly scope: Scope; readonly trigger: Trigger; readonly trace?: InvocationRequest["trace"] },
): Promise<{ readonly id: string }> {
  const call = await modality.prepare(context, scope, trigger);
  return await context.engine.enqueue(requestOf(scope, modality, call, trace));
}

/** The same for several, in one commit: all of them are stored, or none. */
export async function enqueueModalities<Trigger>(
  context: Omit<ModalityContext, "engine"> & { readonly engine: Pick<Engine, "invoke" | "enqueue" | "enqueueAll"> },
  modality: Modality<Trigger, unknown>,
  { scope, triggers }: { readonly scope: Scope; readonly triggers: readonly Trigger[] },
): Promise<readonly { readonly id: string }[]> {
  const calls = await Promise.all(triggers.map((trigger) => modality.prepare(context, scope, trigger)));
  return await context.engine.enqueueAll(calls.map((call) => requestOf(scope, modality, call)));
}

/** The engine's request for a modality's call. */
export function requestOf(
  scope: Scope,
  modality: Pick<Modality<never, unknown>, "name">,
  call: ModalityCall,
  trace?: InvocationRequest["trace"],
): InvocationRequest {
  const { payload, ...rest } = call;
  return {
    ...scope,
    ...rest,
    source: modality.name,
    internalAllowed: true,
    argsText: JSON.stringify(payload ?? {}),
    ...(trace === undefined ? {} : { trace }),
  };
}
