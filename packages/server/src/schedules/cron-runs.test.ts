import { afterAll, beforeAll, expect, test } from "vitest";
import { parseCrons, type CronJob } from "@plinth/core/schedules/crons.ts";
import { CRONS, CRON_RUNS, DUE_TIMES, PLATFORM_SCOPE } from "../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { applyCronsWith } from "./apply-crons.ts";
import { finishCron, startCron } from "./cron-runs.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12, 30);
const MINUTE_MS = 60_000;

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

function jobs(schedules: Readonly<Record<string, unknown>>): CronJob[] {
  return parseCrons(
    JSON.stringify(
      Object.fromEntries(Object.entries(schedules).map(([name, schedule]) => [name, { name: "jobs:tick", args: [{}], schedule }])),
    ),
  );
}

test("every form of a schedule gets its first time", async () => {
  const scope = newScope();
  const forms = jobs({
    interval: { type: "interval", minutes: 5 },
    hourly: { type: "hourly", minuteUTC: 10 },
    daily: { type: "daily", hourUTC: 6, minuteUTC: 0 },
    weekly: { type: "weekly", dayOfWeek: "monday", hourUTC: 1, minuteUTC: 2 },
    monthly: { type: "monthly", day: 1, hourUTC: 0, minuteUTC: 0 },
    cron: { type: "cron", cron: "*/20 * * * *" },
  });
  await opened.database.update(scope, (transaction) => applyCronsWith({ nowMs: () => NOW_MS })(transaction, forms));
  const due = await opened.database.read(scope, async ({ records }) =>
    Object.fromEntries((await records.range(CRONS, { prefix: [], limit: 10 })).map(({ value }) => [value.name, value.dueMs])),
  );
  expect(due).toEqual({
    interval: NOW_MS,
    hourly: Date.UTC(2026, 10, 20, 13, 10),
    daily: Date.UTC(2026, 10, 21, 6, 0),
    weekly: Date.UTC(2026, 10, 23, 1, 2),
    monthly: Date.UTC(2026, 11, 1),
    cron: Date.UTC(2026, 10, 20, 12, 40),
  });
  await opened.database.update(scope, (transaction) => applyCronsWith({ nowMs: () => NOW_MS })(transaction, []));
  expect(
    await opened.database.read(PLATFORM_SCOPE, ({ records }) => records.range(DUE_TIMES, { prefix: [scope.tenant], limit: 10 })),
  ).toEqual([]);
});

test.each([
  ["an interval", { type: "interval", minutes: 10 }, 0],
  ["a calendar", { type: "cron", cron: "*/10 * * * *" }, 10 * MINUTE_MS],
])("R2 %s: the newest missed run starts, the ones before are skipped with their count", async (_, schedule, firstAfterMs) => {
  const scope = newScope();
  const { database } = opened;
  await database.update(scope, (transaction) => applyCronsWith({ nowMs: () => NOW_MS })(transaction, jobs({ c: schedule })));
  const first = NOW_MS + firstAfterMs;
  const start = await database.update(scope, (transaction) =>
    startCron(transaction, { name: "c", dueMs: first, nowMs: first + 65 * MINUTE_MS }),
  );
  expect(start).toMatchObject({ kind: "run", skipped: 6, run: { row: { runMs: first + 60 * MINUTE_MS } } });
  if (start.kind !== "run") throw new Error("it did not start");
  await database.update(scope, (transaction) =>
    finishCron(transaction, { run: start.run, end: { state: "success" }, nowMs: first + 66 * MINUTE_MS }),
  );
  const { row, runs } = await database.read(scope, async ({ records }) => ({
    row: await records.get(CRONS, ["c"]),
    runs: await records.range(CRON_RUNS, { prefix: ["c"], limit: 10 }),
  }));
  expect(row).toMatchObject({ state: "pending", runMs: first + 70 * MINUTE_MS, dueMs: first + 70 * MINUTE_MS });
  expect(runs.map(({ key, value }) => [key[1], value.state, value.count])).toEqual([
    [first, "skipped", 6],
    [first + 60 * MINUTE_MS, "success", undefined],
  ]);
});

test("R2 years of missed runs are skipped at once", async () => {
  const scope = newScope();
  const { database } = opened;
  await database.update(scope, (transaction) =>
    applyCronsWith({ nowMs: () => NOW_MS })(transaction, jobs({ c: { type: "cron", cron: "* * * * *" } })),
  );
  const fromCpu = process.cpuUsage();
  const nowMs = NOW_MS + 3 * 365 * 86_400_000 + 30_000;
  const start = await database.update(scope, (transaction) => startCron(transaction, { name: "c", dueMs: NOW_MS + MINUTE_MS, nowMs }));
  expect(start).toMatchObject({ kind: "run", run: { row: { runMs: nowMs - 30_000 } } });
  expect(process.cpuUsage(fromCpu).user / 1000).toBeLessThan(3000);
});

test("a run whose cron was changed meanwhile is recorded and moves nothing", async () => {
  const scope = newScope();
  const { database } = opened;
  await database.update(scope, (transaction) =>
    applyCronsWith({ nowMs: () => NOW_MS })(transaction, jobs({ c: { type: "interval", minutes: 10 } })),
  );
  const start = await database.update(scope, (transaction) => startCron(transaction, { name: "c", dueMs: NOW_MS, nowMs: NOW_MS }));
  await database.update(scope, (transaction) =>
    applyCronsWith({ nowMs: () => NOW_MS + 1000 })(transaction, jobs({ c: { type: "interval", minutes: 20 } })),
  );
  if (start.kind !== "run") throw new Error("it did not start");
  await database.update(scope, (transaction) =>
    finishCron(transaction, { run: start.run, end: { state: "success" }, nowMs: NOW_MS + 2000 }),
  );
  const row = await database.read(scope, ({ records }) => records.get(CRONS, ["c"]));
  expect(row).toMatchObject({ state: "pending", dueMs: NOW_MS + 1000, schedule: { kind: "interval", periodMs: 20 * MINUTE_MS } });
});
