/**
 * Behaviour as data: each `fixtures/runs/<behaviour>.json` has a flow and what happens to its run; the file beside it has what follows,
 * command by command. `fixtures/checks` has flows and their findings. `vitest -u` writes what is expected anew.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../operations/operation.ts";
import { checkFlow } from "./check-definition.ts";
import type { Command } from "./commands.ts";
import { durationMs } from "./durations.ts";
import type { FlowEvent } from "./events.ts";
import type { Frame, RunState } from "./state.ts";
import { TEST_CATALOGUE } from "./test-catalogue.ts";
import { TestDriver } from "./test-driver.ts";
import type { FlowValue } from "./value.ts";
import { viewRun } from "./views.ts";

const FOLDER = join(import.meta.dirname, "fixtures");

interface RunFixture {
  readonly flow: JsonObject;
  readonly trigger?: Json;
  readonly events: readonly EventText[];
}

/** `on` names a node; with several open steps of one node, `nth` chooses among them. */
interface EventText {
  readonly do: string;
  readonly on?: string;
  readonly nth?: number;
  readonly after?: string;
  readonly attempt?: number;
  readonly output?: Json;
  readonly stored?: FlowValue["stored"];
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly retryAfterMs?: number };
  readonly name?: string;
  readonly reason?: string;
}

function fixturesOf(folder: string): string[] {
  return readdirSync(join(FOLDER, folder)).filter((name) => name.endsWith(".json"));
}

function read<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, folder, name), "utf8")) as T;
}

describe("runs", () => {
  for (const name of fixturesOf("runs")) {
    it(name.replace(".json", ""), async () => {
      const fixture = read<RunFixture>("runs", name);
      const checked = checkFlow({ format: 1, name: "fixture", trigger: { type: "manual" }, ...fixture.flow }, TEST_CATALOGUE);
      if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
      const driver = new TestDriver(checked.program);
      const lines: string[] = [];
      const result = driver.start({ json: fixture.trigger ?? {} });
      lines.push("started", ...result.commands.map((command) => commandText(command, driver.state)));
      for (const text of fixture.events) {
        const event = eventOf(driver, text);
        const { commands, refusal } = driver.send(event);
        lines.push(eventText(event, text));
        if (refusal !== null) lines.push(`  refused: ${refusal.code}: ${refusal.message}`);
        lines.push(...commands.map((command) => commandText(command, driver.state)));
      }
      driver.checkFold();
      lines.push("", ...viewText(driver));
      await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(join(FOLDER, "runs", name.replace(".json", ".expected")));
    });
  }
});

describe("checks", () => {
  for (const name of fixturesOf("checks")) {
    it(name.replace(".json", ""), async () => {
      const flow = read<Json>("checks", name);
      const checked = checkFlow(flow, TEST_CATALOGUE);
      const lines = checked.findings.map(
        ({ severity, path, message, position }) =>
          `${severity} ${path}${position === undefined ? "" : ` (${position.line}:${position.column})`}\n  ${message}`,
      );
      await expect(`${[checked.ok ? "can be published" : "is refused", ...lines].join("\n")}\n`).toMatchFileSnapshot(
        join(FOLDER, "checks", name.replace(".json", ".expected")),
      );
    });
  }
});

function eventOf(driver: TestDriver, text: EventText): FlowEvent {
  const atMs = driver.state.nowMs + (durationMs(text.after ?? 0) ?? 0);
  const { key, attempt } = keyOf(driver, text);
  const value: FlowValue = { json: text.output ?? null, ...(text.stored === undefined ? {} : { stored: text.stored }) };
  switch (text.do) {
    case "complete":
      return { kind: "completed", atMs, key, attempt, output: value };
    case "fail":
      return {
        kind: "failed",
        atMs,
        key,
        attempt,
        error: text.error ?? { code: "unavailable", message: "the other system was away.", retryable: true },
      };
    case "defer":
      return { kind: "deferred", atMs, key, attempt, deadlineMs: text.after === undefined ? null : atMs };
    case "fire": {
      const timer = timerOf(driver, text);
      return { kind: "timerFired", atMs: text.after === undefined ? timer.atMs : atMs, timer: timer.timer };
    }
    case "signal":
      return { kind: "signalled", atMs, name: text.name ?? "", payload: value };
    case "continue":
      return { kind: "continued", atMs };
    case "pause":
      return { kind: "paused", atMs, by: "anna", reason: text.reason ?? "" };
    case "resume":
      return { kind: "resumed", atMs, by: "anna" };
    case "cancel":
      return { kind: "cancelled", atMs, by: "anna", reason: text.reason ?? "" };
    case "retry":
      return { kind: "retried", atMs, node: text.on ?? "", input: text.output === undefined ? null : value, by: "anna" };
    case "start":
      return {
        kind: "started",
        atMs,
        run: { id: "r2", flow: "x", version: "v", company: { id: "c", name: "C" }, environment: "main" },
        trigger: value,
      };
    case "again":
      return driver.journal.at(-1) ?? { kind: "continued", atMs };
    default:
      throw new Error(`unknown event ${text.do}`);
  }
}

/** The open call or wait of the node, or the last that it had. */
function keyOf(driver: TestDriver, text: EventText): { readonly key: string; readonly attempt: number } {
  const isOf = (command: Command): command is Command & { kind: "call" | "openWait" } =>
    (command.kind === "call" || command.kind === "openWait") && command.node === text.on;
  const open = [...driver.open.values()].filter(isOf);
  const command = open[text.nth ?? 0] ?? driver.commands.findLast(isOf);
  const attempt = command?.kind === "call" ? command.attempt : 1;
  return { key: command?.key ?? `r1/${text.on ?? ""}/999`, attempt: text.attempt ?? attempt };
}

function timerOf(driver: TestDriver, { on }: EventText): { readonly timer: string; readonly atMs: number } {
  const timers = driver.commands.filter((command) => command.kind === "startTimer");
  const open = [...driver.open.values()].filter((command) => command.kind === "startTimer");
  const isOf = ({ timer }: { readonly timer: string }): boolean => timer === on || timer.startsWith(`r1/${on ?? ""}/`);
  return open.find(isOf) ?? timers.findLast(isOf) ?? { timer: on ?? "", atMs: driver.state.nowMs };
}

function eventText(event: FlowEvent, { on }: EventText): string {
  const subject =
    "key" in event ? ` ${event.key} #${event.attempt}` : event.kind === "timerFired" ? ` ${event.timer}` : on === undefined ? "" : ` ${on}`;
  return `${event.kind}${subject}`;
}

function commandText(command: Command, { nowMs }: RunState): string {
  const inSeconds = (ms: number): string => `${(ms - nowMs) / 1000} s`;
  switch (command.kind) {
    case "call":
      return `  ${command.isUndo ? "undo" : "call"} ${command.key} #${command.attempt} ${JSON.stringify(command.call)} within ${command.timeoutMs / 1000} s`;
    case "startTimer":
      return `  startTimer ${command.timer} in ${inSeconds(command.atMs)}`;
    case "openWait":
      return `  openWait ${command.key} ${JSON.stringify(command.wait)} for ${inSeconds(command.untilMs)}`;
    case "cancelCall":
    case "closeWait":
      return `  ${command.kind} ${command.key}`;
    case "cancelTimer":
      return `  cancelTimer ${command.timer}`;
    case "reply":
      return `  reply ${JSON.stringify(command.output)}`;
    case "continue":
      return "  continue";
    case "end":
      return `  end ${JSON.stringify(command.outcome)}`;
  }
}

function viewText(driver: TestDriver): string[] {
  const { program, state } = driver;
  const view = viewRun(program, state);
  const open = state.frames.filter((frame): frame is Frame => frame !== null);
  return [
    `${view.status} after ${state.events} events and ${state.steps} steps, ${open.length} open frames`,
    ...Object.entries(view.variables).map(([name, value]) => `  vars.${name} = ${JSON.stringify(value)}`),
    ...view.steps.map(
      ({ node, chain, place, output, error }) =>
        `  ${chain}[${place}] ${node}: ${error === null ? JSON.stringify(output) : `${error.code}: ${error.message}`}`,
    ),
    ...view.reasons.map(({ code, words }) => `  ${code}: ${words}`),
    ...(view.undone > 0 || view.undoFailures.length > 0 ? [`  undone ${view.undone}, failures ${JSON.stringify(view.undoFailures)}`] : []),
  ];
}
