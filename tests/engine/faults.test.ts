/** Finalize always runs: whatever fails on the way, the caller gets an answer and nothing stays taken. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { removeFolder, request, startEngineHost, value, eventually, type EngineHost } from "./engine-host.ts";

let host: EngineHost;

beforeAll(async () => {
  host = await startEngineHost({ config: { perTenant: { query: 2, mutation: 2, action: 4 }, queryCacheBytes: 0 } });
});
afterAll(async () => {
  await host.stop();
  await removeFolder(host);
});
afterEach(async () => {
  await eventually(async () => host.sandbox.status().busy === 0);
  const metrics = await host.metricsText();
  for (const gauge of ["plinth_running_transactions", "plinth_running_actions", "plinth_queue_waiting"])
    expect(metrics).toContain(`${gauge} 0`);
  expect(await value(host, "counters:add", { name: "alive", by: 0 })).toBe(0);
});

/** Processes below this one that run the jail's program. */
function runnerProcesses(): number[] {
  const parents = new Map<number, number>();
  const commands = new Map<number, string>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
      commands.set(Number(entry), readFileSync(`/proc/${entry}/cmdline`, "utf8"));
    } catch {
      // The process has ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => pid === process.pid || ((parents.get(pid) ?? 0) > 1 && isBelow(parents.get(pid) ?? 0));
  return [...commands]
    .filter(([pid, command]) => command.includes("/app/runner.js") && pid !== process.pid && isBelow(pid))
    .map(([pid]) => pid);
}

describe("a runner that dies", () => {
  test("X2 queries and mutations are run again, and their writes are there once", async () => {
    const calls = Array.from({ length: 2 }, (_, at) =>
      host.engine.invoke(request("counters:addSlowly", { name: `killed ${at}`, by: 1, rounds: 400 })),
    );
    await eventually(async () => host.sandbox.status().busy > 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const pid of runnerProcesses()) process.kill(pid, "SIGKILL");
    const outcomes = await Promise.all(calls);
    expect(outcomes.map((each) => each.status)).toEqual(["succeeded", "succeeded"]);
    expect(Math.max(...outcomes.map((each) => each.usage.attempts))).toBeGreaterThanOrEqual(2);
    expect(await value(host, "counters:get", { name: "killed 0" })).toBe(1);
  });

  test("H15 X2 an action is not run again", async () => {
    const call = host.engine.invoke(request("jobs:wait", { ms: 5000 }));
    await eventually(async () => host.sandbox.status().busy > 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const pid of runnerProcesses()) process.kill(pid, "SIGKILL");
    expect(await call).toMatchObject({ status: "failed", error: { code: "RunnerLost" }, usage: { attempts: 1 } });
  });

  test("calls of an evicted tenant end and are not repeated", async () => {
    const call = host.engine.invoke(request("jobs:wait", { ms: 5000 }));
    await eventually(async () => host.sandbox.status().busy > 0);
    await host.sandbox.evict("default");
    expect(await call).toMatchObject({ status: "failed" });
  });
});

describe("a caller that goes away", () => {
  test("at every point, without a trace", async () => {
    for (let delayMs = 0; delayMs < 24; delayMs += 1) {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), delayMs / 2);
      const [mutation, action] = await Promise.allSettled([
        host.engine.invoke(request("counters:nested", { texts: ["a", "b", "c"], catch: false }), { signal: controller.signal }),
        host.engine.invoke(request("jobs:orchestrate", { name: `gone ${delayMs}` }), { signal: controller.signal }),
      ]);
      clearTimeout(timer);
      for (const each of [mutation, action]) {
        if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "Cancelled" });
        else if (each.value.status === "failed") expect(each.value.error.code).toMatch(/^(Cancelled|FunctionError)$/);
      }
    }
    // All or nothing: the writes of a mutation that was cut off are not there.
    const texts = (await value(host, "counters:texts")) as string[];
    const count = (text: string): number => texts.filter((each) => each === text).length;
    expect([count("a"), count("b"), count("c")]).toEqual([count("parent"), count("parent"), count("parent")]);
  });

  test("a deadline ends a call that waits and one that runs", async () => {
    expect(await host.engine.invoke(request("jobs:wait", { ms: 5000 }, { deadlineMs: 50 }))).toMatchObject({
      status: "failed",
      error: { code: "DeadlineExceeded" },
    });
    const running = Array.from({ length: 4 }, () => host.engine.invoke(request("jobs:wait", { ms: 300 })));
    await expect(host.engine.invoke(request("jobs:wait", { ms: 1 }, { deadlineMs: 50 }))).rejects.toMatchObject({
      code: "DeadlineExceeded",
    });
    await Promise.all(running);
  });
});

describe("limits", () => {
  test("the tenant's concurrency holds, and who waits is told why", async () => {
    const reasons: string[] = [];
    let running = 0;
    let most = 0;
    const calls = Array.from({ length: 10 }, () =>
      host.engine.invoke(request("jobs:wait", { ms: 60 }), {
        onEvent: (event) => {
          if (event.type !== "state") return;
          if (event.reason !== undefined) reasons.push(event.reason);
          if (event.state === "running") most = Math.max(most, ++running);
          if (event.state === "succeeded") running--;
        },
      }),
    );
    const outcomes = await Promise.all(calls);
    expect(outcomes.every((each) => each.status === "succeeded")).toBe(true);
    expect(most).toBe(4);
    expect(reasons.filter((reason) => reason === "tenantActions").length).toBe(6);
  });

  test("E3 actions that fill every place and call others do not wait for themselves", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => host.engine.invoke(request("jobs:orchestrate", { name: `full ${at}` }))),
    );
    expect(outcomes.map((each) => each.status)).toEqual(Array.from({ length: 12 }, () => "succeeded"));
  });

  test("A16 another tenant is served while one fills its places with endless loops", async () => {
    const other = { tenant: "neighbour", branch: "main" };
    const { testScript } = await import("./engine-host.ts");
    await host.deploys.deploy(other, await testScript());
    await host.engine.invoke(request("counters:get", { name: "x" }, other));
    let ended = 0;
    const spinning = Array.from({ length: 8 }, () =>
      host.engine
        .invoke(request("counters:spin"))
        .catch((error: unknown) => error)
        .finally(() => (ended += 1)),
    );
    await eventually(async () => host.sandbox.status().busy > 0);
    for (let at = 0; at < 10; at++)
      expect((await host.engine.invoke(request("counters:get", { name: "x" }, other))).status).toBe("succeeded");
    // Loops take their places one after the other for several seconds; the other tenant waits for none of that.
    expect(ended).toBeLessThan(spinning.length);
    await Promise.all(spinning);
  }, 120_000);
});

describe("a store that fails", () => {
  test("is an error of the platform, and everything is given back", async () => {
    const own = await startEngineHost({ config: { queryCacheBytes: 0 } });
    await value(own, "counters:add", { name: "before", by: 1 });
    const during = [
      own.engine.invoke(request("counters:addSlowly", { name: "cut", by: 1, rounds: 100 })),
      own.engine.invoke(request("jobs:wait", { ms: 100 })),
    ];
    await eventually(async () => own.sandbox.status().busy > 0);
    await own.store.close();
    const ended = await Promise.allSettled([
      ...during,
      own.engine.invoke(request("counters:get", { name: "before" })),
      own.engine.enqueue(request("counters:add", { name: "x", by: 1 })),
    ]);
    for (const [at, each] of ended.entries()) {
      if (each.status === "rejected") expect(each.reason.spec?.fault, String(each.reason)).toBe("platform");
      else if ("status" in each.value && each.value.status === "failed") expect(each.value.error.spec.fault, `${at}`).toBe("platform");
    }
    expect(own.sandbox.status().busy).toBe(0);
    await own.engine.stop();
    await own.stop().catch(() => {});
    await removeFolder(own);
  });
});

describe("a host that stops", () => {
  test("Z08 lets what runs end, refuses what comes, and keeps nothing", async () => {
    const own = await startEngineHost({ config: { drainMs: 2000 } });
    const running = own.engine.invoke(request("jobs:wait", { ms: 200 }));
    const started = Promise.withResolvers<void>();
    const calling = own.engine.invoke(request("jobs:slowWrite", { text: "drained", waitMs: 200 }, { internalAllowed: true }), {
      onEvent: (event) => (event.type === "state" && event.state === "running" ? started.resolve() : undefined),
    });
    await started.promise;
    await eventually(async () => own.sandbox.status().busy > 0);
    const stopping = own.stop();
    await expect(own.engine.invoke(request("counters:get", { name: "x" }))).rejects.toMatchObject({ code: "ShuttingDown" });
    await expect(own.engine.enqueue(request("counters:get", { name: "x" }))).rejects.toMatchObject({ code: "ShuttingDown" });
    expect(await running).toMatchObject({ status: "succeeded" });
    expect(await calling, "what a running action calls runs too").toMatchObject({ status: "succeeded", valueText: '"drained"' });
    await stopping;
    expect(own.logLines).toEqual([]);
    await removeFolder(own);
  });

  test("Z08 cuts what does not end in time", async () => {
    const own = await startEngineHost({ config: { drainMs: 50 } });
    const running = own.engine.invoke(request("jobs:wait", { ms: 60_000 }));
    await eventually(async () => own.sandbox.status().busy > 0);
    const fromMs = performance.now();
    await own.stop();
    expect(performance.now() - fromMs).toBeLessThan(20_000);
    expect(await running).toMatchObject({ status: "failed", error: { code: "ShuttingDown" } });
    await removeFolder(own);
  });
});
