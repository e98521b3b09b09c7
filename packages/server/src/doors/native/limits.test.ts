import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deployApp, startTestHost, type TestHost } from "../test/test-host.ts";

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
  await host.send("/v1/tenants", { body: { name: "acme" } });
  await deployApp(host, "acme");
}, 60_000);
afterAll(() => host.remove());

const put = (body: unknown, key?: string) => host.send("/t/acme/v1/limits", { method: "PUT", body, ...(key === undefined ? {} : { key }) });
const count = (key?: string) =>
  host.send("/t/acme/v1/functions/messages:count/execute", { body: { args: {} }, ...(key === undefined ? {} : { key }) });

describe("limits over HTTP", () => {
  it("are shown as they were set, and what a request leaves out stays", async () => {
    const calls = { cpuMs: 100, wallMs: 2000, memoryBytes: 64 * 1024 * 1024, resultBytes: null };
    expect(await put({ concurrency: 3, calls, budget: { amount: 2.5, period: "day", whenSpent: "degrade" } })).toMatchObject({
      status: 200,
      json: { concurrency: 3, calls, rate: null, budget: { amount: 2.5, warnAt: 0.8, throttleAt: 0.9 } },
    });
    await put({ functions: [{ function: "messages:*", rate: { perSecond: 9 } }] });
    expect((await host.send("/t/acme/v1/limits")).json).toMatchObject({
      concurrency: 3,
      calls,
      budget: { amount: 2.5, whenSpent: "degrade" },
      functions: [{ function: "messages:*", rate: { perSecond: 9, burst: 9 }, concurrency: null }],
    });
    expect((await host.send("/t/other/v1/limits")).status).toBe(404);
  });

  it("refuse callers above a rate with the time to wait, on every door the same", async () => {
    await put({ functions: [{ function: "messages:count", rate: { perSecond: 0.01, burst: 1 } }] });
    expect((await count()).status).toBe(200);
    const native = await count();
    expect(native).toMatchObject({ status: 429, json: { code: "RateLimited" } });
    expect(Number(native.headers.get("retry-after"))).toBeGreaterThan(1);
    const convex = await host.send("/t/acme/api/query", { body: { path: "messages:count", args: {}, format: "json" } });
    expect(convex).toMatchObject({ status: 429, json: { code: "RateLimited" } });
    await put({ functions: [] });
    expect((await count()).status).toBe(200);
  });

  it("refuse with 402 what a spent budget does not pay for, and say until when", async () => {
    await put({ budget: { amount: 0, period: "day", whenSpent: "refuse" } });
    expect(await count()).toMatchObject({ status: 402, json: { code: "BudgetExceeded" } });
    expect((await host.send("/t/acme/v1/usage")).json).toMatchObject({ stage: "refuse" });
    await put({ budget: null });
    expect((await count()).status).toBe(200);
  });

  it("are tightened by the tenant for its functions, and set as a whole by the operator only", async () => {
    const { key } = await host.key(["admin"], { tenant: "acme" });
    expect((await put({ functions: [] }, key)).status).toBe(200);
    for (const body of [{ rate: null }, { concurrency: 9 }, { calls: {} }, { budget: null }])
      expect(await put(body, key)).toMatchObject({ status: 403, json: { code: "Forbidden" } });
  });

  it("name the field that is wrong, and change nothing then", async () => {
    const before = (await host.send("/t/acme/v1/limits")).json;
    for (const [body, field] of [
      [{ rate: { perSecond: "fast" } }, "perSecond"],
      [{ rate: { perSecond: -1 } }, "perSecond"],
      [{ concurrency: 0 }, "concurrency"],
      [{ calls: { wallMs: 1e12 } }, "wallMs"],
      [{ budget: { amount: 1, warnAt: 0.9, throttleAt: 0.5 } }, "throttleAt"],
      [{ functions: [{ rate: { perSecond: 1 } }] }, "function"],
      [{ functions: "all" }, "functions"],
    ] as const) {
      const answer = await put(body);
      expect(answer).toMatchObject({ status: 400, json: { code: "BadRequest" } });
      expect(answer.text).toContain(`\`${field}\``);
    }
    expect((await host.send("/t/acme/v1/limits")).json).toEqual(before);
  });
});
