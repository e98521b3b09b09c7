/** Scripts that run apart from their run, and what looks after them. */
import { plinthError } from "@plinth/core/errors.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readContext } from "./script-contexts.ts";
import { signatureOf } from "./script-report.ts";
import { reportFor, ScriptHost } from "./test-script-host.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let host: ScriptHost;
beforeEach(async () => {
  host = await ScriptHost.open();
});
afterEach(() => host.close());

test("the context travels by reference, under the name of its run, and the invocation has its name only", async () => {
  const id = await host.waiting();
  const row = await host.only();
  expect(row.name).toMatch(new RegExp(`^workflow-scripts/main/${host.scope.tenant}/${id}-a-\\d{8}T\\d{9}Z\\.json$`));
  const context = await readContext(host.blobs, host.scope, row);
  expect(context).toMatchObject({ code: "return inputs.n", inputs: { n: 5, workflow: { trigger: { n: 5 } } } });
  expect(Object.keys(JSON.parse(host.asked.get("i1")?.argsText ?? "") as object)).toEqual(["run", "key", "attempt", "seed"]);
  expect(await host.kept(id)).toBe(1);
});

test.each(["sync", "async"])("a script is checked again when it runs: %s", async (mode) => {
  await host.publish({ type: "script", data: { code: "return eval('1')", mode } });
  host.refusal = plinthError("InvalidCode", { detail: "line 1, column 8" });
  const { status, error } = await host.ended(await host.start());
  expect({ status, error }).toMatchObject({ status: "failed", error: { code: "InvalidCode", node: "a" } });
  expect([host.asked.size, await host.rows()]).toEqual([0, []]);
});

test("a report resumes its run once: what comes late, twice, for another context, unsigned or forged is refused", async () => {
  const id = await host.waiting();
  const row = await host.only();
  const token = host.token();
  const report = reportFor(row);
  await expect(host.report(token, report, "sha256=00")).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(host.report(token, report, signatureOf(`${token}x`, JSON.stringify(report)))).rejects.toMatchObject({
    code: "AnswerRefused",
  });
  await expect(host.report(token, reportFor(row, { s3_key: "workflow-scripts/x" }))).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(host.report(token, reportFor(row, { workflow_log_id: "0".repeat(32) }))).rejects.toMatchObject({ code: "AnswerRefused" });
  await expect(host.report(`${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`, report)).rejects.toMatchObject({ code: "NotFound" });
  for (const wrong of [[], { success: "yes" }, { ...report, success: false, error: 3 }, { ...report, logs: "x" }])
    await expect(host.report(token, wrong)).rejects.toMatchObject({ code: "BadRequest" });
  expect((await host.run(id)).status).toBe("waiting");
  await host.report(token, reportFor(row, { logs: [{ level: "warn", text: "from afar", atMs: 1 }] }));
  expect(await host.ended(id)).toMatchObject({ status: "completed", output: 5 });
  const logs = await host.flows.logs(host.scope, id, { limit: 10 });
  expect(logs).toMatchObject([{ lines: [{ level: "warn", text: "from afar" }] }]);
  expect([await host.rows(), await host.kept(id)]).toEqual([[], 0]);
  await expect(host.report(token, report)).rejects.toMatchObject({ code: "AnswerRefused" });
  const refused = await host.flows.refusedAnswers(host.scope, id);
  expect(refused.map(({ code }) => code)).toEqual(["forged", "forged", "forged", "forged", "forged", "double"]);
});

test("S1 a host that dies at any point of the begin leaves one context and one invocation", async () => {
  await host.publish({ type: "script", data: { code: "return 1", mode: "async" } });
  host.isDead = true;
  const id = await host.start();
  await host.until(async () => (await host.rows()).length === 1);
  const { name } = await host.only();
  await host.restart();
  await host.flows.resumeAll();
  await host.untilWaiting(id);
  expect((await host.only()).name).toBe(name);
  expect(host.asked.size).toBe(1);
  // Stored by the engine, and the host dies before it writes down that it is.
  await host.change({ invocation: null });
  await host.sweep();
  expect(host.asked.size).toBe(1);
  expect((await host.only()).invocation).toBe("i1");
});

test("S2 the address of the callback is written down nowhere", async () => {
  await host.waiting();
  const context = await readContext(host.blobs, host.scope, await host.only());
  expect(JSON.stringify([context, [...host.asked.values()], await host.rows()])).not.toMatch(/https?:/);
});

test("S3 R1 a report that was never delivered is delivered by the reaper", async () => {
  const id = await host.waiting();
  await host.sweep();
  expect(host.reaped).toEqual([]);
  const report = reportFor(await host.only(), { result: { found: true } });
  host.records.set("i1", { state: "succeeded", valueText: JSON.stringify(JSON.stringify(report)) });
  await host.sweep();
  expect(await host.ended(id)).toMatchObject({ status: "completed", output: { found: true } });
  expect(host.reaped).toEqual(["redelivered"]);
});

test("R1 a script that ends without a report runs again, and fails with a named reason in the end", async () => {
  const id = await host.waiting();
  for (const [index, invocation] of ["i1", "i2", "i3"].entries()) {
    host.records.set(invocation, { state: "failed", error: { code: "RunnerLost", message: `it was lost ${index + 1}` } });
    await host.sweep();
  }
  const { status, error } = await host.ended(id);
  expect({ status, error }).toMatchObject({ status: "failed", error: { code: "script_lost", node: "a" } });
  expect(error?.message).toContain("3 times, the last time because it was lost 3");
  expect(host.reaped).toEqual(["rerun", "rerun", "failed"]);
  const logs = JSON.stringify(await host.flows.logs(host.scope, id, { limit: 10 }));
  expect(logs).toContain("it was lost 1); it runs again, 2 of 3");
  expect(await host.rows()).toEqual([]);
});

test("R2 what nobody waits for is ended and its context given up", async () => {
  const id = await host.waiting();
  await host.flows.cancel(host.scope, id, { by: "me", reason: "" });
  expect(host.cancelled).toEqual(["i1"]);
  expect(host.reaped).toEqual(["dropped"]);
  expect([await host.rows(), await host.kept(id)]).toEqual([[], 0]);
});

test("R3 a run that has something to do and was forgotten goes on", async () => {
  await host.publish({ type: "script", data: { code: "return 1", mode: "async" } });
  host.isDead = true;
  const id = await host.start();
  await host.until(async () => (await host.rows()).length === 1);
  await host.restart();
  await host.sweep();
  expect(host.reaped).toEqual([]);
  await host.sweep();
  expect(host.reaped).toEqual(["resumed"]);
  await host.untilWaiting(id);
});

test("R4 a time that is past fires, so that no wait is without its end", async () => {
  const id = await host.waiting();
  await host.sweep();
  expect((await host.run(id)).status).toBe("waiting");
  host.offsetMs = 3_600_000;
  await host.sweep();
  const { status, error } = await host.ended(id);
  expect({ status, error }).toMatchObject({ status: "failed", error: { code: "timeout", node: "a" } });
  expect(host.reaped).toContain("fired");
  await host.sweep();
  expect(host.reaped).toContain("dropped");
});
