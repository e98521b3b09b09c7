/** Leases of processes that run packages and inline code: one call at a time, and only one where the process is not used again. */
import { assert } from "@plinth/core/assert.ts";
import type { AnyCallRequest, CallEnd } from "./open-call.ts";
import type { CallHandler, CallOutcome } from "./sandbox.ts";
import type { VersionGroup, VersionLease } from "./version-groups.ts";
import type { VersionProcess } from "./version-process.ts";

/** Outcomes after which nothing of the call can still be running. */
const CLEAN: ReadonlySet<CallOutcome["kind"]> = new Set(["ok", "error", "policy", "invalid", "neverResolves"]);

/** Takes an idle process. `released` is told whether every call on it ended by itself. */
export function leaseOn(process: VersionProcess, group: VersionGroup, released: (clean: boolean) => void): VersionLease {
  process.take();
  const coldStart = process.fresh;
  process.fresh = false;
  let isUsed = false;
  let isClean = true;
  let isReleased = false;
  const run = async (request: AnyCallRequest, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome> => {
    assert(!isReleased, "a released lease runs nothing");
    if (isUsed && group.use !== "again") return withoutUse({ kind: "lost", reason: "the process serves one call" });
    isUsed = true;
    const outcome = await process.runner.run(request, handler, signal);
    isClean &&= CLEAN.has(outcome.kind);
    if (isClean) group.breaker.succeeded();
    return outcome;
  };
  const release = (): void => {
    assert(!isReleased, "a lease is released once");
    isReleased = true;
    released(isClean);
  };
  return { tenant: group.tenant, runnerId: process.id, coldStart, runner: { run }, run, release };
}

/** Calls that no process can serve get the reason as their outcome. */
export function refusingLease(tenant: string, failure: CallEnd): VersionLease {
  const run = async (): Promise<CallOutcome> => withoutUse(failure);
  return { tenant, runnerId: "none", coldStart: true, runner: { run }, run, release: () => undefined };
}

function withoutUse(end: CallEnd): CallOutcome {
  return { ...end, usage: { wallMs: 0, userMs: 0, memoryBytes: 0, hostCalls: 0 } };
}
