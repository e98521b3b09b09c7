/** Telemetry as the configuration asks for it. */
import { plinthError } from "@plinth/core/errors.ts";
import type { Config } from "../config.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createTelemetry, type Telemetry } from "./telemetry.ts";

type TelemetryConfig = Pick<
  Config,
  "logLevel" | "otlpEndpoint" | "otlpHeaders" | "otlpMetricsIntervalMs" | "otlpServiceName" | "traceSampleRatio"
>;

/** `close` sends what is left. */
export async function openTelemetry(
  config: TelemetryConfig,
  runtime: Runtime,
): Promise<{ readonly telemetry: Telemetry; readonly close: () => Promise<void> }> {
  const telemetry = createTelemetry({ logLevel: config.logLevel });
  if (config.otlpEndpoint === null) return { telemetry, close: () => Promise.resolve() };
  const sampleRatio = Number(config.traceSampleRatio);
  if (sampleRatio > 1) throw plinthError("BadConfiguration", { detail: "--trace-sample-ratio must be from 0 to 1" });
  // The SDK is large, and most hosts run without it.
  const { openOtlp } = await import("./otlp/open-otlp.ts");
  const otlp = openOtlp({
    endpoint: config.otlpEndpoint,
    headers: Object.fromEntries(config.otlpHeaders.map((pair) => splitPair(pair))),
    sampleRatio,
    metricsIntervalMs: config.otlpMetricsIntervalMs,
    serviceName: config.otlpServiceName,
    metrics: telemetry.metrics,
    runtime,
  });
  return { telemetry: { ...telemetry, tracer: otlp.tracer }, close: () => otlp.close() };
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
}
