/** The port of traces over OpenTelemetry's SDK, which batches, samples and bounds. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Tracer as SdkTracer } from "@opentelemetry/api";
import type { Span, TraceContext, Tracer } from "../trace.ts";

const KINDS = {
  server: SpanKind.SERVER,
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export function otlpTracer(sdk: SdkTracer): Tracer {
  return {
    active: true,
    start: (name, { parent, kind = "internal", attributes = {} }) => {
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
      return spanOf(sdk.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, context));
    },
  };
}

function contextOf({ traceId, spanId, sampled }: TraceContext) {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function spanOf(span: ReturnType<SdkTracer["startSpan"]>): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    context: { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 },
    set: (attributes) => void span.setAttributes({ ...attributes }),
    event: (name, attributes = {}) => void span.addEvent(name, { ...attributes }),
    end: (error) => {
      if (error !== undefined)
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message }).setAttribute("error.type", error.code);
      span.end();
    },
  };
}
