/** No step waits for ever: whatever a run waits for, a timer or the deadline of a call ends it. */
import { expect, it } from "vitest";
import { checkFlow } from "./check-definition.ts";
import { type Command, outstanding, RUN_TIMER } from "./commands.ts";
import type { FlowEvent } from "./events.ts";
import { TestDriver } from "./test-driver.ts";

const MS = 1_000_000;
const script = { type: "script", data: { code: "return 1" } };

function driverOf(node: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = {}): TestDriver {
  const definition = { format: 1, name: "t", trigger: { type: "manual" }, start: "a", nodes: { a: node, ...more } };
  const checked = checkFlow(definition, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  const driver = new TestDriver(checked.program);
  driver.start({ json: {} });
  return driver;
}

function endOf(commands: readonly Command[], node: string): number | undefined {
  const ends = commands.map((command) => {
    if (command.kind === "call" && command.node === node) return command.timeoutMs;
    return command.kind === "startTimer" && command.timer !== RUN_TIMER ? command.atMs - MS : undefined;
  });
  return ends.find((ms) => ms !== undefined);
}

const failed: FlowEvent = { kind: "failed", atMs: MS, key: "r1/a/1", attempt: 1, error: { code: "x", message: "no", retryable: true } };
const deferred: FlowEvent = { kind: "deferred", atMs: MS, key: "r1/a/1", attempt: 1, deadlineMs: null };

it.each<readonly [string, Readonly<Record<string, unknown>>, readonly FlowEvent[]]>([
  ["a call", script, []],
  ["a call that answers later", script, [deferred]],
  ["a call that answers later than anything may take", script, [{ ...deferred, deadlineMs: Number.MAX_SAFE_INTEGER }]],
  ["another attempt", script, [failed]],
  ["another attempt after a late answer", script, [deferred, failed]],
  ["a callback", { type: "wait", data: { for: "callback" } }, []],
  ["an approval", { type: "wait", data: { for: "approval", title: "Go on?" } }, []],
  ["a signal", { type: "wait", data: { for: "signal", signal: "go" } }, []],
  ["a delay", { type: "delay", data: { for: "3d" } }, []],
  ["a subflow", { type: "subflow", data: { flow: "other", input: {} } }, []],
  ["an answer while it is paused", { type: "wait", data: { for: "callback" } }, [{ kind: "paused", atMs: MS, by: "me", reason: "" }]],
])("%s", (_name, node, events) => {
  const driver = driverOf(node);
  for (const event of events) driver.send(event);
  const commands = outstanding(driver.state);
  const ms = endOf(commands, "a");
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(366 * 86_400_000);
  expect(commands.some((command) => command.kind === "startTimer" && command.timer === RUN_TIMER)).toBe(true);
});

it("what undoes a step", () => {
  const driver = driverOf({ ...script, compensate: script, next: "b" }, { b: { ...script, retry: { attempts: 1 } } });
  driver.send({ kind: "completed", atMs: MS, key: "r1/a/1", attempt: 1, output: { json: 1 } });
  driver.send({ ...failed, key: "r1/b/2" });
  expect(endOf(outstanding(driver.state), "a")).toBeGreaterThan(0);
  driver.send({ ...deferred, key: "r1/a/1/undo" });
  expect(endOf(outstanding(driver.state), "a")).toBeGreaterThan(0);
});
