import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, removeFolder, request, startEngineHost, testScript, value, type EngineHost } from "./engine-host.ts";

let host: EngineHost;

beforeAll(async () => {
  host = await startEngineHost();
});
afterAll(async () => {
  await host.stop();
  expect(host.logLines).toEqual([]);
  await removeFolder(host);
});

async function failure(path: string, args: unknown = {}) {
  const outcome = await host.engine.invoke(request(path, args));
  if (outcome.status === "succeeded") throw new Error(`succeeded with ${outcome.valueText}`);
  return { code: outcome.error.code, message: outcome.error.message, dataText: outcome.error.dataText, stack: outcome.stack, outcome };
}

describe("queries and mutations", () => {
  test("write and read", async () => {
    expect(await value(host, "counters:add", { name: "a", by: 2 })).toBe(2);
    expect(await value(host, "counters:add", { name: "a", by: 3 })).toBe(5);
    expect(await value(host, "counters:get", { name: "a" })).toBe(5);
  });

  test("two mutations that conflict both succeed, and so do twenty", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => host.engine.invoke(request("counters:add", { name: "hot", by: 1 }))),
    );
    const failed = outcomes.filter((each) => each.status === "failed");
    const succeeded = outcomes.length - failed.length;
    for (const each of failed) expect(each.status === "failed" && each.error.code).toBe("OptimisticConcurrencyControlFailure");
    expect(succeeded).toBeGreaterThanOrEqual(2);
    expect(await value(host, "counters:get", { name: "hot" })).toBe(succeeded);
    const two = await Promise.all([
      value(host, "counters:add", { name: "two", by: 1 }),
      value(host, "counters:add", { name: "two", by: 1 }),
    ]);
    expect(two.sort()).toEqual([1, 2]);
  });

  test("a nested call that fails takes its own writes back, and the caller goes on", async () => {
    const before = (await value(host, "counters:texts")) as string[];
    expect(await value(host, "counters:nested", { texts: ["one", "fail", "throw", "two"], catch: true })).toEqual([
      "one",
      "caught asked to",
      "caught Uncaught Error: boom",
      "two",
    ]);
    const after = (await value(host, "counters:texts")) as string[];
    expect(after.slice(before.length)).toEqual(["parent", "one", "two"]);
    expect((await failure("counters:nested", { texts: ["lost", "fail"], catch: false })).dataText).toBe('{"reason":"asked to"}');
    expect(await value(host, "counters:texts")).toEqual(after);
  });

  test("nesting has a limit", async () => {
    expect(await value(host, "counters:deep", { depth: 8 })).toBe(8);
    expect((await failure("counters:deep", { depth: 9 })).message).toContain("Nesting of function calls");
  });

  test("the checks of nested calls share what they may cost", async () => {
    expect(await value(host, "counters:askPicky", { calls: 5, length: 500 })).toBe(5);
    const failed = await failure("counters:askPicky", { calls: 100, length: 500 });
    expect(failed.message).toContain("Steps of the validation of all values of a call");
    expect((await failure("counters:askPicky", { calls: 1, length: 2100 })).message).toContain("Steps of the validation of a value");
  });

  test.each(["return", "insert", "schedule", "call"])("more values than the host parses at once are refused: %s", async (how) => {
    expect((await failure("counters:manyValues", { how })).message).toContain("holds more than 200000 values");
  });

  test("promises that are left behind do no harm", async () => {
    for (let i = 0; i < 5; i++) expect(await value(host, "counters:floating")).toBe("done");
    expect(host.sandbox.status().busy).toBe(0);
  });

  test("a nested function that runs when its caller ends goes with it", async () => {
    const before = await value(host, "counters:texts");
    for (let i = 0; i < 5; i++) expect(await value(host, "counters:floatingCall")).toBe("done");
    expect(await value(host, "counters:texts")).toEqual(before);
    expect(host.sandbox.status().busy).toBe(0);
  });

  test("arguments and results are checked", async () => {
    await expect(host.engine.invoke(request("counters:add", { name: "x", by: "1" }))).rejects.toMatchObject({ code: "ArgumentValidation" });
    await expect(host.engine.invoke(request("counters:add", {}, { argsText: "[1" }))).rejects.toMatchObject({ code: "MalformedJson" });
    await expect(host.engine.invoke(request("counters:add", [1]))).rejects.toMatchObject({ code: "ArgumentValidation" });
    const before = await value(host, "counters:texts");
    expect((await failure("counters:badReturn")).code).toBe("ReturnsValidation");
    expect(await value(host, "counters:texts")).toEqual(before);
  });

  test("unknown and internal functions look the same from outside; kinds are checked", async () => {
    await expect(host.engine.invoke(request("counters:missing"))).rejects.toMatchObject({ code: "FunctionNotFound" });
    await expect(host.engine.invoke(request("counters:write", { text: "x" }))).rejects.toMatchObject({ code: "FunctionNotFound" });
    await expect(host.engine.invoke(request("counters:add", { name: "x", by: 1 }, { kind: "query" }))).rejects.toMatchObject({
      message: "Trying to execute counters:add as Query, but it is defined as Mutation.",
    });
    expect(await value(host, "counters:write", { text: "by admin" }, { internalAllowed: true })).toBe("by admin");
  });

  test("errors carry the message, the author's stack and the data", async () => {
    const thrown = await failure("counters:fail");
    expect(thrown.code).toBe("FunctionError");
    expect(thrown.message).toBe("Uncaught Error: boom \\u001b[31m");
    expect(thrown.stack).toMatch(/convex\/counters\.ts:\d+/);
    expect((await failure("counters:failWithData")).dataText).toBe('{"code":{"$integer":"BwAAAAAAAAA="}}');
    expect((await failure("counters:never")).message).toBe("Returned promise will never resolve");
    expect((await failure("counters:spin")).message).toBe("Function execution timed out (maximum duration: 3s)");
    expect((await failure("counters:queryThatWrites")).message).toContain("Uncaught");
  });

  test("a function sees what its transaction used and may use", async () => {
    const metrics = (await value(host, "counters:metrics")) as Record<string, { used: number; remaining: number }>;
    expect(metrics["documentsWritten"]?.used).toBe(1);
    expect(metrics["documentsWritten"]?.remaining).toBeGreaterThan(1000);
  });
});

describe("query cache", () => {
  test("a repeated query is answered from memory until something it read changes", async () => {
    await value(host, "counters:add", { name: "cached", by: 1 });
    const first = await host.engine.invoke(request("counters:get", { name: "cached" }));
    const second = await host.engine.invoke(request("counters:get", { name: "cached" }));
    expect([first.usage.cached, second.usage.cached]).toEqual([false, true]);
    expect(second.logs.map((line) => line.text)).toEqual(first.logs.map((line) => line.text));
    await value(host, "counters:add", { name: "other", by: 1 });
    expect((await host.engine.invoke(request("counters:get", { name: "cached" }))).usage.cached).toBe(true);
    await value(host, "counters:add", { name: "cached", by: 1 });
    const third = await host.engine.invoke(request("counters:get", { name: "cached" }));
    expect([third.usage.cached, third.status === "succeeded" && third.valueText]).toEqual([false, "2"]);
  });

  test("a result that depends on the caller is that caller's alone", async () => {
    const as = (subject: string) => ({ actor: { kind: "key" as const, scopes: [], identity: { subject } } });
    expect(await value(host, "counters:whoAmI", {}, as("ann"))).toBe("ann");
    expect(await value(host, "counters:whoAmI", {}, as("bob"))).toBe("bob");
    expect(await value(host, "counters:whoAmI")).toBe(null);
    expect((await host.engine.invoke(request("counters:whoAmI", {}, as("ann")))).usage.cached).toBe(true);
  });

  test("K06 a change of the environment is seen at once", async () => {
    const { deploys } = host;
    await deploys.setEnvironment({ tenant: "default", branch: "main" }, { COLOUR: "red" });
    expect(await value(host, "counters:env")).toBe("red");
    await deploys.setEnvironment({ tenant: "default", branch: "main" }, { COLOUR: "blue" });
    expect(await value(host, "counters:env")).toBe("blue");
  });

  test("identical queries that come together run once", async () => {
    await value(host, "counters:add", { name: "together", by: 1 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => host.engine.invoke(request("counters:get", { name: "together" }))));
    expect(outcomes.filter((each) => !each.usage.cached).length).toBe(1);
  });

  test("a reader never sees less than what was acknowledged before", async () => {
    for (let i = 1; i <= 30; i++) {
      await value(host, "counters:add", { name: "fresh", by: 1 });
      const seen = await Promise.all([1, 2, 3].map(() => value(host, "counters:get", { name: "fresh" })));
      expect(seen).toEqual([i, i, i]);
    }
  });
});

describe("J14 a call that a kind of function may not make is refused, whoever forges it", () => {
  const text = { table: "log", value: { text: "forged" } };
  const address = { name: "counters:write", args: { text: "forged" } };
  test.each([
    ["counters:forge", "1.0/insert", text, "A query may not call `1.0/insert`."],
    ["counters:forge", "1.0/runUdf", { udfType: "mutation", ...address }, "A query may call queries only"],
    ["counters:forge", "1.0/schedule", { ...address, ts: 0 }, "A query may not call `1.0/schedule`."],
    ["counters:forge", "plinth/fetch", { url: "http://127.0.0.1/" }, "A query may not call `plinth/fetch`."],
    ["counters:forge", "1.0/actions/mutation", { ...address, requestId: "x" }, "A query may not call `1.0/actions/mutation`."],
    ["counters:forge", "1.0/getRequestMetadata", {}, "A query may not call `1.0/getRequestMetadata`."],
    ["counters:forgeInMutation", "plinth/fetch", { url: "http://127.0.0.1/" }, "A mutation may not call `plinth/fetch`."],
    ["counters:forgeInMutation", "1.0/actions/query", { ...address, requestId: "x" }, "A mutation may not call `1.0/actions/query`."],
    ["counters:forgeInMutation", "1.0/storageGetUrl", {}, "File storage is not available on this host."],
    ["counters:forgeInMutation", "1.0/invented", {}, "`1.0/invented` is not available on this host."],
    ["counters:forgeInMutation", "__proto__", {}, "`__proto__` is not available on this host."],
    ["counters:forgeInMutation", "1.0/schedule", { ...address, ts: 1e300 }, "within five years"],
    ["counters:forgeInMutation", "1.0/schedule", { name: "counters:get", args: {}, ts: 0 }, "Only mutations and actions can be scheduled"],
    ["counters:forgeInMutation", "1.0/runUdf", { udfType: "mutation", name: "a:b", functionHandle: "c", args: {} }, "exactly one of"],
    ["counters:forgeInMutation", "1.0/runUdf", { udfType: "mutation", name: "counters:write", args: [] }, "`args` must be an object"],
    ["counters:forgeInMutation", "1.0/cancel_job", { id: 5 }, "`id` must be a text"],
    ["jobs:forge", "1.0/insert", text, "Actions have no `ctx.db`"],
    ["jobs:forge", "1.0/runUdf", { udfType: "query", ...address }, "An action may not call `1.0/runUdf`."],
    [
      "jobs:forge",
      "plinth/fetch",
      { url: "http://169.254.169.254/", method: "GET", headers: [], bodyBase64: null, redirect: "follow" },
      "is refused",
    ],
    [
      "jobs:forge",
      "plinth/fetch",
      { url: "http://example.com", method: "GET", headers: [["a"]], bodyBase64: null, redirect: "follow" },
      "`headers` must be",
    ],
  ])("%s %s %j", async (path, op, arg, message) => {
    const before = await value(host, "counters:texts");
    expect((await failure(path, { op, arg })).message).toContain(message);
    expect(await value(host, "counters:texts")).toEqual(before);
  });

  test("what they may call works the same way", async () => {
    expect(await value(host, "counters:forgeInMutation", { op: "1.0/getFunctionMetadata", arg: {} })).toEqual({
      name: "counters:forgeInMutation",
      componentPath: "",
    });
    expect(await value(host, "counters:forge", { op: "1.0/getDeploymentMetadata", arg: {} })).toMatchObject({ name: "plinth" });
    expect(await value(host, "jobs:forge", { op: "1.0/getRequestMetadata", arg: {} })).toMatchObject({ scheduledFunctionId: null });
    expect(
      await value(host, "counters:forgeInMutation", {
        op: "1.0/runUdf",
        arg: { udfType: "snapshotQuery", name: "counters:get", args: { name: "none" } },
      }),
    ).toBe(null);
    const events: string[] = [];
    await host.engine.invoke(request("jobs:forge", { op: "plinth/emit", arg: { value: { half: 1 } } }), {
      onEvent: (event) => event.type === "partial" && events.push(event.valueText),
    });
    expect(events).toEqual(['{"half":1}']);
  });
});

describe("versions", () => {
  test("a call keeps the version that it began with; the next one has the new one at once", async () => {
    const scope = { tenant: "versions", branch: "main" };
    const { script, sourceMap } = await testScript();
    await host.deploys.deploy(scope, { script, sourceMap });
    const running = value(host, "jobs:versions", { ms: 1500 }, scope);
    await eventually(async () => host.sandbox.status().busy > 0);
    await host.deploys.deploy(scope, { script: script.replaceAll("VERSION-1", "VERSION-2"), sourceMap });
    expect(await value(host, "jobs:version", {}, scope)).toBe("VERSION-2");
    expect(await running).toEqual(["VERSION-1", "VERSION-1"]);
    expect(await value(host, "jobs:versions", { ms: 0 }, scope)).toEqual(["VERSION-2", "VERSION-2"]);
  });
});

describe("actions", () => {
  test("call queries, mutations and actions", async () => {
    expect(await value(host, "jobs:orchestrate", { name: "action" })).toBe(5);
    expect(await value(host, "jobs:callHandle")).toEqual([true, null]);
  });

  test("Z01 loops end", async () => {
    expect(await value(host, "jobs:recurse", { depth: 10 })).toBe(10);
    expect((await failure("jobs:recurse", { depth: 17 })).message).toContain("Calls that cause calls");
  });

  test("Z01 fan-out beyond the limit is refused call by call, and does not hang", async () => {
    const results = (await value(host, "jobs:fanOut", { width: 80 })) as string[];
    expect(results.filter((each) => each === "ok").length).toBe(64);
    expect(results.find((each) => each !== "ok")).toContain("Actions that run at the same time");
  });

  test("what an action leaves behind ends with it", async () => {
    const fromMs = performance.now();
    expect(await value(host, "jobs:leaveBehind")).toBe("left");
    expect(performance.now() - fromMs).toBeLessThan(20_000);
    expect(host.sandbox.status().busy).toBe(0);
  });
});
