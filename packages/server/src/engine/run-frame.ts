/** Runs one function, top-level or nested, on the lease of its call, within what is left of the call's limits. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { CallLimits } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallOutcome, CallRequest } from "../sandbox/sandbox.ts";
import type { CallFrame } from "./call-frame.ts";
import { inlineInRunner } from "./inline-code.ts";
import { endsWholeCall, failureOf } from "./outcome-errors.ts";
import { contextOfStep } from "./step-of-run.ts";

/** `argsText` is what the runner gets. When it resolves, nothing that the function started runs any more. */
export async function runFrame(frame: CallFrame, argsText: string): Promise<CallOutcome> {
  const { run, lease, transaction, signal } = frame.options;
  const request: CallRequest = {
    version: frame.options.version,
    kind: frame.options.kind === "inline" ? inlineInRunner(frame.options.version).kind : frame.options.kind,
    path: frame.options.path,
    argsText,
    requestId: run.accepted.id,
    seed: Buffer.from(frame.options.core.parts.runtime.randomBytes(16)).toString("hex"),
    nowMs: frame.options.nowMs,
    ...(transaction === undefined ? {} : { snapshotNs: `${transaction.ts}000` }),
    tables: frame.options.tables,
    env: frame.options.env,
    limits: callLimits(frame),
    ...sharedContext(frame),
  };
  try {
    const outcome = await lease.run(request, frame, signal);
    run.countUsage(outcome.usage);
    if (outcome.kind === "ok" && outcome.observedTime) run.timeRead = true;
    // What its caller left behind is cancelled when that caller ends, which is no failure of the call.
    const leftBehind = outcome.kind === "cancelled" && signal.aborted && !run.signal.aborted;
    if (endsWholeCall(outcome) && outcome.kind !== "ok" && !leftBehind) run.fatalFailure ??= failureOf(outcome, run.abortReason).error;
    if (outcome.kind === "security") frame.options.core.parts.telemetry.metrics.violation("runner");
    return outcome;
  } finally {
    await frame.end();
  }
}

/** Only mutations that steps of flows call themselves share contexts: results of queries are shared, and nested calls are no steps. */
function sharedContext({ options: { run, kind, depth } }: CallFrame): Pick<CallRequest, "contextOf"> {
  const { step } = run.accepted.request;
  return step === undefined || kind !== "mutation" || depth > 0 ? {} : { contextOf: contextOfStep(step, run.attempts) };
}

function callLimits(frame: CallFrame): CallLimits {
  const { core, run, kind, endsAtMs } = frame.options;
  const { config, runtime } = core.parts;
  const isTransaction = kind === "query" || kind === "mutation";
  const wallMs = Math.ceil(endsAtMs - runtime.monotonicMs());
  const own = run.limits;
  const wholeMs = Math.min(run.prepared.wallMs ?? config.actionWallMs, own?.wallMs ?? Number.POSITIVE_INFINITY);
  const userCpuMs = Math.min(config.userCpuMs, own?.cpuMs ?? Number.POSITIVE_INFINITY);
  const cpuMs = isTransaction ? Math.floor(userCpuMs - run.attemptUserMs) : Math.min(wholeMs, own?.cpuMs ?? wholeMs);
  if (wallMs < 1 || cpuMs < 1) throw plinthError("FunctionTimeout", { max: `${(isTransaction ? userCpuMs : wholeMs) / 1000}s` });
  return {
    cpuMs,
    wallMs,
    heapBytes: Math.min(run.prepared.memoryBytes ?? limit("isolateHeapBytesMax"), own?.memoryBytes ?? Number.POSITIVE_INFINITY),
    resultBytes: Math.min(
      kind === "httpAction" ? limit("frameBytesMax") : limit("resultBytesMax"),
      own?.resultBytes ?? Number.POSITIVE_INFINITY,
    ),
    logLines: Math.max(0, limit("logLinesMax") - run.logs.length),
    logLineBytes: limit("logLineBytesMax"),
    pendingHostCalls: limit("pendingHostCallsMax"),
  };
}
