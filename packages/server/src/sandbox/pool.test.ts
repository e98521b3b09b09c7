import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import {
  acquire,
  callOnce,
  NEVER,
  openTestSandbox,
  PLAIN,
  QUIET,
  requestOf,
  type TestSandbox,
  textProgram,
  versionOf,
} from "./fixtures/test-sandbox.ts";
import type { CallOutcome } from "./sandbox.ts";
import { childrenOf, isAlive } from "./jail/process-stats.ts";

let open: TestSandbox | undefined;

afterEach(async () => {
  await open?.sandbox.close();
  open = undefined;
  expect(childrenOf(process.pid), "no process is left").toEqual([]);
});

async function start(options: Parameters<typeof openTestSandbox>[0] = {}): Promise<TestSandbox> {
  open = await openTestSandbox(options);
  return open;
}

describe("a call", () => {
  test("carries its arguments, environment and tables, and its result", async () => {
    const { sandbox } = await start();
    const outcome = await callOnce(sandbox, {
      request: requestOf("environment", {}, { env: { A: "1" }, tables: { users: 10_001 }, seed: "ab".repeat(16) }),
    });
    expect(outcome).toMatchObject({
      kind: "ok",
      valueText: JSON.stringify({ env: { A: "1" }, tables: { users: 10_001 }, seed: "ab".repeat(16) }),
    });
  });

  test("host calls are answered; errors of the registry reach the code, others do not", async () => {
    const { sandbox } = await start();
    const handler = {
      log: () => undefined,
      call: async (op: string, argText: string) => {
        if (op === "fine") return `{"got":${argText}}`;
        if (op === "denied") throw plinthError("EffectDenied", { detail: "Not here." });
        throw new Error("secret detail of the host");
      },
    };
    const ask = (op: string) => callOnce(sandbox, { request: requestOf("ask", { op, arg: 7 }), handler });
    expect(await ask("fine")).toMatchObject({
      kind: "ok",
      valueText: JSON.stringify({ ok: true, body: '{"got":7}' }),
      usage: { hostCalls: 1 },
    });
    expect(await ask("denied")).toMatchObject({
      valueText: JSON.stringify({ ok: false, body: '{"code":"EffectDenied","message":"Not here."}' }),
    });
    const hidden = await ask("broken");
    expect(JSON.stringify(hidden)).toContain("InternalError");
    expect(JSON.stringify(hidden)).not.toContain("secret");
  });

  test("several run at once on one runner, and end in their own order", async () => {
    const { sandbox } = await start();
    const lease = await acquire(sandbox);
    const order: string[] = [];
    const run = async (path: string, arg: unknown) => {
      await lease.run(requestOf(path, arg), QUIET, NEVER);
      order.push(path);
    };
    await Promise.all([run("sleep", { ms: 100 }), run("echo", {})]);
    lease.release();
    expect(order).toEqual(["echo", "sleep"]);
  });

  test("failures of the code are outcomes", async () => {
    const { sandbox } = await start();
    expect(await callOnce(sandbox, { request: requestOf("userError") })).toMatchObject({ kind: "error", message: "Error: mine" });
    expect(await callOnce(sandbox, { request: requestOf("neverResolves") })).toMatchObject({ kind: "neverResolves" });
    expect(await callOnce(sandbox, { request: requestOf("softOutOfMemory") })).toMatchObject({
      kind: "outOfMemory",
      maxBytes: limit("isolateHeapBytesMax"),
    });
  });

  test("a version that does not load is an error of the function, and may be tried again", async () => {
    const { sandbox } = await start();
    const version = versionOf("fails");
    for (let i = 0; i < 2; i++)
      expect(await callOnce(sandbox, { request: requestOf("echo", {}, { version }) })).toMatchObject({
        kind: "error",
        message: "SyntaxError: no",
      });
  });

  test("a script that cannot be read rejects", async () => {
    const { sandbox } = await start();
    const version = { ...versionOf("gone"), script: () => Promise.reject(new Error("store")) };
    await expect(callOnce(sandbox, { request: requestOf("echo", {}, { version }) })).rejects.toThrow("store");
  });

  test("the source map is given when it is asked for", async () => {
    const { sandbox } = await start();
    expect(await callOnce(sandbox, { request: requestOf("map", {}, { version: versionOf("mapped", "the map") }) })).toMatchObject({
      valueText: '"the map"',
    });
    expect(await callOnce(sandbox, { request: requestOf("map", {}, { version: versionOf("unmapped") }) })).toMatchObject({
      valueText: '""',
    });
  });

  test("an environment larger than an envelope of a runner is carried", async () => {
    const { sandbox } = await start();
    const env = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`NAME_${index}`, "x".repeat(4000)]));
    const outcome = await callOnce(sandbox, { request: requestOf("environment", {}, { env }) });
    expect(outcome.kind === "ok" && outcome.valueText.length).toBeGreaterThan(400_000);
  });
});

describe("deadlines (R3, R4)", () => {
  test("A01 a loop ends at its deadline and the grace, with the runner", async () => {
    const { sandbox, events } = await start();
    const outcome = await callOnce(sandbox, {
      request: requestOf("spin", {}, { limits: { ...requestOf("").limits, cpuMs: 200, wallMs: 1000 } }),
    });
    expect(outcome).toMatchObject({ kind: "timeout", maxMs: 200 });
    expect(outcome.usage.wallMs).toBeGreaterThanOrEqual(200);
    expect(events.some((event) => event.type === "ended" && event.end.kind === "stuck")).toBe(true);
  });

  test("time in host calls is not the code's", async () => {
    const { sandbox } = await start();
    const handler = { ...QUIET, call: async () => (await pause(1500), "null") };
    const outcome = await callOnce(sandbox, {
      request: requestOf("ask", { op: "slow", arg: 1 }, { limits: { ...requestOf("").limits, cpuMs: 1400, wallMs: 20_000 } }),
      handler,
    });
    expect(outcome.kind).toBe("ok");
    expect(outcome.usage.userMs).toBeLessThan(1400);
    expect(outcome.usage.wallMs).toBeGreaterThanOrEqual(1499);
  });

  test("A04 a loop after a host call ends too", async () => {
    const { sandbox } = await start();
    expect(
      await callOnce(sandbox, { request: requestOf("askThenSpin", {}, { limits: { ...requestOf("").limits, cpuMs: 150, wallMs: 1000 } }) }),
    ).toMatchObject({ kind: "timeout", maxMs: 150 });
  });

  test("the whole time is bounded also while the host works", async () => {
    const { sandbox } = await start();
    const handler = { ...QUIET, call: () => new Promise<string>(() => undefined) };
    const outcome = await callOnce(sandbox, {
      request: requestOf("ask", { op: "never", arg: 1 }, { limits: { ...requestOf("").limits, cpuMs: 100, wallMs: 300 } }),
      handler,
    });
    expect(outcome).toMatchObject({ kind: "timeout", maxMs: 300 });
  });

  test("a runner that ends a call politely finishes the others, takes no new ones, then ends", async () => {
    const { sandbox, events } = await start();
    const first = await acquire(sandbox);
    const second = await acquire(sandbox);
    expect(second.runnerId).toBe(first.runnerId);
    const slow = second.run(requestOf("sleep", { ms: 400 }), QUIET, NEVER);
    const timedOut = await first.run(
      requestOf("polite", {}, { limits: { ...requestOf("").limits, cpuMs: 50, wallMs: 100 } }),
      QUIET,
      NEVER,
    );
    first.release();
    expect(timedOut.kind).toBe("timeout");
    const third = await acquire(sandbox);
    expect(third.runnerId).not.toBe(first.runnerId);
    third.release();
    expect((await slow).kind).toBe("ok");
    expect(events.some((event) => event.type === "ended" && event.runner === first.runnerId)).toBe(false);
    second.release();
    expect(events.find((event) => event.type === "ended" && event.runner === first.runnerId)).toMatchObject({ end: { kind: "retired" } });
  });

  test("queries and mutations spread over no more runners than there are processors, actions over more", async () => {
    const { sandbox, events } = await start({ runnersMax: 8, processors: 2 });
    const queries = [];
    for (let i = 0; i < 2 * limit("runnerTransactionPlaces"); i++) queries.push(await acquire(sandbox));
    const waiting = acquire(sandbox);
    await sandbox.settled();
    const bound = () => events.filter((event) => event.type === "bound").length;
    expect(bound()).toBe(2);
    const actions = [];
    for (let i = 0; i < 2 * limit("runnerActionPlaces") + 1; i++) actions.push(await acquire(sandbox, "a", "action"));
    expect(bound()).toBe(3);
    // The place on a third runner is as good for a query as any.
    expect(queries.map((lease) => lease.runnerId)).not.toContain((await waiting).runnerId);
    for (const lease of [...queries, ...actions, await waiting]) lease.release();
  });

  test("runners that only finish an action do not count against their tenant", async () => {
    const { sandbox } = await start({ runnersMax: 8 });
    const limits = { ...requestOf("").limits, cpuMs: 30, wallMs: 60 };
    const actions = [];
    for (let i = 0; i < limit("runnersPerTenantMax") + 1; i++) {
      const action = await acquire(sandbox, "a", "action");
      actions.push(action);
      expect((await callOnce(sandbox, { request: requestOf("polite", {}, { limits }) })).kind).toBe("timeout");
    }
    expect(new Set(actions.map((lease) => lease.runnerId)).size).toBe(actions.length);
    for (const lease of actions) lease.release();
  });

  test("the others on a runner that had to be killed are lost, not blamed", async () => {
    const { sandbox } = await start();
    const [stuck, bystander] = [await acquire(sandbox), await acquire(sandbox)];
    const outcomes = await Promise.all([
      stuck.run(requestOf("silent", {}, { limits: { ...requestOf("").limits, cpuMs: 100, wallMs: 150 } }), QUIET, NEVER),
      bystander.run(requestOf("silent"), QUIET, NEVER),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(["timeout", "lost"]);
    expect((await stuck.run(requestOf("echo"), QUIET, NEVER)).kind).toBe("lost");
    stuck.release();
    bystander.release();
  });

  test("a cancelled call ends at once, politely or not", async () => {
    const { sandbox } = await start();
    for (const path of ["polite", "lateResult", "silent"]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      expect(await callOnce(sandbox, { request: requestOf(path), signal: controller.signal })).toMatchObject({ kind: "cancelled" });
    }
  });

  test("a version that hangs while it loads ends with its runner", async () => {
    const { sandbox } = await start();
    expect(await callOnce(sandbox, { request: requestOf("echo", {}, { version: versionOf("hangs") }) })).toMatchObject({
      kind: "timeout",
      maxMs: limit("analyzeWallMsMax"),
    });
  });
});

describe("memory", () => {
  test("B02 a runner that takes more than its budget ends, and the only call on it is to blame", async () => {
    const { sandbox } = await start();
    const outcome = await callOnce(sandbox, {
      request: requestOf("memory", {}, { limits: { ...requestOf("").limits, cpuMs: 10_000, wallMs: 20_000 } }),
    });
    expect(outcome.kind).toBe("outOfMemory");
    expect(outcome.usage.memoryBytes).toBeLessThan(1.3 * limit("runnerMemoryBytesMax") + 64 * 2 ** 20);
  });

  test("with several calls nobody is blamed, and the tenant's next calls run one by one", async () => {
    const { sandbox } = await start();
    const [a, b] = [await acquire(sandbox), await acquire(sandbox)];
    const limits = { ...requestOf("").limits, cpuMs: 10_000, wallMs: 20_000 };
    const outcomes = await Promise.all([
      a.run(requestOf("memory", {}, { limits }), QUIET, NEVER),
      b.run(requestOf("silent", {}, { limits }), QUIET, NEVER),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(["lost", "lost"]);
    a.release();
    b.release();
    const [c, d] = [await acquire(sandbox), await acquire(sandbox)];
    expect(c.runnerId).not.toBe(d.runnerId);
    c.release();
    d.release();
  });

  test("a runner that stays large is replaced when it is idle", async () => {
    const { sandbox, events } = await start();
    const limits = { ...requestOf("").limits, cpuMs: 30_000, wallMs: 60_000 };
    expect(
      (await callOnce(sandbox, { request: requestOf("grow", { bytes: limit("runnerRetireMemoryBytes") + 2 ** 20 }, { limits }) })).kind,
    ).toBe("ok");
    const echo = (): Promise<CallOutcome> => callOnce(sandbox, { request: requestOf("echo", {}, { limits }) });
    // Its memory is looked at now and then.
    await expect
      .poll(async () => ((await echo()).kind, events.some((event) => event.type === "ended" && event.end.kind === "retired")))
      .toBe(true);
  });
});

describe("the pool", () => {
  test("K05 a runner serves one tenant for life (P1)", async () => {
    const { sandbox, events } = await start({ warmRunners: 2 });
    const seen = new Map<string, string>();
    for (let i = 0; i < 40; i++) {
      const tenant = `tenant ${i % 5}`;
      const lease = await acquire(sandbox, tenant);
      expect(lease.tenant).toBe(tenant);
      expect(seen.get(lease.runnerId) ?? tenant).toBe(tenant);
      seen.set(lease.runnerId, tenant);
      lease.release();
    }
    const bound = events.filter((event) => event.type === "bound").map((event) => event.runner);
    expect(new Set(bound).size).toBe(bound.length);
  });

  test("the first call of a tenant takes a warm runner, the next ones are warm", async () => {
    const { sandbox } = await start({ warmRunners: 1 });
    await sandbox.settled();
    const lease = await acquire(sandbox);
    expect(lease.coldStart).toBe(true);
    lease.release();
    const next = await acquire(sandbox);
    expect(next.coldStart).toBe(false);
    expect(next.runnerId).toBe(lease.runnerId);
    next.release();
  });

  test("places are given in order and at most as many as there are (P2, P3)", async () => {
    const { sandbox } = await start({ warmRunners: 1, runnersMax: 1 });
    const places = limit("runnerTransactionPlaces");
    const held = await Promise.all(Array.from({ length: places }, () => acquire(sandbox)));
    const order: number[] = [];
    const waiting = [0, 1, 2].map(async (index) => {
      const lease = await acquire(sandbox);
      order.push(index);
      lease.release();
    });
    await pause(20);
    expect(order).toEqual([]);
    const action = await acquire(sandbox, "a", "action");
    action.release();
    for (const lease of held) lease.release();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2]);
  });

  test("a waiter that gives up is gone", async () => {
    const { sandbox } = await start({ runnersMax: 1 });
    const held = await Promise.all(Array.from({ length: limit("runnerTransactionPlaces") }, () => acquire(sandbox)));
    const controller = new AbortController();
    const waiting = sandbox.acquire({ tenant: "a", branch: "main", lane: "transaction", version: PLAIN }, controller.signal);
    const reason = plinthError("ExpiredInQueue", { maxMs: 1, reason: "hostCapacity" });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    for (const lease of held) lease.release();
    await expect(sandbox.acquire({ tenant: "a", branch: "main", lane: "transaction", version: PLAIN }, controller.signal)).rejects.toBe(
      reason,
    );
  });

  test("with all runners taken, an idle tenant gives way, the least recently used first (P4)", async () => {
    const { sandbox, events } = await start({ warmRunners: 0, runnersMax: 2 });
    for (const tenant of ["a", "b"]) (await acquire(sandbox, tenant)).release();
    const c = await acquire(sandbox, "c");
    c.release();
    expect(events.find((event) => event.type === "ended")).toMatchObject({ tenant: "a", end: { kind: "retired" } });
    expect(sandbox.status().runners).toBeLessThanOrEqual(2);
  });

  test("a tenant without a runner gets one from a busy neighbour when its call is done", async () => {
    const { sandbox } = await start({ warmRunners: 0, runnersMax: 1 });
    const busy = await acquire(sandbox, "greedy");
    const queue = Array.from({ length: 3 }, async () => {
      const lease = await acquire(sandbox, "greedy");
      await pause(10);
      lease.release();
    });
    const other = acquire(sandbox, "other");
    await pause(50);
    busy.release();
    (await other).release();
    await Promise.all(queue);
  });

  test("Z03 many tenants at once are all served, a few starts at a time", async () => {
    const { sandbox } = await start({ warmRunners: 1, runnersMax: 6 });
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) => callOnce(sandbox, { tenant: `t${index}`, request: requestOf("echo", index) })),
    );
    expect(outcomes.every((outcome) => outcome.kind === "ok")).toBe(true);
    expect(sandbox.status().runners).toBeLessThanOrEqual(6);
  });

  test("Z04 a tenant that always crashes is slowed down, its neighbour is not", async () => {
    const { sandbox } = await start({ warmRunners: 1 });
    const crash = async (): Promise<void> => {
      for (let i = 0; i < 4; i++)
        expect((await callOnce(sandbox, { tenant: "bad", request: requestOf("exit", { code: 1 }) })).kind).toBe("lost");
    };
    const crashing = crash();
    for (let i = 0; i < 20; i++) {
      expect((await callOnce(sandbox, { tenant: "good", request: requestOf("echo") })).kind).toBe("ok");
      await pause(10);
    }
    await crashing;
  });

  test("versions stay loaded, few of them, and are loaded ahead by warm", async () => {
    const { sandbox } = await start();
    (await acquire(sandbox)).release();
    const ahead = versionOf("ahead");
    await sandbox.warm({ tenant: "a", branch: "main", version: ahead });
    for (let i = 0; i < 20; i++) await callOnce(sandbox, { request: requestOf("echo", {}, { version: versionOf(`version ${i % 10}`) }) });
    const outcome = await callOnce(sandbox, { request: requestOf("identity") });
    const { versions, loads } = JSON.parse(outcome.kind === "ok" ? outcome.valueText : "{}") as {
      versions: string[];
      loads: [string, number][];
    };
    expect(versions.length).toBeLessThanOrEqual(limit("runnerVersionsMax"));
    expect(new Map(loads).get(ahead.digest)).toBe(1);
  });

  test("K09 evict ends a tenant's runners and calls, whatever time they still have", async () => {
    const { sandbox } = await start();
    const lease = await acquire(sandbox);
    const limits = { ...requestOf("").limits, cpuMs: 60_000, wallMs: 60_000 };
    const running = lease.run(requestOf("silent", {}, { limits }), QUIET, NEVER);
    await pause(20);
    const pid = childrenOf(process.pid);
    const from = performance.now();
    await sandbox.evict("a");
    expect(performance.now() - from).toBeLessThan(20_000);
    expect((await running).kind).toBe("cancelled");
    lease.release();
    expect(pid.length).toBeGreaterThan(0);
    expect((await callOnce(sandbox, { request: requestOf("echo") })).kind).toBe("ok");
  });

  test("close refuses who waits and leaves nothing", async () => {
    const groupsBefore = leftGroups();
    const { sandbox } = await start({ runnersMax: 1 });
    const held = await Promise.all(Array.from({ length: limit("runnerTransactionPlaces") }, () => acquire(sandbox)));
    const waiting = acquire(sandbox);
    const running = held[0]?.run(requestOf("silent"), QUIET, NEVER);
    await pause(20);
    await Promise.all([sandbox.close(), expect(waiting).rejects.toMatchObject({ code: "ShuttingDown" })]);
    expect((await running)?.kind).toBe("cancelled");
    for (const lease of held) lease.release();
    await expect(acquire(sandbox)).rejects.toMatchObject({ code: "ShuttingDown" });
    expect(sandbox.status()).toMatchObject({ runners: 0, memoryBytes: 0 });
    expect(childrenOf(process.pid)).toEqual([]);
    expect(leftGroups().filter((name) => !groupsBefore.includes(name))).toEqual([]);
  });

  test("O07 runners that do not start are tried a few times, then those who wait are told", async () => {
    const { sandbox } = await start({ warmRunners: 0, program: textProgram('require("./missing.js")') });
    const error = await acquire(sandbox).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "RunnerLost", cause: { message: expect.stringContaining("missing.js") as string } });
    expect(String(error)).not.toContain("/app");
  });
});

test("C13 J2 a host that is killed leaves no runner", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures", "doomed-host.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const pids = await new Promise<number[]>((resolve) => {
    child.stdout.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString();
      if (text.includes("\n")) resolve(JSON.parse(text) as number[]);
    });
  });
  expect(pids.length).toBeGreaterThanOrEqual(6);
  expect(pids.every((pid) => isAlive(pid))).toBe(true);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await expect.poll(() => pids.filter((pid) => isAlive(pid))).toEqual([]);
  await ended;
});

describe("without a jail", () => {
  test("the unsafe setting runs plain processes for one tenant only", async () => {
    const { sandbox } = await start({ unsafeNoJail: true });
    expect(sandbox.report.tier).toBe(0);
    expect((await callOnce(sandbox, { request: requestOf("echo", 1) })).kind).toBe("ok");
    await sandbox.evict("a");
    await expect(callOnce(sandbox, { tenant: "b", request: requestOf("echo", 1) })).rejects.toMatchObject({ code: "NotAvailable" });
    expect((await callOnce(sandbox, { request: requestOf("echo", 1) })).kind).toBe("ok");
  });
});

test("this machine reaches tier 2 at least", async () => {
  const { sandbox } = await start();
  expect(sandbox.report.tier, JSON.stringify(sandbox.report)).toBeGreaterThanOrEqual(2);
});

/** Control groups of this process's sandboxes. */
function leftGroups(): readonly string[] {
  const folder = "/sys/fs/cgroup/memory/plinth";
  try {
    return readdirSync(folder).filter((name) => name.startsWith(`host-${process.pid}-`));
  } catch {
    return [];
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
