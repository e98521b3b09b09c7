/** `console`: lines are rendered here, inside the limits of the call, and sent as they happen. */
import type { LogLevel } from "@plinth/core/protocol/runner-protocol.ts";
import { POST } from "../wire.ts";
import { renderValue } from "./inspect.ts";
import { emptyTable } from "./realm.ts";
import { nowMs, session } from "./session.ts";

let lines = 0;
let dropped = 0;
let indent = "";
let counts = emptyTable<number>();
let timers = emptyTable<number>();
const GROUPS_MAX = 32;

export function renewConsole(): void {
  lines = dropped = 0;
  indent = "";
  counts = emptyTable();
  timers = emptyTable();
}

/** Sends the count of lines that were dropped since the last one, if any. Called at the end of the call. */
export function closeLog(): void {
  if (dropped === 0) return;
  session.post(POST.log, dropped, "warn", `${dropped} more lines were not kept: a call may log ${session.settings.logLines} lines.`, "");
  dropped = 0;
}

function write(level: LogLevel, args: readonly unknown[]): void {
  if (session.phase !== "execute") return;
  if (lines >= session.settings.logLines) {
    dropped++;
    return;
  }
  lines++;
  const max = session.settings.logLineBytes;
  const text = indent + formatLine(args, max + 1);
  const cut = text.length > max;
  session.post(POST.log, 0, level, cut ? text.slice(0, max) : text, cut ? "1" : "");
}

/** Joins arguments with spaces; a first text may hold `%s %d %i %f %j %o %O %c %%`. */
export function formatLine(args: readonly unknown[], charsMax: number): string {
  let text = "";
  let next = 0;
  if (typeof args[0] === "string") {
    next = 1;
    text = args[0].length > charsMax ? args[0].slice(0, charsMax) : args[0];
    if (args.length > 1 && text.includes("%")) {
      text = text.replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === "%%") return "%";
        if (next >= args.length) return mark;
        return formatMark(mark, args[next++], charsMax);
      });
    }
  }
  for (; next < args.length && text.length < charsMax; next++) {
    const value = args[next];
    if (next > 0) text += " ";
    text += typeof value === "string" ? value.slice(0, charsMax) : renderValue(value, charsMax - text.length);
  }
  return text;
}

function formatMark(mark: string, value: unknown, charsMax: number): string {
  switch (mark) {
    case "%s":
      return typeof value === "string" ? value.slice(0, charsMax) : renderValue(value, charsMax);
    case "%d":
      return typeof value === "bigint" ? `${value}n` : `${Number(value)}`;
    case "%i":
      return `${parseInt(`${value as string}`, 10)}`;
    case "%f":
      return `${parseFloat(`${value as string}`)}`;
    case "%c":
      return "";
    default:
      return renderValue(value, charsMax);
  }
}

export function makeConsole(): object {
  const label = (value: unknown): string => (value === undefined ? "default" : `${value as string}`.slice(0, 200));
  const elapsed = (name: string): string => `${name}: ${(nowMs() - (timers[name] ?? nowMs())).toFixed(0)}ms`;
  const group = (...args: unknown[]): void => {
    if (args.length > 0) write("log", args);
    if (indent.length < GROUPS_MAX * 2) indent += "  ";
  };
  return {
    debug: (...args: unknown[]) => write("debug", args),
    log: (...args: unknown[]) => write("log", args),
    info: (...args: unknown[]) => write("info", args),
    warn: (...args: unknown[]) => write("warn", args),
    error: (...args: unknown[]) => write("error", args),
    dir: (value: unknown) => write("log", [value]),
    dirxml: (...args: unknown[]) => write("log", args),
    table: (value: unknown) => write("log", [value]),
    trace: (...args: unknown[]) => write("warn", ["Trace:", ...args]),
    assert: (condition: unknown, ...args: unknown[]) => {
      if (!condition)
        write("error", typeof args[0] === "string" ? [`Assertion failed: ${args[0]}`, ...args.slice(1)] : ["Assertion failed", ...args]);
    },
    count: (name?: unknown) => {
      const key = label(name);
      counts[key] = (counts[key] ?? 0) + 1;
      write("log", [`${key}: ${counts[key]}`]);
    },
    countReset: (name?: unknown) => {
      counts[label(name)] = 0;
    },
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indent = indent.slice(2);
    },
    time: (name?: unknown) => {
      timers[label(name)] = nowMs();
    },
    timeLog: (name?: unknown, ...args: unknown[]) => write("log", [elapsed(label(name)), ...args]),
    timeEnd: (name?: unknown) => {
      write("log", [elapsed(label(name))]);
      delete timers[label(name)];
    },
    clear: () => {},
  };
}
