/** What the host tells about itself: metrics and a log. Made once by the composition root. */
import type { DestinationStream } from "pino";
import { createLog, type HostLogLevel, type Log } from "./log.ts";
import { Metrics } from "./metrics.ts";

export interface Telemetry {
  readonly metrics: Metrics;
  readonly log: Log;
  /** Prometheus text. */
  readonly metricsText: () => Promise<string>;
}

export function createTelemetry(options: { readonly logLevel: HostLogLevel; readonly destination?: DestinationStream }): Telemetry {
  const metrics = new Metrics();
  const log = createLog({ level: options.logLevel, ...(options.destination === undefined ? {} : { destination: options.destination }) });
  return { metrics, log, metricsText: () => metrics.metricsText() };
}
