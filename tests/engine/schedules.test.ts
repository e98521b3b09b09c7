import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { nextRun } from "../../packages/core/src/schedules/crons.ts";
import type { CronJob } from "../../packages/core/src/schedules/crons.ts";
import { CRONS, CRON_RUNS, DUE_TIMES, PLATFORM_SCOPE, SCHEDULED_JOBS } from "../../packages/server/src/database/record-tables.ts";
import { applyCronsWith } from "../../packages/server/src/schedules/apply-crons.ts";
import { scheduleFunction } from "../../packages/server/src/schedules/scheduled-functions.ts";
import { SCOPE, eventually, removeFolder, startEngineHost, value, type EngineHost } from "./engine-host.ts";

interface JobDocument {
  readonly state: { readonly kind: string; readonly error?: string };
  readonly completedTime?: number;
  readonly scheduledTime: number;
}

let host: EngineHost;

beforeAll(async () => {
  host = await startEngineHost();
});
afterAll(async () => {
  await host.stop();
  await removeFolder(host);
});
afterEach(() => {
  expect(host.logLines).toEqual([]);
});

async function job(id: string, of = host): Promise<JobDocument> {
  return (await value(of, "jobs:state", { id })) as JobDocument;
}

async function ended(id: string, of = host): Promise<JobDocument> {
  return await eventually(async () => {
    const document = await job(id, of);
    return document.state.kind === "pending" || document.state.kind === "inProgress" ? undefined : document;
  });
}

async function texts(of = host): Promise<string[]> {
  return (await value(of, "counters:texts")) as string[];
}

async function dueCount(): Promise<number> {
  return await host.database.read(
    PLATFORM_SCOPE,
    async ({ records }) => (await records.range(DUE_TIMES, { prefix: [], limit: 1000 })).length,
  );
}

async function setCrons(crons: readonly CronJob[], of = host): Promise<void> {
  await of.database.update(SCOPE, (transaction) => applyCronsWith(of.runtime)(transaction, crons));
}

describe("scheduled functions", () => {
  test("J1 run once, in the transaction of their success, and leave no timer behind", async () => {
    const id = (await value(host, "jobs:scheduleWrite", { text: "later", delayMs: 50 })) as string;
    expect((await job(id)).state.kind).toBe("pending");
    const document = await ended(id);
    expect(document.state.kind).toBe("success");
    expect((await texts()).filter((text) => text === "later")).toEqual(["later"]);
    expect(await dueCount()).toBe(0);
  });

  test("J1 a mutation that fails has scheduled nothing", async () => {
    await expect(value(host, "jobs:scheduleWrite", { text: "never", delayMs: 0, fail: true })).rejects.toThrow("undo");
    expect(await dueCount()).toBe(0);
  });

  test("T1 due work starts within 50 ms on an idle host", async () => {
    await value(host, "jobs:scheduleWrite", { text: "warm", delayMs: 0 });
    const delays: number[] = [];
    for (let i = 0; i < 5; i++) {
      const id = (await value(host, "jobs:scheduleWrite", { text: `exact ${i}`, delayMs: 120 })) as string;
      const document = await ended(id);
      delays.push((document.completedTime ?? 0) - document.scheduledTime);
    }
    delays.sort((a, b) => a - b);
    expect(delays[2]).toBeLessThan(50);
    expect(delays[0]).toBeGreaterThanOrEqual(-1);
  });

  test("a function that throws is failed and not run again", async () => {
    const id = (await value(host, "jobs:scheduleWrite", { text: "throw", delayMs: 0 })) as string;
    const document = await ended(id);
    expect(document.state.kind).toBe("failed");
    expect(document.state.error).toContain("boom");
    expect(await texts()).not.toContain("throw");
    expect(await dueCount()).toBe(0);
  });

  test("a pending one can be cancelled", async () => {
    const id = (await value(host, "jobs:scheduleWrite", { text: "cancelled", delayMs: 60_000 })) as string;
    await value(host, "jobs:cancel", { id });
    expect((await job(id)).state.kind).toBe("canceled");
    expect(await dueCount()).toBe(0);
    await expect(value(host, "jobs:cancel", { id: "nonsense" })).rejects.toThrow("no scheduled function");
  });

  test("an action in progress can be cancelled", async () => {
    const id = (await value(host, "jobs:scheduleAction", { text: "stopped", waitMs: 20_000 })) as string;
    await eventually(async () => (await job(id)).state.kind === "inProgress");
    await value(host, "jobs:cancel", { id });
    expect((await job(id)).state.kind).toBe("canceled");
    await eventually(async () => host.sandbox.status().busy === 0);
    expect(await texts()).not.toContain("stopped");
    expect((await job(id)).state.kind).toBe("canceled");
  });

  test("actions run at their time too", async () => {
    const id = (await value(host, "jobs:scheduleAction", { text: "acted", waitMs: 5 })) as string;
    expect((await ended(id)).state.kind).toBe("success");
    expect(await texts()).toContain("acted");
  });

  test("T2 a backlog of one tenant is worked off, a few at a time", async () => {
    const ids = await host.database.update(SCOPE, async (transaction) => {
      const made: string[] = [];
      for (let i = 0; i < 40; i++) {
        made.push(
          await scheduleFunction(transaction, {
            path: "counters:write",
            kind: "mutation",
            argsText: JSON.stringify({ text: `backlog ${i}` }),
            dueMs: host.runtime.nowMs(),
            nowMs: host.runtime.nowMs(),
          }),
        );
      }
      return made;
    });
    for (const id of ids) expect((await ended(id)).state.kind).toBe("success");
    expect((await texts()).filter((text) => text.startsWith("backlog")).length).toBe(40);
  });

  test("mutations that conflict with each other all succeed in the end", async () => {
    const ids = await host.database.update(SCOPE, async (transaction) => {
      const made: string[] = [];
      for (let i = 0; i < 12; i++) {
        made.push(
          await scheduleFunction(transaction, {
            path: "counters:add",
            kind: "mutation",
            argsText: `{"name":"scheduled","by":1}`,
            dueMs: host.runtime.nowMs(),
            nowMs: host.runtime.nowMs(),
          }),
        );
      }
      return made;
    });
    for (const id of ids)
      expect((await eventually(async () => ((await job(id)).state.kind === "success" ? job(id) : undefined), 15_000)).state.kind).toBe(
        "success",
      );
    expect(await value(host, "counters:get", { name: "scheduled" })).toBe(12);
  });
});

describe("restart", () => {
  test("T3 what was scheduled before runs after, and an action that had started is failed, not repeated", async () => {
    const first = await startEngineHost();
    const later = (await value(first, "jobs:scheduleWrite", { text: "survived", delayMs: 700 })) as string;
    const action = (await value(first, "jobs:scheduleAction", { text: "acted once", waitMs: 0 })) as string;
    await ended(action, first);
    const interrupted = (await value(first, "jobs:scheduleWrite", { text: "unused", delayMs: 60_000 })) as string;
    // As a crash leaves it: an action that is marked as started and has a due row.
    const crashed = await first.database.update(SCOPE, async (transaction) => {
      const id = await scheduleFunction(transaction, {
        path: "jobs:slowWrite",
        kind: "action",
        argsText: `{"text":"twice","waitMs":0}`,
        dueMs: first.runtime.nowMs() + 600,
        nowMs: first.runtime.nowMs(),
      });
      const row = await transaction.records.get(SCHEDULED_JOBS, [id]);
      if (row !== undefined) transaction.records.put(SCHEDULED_JOBS, [id], { ...row, state: "inProgress" });
      return id;
    });
    await first.stop();
    const second = await startEngineHost({ folder: first.folder, deploy: false });
    try {
      expect((await ended(later, second)).state.kind).toBe("success");
      expect((await ended(crashed, second)).state).toMatchObject({ kind: "failed", error: "The host stopped while the action ran." });
      expect((await job(interrupted, second)).state.kind).toBe("pending");
      expect((await texts(second)).sort()).toEqual(["acted once", "survived"]);
    } finally {
      await second.stop();
      await removeFolder(second);
    }
  });
});

describe("crons", () => {
  const tick = (name: string, schedule: CronJob["schedule"], text = name): CronJob => ({
    name,
    functionPath: "jobs:tick",
    argsText: JSON.stringify([{ text }]),
    schedule,
  });

  async function runs(name: string): Promise<{ readonly state: string; readonly count?: number }[]> {
    return await host.database.read(SCOPE, async ({ records }) =>
      (await records.range(CRON_RUNS, { prefix: [name], limit: 100 })).map(({ value: run }) => run),
    );
  }

  afterEach(async () => {
    await setCrons([]);
    expect(await dueCount()).toBe(0);
  });

  test("an interval runs at once and then again and again; what is removed stops", async () => {
    await setCrons([tick("fast", { kind: "interval", periodMs: 100 })]);
    await eventually(async () => (await texts()).filter((text) => text === "fast").length >= 3);
    await setCrons([]);
    const count = (await texts()).filter((text) => text === "fast").length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await texts()).filter((text) => text === "fast").length - count).toBeLessThanOrEqual(1);
    expect((await runs("fast")).every((run) => run.state !== "failed")).toBe(true);
  });

  test("a schedule that stays the same keeps its place when the version changes", async () => {
    const cron = tick("kept", { kind: "cron", expression: "0 0 1 1 *" });
    await setCrons([cron]);
    const before = await host.database.read(SCOPE, ({ records }) => records.get(CRONS, ["kept"]));
    expect(before?.dueMs).toBe(nextRun(cron.schedule, host.runtime.nowMs()));
    await setCrons([cron, tick("other", { kind: "cron", expression: "0 0 2 1 *" })]);
    expect(await host.database.read(SCOPE, ({ records }) => records.get(CRONS, ["kept"]))).toEqual(before);
  });

  test("R1 R2 runs do not overlap, and those that were missed are skipped and recorded", async () => {
    await setCrons([
      {
        name: "slow",
        functionPath: "jobs:slowWrite",
        argsText: JSON.stringify([{ text: "slow", waitMs: 350 }]),
        schedule: { kind: "interval", periodMs: 100 },
      },
    ]);
    await eventually(async () => (await runs("slow")).filter((run) => run.state === "success").length >= 2);
    const skipped = (await runs("slow")).filter((run) => run.state === "skipped");
    expect(skipped.length).toBeGreaterThanOrEqual(1);
    expect(skipped[0]?.count).toBeGreaterThanOrEqual(2);
    await setCrons([]);
    await eventually(async () => host.sandbox.status().busy === 0);
  });

  test("R2 after a long pause only the newest missed run is made up", async () => {
    await setCrons([tick("daily", { kind: "cron", expression: "*/5 * * * *" })]);
    const longAgo = Math.floor(host.runtime.nowMs() / 300_000) * 300_000 - 3 * 300_000;
    await host.database.update(SCOPE, async ({ records }) => {
      const row = await records.get(CRONS, ["daily"]);
      if (row === undefined) throw new Error("no cron");
      records.delete(DUE_TIMES, [SCOPE.tenant, SCOPE.branch, row.dueMs, "cron", "daily"]);
      records.put(DUE_TIMES, [SCOPE.tenant, SCOPE.branch, longAgo, "cron", "daily"], true);
      records.put(CRONS, ["daily"], { ...row, runMs: longAgo, dueMs: longAgo });
    });
    await eventually(async () => (await runs("daily")).some((run) => run.state === "success"));
    expect((await runs("daily")).map(({ state, count }) => ({ state, count }))).toEqual([
      { state: "skipped", count: 3 },
      { state: "success", count: undefined },
    ]);
    expect((await texts()).filter((text) => text === "daily").length).toBe(1);
  });

  test("R3 a run that its host left behind is failed, and the next one follows", async () => {
    await setCrons([tick("left", { kind: "interval", periodMs: 150 })]);
    await eventually(async () => (await runs("left")).length >= 1);
    await host.database.update(SCOPE, async ({ records }) => {
      const row = await records.get(CRONS, ["left"]);
      if (row !== undefined) records.put(CRONS, ["left"], { ...row, state: "inProgress" });
    });
    await eventually(async () => (await runs("left")).some((run) => run.state === "failed"));
    const successes = (await runs("left")).filter((run) => run.state === "success").length;
    await eventually(async () => (await runs("left")).filter((run) => run.state === "success").length > successes);
  });
});
