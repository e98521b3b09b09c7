import type { Budget } from "@plinth/core/policy/budget.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Budgets, FunctionLimits } from "../../packages/server/src/budgets/budgets.ts";
import { NO_LIMITS, openBudgets, type StageChange } from "../../packages/server/src/budgets/open-budgets.ts";
import { eventually, removeFolder, request, SCOPE, startEngineHost, value, type EngineHost, type HostOptions } from "./engine-host.ts";

let host: EngineHost;
let budgets: Budgets;
const stages: StageChange[] = [];

const withBudgets: HostOptions = {
  budgets: ({ database, runtime }) =>
    (budgets = openBudgets({
      database,
      runtime,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      onStage: (change) => stages.push(change),
    })),
};

const NONE: Omit<FunctionLimits, "function"> = {
  rate: null,
  concurrency: null,
  cpuMs: null,
  wallMs: null,
  memoryBytes: null,
  resultBytes: null,
};
const BUDGET: Budget = { period: "day", amountNanos: 1e15, warnAt: 0.8, throttleAt: 0.9, whenSpent: "refuse" };

function nothing(): void {}

function limitsOf(fn: string, limits: Partial<FunctionLimits>) {
  return { ...NO_LIMITS, functions: [{ ...NONE, ...limits, function: fn }] };
}

beforeAll(async () => {
  host = await startEngineHost(withBudgets);
}, 60_000);

beforeEach(async () => {
  await budgets.setLimits("default", NO_LIMITS);
  stages.length = 0;
});

afterAll(async () => {
  await host.stop();
  await removeFolder(host);
});

describe("limits of functions", () => {
  it("of a tenant hold for every function, and make its other calls wait", async () => {
    await budgets.setLimits("default", { ...NO_LIMITS, concurrency: 1 });
    const slow = () => host.engine.invoke(request("jobs:wait", { ms: 100 }));
    const outcomes = await Promise.all([slow(), slow(), slow()]);
    const waits = outcomes.map(({ usage }) => usage.queueMs).sort((left, right) => left - right);
    expect(outcomes.map(({ status }) => status)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(waits[1]).toBeGreaterThan(80);
    expect(waits[2]).toBeGreaterThan(180);
    await budgets.setLimits("default", { ...NO_LIMITS, calls: { ...NO_LIMITS.calls, wallMs: 50 } });
    const late = await host.engine.invoke(request("jobs:wait", { ms: 5000 }));
    expect(late).toMatchObject({ status: "failed", error: { code: "FunctionTimeout" } });
  });

  it("refuse calls above the rate, and let stored ones wait for it", async () => {
    await budgets.setLimits("default", limitsOf("counters:add", { rate: { perSecond: 0.25, burst: 1 } }));
    await value(host, "counters:add", { name: "rate", by: 1 });
    await expect(host.engine.invoke(request("counters:add", { name: "rate", by: 1 }))).rejects.toMatchObject({ code: "RateLimited" });
    const { id } = await host.engine.enqueue(request("counters:add", { name: "rate", by: 1 }));
    await eventually(async () => (await host.engine.get(SCOPE, id))?.state === "succeeded");
    expect(await value(host, "counters:get", { name: "rate" })).toBe(2);
  });

  it("bound how many run at a time, for stored calls as a queue", async () => {
    await budgets.setLimits("default", limitsOf("jobs:*", { concurrency: 1 }));
    const first = value(host, "jobs:wait", { ms: 1500 });
    await eventually(async () => host.sandbox.status().busy > 0);
    await expect(host.engine.invoke(request("jobs:wait", { ms: 1 }))).rejects.toMatchObject({ code: "TooManyConcurrentRequests" });
    const ids = await Promise.all([1, 2, 3].map(async () => (await host.engine.enqueue(request("jobs:wait", { ms: 5 }))).id));
    await first;
    for (const id of ids) await eventually(async () => (await host.engine.get(SCOPE, id))?.state === "succeeded");
  });

  it("bound time and results more tightly than the host does", async () => {
    await budgets.setLimits("default", limitsOf("jobs:wait", { wallMs: 50 }));
    const slow = await host.engine.invoke(request("jobs:wait", { ms: 5000 }));
    expect(slow.status === "failed" && slow.error.code).toBe("FunctionTimeout");
    await budgets.setLimits("default", limitsOf("jobs:wait", { resultBytes: 4 }));
    const large = await host.engine.invoke(request("jobs:wait", { ms: 1 }));
    expect(large.status).toBe("failed");
    await budgets.setLimits("default", limitsOf("counters:spin", { cpuMs: 50 }));
    const spinning = await host.engine.invoke(request("counters:spin"));
    expect(spinning.status === "failed" && spinning.error.message).toContain("50ms");
  });
});

describe("the budget of a tenant", () => {
  it("counts every call, the failed ones too, and survives a restart (B1, B3)", async () => {
    const before = budgets.spending("default").days[0]?.calls ?? 0;
    const outcome = await host.engine.invoke(request("counters:add", { name: "paid", by: 1 }));
    expect(outcome.usage.costNanos).toBeGreaterThanOrEqual(200);
    await host.engine.invoke(request("counters:fail"));
    const spent = budgets.spending("default");
    expect(spent.days[0]?.calls).toBe(before + 2);
    const { folder } = host;
    await host.stop();
    host = await startEngineHost({ ...withBudgets, folder, deploy: false });
    expect(budgets.spending("default").spentNanos).toBe(spent.spentNanos);
  });

  it("warns, then refuses, each once and at once (B2)", async () => {
    const spent = budgets.spending("default").spentNanos;
    await budgets.setLimits("default", { ...NO_LIMITS, budget: { ...BUDGET, amountNanos: Math.ceil((spent + 150) / 0.8) } });
    await value(host, "counters:add", { name: "warned", by: 1 });
    await value(host, "counters:add", { name: "warned", by: 1 });
    expect(stages.map(({ to }) => to)).toEqual(["warn"]);
    await budgets.setLimits("default", { ...NO_LIMITS, budget: { ...BUDGET, amountNanos: spent } });
    await expect(host.engine.invoke(request("counters:add", { name: "refused", by: 1 }))).rejects.toMatchObject({ code: "BudgetExceeded" });
    await expect(host.engine.enqueue(request("counters:add", { name: "refused", by: 1 }))).rejects.toMatchObject({
      code: "BudgetExceeded",
    });
    expect(stages.map(({ to }) => to)).toEqual(["warn", "refuse"]);
    await budgets.setLimits("default", { ...NO_LIMITS, budget: null });
    expect(await value(host, "counters:get", { name: "refused" })).toBe(null);
  });

  it("harms no other tenant", async () => {
    await budgets.setLimits("other", { ...NO_LIMITS, budget: { ...BUDGET, amountNanos: 0 } });
    await value(host, "counters:add", { name: "own", by: 1 });
  });
});
