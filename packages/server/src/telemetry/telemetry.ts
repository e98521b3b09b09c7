/** What the host tells about itself: metrics and a log. Made once by the composition root. */
import { webcrypto } from "node:crypto";
import type { DestinationStream } from "pino";
import { createLog, type HostLogLevel, type Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { silentTracer, type Tracer } from "./trace.ts";

export interface Telemetry {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Prometheus text. */
  readonly metricsText: () => Promise<string>;
}

export function createTelemetry(options: { readonly logLevel: HostLogLevel; readonly destination?: DestinationStream }): Telemetry {
  const metrics = new Metrics();
  const log = createLog({ level: options.logLevel, ...(options.destination === undefined ? {} : { destination: options.destination }) });
  const tracer = silentTracer((length) => webcrypto.getRandomValues(new Uint8Array(length)));
  return { metrics, log, tracer, metricsText: () => metrics.metricsText() };
}
