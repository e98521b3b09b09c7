/** Runs native code as the function of a call. */
import { plinthError, PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { must } from "@plinth/core/assert.ts";
import { parseValueText, type Value } from "@plinth/core/documents/values.ts";
import type { Scope, Transaction } from "../database/database.ts";
import type { CallBodies } from "./call-bodies.ts";
import type { CallRun } from "./call-run.ts";
import type { EngineCore } from "./engine-core.ts";
import { fetchFor } from "./host-calls/fetch.ts";
import type { InvocationRequest } from "./invocation.ts";
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
    const valueText = await native.run(new Context(core, run, { transaction, time }));
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

/** A class, since an object with a getter of its own costs many times as much to make. */
class Context implements NativeContext {
  readonly scope: Scope;
  readonly request: InvocationRequest;
  readonly invocation: string;
  readonly args: Value;
  readonly transaction?: Transaction;
  readonly nowMs: number;
  readonly bodies?: CallBodies;
  readonly #core: EngineCore;
  readonly #run: CallRun;
  readonly #time: NativeTime;
  /** They wait on the place of their caller, so there is one at a time. */
  #children: SerialQueue | undefined;

  constructor(
    core: EngineCore,
    run: CallRun,
    { transaction, time }: { readonly transaction: Transaction | undefined; readonly time: NativeTime },
  ) {
    const { accepted, bodies } = run;
    this.#core = core;
    this.#run = run;
    this.#time = time;
    this.scope = accepted.scope;
    this.request = accepted.request;
    this.invocation = accepted.id;
    this.args = must(accepted.args, "native code has arguments");
    if (transaction !== undefined) this.transaction = transaction;
    this.nowMs = core.parts.runtime.nowMs();
    if (bodies !== undefined) this.bodies = bodies;
  }

  get signal(): AbortSignal {
    return this.#time.signal;
  }

  // Operations take these out of the context.
  readonly log: NativeContext["log"] = (level, text) => this.#run.log({ level, text, truncated: false, dropped: 0 });
  readonly emit: NativeContext["emit"] = (valueText) => this.#run.partial(valueText);

  readonly fetch: NativeContext["fetch"] = async (request, options = {}) => {
    if (this.transaction !== undefined) throw plinthError("EffectDenied", { detail: "Queries and mutations reach no other systems." });
    this.#run.countHostCall();
    const ends = options.signal === undefined ? this.signal : AbortSignal.any([this.signal, options.signal]);
    const { bodies } = options;
    return await fetchFor(this.#run, { parts: this.#core.parts, request, signal: ends, ...(bodies === undefined ? {} : { bodies }) });
  };

  readonly call: NativeContext["call"] = (request, options = {}) =>
    (this.#children ??= new SerialQueue()).run(async () => {
      if (this.transaction !== undefined) throw plinthError("EffectDenied", { detail: "Native queries and mutations call nothing." });
      this.#run.countHostCall();
      const { actor, ...above } = this.request;
      return await this.#core.callBelow(
        {
          tenant: above.tenant,
          branch: above.branch,
          ...request,
          actor,
          source: "function",
          internalAllowed: true,
          priority: above.priority,
          parent: { id: this.invocation, depth: (above.parent?.depth ?? 0) + 1 },
          trace: this.#run.trace,
        },
        { signal: this.signal, ...options },
      );
    });
}
