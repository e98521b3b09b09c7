import { limit } from "@plinth/core/limits.ts";
import { expect, test } from "vitest";
import type { InvocationUsage } from "../engine/invocation.ts";
import { createTelemetry } from "./telemetry.ts";

const USAGE: InvocationUsage = {
  queueMs: 1,
  executionMs: 2,
  userMs: 1,
  memoryBytes: 5_000_000,
  attempts: 1,
  conflicts: 2,
  coldStart: true,
  cached: false,
  databaseReadBytes: 0,
  databaseWriteBytes: 0,
  documentsRead: 0,
  documentsWritten: 0,
  egressBytes: 0,
  costNanos: 0,
};

test("metrics count calls, errors, conflicts and cold starts by function", async () => {
  const { metrics, metricsText } = createTelemetry({ logLevel: "silent" });
  metrics.finished({ path: "a:b", branch: "main", kind: "mutation", source: "convex", usage: USAGE });
  metrics.finished({ path: "a:b", branch: "main", kind: "mutation", source: "convex", errorCode: "FunctionError", usage: USAGE });
  metrics.waited("hostCapacity", 20);
  metrics.watchQueue(() => ({ waiting: 7, runningTransactions: 1, runningActions: 0 }));
  const text = await metricsText();
  expect(text).toContain('plinth_invocations_total{function="a:b",branch="main",kind="mutation",source="convex",status="succeeded"} 1');
  expect(text).toContain('plinth_invocation_errors_total{function="a:b",branch="main",kind="mutation",code="FunctionError"} 1');
  expect(text).toContain('plinth_conflicts_total{function="a:b",branch="main"} 4');
  expect(text).toContain('plinth_cold_starts_total{kind="mutation"} 2');
  expect(text).toContain('plinth_waits_total{reason="hostCapacity"} 1');
  expect(text).toContain("plinth_queue_waiting 7");
});

test("functions beyond the limit share one series", async () => {
  const { metrics, metricsText } = createTelemetry({ logLevel: "silent" });
  const max = limit("metricFunctionsMax");
  for (let i = 0; i < max + 50; i++)
    metrics.finished({ path: `f:${i}`, branch: "main", kind: "query", source: "convex", usage: { ...USAGE, cached: true } });
  const text = await metricsText();
  expect(text.match(/^plinth_invocations_total\{/gm)?.length).toBe(max + 1);
  expect(text).toContain('plinth_invocations_total{function="other",branch="main",kind="query",source="convex",status="succeeded"} 50');
});

test("the log escapes user text, cuts it, and keeps the cause of an error", () => {
  const lines: string[] = [];
  const { log } = createTelemetry({ logLevel: "info", destination: { write: (line: string) => void lines.push(line) } });
  const cause = new Error("disk gone");
  log.error({ text: "\u001b[31mred\nnext", long: "x".repeat(1e6), error: new Error("failed", { cause }) }, "it failed");
  log.debug({}, "not shown");
  expect(lines.length).toBe(1);
  const line: unknown = JSON.parse(lines[0] ?? "");
  expect(line).toMatchObject({ level: "error", msg: "it failed", text: "\\u001b[31mred\nnext" });
  expect((lines[0] ?? "").length).toBeLessThan(50_000);
  expect(lines[0]).toContain("caused by Error: disk gone");
});
