/** Scripts that run apart from their run, on a real host: they report, they fail with their place, they survive kill -9. */
import { createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startLocalHost } from "../../tools/local-host.ts";
import { eventHost, eventually, succeed, type EventHost } from "../events/event-host.ts";

let host: EventHost;
beforeAll(async () => {
  host = eventHost(await startLocalHost(["--warm-runners", "1"]));
}, 60_000);
afterAll(() => host.local.stop());

type Json = Readonly<Record<string, unknown>>;

const script = (code: string, more: Json = {}) => ({ type: "script", data: { code, mode: "async", ...more } });

async function start(name: string, nodes: Json, input: unknown = {}): Promise<string> {
  const definition = { format: 1, name, trigger: { type: "api" }, start: Object.keys(nodes)[0], nodes };
  const published = await succeed(host.send("/v1/flows", { body: { definition } }));
  if (published.json["version"] === null) throw new Error(JSON.stringify(published.json["findings"]));
  return String((await succeed(host.send(`/v1/flows/${name}/runs`, { body: { input } }))).json["id"]);
}

async function run(id: string): Promise<Json> {
  return (await succeed(host.send(`/v1/flow-runs/${id}`))).json;
}

async function ended(id: string): Promise<Json> {
  return await eventually(async () => {
    const json = await run(id);
    return json["endedMs"] === null ? undefined : json;
  }, "the end of the run");
}

async function lines(id: string): Promise<readonly string[]> {
  const { json } = await succeed(host.send(`/v1/flow-runs/${id}/logs`));
  return (json["steps"] as { lines: { text: string }[] }[]).flatMap((step) => step.lines.map(({ text }) => text));
}

test("an async script sees its run, prints into its log, and its result resumes the run", { timeout: 60_000 }, async () => {
  const id = await start(
    "apart",
    {
      a: {
        ...script("console.log('at work'); return { tier: workflow.trigger.tier, more: inputs.b };", { input: { b: "=trigger.b" } }),
        next: "b",
      },
      b: { type: "script", data: { code: "return [workflow.steps.a.tier, workflow.steps.a.more]" } },
    },
    { tier: "gold", b: 2 },
  );
  expect(await ended(id)).toMatchObject({ status: "completed", output: ["gold", 2] });
  expect(await lines(id)).toEqual(["at work"]);
});

test("steps of one loop run apart at the same time", { timeout: 60_000 }, async () => {
  const id = await start("many", {
    each: { type: "for_each", data: { items: [1, 2, 3, 4], body: "double", concurrency: 4 } },
    double: script("return inputs.n * 2", { input: { n: "=item" } }),
  });
  expect(await ended(id)).toMatchObject({ status: "completed", output: { results: [2, 4, 6, 8] } });
});

test("a failure of an async script has its place", { timeout: 60_000 }, async () => {
  const { error } = await ended(await start("fails", { a: script("const a = 1;\n\nreturn a.b.c;") }));
  expect((error as Json)["message"]).toMatch(/reading 'c'\) \(line 3, column 12: `return a\.b\.c;`\)/);
});

test("a script is checked before it runs apart", { timeout: 60_000 }, async () => {
  await expect(start("checked", { a: script("return eval('1')") })).rejects.toThrow("line 1, column 8");
});

test("reports that are forged or not signed change nothing and are written down", { timeout: 60_000 }, async () => {
  const id = await start("forged", { a: script("await new Promise((done) => setTimeout(done, 60000)); return 1") });
  await eventually(async () => ((await run(id))["status"] === "waiting" ? true : undefined), "the wait");
  expect((await run(id))["reason"]).toMatchObject({ code: "awaiting_completion", node: "a" });
  const body = JSON.stringify({
    success: true,
    workflow_log_id: id,
    script_api_name: "a",
    s3_key: "x",
    result: 7,
    logs: [],
    execution_time_ms: 1,
  });
  const token = `pa_${Buffer.from(`default/main/${id}`).toString("base64url")}.${randomBytes(24).toString("base64url")}`;
  const report = async (signature: string) =>
    await fetch(`${host.local.connection.url}/v1/flow-script-reports`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "x-plinth-signature": signature, "content-type": "application/json" },
      body,
    });
  expect((await report(`sha256=${createHmac("sha256", token).update(body).digest("hex")}`)).status).toBe(404);
  expect((await report(`sha256=${"0".repeat(64)}`)).status).toBe(409);
  expect((await run(id))["status"]).toBe("waiting");
  const { url, key } = host.local.connection;
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
  expect(metrics).toMatch(/plinth_flow_answers_refused\w*\{[^}]*code="forged"[^}]*\} 2/);
  await succeed(host.send(`/v1/flow-runs/${id}/cancel`, { body: {} }));
  expect(await ended(id)).toMatchObject({ status: "cancelled" });
});

test("a script that a crash ended runs again, and its run says so", { timeout: 90_000 }, async () => {
  const id = await start("killed", {
    a: { ...script("console.log('begun'); await new Promise((done) => setTimeout(done, 3000)); return 'late';"), next: "b" },
    b: { type: "script", data: { code: "return workflow.steps.a + '!'" } },
  });
  await eventually(async () => ((await lines(id)).includes("begun") ? true : undefined), "the begin");
  host = eventHost(await host.local.crash());
  expect(await ended(id)).toMatchObject({ status: "completed", output: "late!" });
  const log = await lines(id);
  expect(log.filter((line) => line === "begun")).toHaveLength(2);
  expect(log.join("\n")).toMatch(/ended without a report \(.*\); it runs again, 2 of 3/);
});
