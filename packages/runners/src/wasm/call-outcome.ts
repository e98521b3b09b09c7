/** What the runner says of how a command ended. All texts of the module are hostile; the host bounds them again. */
import { limit } from "@plinth/core/limits.ts";
import type { RunnerFailure } from "@plinth/core/protocol/runner-protocol.ts";
import type { CallReport } from "./guest/wire.ts";

const FRAMES_MAX = 30;
const NAME_CHARS_MAX = 200;
const FRAME = /^ {4}at (?:(.{1,2000}?) \()?wasm:\/\/wasm\/[^:]{1,2000}:wasm-function\[(\d{1,9})\]/;
const result = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export type CommandOutcome =
  | { readonly kind: "result"; readonly text: string }
  | { readonly kind: "outOfMemory" }
  | { readonly kind: "error"; readonly failure: RunnerFailure };

export function outcomeOf(report: CallReport, resultBytesMax: number): CommandOutcome {
  switch (report.end.kind) {
    case "exit":
      return report.end.code === 0 ? resultOf(report.stdout) : exitFailure(report.end.code, report.lastLine);
    case "tooLarge":
      return failed(`The result takes more than ${resultBytesMax} bytes.`);
    case "trap":
      if (report.end.name === "RangeError" && report.end.message.includes("Out of memory")) return { kind: "outOfMemory" };
      return { kind: "error", failure: trapFailure(report.end) };
    default:
      return report.end satisfies never;
  }
}

/** Nothing is null. */
function resultOf(stdout: ArrayBuffer): CommandOutcome {
  let text: string;
  try {
    text = result.decode(stdout).trim();
  } catch {
    return failed("The standard output is no UTF-8, and the result must be JSON.");
  }
  if (text === "") return { kind: "result", text: "null" };
  try {
    JSON.parse(text);
  } catch (error) {
    return failed(`The standard output is not JSON: ${error instanceof Error ? error.message : ""}`);
  }
  return { kind: "result", text };
}

function exitFailure(code: number, lastLine: string): CommandOutcome {
  const line = lineText(lastLine).trim();
  return failed(line === "" ? `exit code ${code}` : `exit code ${code}: ${line}`);
}

function trapFailure(trap: { readonly name: string; readonly message: string; readonly stack: string }): RunnerFailure {
  const frames: string[] = [];
  for (const line of trap.stack.split("\n", 1000)) {
    const match = FRAME.exec(line);
    if (match === null) continue;
    const place = `wasm-function[${match[2]}]`;
    frames.push(match[1] === undefined ? `    at ${place}` : `    at ${match[1].slice(0, NAME_CHARS_MAX)} (${place})`);
    if (frames.length === FRAMES_MAX) break;
  }
  const message = cut(`${trap.name}: ${trap.message}`);
  return frames.length === 0 ? { message } : { message, stack: frames.join("\n") };
}

/** A line of standard error as text; a character that was cut in two is left out. */
export function lineText(line: string): string {
  return Buffer.from(line, "latin1").toString();
}

function failed(message: string): CommandOutcome {
  return { kind: "error", failure: { message: cut(`Error: ${message}`) } };
}

function cut(message: string): string {
  return message.slice(0, limit("failureMessageCharsMax"));
}
