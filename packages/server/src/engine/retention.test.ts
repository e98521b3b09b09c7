import { afterAll, beforeAll, expect, test } from "vitest";
import { IDEMPOTENCY, IDEMPOTENCY_BY_TIME, INVOCATIONS, PLATFORM_SCOPE, RETENTION_DAYS } from "../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import { timePrefix } from "./invocation-ids.ts";
import type { InvocationRecord } from "./invocation.ts";
import { Retention } from "./retention.ts";

const DAY_MS = 86_400_000;

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

test("records are deleted in time, those of other days and branches stay, and the timer moves on", async () => {
  const { database, runtime } = opened;
  let nowMs = 100 * DAY_MS;
  const timers: number[] = [];
  const clock = {
    ...runtime,
    nowMs: () => nowMs,
    timer: (delayMs: number, callback: () => void) => {
      timers.push(delayMs);
      return { cancel: () => void callback };
    },
  };
  const { log } = createTelemetry({ logLevel: "silent" });
  const retention = new Retention({ database, runtime: clock, log, retentionMs: { invocations: 7 * DAY_MS, idempotency: 14 * DAY_MS } });
  const [a, b] = [newScope(), newScope()];

  const keep = async (scope: typeof a, createdMs: number, name: string): Promise<string> => {
    const id = timePrefix(createdMs) + name.padEnd(20, "0");
    const record: InvocationRecord = {
      ...scope,
      id,
      functionPath: "f",
      kind: "query",
      version: "v",
      source: "native",
      state: "succeeded",
      createdMs,
      logs: [],
      logsDropped: 0,
      fencingToken: 0,
    };
    await database.update(scope, async ({ records }) => {
      records.put(INVOCATIONS, [id], record);
      retention.note(records, "invocations", scope, createdMs);
      records.put(IDEMPOTENCY, [name], { fingerprint: "f", createdMs, result: { kind: "started", id } });
      records.put(IDEMPOTENCY_BY_TIME, [createdMs, name], true);
      retention.note(records, "idempotency", scope, createdMs);
    });
    retention.committed("invocations", scope, createdMs);
    retention.committed("idempotency", scope, createdMs);
    return id;
  };
  const left = async (scope: typeof a) =>
    await database.read(scope, async ({ records }) => ({
      invocations: (await records.range(INVOCATIONS, { prefix: [], limit: 1000 })).length,
      keys: (await records.range(IDEMPOTENCY, { prefix: [], limit: 1000 })).length,
      byTime: (await records.range(IDEMPOTENCY_BY_TIME, { prefix: [], limit: 1000 })).length,
    }));

  for (let at = 0; at < 250; at++) await keep(a, 100 * DAY_MS + at, `a${at}`);
  await keep(a, 101 * DAY_MS, "next");
  await keep(b, 100 * DAY_MS, "b");
  expect(timers).toEqual([8 * DAY_MS]);

  const later = async (days: number): Promise<void> => {
    nowMs = days * DAY_MS;
    const before = timers.length;
    retention.start();
    for (let waits = 0; waits < 10_000 && timers.length === before; waits++) await runtime.sleep(2);
  };
  await later(107.5);
  expect(await left(a)).toEqual({ invocations: 251, keys: 251, byTime: 251 });
  await later(108);
  expect(await left(a)).toEqual({ invocations: 1, keys: 251, byTime: 251 });
  expect(await left(b)).toEqual({ invocations: 0, keys: 1, byTime: 1 });
  expect(timers.at(-1)).toBe(DAY_MS);
  await later(116);
  await retention.stop();
  expect(await left(a)).toEqual({ invocations: 0, keys: 0, byTime: 0 });
  expect(await left(b)).toEqual({ invocations: 0, keys: 0, byTime: 0 });
  expect(await database.read(PLATFORM_SCOPE, ({ records }) => records.range(RETENTION_DAYS, { prefix: [], limit: 10 }))).toEqual([]);
});
