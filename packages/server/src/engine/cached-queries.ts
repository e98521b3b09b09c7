/** Queries by way of the cache. See `query-cache.ts` for what a cached result guarantees. */
import { createHash } from "node:crypto";
import { limit } from "@plinth/core/limits.ts";
import { costNanosOf } from "@plinth/core/policy/cost.ts";
import type { RunResult } from "./execute.ts";
import { cachedUsage } from "./finalize.ts";
import { CallRun } from "./call-run.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";
import { QueryCache, type CachedResult, type QueryKey } from "./query-cache.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { RunCallOptions } from "./run-call.ts";

export interface CachedQueriesOptions {
  readonly parts: EngineParts;
  readonly lifecycle: Lifecycle;
  readonly runQuery: (
    accepted: AcceptedCall,
    options: RunCallOptions,
  ) => Promise<{ readonly outcome: InvocationOutcome; readonly ended: { readonly run: CallRun; readonly result: RunResult } | undefined }>;
}

const NEVER = new AbortController().signal;
const NOTHING_USED = { executionMs: 0, userMs: 0, memoryBytes: 0, egressBytes: 0 };

export class CachedQueries {
  readonly #options: CachedQueriesOptions;
  readonly #environments = new WeakMap<object, string>();
  #cache: QueryCache | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: CachedQueriesOptions) {
    this.#options = options;
  }

  start(): void {
    const { config, runtime, database, commits } = this.#options.parts;
    if (config.queryCacheBytes === 0 || this.#cache !== undefined) return;
    const cache = new QueryCache({ bytesMax: config.queryCacheBytes, runtime, seen: database.latest() });
    this.#cache = cache;
    this.#stopListening = commits.onCommit((commit) => cache.committed(commit));
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#cache = undefined;
  }

  status(): { readonly entries: number; readonly bytes: number } {
    return this.#cache?.status() ?? { entries: 0, bytes: 0 };
  }

  async run(accepted: AcceptedCall, options: RunCallOptions): Promise<InvocationOutcome> {
    const cache = this.#cache;
    // A query of a past moment is not worth a place in the cache, and one with large arguments not worth their digest.
    const isWorthIt = accepted.request.at === undefined && accepted.argsText.length <= limit("queryCacheArgsCharsMax");
    if (cache === undefined || !isWorthIt) return (await this.#options.runQuery(accepted, options)).outcome;
    const { database, telemetry } = this.#options.parts;
    const key = await this.#keyOf(accepted);
    const hit = cache.get(key, database.latest());
    if (hit !== undefined) {
      telemetry.metrics.cache("hit");
      return await this.#fromCache(accepted, hit, options);
    }
    const running = cache.running(key);
    if (running !== undefined) {
      await waitFor(running, options.signal);
      const joined = cache.get(key, database.latest());
      if (joined !== undefined) {
        telemetry.metrics.cache("joined");
        return await this.#fromCache(accepted, joined, options);
      }
    }
    telemetry.metrics.cache("miss");
    return await this.#runAndKeep(cache, key, { accepted, options });
  }

  async #runAndKeep(
    cache: QueryCache,
    key: QueryKey,
    call: { readonly accepted: AcceptedCall; readonly options: RunCallOptions },
  ): Promise<InvocationOutcome> {
    const end = cache.begin(key);
    try {
      const { outcome, ended } = await this.#options.runQuery(call.accepted, call.options);
      if (outcome.status === "succeeded" && ended?.result.kind === "succeeded" && ended.result.reads !== undefined) {
        const { run, result } = ended;
        cache.put(
          key,
          { valueText: outcome.valueText, logs: outcome.logs, logsDropped: outcome.logsDropped },
          { ts: outcome.ts, reads: result.reads ?? [], identityRead: run.identityRead, timeRead: run.timeRead },
        );
      }
      return outcome;
    } finally {
      end();
    }
  }

  async #fromCache(accepted: AcceptedCall, cached: CachedResult, options: RunCallOptions): Promise<InvocationOutcome> {
    const { parts } = this.#options;
    const { prices } = parts.config;
    // A kept result takes no place, but it is a call all the same: for rates, and for what it costs.
    await parts.budgets?.admitKept(accepted.scope, {
      path: accepted.path,
      priority: accepted.request.priority ?? "normal",
      patient: options.patient === true,
      signal: options.signal ?? NEVER,
    });
    const run = new CallRun(accepted, { prices, ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }) }, parts.runtime);
    for (const line of cached.logs) run.emit({ type: "log", line });
    const outcome: InvocationOutcome = {
      id: accepted.id,
      traceId: run.trace.traceId,
      functionPath: accepted.path,
      version: accepted.version.digest,
      ...cached,
      usage: { ...cachedUsage(parts.runtime.monotonicMs() - accepted.acceptedAtMs), costNanos: costNanosOf(NOTHING_USED, prices) },
      status: "succeeded",
      ts: parts.database.latest(),
    };
    this.#options.lifecycle.ended(run, outcome, false);
    run.close();
    return outcome;
  }

  /** Everything that a result depends on but data and identity: branch, code, environment, function, arguments. */
  async #keyOf(accepted: AcceptedCall): Promise<QueryKey> {
    const { scope, version, path, argsText, request } = accepted;
    const environment = await this.#options.parts.deploys.environment(scope);
    const base = [scope.tenant, scope.branch, version.digest, this.#digestOf(environment), path, argsText].join("\n");
    // Long keys are kept by their digest.
    return {
      base: base.length > 512 ? createHash("sha256").update(base).digest("base64") : base,
      identity: request.actor.identity === undefined ? "" : JSON.stringify(request.actor.identity),
    };
  }

  #digestOf(environment: Readonly<Record<string, string>>): string {
    let digest = this.#environments.get(environment);
    if (digest === undefined) {
      digest = createHash("sha256").update(JSON.stringify(environment)).digest("base64");
      this.#environments.set(environment, digest);
    }
    return digest;
  }
}

/** Waits for the first of identical queries, or until the waiting caller is gone. */
async function waitFor(running: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await running;
  signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([running, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
