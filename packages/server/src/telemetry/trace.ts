/**
 * Port of traces: spans through every stage of a call. Without an exporter nothing is recorded, and ids are passed on all the same,
 * so that logs and records can be found by the id that the caller sent.
 */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that causes what is traced. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  end(error?: { readonly code: string; readonly message: string }): void;
}

export interface Tracer {
  /** False: spans go nowhere, and their cost is to be avoided. */
  readonly active: boolean;
  start(
    name: string,
    options: {
      readonly parent?: TraceContext;
      readonly kind?: "server" | "internal" | "client" | "producer" | "consumer";
      readonly attributes?: SpanAttributes;
    },
  ): Span;
}

/** Reads a W3C `traceparent` header. Undefined when it is none; headers are hostile. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, traceId = "", spanId = "", flags = "00"] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/** Makes spans that are recorded nowhere. */
export function silentTracer(random: (length: number) => Uint8Array): Tracer {
  const hex = (length: number) => Buffer.from(random(length)).toString("hex");
  return {
    active: false,
    start: (_name, { parent }) => ({
      context: { traceId: parent?.traceId ?? hex(16), spanId: hex(8), sampled: parent?.sampled ?? false },
      set: () => undefined,
      event: () => undefined,
      end: () => undefined,
    }),
  };
}
