/** Times that start flows, with a clock that is set. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FlowTrigger } from "@plinth/core/flow/definition.ts";
import type { Scope } from "../../database/database.ts";
import { DUE_TIMES, EVENTS, PLATFORM_SCOPE, SUBSCRIPTIONS } from "../../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../../database/test-database.ts";
import { tick } from "../../events/timers.ts";
import type { StartRun } from "../flows.ts";
import { bindTrigger, switchTrigger, unbindTrigger } from "./bind-trigger.ts";
import { StartByEvent } from "./start-by-event.ts";

/** A Friday. */
const NOW_MS = Date.UTC(2026, 10, 20, 12, 30);
const MONDAYS: FlowTrigger = { type: "timer", filter: "trigger.scheduledTime < now", data: { cron: "30 6 * * 1" }, output: "any" };
const SOURCE = "flow:weekly";

let opened: TestDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(async () => {
  await opened.close();
});

async function bind(scope: Scope, trigger: FlowTrigger, nowMs = NOW_MS): Promise<void> {
  const head = { name: "weekly", description: "", version: "v1", isOn: true, trigger };
  await opened.database.update(scope, (transaction) => bindTrigger(transaction, head, { nowMs, newSecret: "s" }));
}

async function turn(scope: Scope, isOn: boolean, nowMs: number): Promise<void> {
  await opened.database.update(scope, (transaction) => switchTrigger(transaction, "weekly", { isOn, nowMs, newSecret: "s" }));
}

async function due({ tenant, branch }: Scope): Promise<readonly string[]> {
  const rows = await opened.database.read(PLATFORM_SCOPE, ({ records }) =>
    records.range(DUE_TIMES, { prefix: [tenant, branch], limit: 10 }),
  );
  return rows.map(({ key }) => `${new Date(Number(key[2])).toISOString()} ${String(key[3])} ${String(key[4])}`);
}

/** What a firing at `nowMs` of what is due starts. */
async function starts(scope: Scope, nowMs: number): Promise<readonly Pick<StartRun, "flow" | "input" | "trigger">[]> {
  const before = await events(scope);
  const [first] = await due(scope);
  const dueMs = Date.parse(first?.split(" ")[0] ?? "");
  await tick({ database: opened.database, runtime: { nowMs: () => nowMs } }, { scope, dueMs, kind: "timer", id: SOURCE });
  const begun: StartRun[] = [];
  const flows = {
    start: (request: StartRun) => {
      begun.push(request);
      return Promise.reject(new Error("it is only asked for"));
    },
    answerByToken: () => Promise.resolve(),
  };
  const listeners = new StartByEvent(flows);
  for (const event of (await events(scope)).slice(before.length)) {
    const [listener] = await opened.database.read(scope, ({ records }) =>
      records.range(SUBSCRIPTIONS, { prefix: [event.type], limit: 10 }),
    );
    if (listener?.value.flow === undefined || listeners.judge(listener.value.flow, event) !== "yes") continue;
    await expect(listeners.start(scope, listener.value.flow, event)).rejects.toThrow("only asked for");
    expect(begun.at(-1)?.idempotencyKey).toBe(`event ${event.id}`);
  }
  return begun.map(({ flow, input, trigger = "" }) => ({ flow, input, trigger }));
}

async function events(scope: Scope) {
  return (await opened.database.read(scope, ({ records }) => records.range(EVENTS, { prefix: [], limit: 100 }))).map(({ value }) => value);
}

const at = (time: string) => ({ flow: "weekly", trigger: "timer", input: { scheduledTime: time } });

test("a cron starts its flow at each of its times, and once for all that were missed", async () => {
  const scope = newScope();
  await bind(scope, MONDAYS);
  expect(await due(scope)).toEqual([`2026-11-23T06:30:00.000Z timer ${SOURCE}`]);
  expect(await starts(scope, Date.UTC(2026, 10, 23, 6, 30, 1))).toEqual([at("2026-11-23T06:30:00.000Z")]);
  expect(await due(scope)).toEqual([`2026-11-30T06:30:00.000Z timer ${SOURCE}`]);
  // No host ran for three weeks.
  expect(await starts(scope, Date.UTC(2026, 11, 22, 9))).toEqual([at("2026-12-21T06:30:00.000Z")]);
  expect(await due(scope)).toEqual([`2026-12-28T06:30:00.000Z timer ${SOURCE}`]);
  expect(new Set((await events(scope)).map(({ id }) => id)).size).toBe(2);
});

test("what was due while the flow was off is not made up for, and a version with other times has those alone", async () => {
  const scope = newScope();
  await bind(scope, MONDAYS);
  await turn(scope, false, NOW_MS);
  expect(await due(scope)).toEqual([]);
  await turn(scope, true, Date.UTC(2026, 10, 24));
  expect(await due(scope)).toEqual([`2026-11-30T06:30:00.000Z timer ${SOURCE}`]);
  await bind(scope, { ...MONDAYS, data: { cron: "0 7 1 * *" } }, Date.UTC(2026, 10, 24));
  expect(await due(scope)).toEqual([`2026-12-01T07:00:00.000Z timer ${SOURCE}`]);
  expect(await starts(scope, Date.UTC(2026, 11, 1, 7))).toEqual([]);
  await bind(scope, { ...MONDAYS, filter: null }, Date.UTC(2026, 11, 1, 8));
  expect(await starts(scope, Date.UTC(2026, 11, 7, 6, 30))).toEqual([at("2026-12-07T06:30:00.000Z")]);
  await opened.database.update(scope, (transaction) => unbindTrigger(transaction, "weekly", NOW_MS));
  expect(await due(scope)).toEqual([]);
});
