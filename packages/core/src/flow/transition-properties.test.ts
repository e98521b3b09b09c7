/** Random flows, driven in random orders with duplicates, late events, pauses, cancellations and crashes. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { JsonObject } from "../operations/operation.ts";
import { checkFlow } from "./check-definition.ts";
import { type Command, outstanding } from "./commands.ts";
import type { FlowEvent } from "./events.ts";
import { stateOfSnapshot, snapshotOf } from "./fold.ts";
import type { FlowProgram } from "./program.ts";
import { TestDriver } from "./test-driver.ts";

const RUNS = Number(process.env["FLOW_PROPERTY_RUNS"] ?? 400);

type Pick = (max: number) => number;
type Nodes = Record<string, JsonObject>;

/** Writes a flow of a few nodes, with chains within chains. */
function writeFlow(pick: Pick): JsonObject {
  const nodes: Nodes = {};
  const start = chain(pick, { nodes, depth: 0 });
  const onError = pick(4) === 0 ? chain(pick, { nodes, depth: 2 }) : null;
  return {
    format: 1,
    name: "random",
    trigger: { type: "manual" },
    variables: { count: { type: "number", initial: 0 } },
    start,
    nodes,
    onError,
  };
}

function chain(pick: Pick, { nodes, depth }: { readonly nodes: Nodes; readonly depth: number }): string {
  const ids: string[] = [];
  const count = 1 + pick(depth === 0 ? 5 : 3);
  for (let i = 0; i < count; i += 1) {
    const id = `n${Object.keys(nodes).length}`;
    nodes[id] = {};
    nodes[id] = node(pick, { nodes, depth, earlier: ids });
    ids.push(id);
  }
  ids.forEach((id, i) => {
    const later = ids.slice(i + 1);
    const next = later[0] ?? null;
    const written: JsonObject = { ...nodes[id], next };
    const data = written["data"] as JsonObject;
    if (written["type"] === "decision" && later.length > 1)
      nodes[id] = { ...written, data: { ...data, [pick(2) === 0 ? "then" : "else"]: later[pick(later.length)] ?? null } };
    else nodes[id] = later.length > 1 && pick(5) === 0 ? { ...written, onError: later[pick(later.length)] ?? null } : written;
  });
  return ids[0] ?? "";
}

function node(
  pick: Pick,
  { nodes, depth, earlier }: { readonly nodes: Nodes; readonly depth: number; readonly earlier: readonly string[] },
): JsonObject {
  const kind = pick(depth < 2 ? 13 : 9);
  const back = earlier[pick(earlier.length + 1)];
  switch (kind) {
    case 0:
    case 1:
    case 2:
      return {
        type: "action",
        data: { operation: "charge", input: { count: "=vars.count" } },
        ...(pick(2) === 0 ? {} : { compensate: { type: "action", data: { operation: "refund", input: { id: "=trigger.id" } } } }),
        ...(pick(3) === 0 ? { retry: { attempts: 2, on: "any" } } : {}),
      };
    case 3:
      return { type: "decision", data: { when: "vars.count > 1" } };
    case 4:
      return { type: "assignment", data: { values: { count: "=vars.count + 1" } } };
    case 5:
      return { type: "delay", data: { for: "5m" } };
    case 6:
      return { type: "wait", data: pick(2) === 0 ? { for: "callback", deadline: "1h" } : { for: "signal", signal: "go", deadline: "1h" } };
    case 7:
      return back === undefined
        ? { type: "return", data: { output: "=vars.count" } }
        : { type: "go_back", data: { to: back, times: 1 + pick(2), whenSpent: pick(2) === 0 ? "fail" : "continue" } };
    case 8:
      return { type: "lookup", data: { operation: "get_thing", input: {} } };
    case 9:
    case 10:
      return {
        type: "for_each",
        data: {
          items: [1, 2, 3].slice(0, pick(4)),
          body: chain(pick, { nodes, depth: depth + 1 }),
          concurrency: 1 + pick(3),
          onItemError: pick(2) === 0 ? "stop" : "collect",
          collect: "=item",
        },
      };
    case 11:
      return { type: "while", data: { when: `index < ${pick(4)}`, body: chain(pick, { nodes, depth: depth + 1 }), iterationsMax: 3 } };
    default:
      return {
        type: "parallel",
        data: {
          branches: ["a", "b", "c"].slice(0, 1 + pick(3)).map((name) => ({ name, start: chain(pick, { nodes, depth: depth + 1 }) })),
          join: pick(2) === 0 ? "all" : "any",
        },
      };
  }
}

/** One thing that the outside may do next. */
function nextEvent(driver: TestDriver, pick: Pick, nowMs: number): FlowEvent | null {
  const open = [...driver.open.values()];
  const command = open[pick(open.length)];
  switch (pick(24)) {
    case 0:
      return { kind: "paused", atMs: nowMs, by: "anna", reason: "" };
    case 1:
      return pick(3) === 0 ? { kind: "cancelled", atMs: nowMs, by: "anna", reason: "" } : { kind: "resumed", atMs: nowMs, by: "anna" };
    case 2:
      return { kind: "signalled", atMs: nowMs, name: pick(2) === 0 ? "go" : "other", payload: { json: 1 } };
    case 3:
    case 4:
      return driver.journal[pick(driver.journal.length)] ?? null;
    case 5:
      return { kind: "completed", atMs: nowMs, key: `r1/n${pick(9)}/${pick(20)}`, attempt: 1 + pick(2), output: { json: "forged?" } };
    case 6:
      return { kind: "retried", atMs: nowMs, node: `n${pick(9)}`, input: null, by: "anna" };
    default:
      return command === undefined ? null : answer(command, { pick, nowMs });
  }
}

function answer(command: Command, { pick, nowMs }: { readonly pick: Pick; readonly nowMs: number }): FlowEvent | null {
  switch (command.kind) {
    case "call": {
      const { key, attempt } = command;
      const what = pick(6);
      if (what === 0)
        return { kind: "failed", atMs: nowMs, key, attempt, error: { code: "unavailable", message: "it was away.", retryable: true } };
      if (what === 1)
        return { kind: "failed", atMs: nowMs, key, attempt, error: { code: "user_error", message: "it threw.", retryable: false } };
      if (what === 2) return { kind: "deferred", atMs: nowMs, key, attempt, deadlineMs: null };
      return { kind: "completed", atMs: nowMs, key, attempt, output: { json: { id: key } } };
    }
    case "openWait":
      return { kind: "completed", atMs: nowMs, key: command.key, attempt: 1, output: { json: "answer" } };
    case "startTimer":
      return { kind: "timerFired", atMs: pick(4) === 0 ? nowMs : command.atMs, timer: command.timer };
    case "continue":
      return { kind: "continued", atMs: nowMs };
    default:
      return null;
  }
}

/** Lets the outside do its part until the run has ended. */
function drain(driver: TestDriver): void {
  for (let i = 0; driver.state.status.kind !== "ended"; i += 1) {
    expect(i, "a run ends when all that it waits for comes").toBeLessThan(2000);
    const { status, nowMs } = driver.state;
    if (status.kind === "paused") {
      driver.send({ kind: "resumed", atMs: nowMs, by: "anna" });
      continue;
    }
    const command =
      outstanding(driver.state).find((one) => one.kind !== "startTimer" || one.timer !== "run") ?? outstanding(driver.state)[0];
    expect(command, "a run that has not ended has something under way").toBeDefined();
    if (command?.kind === "reply" || command === undefined) continue;
    const event = answer(command, { pick: () => 5, nowMs });
    if (event !== null) driver.send(event);
  }
}

function programOf(definition: JsonObject): FlowProgram {
  const checked = checkFlow(definition, null);
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.program;
}

it("S1 T1 T2 T3 J2 E2 every run ends or waits for a named reason, and its state is the fold of its journal", () => {
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const pick: Pick = (max) => (max <= 1 ? 0 : g(fc.nat, { max: max - 1 }));
      const definition = writeFlow(pick);
      const driver = new TestDriver(programOf(definition));
      driver.start({ json: { id: 7 } });
      let nowMs = driver.state.nowMs;
      for (let i = pick(60); i > 0; i -= 1) {
        nowMs += pick(3) * 1000;
        const event = nextEvent(driver, pick, nowMs);
        if (event !== null) driver.send(event);
        nowMs = Math.max(nowMs, driver.state.nowMs);
        if (pick(8) === 0) driver.state = stateOfSnapshot(snapshotOf(driver.state));
      }
      drain(driver);
      driver.checkFold();
      checkKeys(driver);
      checkUndone(driver);
    }),
    { numRuns: RUNS },
  );
});

/** An attempt is made once; a key belongs to one node and one call. */
function checkKeys(driver: TestDriver): void {
  const attempts = new Set<string>();
  const calls = new Map<string, string>();
  for (const command of driver.commands) {
    if (command.kind !== "call") continue;
    const attempt = `${command.key}#${command.attempt}`;
    expect(attempts.has(attempt), `${attempt} is made once`).toBe(false);
    attempts.add(attempt);
    const call = JSON.stringify([command.node, command.call]);
    expect(calls.get(command.key) ?? call).toBe(call);
    calls.set(command.key, call);
  }
}

/** After a failure everything that can be undone is undone once, the last first. */
function checkUndone(driver: TestDriver): void {
  const { status } = driver.state;
  if (status.kind !== "ended" || status.outcome.kind === "completed") return;
  const undone: string[] = [];
  for (const command of driver.commands) if (command.kind === "call" && command.isUndo && command.attempt === 1) undone.push(command.key);
  const nodes = driver.program.nodes;
  const done = driver.journal
    .flatMap((event) => (event.kind === "completed" ? [event.key] : []))
    .filter((key) => (nodes.get(key.split("/")[1] ?? "")?.compensate ?? null) !== null && !key.endsWith("/undo"));
  const held = driver.journal.some(({ kind }) => kind === "paused");
  if (held) expect(undone.toSorted()).toEqual(undone.filter((key) => done.includes(key.slice(0, -"/undo".length))).toSorted());
  else expect(undone).toEqual([...new Set(done)].toReversed().map((key) => `${key}/undo`));
}
