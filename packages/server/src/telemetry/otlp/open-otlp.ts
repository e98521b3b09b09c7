/**
 * Traces and metrics to an OpenTelemetry collector, by OTLP over HTTP with protobuf's JSON form. Loaded only where an endpoint is set.
 *
 * T1 The collector is the operator's: requests to it do not pass the egress guard, and no user text chooses where they go.
 * T2 A collector that is slow or gone harms no call: batches are bounded, sent beside the work and dropped when they do not fit.
 */
import type { HrTime } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader, type MetricProducer } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from "@opentelemetry/sdk-trace";
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Metrics } from "../metrics.ts";
import type { Tracer } from "../trace.ts";
import { metricData } from "./metric-data.ts";
import { otlpTracer } from "./otlp-tracer.ts";

export interface OtlpOptions {
  /** Without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** 0 to 1: of traces that begin here; those that callers began follow what their `traceparent` says. */
  readonly sampleRatio: number;
  readonly metricsIntervalMs: number;
  /** `service.name` and `service.instance.id`. */
  readonly serviceName: string;
  readonly metrics: Metrics;
  readonly runtime: Runtime;
}

export interface Otlp {
  readonly tracer: Tracer;
  /** Sends what is left, for at most `otlpTimeoutMs`, and ends. */
  close(): Promise<void>;
}

export function openOtlp({ endpoint, headers, sampleRatio, metricsIntervalMs, serviceName, metrics, runtime }: OtlpOptions): Otlp {
  const base = endpoint.replace(/\/+$/, "");
  const timeoutMillis = limit("otlpTimeoutMs");
  const exporterOptions = (path: string) => ({ url: `${base}${path}`, headers: { ...headers }, timeoutMillis });
  const resource = resourceFromAttributes({ "service.name": serviceName, "service.namespace": "plinth" });
  const traces = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanLimits: { attributeValueLengthLimit: limit("hostLogFieldCharsMax") },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(exporterOptions("/v1/traces")),
        scheduledDelayMillis: limit("otlpSpanDelayMs"),
        maxQueueSize: limit("otlpSpansMax"),
        exportTimeoutMillis: timeoutMillis,
      }),
    ],
  });
  const hrTime = (): HrTime => [Math.floor(runtime.nowMs() / 1000), (runtime.nowMs() % 1000) * 1e6];
  const startTime = hrTime();
  const producer: MetricProducer = {
    collect: async () => {
      const scope = { name: "plinth" };
      const readings = (await metrics.readings()).filter(({ values }) => values.length > 0);
      const endTime = hrTime();
      const scopeMetrics = [{ scope, metrics: readings.map((reading) => metricData(reading, startTime, endTime)) }];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    },
  };
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(exporterOptions("/v1/metrics")),
        exportIntervalMillis: metricsIntervalMs,
        exportTimeoutMillis: Math.min(timeoutMillis, metricsIntervalMs),
        metricProducers: [producer],
      }),
    ],
  });
  return {
    tracer: otlpTracer(traces.getTracer("plinth")),
    close: async () => void (await Promise.allSettled([traces.shutdown(), meters.shutdown()])),
  };
}
