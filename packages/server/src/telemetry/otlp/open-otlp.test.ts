/** A host that sends to a collector: what arrives there, as a collector reads it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployApp, startTestHost, type TestHost } from "../../doors/test/test-host.ts";

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

const received: Received[] = [];
let collector: Server;
let host: TestHost;

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString() || "{}") });
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port } = collector.address() as AddressInfo;
  host = await startTestHost({
    otlpEndpoint: `http://127.0.0.1:${port}/otlp/`,
    otlpHeaders: ["x-collector-key=open%20sesame"],
    otlpMetricsIntervalMs: 200,
  });
  await deployApp(host);
});
afterAll(async () => {
  await host.remove();
  collector.close();
});

test("a traced call arrives with a span for each stage, under the trace of its caller", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const answer = await host.send("/v1/functions/messages:send/execute", {
    body: { args: { author: "Ada", text: "hello" } },
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  });
  expect(answer.json).toMatchObject({ status: "succeeded", traceId });
  const spans = await eventually(() => {
    const found = spansOf(traceId);
    return found.some(({ name }) => name === "invoke messages:send") ? found : undefined;
  });
  const call = spans.find(({ name }) => name === "invoke messages:send");
  expect(call?.parentSpanId).toBe("00f067aa0ba902b7");
  expect(attributesOf(call)).toMatchObject({ "plinth.tenant": "default", "plinth.branch": "main", "plinth.source": "native" });
  const stages = spans.filter(({ parentSpanId }) => parentSpanId === call?.spanId).map(({ name }) => name);
  expect(stages).toEqual(expect.arrayContaining(["plinth.admit", "plinth.acquire", "plinth.execute", "plinth.commit"]));
  expect(received.find(({ path }) => path === "/otlp/v1/traces")?.headers["x-collector-key"]).toBe("open sesame");
});

test("a failed call is an error in its trace", async () => {
  const answer = await host.send("/v1/functions/messages:fail/execute", { body: { args: {} } });
  const { traceId } = answer.json as { readonly traceId: string };
  const [call] = await eventually(() => {
    const found = spansOf(traceId).filter(({ name }) => name.startsWith("invoke"));
    return found.length > 0 ? found : undefined;
  });
  expect(call?.status.code).toBe(2);
  expect(attributesOf(call)["error.type"]).toBe("FunctionError");
});

test("metrics arrive under their names, with histograms whose buckets add up", async () => {
  const metric = await eventually(() => {
    const bodies = received.filter(({ path }) => path === "/otlp/v1/metrics").map(({ body }) => body as OtlpMetrics);
    const metrics = bodies.at(-1)?.resourceMetrics[0]?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return metrics.find(({ name }) => name === "plinth.execution.duration")?.histogram?.dataPoints.some(({ count }) => Number(count) > 0)
      ? metrics
      : undefined;
  });
  const names = metric.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["plinth.execution.duration", "plinth.execution.queue_delay", "plinth.execution.cost"]));
  const duration = metric.find(({ name }) => name === "plinth.execution.duration");
  expect(duration?.unit).toBe("s");
  for (const point of duration?.histogram?.dataPoints ?? [])
    expect(point.bucketCounts.reduce<number>((sum, each) => sum + Number(each), 0)).toBe(Number(point.count));
});

interface OtlpMetrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit?: string;
        readonly histogram?: {
          readonly dataPoints: readonly { readonly count: number | string; readonly bucketCounts: readonly unknown[] }[];
        };
      }[];
    }[];
  }[];
}

function spansOf(traceId: string): OtlpSpan[] {
  type Body = { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[] };
  return received
    .filter(({ path }) => path === "/otlp/v1/traces")
    .flatMap(({ body }) => (body as Body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
    .filter((span) => span.traceId === traceId);
}

function attributesOf(span: OtlpSpan | undefined): Record<string, string | undefined> {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]));
}

async function eventually<T>(read: () => T | undefined): Promise<T> {
  for (;;) {
    const value = read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
