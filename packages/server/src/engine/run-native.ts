/** Runs native code as the function of a call. */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { must } from "@plinth/core/assert.ts";
import { parseValueText } from "@plinth/core/documents/values.ts";
import type { Transaction } from "../database/database.ts";
import type { CallRun } from "./call-run.ts";
import type { EngineCore } from "./engine-core.ts";
import { fetchFor } from "./host-calls/fetch.ts";
import type { NativeContext } from "./native-code.ts";
import type { FunctionFailure } from "./outcome-errors.ts";
import { NativeTime } from "./native-time.ts";
import { SerialQueue } from "./serial-queue.ts";

export type NativeResult = { readonly kind: "ok"; readonly valueText: string } | ({ readonly kind: "failed" } & FunctionFailure);

/** `transaction` is absent in actions. What the caller did wrong is thrown; what the operation says no to is a result. */
export async function runNative(core: EngineCore, run: CallRun, transaction?: Transaction): Promise<NativeResult> {
  const native = must(run.accepted.native, "the call is one of native code");
  const { parts } = core;
  const wallMs = Math.min(
    native.wallMs ?? (transaction === undefined ? parts.config.actionWallMs : limit("systemWallMsMax")),
    run.limits?.wallMs ?? Number.POSITIVE_INFINITY,
  );
  const time = new NativeTime(run.signal, { runtime: parts.runtime, wallMs });
  try {
    const valueText = await native.run(contextOf(core, run, { transaction, time }));
    const reason = time.reason();
    if (reason !== undefined) throw reason;
    const max = Math.min(limit("resultBytesMax"), run.limits?.resultBytes ?? Number.POSITIVE_INFINITY);
    const actual = Buffer.byteLength(valueText);
    if (actual > max) throw plinthError("LimitExceeded", { what: "Bytes of a result", actual, max });
    if (native.isRead !== true) parseValueText(valueText);
    return { kind: "ok", valueText };
  } catch (thrown) {
    const error: unknown = time.reason() ?? thrown;
    if (error instanceof PlinthError && error.spec.fault === "function") return { kind: "failed", error };
    throw error;
  } finally {
    time.close();
    // Transactions are work of the host; actions mostly wait.
    if (transaction !== undefined) run.countHostWork(time.elapsedMs);
  }
}

function contextOf(
  core: EngineCore,
  run: CallRun,
  { transaction, time }: { readonly transaction: Transaction | undefined; readonly time: NativeTime },
): NativeContext {
  const { accepted } = run;
  const { parts } = core;
  // Children wait on the place of their caller, so there is one at a time.
  let children: SerialQueue | undefined;
  return {
    scope: accepted.scope,
    request: accepted.request,
    invocation: accepted.id,
    args: must(accepted.args, "native code has arguments"),
    ...(transaction === undefined ? {} : { transaction }),
    nowMs: parts.runtime.nowMs(),
    get signal() {
      return time.signal;
    },
    log: (level, text) => run.log({ level, text, truncated: false, dropped: 0 }),
    emit: (valueText) => run.partial(valueText),
    ...(run.bodies === undefined ? {} : { bodies: run.bodies }),
    fetch: async (request, options = {}) => {
      if (transaction !== undefined) throw plinthError("EffectDenied", { detail: "Queries and mutations reach no other systems." });
      run.countHostCall();
      const ends = options.signal === undefined ? time.signal : AbortSignal.any([time.signal, options.signal]);
      const { bodies } = options;
      return await fetchFor(run, { parts, request, signal: ends, ...(bodies === undefined ? {} : { bodies }) });
    },
    call: (request, options = {}) =>
      (children ??= new SerialQueue()).run(async () => {
        if (transaction !== undefined) throw plinthError("EffectDenied", { detail: "Native queries and mutations call nothing." });
        run.countHostCall();
        const { actor, ...above } = accepted.request;
        return await core.callBelow(
          {
            tenant: above.tenant,
            branch: above.branch,
            ...request,
            actor,
            source: "function",
            internalAllowed: true,
            priority: above.priority,
            parent: { id: accepted.id, depth: (above.parent?.depth ?? 0) + 1 },
            trace: run.trace,
          },
          { signal: time.signal, ...options },
        );
      }),
  };
}
