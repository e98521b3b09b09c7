import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  IDEMPOTENCY,
  INVOCATIONS,
  INVOCATION_QUEUE,
  INVOCATION_REQUESTS,
  PLATFORM_SCOPE,
} from "../../packages/server/src/database/record-tables.ts";
import { finishLease, takeLease } from "../../packages/server/src/engine/async-store.ts";
import type { InvocationEvent, InvocationRecord } from "../../packages/server/src/engine/invocation.ts";
import { SCOPE, eventually, removeFolder, request, startEngineHost, value, valueOf, type EngineHost } from "./engine-host.ts";

let host: EngineHost;

beforeAll(async () => {
  host = await startEngineHost();
});
afterAll(async () => {
  await host.stop();
  expect(host.logLines).toEqual([]);
  await removeFolder(host);
});
afterEach(async () => {
  await eventually(async () => host.sandbox.status().busy === 0);
  expect(await queueLength(host)).toBe(0);
});

async function queueLength(of: EngineHost): Promise<number> {
  return await of.database.read(
    PLATFORM_SCOPE,
    async ({ records }) => (await records.range(INVOCATION_QUEUE, { prefix: [], limit: 100 })).length,
  );
}

async function finished(id: string, of = host): Promise<InvocationRecord> {
  return await eventually(async () => {
    const record = await of.engine.get(SCOPE, id);
    return record?.finishedMs === undefined ? undefined : record;
  });
}

async function watched(id: string, signal = AbortSignal.timeout(10_000)): Promise<InvocationEvent[]> {
  const events: InvocationEvent[] = [];
  for await (const event of host.engine.watch(SCOPE, id, signal)) events.push(event);
  return events;
}

describe("asynchronous invocations", () => {
  test("are stored, run, and keep their result, logs and usage", async () => {
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 30 }));
    expect((await host.engine.get(SCOPE, id))?.functionPath).toBe("jobs:wait");
    const record = await finished(id);
    expect(record).toMatchObject({ state: "succeeded", valueText: '"waited"', kind: "action", fencingToken: 1 });
    expect(record.logs.map((line) => line.text)).toEqual(["waiting"]);
    expect(record.usage?.executionMs).toBeGreaterThanOrEqual(25);
    expect(await host.database.read(SCOPE, ({ records }) => records.get(INVOCATION_REQUESTS, [id]))).toBeUndefined();
  });

  test("mutations, queries and failures", async () => {
    const ids = await Promise.all([
      host.engine.enqueue(request("counters:add", { name: "async", by: 4 })),
      host.engine.enqueue(request("counters:get", { name: "nothing" })),
      host.engine.enqueue(request("counters:fail")),
      host.engine.enqueue(request("counters:add", { name: 1, by: 4 })),
    ]);
    const records = await Promise.all(ids.map(({ id }) => finished(id)));
    expect(records.map((record) => [record.state, record.error?.code])).toEqual([
      ["succeeded", undefined],
      ["succeeded", undefined],
      ["failed", "FunctionError"],
      ["failed", "ArgumentValidation"],
    ]);
    expect(records[2]?.error?.stack).toContain("counters.ts");
    expect(await value(host, "counters:get", { name: "async" })).toBe(4);
  });

  test("belong to their tenant and branch", async () => {
    const { id } = await host.engine.enqueue(request("counters:get", { name: "x" }));
    await finished(id);
    expect(await host.engine.get({ tenant: "other", branch: "main" }, id)).toBeUndefined();
    expect(await host.engine.get({ tenant: "default", branch: "dev" }, id)).toBeUndefined();
    expect(await host.engine.cancel({ tenant: "other", branch: "main" }, id)).toBe(false);
    expect(await host.engine.get(SCOPE, "../../etc")).toBeUndefined();
  });

  test("can be watched while they run and afterwards", async () => {
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 50 }));
    const live = await watched(id);
    const types = live.map((event) => event.type);
    expect(types.at(-1)).toBe("done");
    expect(types.filter((type) => type === "log").length).toBe(1);
    expect(types.filter((type) => type === "done").length).toBe(1);
    const later = await watched(id);
    expect(later.map((event) => event.type)).toEqual(["state", "log", "done"]);
    expect(later.at(-1)).toMatchObject({ type: "done", outcome: { status: "succeeded", valueText: '"waited"' } });
    await expect(watched("0".repeat(32))).rejects.toMatchObject({ code: "NotFound" });
  });

  test("can be cancelled while they run, and a watcher can go away", async () => {
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 60_000 }));
    await eventually(async () => (await host.engine.get(SCOPE, id))?.state === "running");
    expect((await watched(id, AbortSignal.timeout(50))).at(-1)?.type).not.toBe("done");
    expect(await host.engine.cancel(SCOPE, id)).toBe(true);
    expect(await finished(id)).toMatchObject({ state: "cancelled", error: { code: "Cancelled" } });
    expect(await host.engine.cancel(SCOPE, id)).toBe(false);
  });

  test("say why they wait, and can be cancelled while they do", async () => {
    const running = await Promise.all(Array.from({ length: 64 }, () => host.engine.enqueue(request("jobs:wait", { ms: 60_000 }))));
    await eventually(
      async () => (await Promise.all(running.map(({ id }) => host.engine.get(SCOPE, id)))).every((record) => record?.state === "running"),
      15_000,
    );
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 1 }));
    expect(await host.engine.get(SCOPE, id)).toMatchObject({ state: "queued", waitReason: "tenantActions" });
    expect(await host.engine.cancel(SCOPE, id)).toBe(true);
    expect((await finished(id)).state).toBe("cancelled");
    for (const each of running) await host.engine.cancel(SCOPE, each.id);
    for (const each of running) expect((await finished(each.id)).state).toBe("cancelled");
  }, 40_000);

  test("give up at their deadline", async () => {
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 60_000 }, { deadlineMs: 200 }));
    expect(await finished(id)).toMatchObject({ state: "failed", error: { code: "DeadlineExceeded" } });
  });

  test("L1 an owner with an older token cannot finish the work", async () => {
    const { id } = await host.engine.enqueue(request("jobs:wait", { ms: 300 }));
    await eventually(async () => (await host.engine.get(SCOPE, id))?.state === "running");
    const second = await takeLease(host.database, { scope: SCOPE, id }, host.runtime.nowMs());
    expect(second?.lease.token).toBe(2);
    await eventually(async () => host.sandbox.status().busy === 0);
    const stored = await host.database.read(SCOPE, ({ records }) => records.get(INVOCATIONS, [id]));
    expect(stored).toMatchObject({ state: "running", fencingToken: 2 });
    if (second === undefined || stored === undefined) throw new Error("no lease");
    await expect(finishLease(host.database, { ...second.lease, token: 1 }, stored)).rejects.toMatchObject({ code: "StaleLease" });
    await finishLease(host.database, second.lease, { ...stored, state: "succeeded", finishedMs: 1 });
    expect((await finished(id)).state).toBe("succeeded");
  });

  test("are taken up after a restart: what had not started runs, an action that had started is failed", async () => {
    const first = await startEngineHost();
    const done = await first.engine.enqueue(request("counters:add", { name: "restart", by: 1 }));
    await finished(done.id, first);
    const action = await first.engine.enqueue(request("jobs:wait", { ms: 60_000 }));
    await eventually(async () => (await first.engine.get(SCOPE, action.id))?.state === "running");
    await first.stop();
    expect(first.logLines).toEqual([]);

    // As a crash leaves it: a mutation and an action that run.
    const second = await startEngineHost({ folder: first.folder, deploy: false, config: { drainMs: 0 } });
    expect(await finished(action.id, second)).toMatchObject({ state: "failed" });
    const crashed = await second.engine.enqueue(request("counters:add", { name: "restart", by: 10 }));
    await finished(crashed.id, second);
    const [row, stored] = [
      { kind: "mutation", priority: "normal", state: "running", createdMs: 1, attempts: 0, argsBytes: 30, fencingToken: 5 } as const,
      request("counters:add", { name: "restart", by: 100 }),
    ];
    const ids = ["1".repeat(32), "2".repeat(32)];
    await second.database.update(SCOPE, async ({ records }) => {
      for (const [at, id] of ids.entries()) {
        const kind = at === 0 ? ("mutation" as const) : ("action" as const);
        records.put(INVOCATION_QUEUE, [SCOPE.tenant, SCOPE.branch, id], { ...row, kind });
        records.put(INVOCATION_REQUESTS, [id], { request: at === 0 ? stored : request("jobs:wait", { ms: 1 }) });
        records.put(INVOCATIONS, [id], {
          ...SCOPE,
          id,
          functionPath: "x",
          kind,
          version: "v",
          source: "native",
          state: "running",
          createdMs: 1,
          logs: [],
          logsDropped: 0,
          fencingToken: 5,
        });
      }
    });
    await second.stop();

    const third = await startEngineHost({ folder: first.folder, deploy: false });
    try {
      expect(await finished("1".repeat(32), third)).toMatchObject({ state: "succeeded" });
      expect(await finished("2".repeat(32), third)).toMatchObject({ state: "failed", error: { code: "RunnerLost" } });
      expect(await value(third, "counters:get", { name: "restart" })).toBe(111);
      expect(await queueLength(third)).toBe(0);
    } finally {
      await third.stop();
      await removeFolder(third);
    }
  }, 40_000);
});

describe("idempotency keys", () => {
  test("I1 a repeated mutation has the first outcome and no second effect", async () => {
    const call = () => host.engine.invoke(request("counters:add", { name: "once", by: 1 }, { idempotencyKey: "k1" }));
    const outcomes = await Promise.all([call(), call(), call()]);
    outcomes.push(await call());
    expect(new Set(outcomes.map((each) => each.id)).size).toBe(1);
    expect(outcomes.map(valueOf)).toEqual([1, 1, 1, 1]);
    expect(await value(host, "counters:get", { name: "once" })).toBe(1);
  });

  test("I3 the same key for another call is refused", async () => {
    await expect(host.engine.invoke(request("counters:add", { name: "once", by: 2 }, { idempotencyKey: "k1" }))).rejects.toMatchObject({
      code: "IdempotencyConflict",
    });
    await expect(host.engine.invoke(request("counters:floating", {}, { idempotencyKey: "k1" }))).rejects.toMatchObject({
      code: "IdempotencyConflict",
    });
    await expect(host.engine.enqueue(request("counters:add", { name: "once", by: 1 }, { idempotencyKey: "k1" }))).rejects.toMatchObject({
      code: "IdempotencyConflict",
    });
    expect(await value(host, "counters:get", { name: "once" })).toBe(1);
  });

  test("I3 O09 nobody gets the outcome of another identity's call", async () => {
    const as = (identity: Readonly<Record<string, unknown>> | undefined) => {
      const actor = { kind: "key", scopes: ["admin"], ...(identity === undefined ? {} : { identity }) } as const;
      return host.engine.invoke(request("counters:add", { name: "mine", by: 1 }, { actor, idempotencyKey: "k-mine" }));
    };
    const alice = { subject: "alice", issuer: "x" };
    const first = await as(alice);
    expect((await as(alice)).id).toBe(first.id);
    for (const other of [{ subject: "bob", issuer: "x" }, undefined])
      await expect(as(other)).rejects.toMatchObject({ code: "IdempotencyConflict" });
    expect(await value(host, "counters:get", { name: "mine" })).toBe(1);
  });

  test("the failure of a function is an outcome too; a call that was refused leaves its key free", async () => {
    const failing = () => host.engine.invoke(request("counters:fail", {}, { idempotencyKey: "k2" }));
    const [first, second] = [await failing(), await failing()];
    expect(second.id).toBe(first.id);
    expect(second).toMatchObject({ status: "failed", error: { code: "FunctionError", message: "Uncaught Error: boom \\u001b[31m" } });
    await expect(host.engine.invoke(request("counters:add", { name: 5, by: 1 }, { idempotencyKey: "k3" }))).rejects.toMatchObject({
      code: "ArgumentValidation",
    });
    expect(await value(host, "counters:add", { name: "five", by: 1 }, { idempotencyKey: "k3" })).toBe(1);
  });

  test("I2 a repeated action starts once, together and afterwards, and never again when its first run was lost", async () => {
    const call = () => host.engine.invoke(request("jobs:orchestrate", { name: "acted" }, { idempotencyKey: "k4" }));
    const outcomes = await Promise.all([call(), call()]);
    outcomes.push(await call());
    expect(outcomes.map(valueOf)).toEqual([5, 5, 5]);
    expect(await value(host, "counters:get", { name: "acted" })).toBe(5);
    await host.database.update(SCOPE, async ({ records }) => {
      const row = await records.get(IDEMPOTENCY, ["k4"]);
      if (row !== undefined) records.put(IDEMPOTENCY, ["k4"], { ...row, result: { kind: "started", id: "9".repeat(32) } });
    });
    expect(await call()).toMatchObject({ status: "failed", error: { code: "RunnerLost" } });
    expect(await value(host, "counters:get", { name: "acted" })).toBe(5);
  });

  test("a repeated enqueue gives the same id", async () => {
    const call = () => host.engine.enqueue(request("counters:add", { name: "queued once", by: 1 }, { idempotencyKey: "k5" }));
    const [a, b] = await Promise.all([call(), call()]);
    expect(a.id).toBe(b.id);
    await finished(a.id);
    expect((await call()).id).toBe(a.id);
    expect(await value(host, "counters:get", { name: "queued once" })).toBe(1);
  });
});

test("K09 nothing of a tenant runs that is not served any more, also what was stored or scheduled before", async () => {
  let served = true;
  const own = await startEngineHost({ config: { perTenant: { query: 16, mutation: 16, action: 1 } }, isServed: async () => served });
  try {
    const first = await own.engine.enqueue(request("jobs:wait", { ms: 300 }));
    const later = await own.engine.enqueue(request("jobs:orchestrate", { name: "late" }));
    await eventually(async () => (await own.engine.get(SCOPE, first.id))?.state === "running");
    served = false;
    await expect(own.engine.invoke(request("counters:add", { name: "late", by: 1 }))).rejects.toMatchObject({ code: "NotFound" });
    expect(await finished(later.id, own)).toMatchObject({ state: "failed", error: { code: "NotFound" } });
    served = true;
    expect(await value(own, "counters:get", { name: "late" })).toBeNull();
    // Erased while it waits: its place in the queue goes too.
    await own.engine.enqueue(request("jobs:wait", { ms: 300 }));
    const erased = await own.engine.enqueue(request("jobs:orchestrate", { name: "erased" }));
    await own.database.update(SCOPE, async ({ records }) => records.delete(INVOCATION_REQUESTS, [erased.id]));
    await eventually(async () => (await queueLength(own)) === 0);
    expect(await queueLength(own)).toBe(0);
  } finally {
    await own.stop();
    await removeFolder(own);
  }
}, 20_000);

test("Z07 a clock that jumps ends no call early or late, and moments go on in order", async () => {
  let offsetMs = 0;
  const own = await startEngineHost({ clockOffsetMs: () => offsetMs });
  const hour = 3_600_000;
  try {
    let lastTs = 0;
    for (const jumpMs of [hour, -hour, -hour, hour]) {
      const fromMs = performance.now();
      const [long, short] = [{ deadlineMs: 20_000 }, { deadlineMs: 200 }].map((limits) =>
        own.engine.invoke(request("jobs:wait", { ms: 400 }, limits)),
      );
      await eventually(async () => own.sandbox.status().busy > 0);
      offsetMs += jumpMs;
      expect(await short).toMatchObject({ status: "failed", error: { code: "DeadlineExceeded" } });
      expect(await long).toMatchObject({ status: "succeeded", usage: { executionMs: expect.closeTo(400, -4) as number } });
      expect(performance.now() - fromMs).toBeLessThan(20_000);
      const written = await own.engine.invoke(request("counters:add", { name: "clock", by: 1 }));
      expect(written.status === "succeeded" && written.ts).toBeGreaterThan(lastTs);
      lastTs = own.database.latest();
    }
    expect(await value(own, "counters:get", { name: "clock" })).toBe(4);
  } finally {
    await own.stop();
    await removeFolder(own);
  }
}, 100_000);

describe("records of synchronous calls", () => {
  test("failures and a sample of successes are kept, written together", async () => {
    const failed = await host.engine.invoke(request("counters:fail"));
    expect(await host.engine.get(SCOPE, failed.id)).toMatchObject({ state: "failed" });
    const stored = await eventually(() => host.database.read(SCOPE, ({ records }) => records.get(INVOCATIONS, [failed.id])));
    expect(stored).toMatchObject({ state: "failed", error: { code: "FunctionError" }, functionPath: "counters:fail" });
    const many = await Promise.all(
      Array.from({ length: 50 }, (_, at) => host.engine.invoke(request("counters:get", { name: `sampled ${at}` }))),
    );
    const countKept = async (): Promise<number> => {
      const kept = await Promise.all(many.map(({ id }) => host.database.read(SCOPE, ({ records }) => records.get(INVOCATIONS, [id]))));
      return kept.filter((record) => record !== undefined).length;
    };
    await eventually(async () => (await countKept()) > 0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await countKept()).toBeLessThanOrEqual(20);
  });
});
