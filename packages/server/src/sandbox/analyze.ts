/** Analysis of a version: its modules are evaluated in the jail and say what they declare. */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { ProtocolViolation } from "@plinth/core/protocol/frames.ts";
import { parseAnalyzeResult } from "@plinth/core/protocol/parse.ts";
import type { AnalyzeResult, CallLimits } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { AnyCallRequest } from "./open-call.ts";
import type { CallHandler, CallOutcome, VersionCode } from "./sandbox.ts";

/** Analysis makes no host calls; its console lines go nowhere. */
const HANDLER: CallHandler = {
  call: () => Promise.reject(plinthError("EffectDenied", { detail: "Modules cannot call the host while they are loaded." })),
  log: () => undefined,
};

export async function analyzeOn(
  runner: { run(request: AnyCallRequest, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome> },
  request: { readonly version: VersionCode; readonly env: Readonly<Record<string, string>> },
  runtime: Runtime,
): Promise<AnalyzeResult> {
  const outcome = await runner.run(
    {
      version: request.version,
      kind: "analyze",
      path: "",
      argsText: "[{}]",
      requestId: "analyze",
      seed: Buffer.from(runtime.randomBytes(16)).toString("hex"),
      nowMs: runtime.nowMs(),
      tables: {},
      env: request.env,
      limits: analyzeLimits(),
    },
    HANDLER,
    new AbortController().signal,
  );
  if (outcome.kind !== "ok") throw failureOf(outcome);
  try {
    return parseAnalyzeResult(outcome.valueText);
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    throw plinthError("InvalidPackage", { detail: `what it declares cannot be read: ${error.message}.` });
  }
}

function failureOf(outcome: Exclude<CallOutcome, { kind: "ok" }>): Error {
  const invalid = (detail: string): Error => plinthError("InvalidPackage", { detail });
  switch (outcome.kind) {
    case "error":
      return invalid(`its modules fail when they are loaded: ${outcome.message}${outcome.stack === undefined ? "" : `\n${outcome.stack}`}`);
    case "policy":
    case "invalid":
      return invalid(outcome.message);
    case "neverResolves":
      return invalid("a module waits for something that never happens.");
    case "timeout":
      return invalid(`its modules take longer than ${outcome.maxMs} ms to load.`);
    case "outOfMemory":
      return invalid("its modules take too much memory to load.");
    case "security":
      return plinthError("SecurityViolation", { detail: outcome.reason });
    case "cancelled":
      return plinthError("RunnerLost", { detail: "the analysis was ended" });
    case "lost":
      return plinthError("RunnerLost", { detail: outcome.reason });
  }
}

function analyzeLimits(): CallLimits {
  return {
    cpuMs: limit("analyzeWallMsMax"),
    wallMs: limit("analyzeWallMsMax"),
    heapBytes: limit("isolateHeapBytesMax"),
    resultBytes: limit("resultBytesMax"),
    logLines: limit("logLinesMax"),
    logLineBytes: limit("logLineBytesMax"),
    pendingHostCalls: limit("pendingHostCallsMax"),
  };
}
