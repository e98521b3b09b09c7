/**
 * What happens around each run of a call, as a list of hooks: before (resolve the manifest, hydrate secrets, load dependencies),
 * during (every log line passes), after (persist, count, tell). To add one: a file in `lifecycle-hooks/` and its line in the
 * table there.
 *
 * C1 What a hook's `before` took is given back by what it returned, exactly once, whatever fails in between; a failure to give
 *    back is logged and harms neither the call nor the other hooks.
 * C2 A failure in `before` ends the call with that error; hooks behind it do not begin.
 * C3 `after` hooks all run, each once, also when one of them fails; the outcome stands already.
 */
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallRun } from "./call-run.ts";
import type { EngineParts } from "./parts.ts";
import type { InvocationOutcome } from "./invocation.ts";

export type GiveBack = () => void | Promise<void>;

export interface LifecycleHook {
  readonly name: string;
  /** Kinds of functions that it is for; all when absent. */
  readonly kinds?: readonly FunctionKind[];
  /** Once per attempt, when the call has its place and before it takes a runner. Sets `run.prepared`. */
  readonly before?: (parts: EngineParts, run: CallRun) => Promise<GiveBack | undefined>;
  /** Once per call, when its outcome stands and before its caller hears of it. `stored`: it is durable already. */
  readonly after?: (
    parts: EngineParts,
    ended: { readonly run: CallRun; readonly outcome: InvocationOutcome; readonly stored: boolean },
  ) => void;
}

export class Lifecycle {
  readonly #parts: EngineParts;
  readonly #before = new Map<FunctionKind, readonly LifecycleHook[]>();
  readonly #hooks: readonly LifecycleHook[];

  constructor(parts: EngineParts, hooks: readonly LifecycleHook[]) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** Whether anything happens before a call of this kind: most kinds have nothing, and their calls do not wait for it. */
  prepares(kind: FunctionKind): boolean {
    return this.#beforeOf(kind).length > 0;
  }

  /** Runs `body` between the hooks' `before` and what gives back what they took (C1, C2). */
  async around<T>(run: CallRun, body: () => Promise<T>): Promise<T> {
    const taken: { readonly hook: LifecycleHook; readonly giveBack: GiveBack }[] = [];
    try {
      for (const hook of this.#beforeOf(run.accepted.kind)) {
        const giveBack = await hook.before?.(this.#parts, run);
        if (giveBack !== undefined) taken.push({ hook, giveBack });
        run.throwIfAborted();
      }
      return await body();
    } finally {
      for (const { hook, giveBack } of taken.toReversed()) await this.#giveBack(run, hook, giveBack);
    }
  }

  /** C3 */
  ended(run: CallRun, outcome: InvocationOutcome, stored: boolean): void {
    for (const hook of this.#hooks) {
      if (hook.after === undefined || !isFor(hook, run.accepted.kind)) continue;
      try {
        hook.after(this.#parts, { run, outcome, stored });
      } catch (error) {
        this.#failed(run, hook, error);
      }
    }
  }

  async #giveBack(run: CallRun, hook: LifecycleHook, giveBack: GiveBack): Promise<void> {
    try {
      await giveBack();
    } catch (error) {
      this.#failed(run, hook, error);
    }
  }

  #failed(run: CallRun, hook: LifecycleHook, error: unknown): void {
    const { log, metrics } = this.#parts.telemetry;
    metrics.hookFailed(hook.name);
    log.error({ error, invocation: run.accepted.id, hook: hook.name }, "a hook at the end of an invocation failed");
  }

  #beforeOf(kind: FunctionKind): readonly LifecycleHook[] {
    let hooks = this.#before.get(kind);
    if (hooks === undefined) {
      hooks = this.#hooks.filter((hook) => hook.before !== undefined && isFor(hook, kind));
      this.#before.set(kind, hooks);
    }
    return hooks;
  }
}

function isFor(hook: LifecycleHook, kind: FunctionKind): boolean {
  return hook.kinds === undefined || hook.kinds.includes(kind);
}
