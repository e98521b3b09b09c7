import { afterEach, beforeEach, expect, it } from "vitest";
import { PLATFORM_SCOPE, SPENDING } from "../database/record-tables.ts";
import { openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import type { InvocationUsage } from "../engine/invocation.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { SpendingBook } from "./spending-book.ts";

const DAY_MS = 86_400_000;
const USAGE = { costNanos: 7, executionMs: 1, userMs: 1, memoryBytes: 0, egressBytes: 0 } as InvocationUsage;

let opened: TestDatabase;
beforeEach(async () => {
  opened = await openTestDatabase();
});
afterEach(() => opened.close());

it("what is kept of a tenant that was deleted goes, all days of it and nothing of others", async () => {
  const { database } = opened;
  let nowMs = Date.UTC(2026, 0, 30);
  const runtime = { ...opened.runtime, nowMs: () => nowMs, timer: opened.runtime.timer.bind(opened.runtime) };
  const book = new SpendingBook({ database, runtime, log: createTelemetry({ logLevel: "silent" }).log });
  await book.load();
  for (let day = 0; day < 4; day++) {
    for (const tenant of ["gone", "gone-too", "a"]) book.add(tenant, USAGE);
    await book.flush();
    nowMs += DAY_MS;
  }
  book.add("gone", USAGE);
  await book.forget("gone");
  // A call that was under way.
  book.add("gone", USAGE);
  await book.stop();
  const rows = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(SPENDING, { prefix: [], limit: 100 }));
  expect(rows.map(({ key }) => key[1])).toEqual(["a", "gone-too", "a", "gone-too", "a", "gone-too", "a", "gone-too"]);
  expect(book.days("gone")).toEqual([]);
  expect(book.spentNanos("a", "month")).toBe(14);
});
