import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { expect, it } from "vitest";
import { EVENTS } from "../database/record-tables.ts";
import { openTestDatabase } from "../database/test-database.ts";
import type { InvocationResult } from "../engine/result-sink.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { PlatformEvents } from "./platform-events.ts";

const SCOPE = { tenant: "default", branch: "main" };

it("tells of refused calls once, and of deliveries that wait not at all", async () => {
  const opened = await openTestDatabase();
  const { database, runtime } = opened;
  try {
    const { log } = createTelemetry({ logLevel: "silent" });
    const events = new PlatformEvents({ database, runtime, log });
    const error = plinthError("BudgetExceeded", { period: "day", until: "tomorrow" });
    const refused = (source: InvocationResult["source"], functionPath: string) =>
      ({ scope: SCOPE, source, finishedMs: 1, outcome: { status: "failed", error, functionPath } }) as unknown as InvocationResult;
    // A listener of these events that is refused itself would make another of each.
    for (let i = 0; i < 3; i += 1) events.sink.finished(refused("automation", "@a/listen"));
    for (let i = 0; i < 3; i += 1) events.sink.finished(refused("native", "notes:add"));
    await events.stop();
    const rows = await database.read(SCOPE, ({ records }) => records.range(EVENTS, { prefix: [], limit: 10 }));
    expect(rows.map(({ value }) => (JSON.parse(value.payloadText) as { limit_refused: object }).limit_refused)).toMatchObject([
      { function: "notes:add", count: 3 },
    ]);
  } finally {
    await opened.close();
  }
});

it("a tenant whose calls are refused in many ways takes no places of others", async () => {
  const opened = await openTestDatabase();
  const { database, runtime } = opened;
  try {
    const { log } = createTelemetry({ logLevel: "silent" });
    const events = new PlatformEvents({ database, runtime, log });
    const error = plinthError("RateLimited", { perSecond: 1, what: "the tenant", waitMs: 1 });
    const refused = (tenant: string, functionPath: string) =>
      events.sink.finished({
        scope: { tenant, branch: "main" },
        source: "native",
        finishedMs: 1,
        outcome: { status: "failed", error, functionPath },
      } as unknown as InvocationResult);
    const max = limit("refusalsCountedPerTenantMax");
    for (let i = 0; i < 2 * max; i += 1) refused("noisy", `made:up${i}`);
    refused("other", "notes:add");
    await events.stop();
    const countOf = (tenant: string) =>
      database.read(
        { tenant, branch: "main" },
        async ({ records }) => (await records.range(EVENTS, { prefix: [], limit: 3 * max })).length,
      );
    expect([await countOf("noisy"), await countOf("other")]).toEqual([max, 1]);
  } finally {
    await opened.close();
  }
});
