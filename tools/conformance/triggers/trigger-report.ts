/** What one trigger of a package led to, and how that is judged. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DeadLetter, LogLine } from "./observer.ts";
import type { RecordedCall } from "./recording-proxy.ts";

export type TriggerKind =
  | "build"
  /** Activation and deactivation without a hook. */
  | "lifecycle"
  | "hook"
  | "object event"
  | "user event"
  | "timer"
  | "flow event"
  | "webhook"
  | "email"
  | "command"
  | "snap-kit"
  | "operation"
  | "sync";

/**
 * `passed`: the function did what it is there for. `outside`: it ran with its event, and another system that is not there kept it from
 * the rest. `package`: it fails by itself, wherever it runs, for a reason that is known. `failed`: Plinth, or what the package expects of
 * it, did not hold. `notApplicable`: the trigger cannot come here.
 */
export type TriggerResult = "passed" | "outside" | "package" | "failed" | "notApplicable";

export interface TriggerReport {
  readonly kind: TriggerKind;
  readonly trigger: string;
  readonly result: TriggerResult;
  readonly reason: string;
  /** What the package asked of the host, `POST /works.create 201`. */
  readonly calls: readonly string[];
  readonly ms: number;
  /** The last lines of the function, where it failed. */
  readonly lines?: readonly string[];
}

/** What was seen of a trigger. */
export interface Observed {
  /** Message of the failure of the function; undefined when it returned. */
  readonly failure: string | undefined;
  readonly lines: readonly LogLine[];
  readonly calls: readonly RecordedCall[];
}

const OUTSIDE =
  /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EACCES|EPERM|fetch failed|Network Error|socket hang up|getaddrinfo|EgressRefused|not reachable|https:\/\/(?:api\.devrev\.ai|slack\.com)/i;
/** Calls of the platform's own agents, which stand behind its interface and are no part of it here. */
const AGENTS = /\/ai-agents\./;
const NO_SUCH_CALL = /neither the platform nor a function/;
const DETAIL_CHARS = 300;
const LINES_SHOWN = 8;
/** Text of a failure → why it is the package's own. */
const KNOWN_FAULTS = JSON.parse(readFileSync(join(import.meta.dirname, "known-faults.json"), "utf8")) as Readonly<Record<string, string>>;

type Judged = Pick<TriggerReport, "result" | "reason" | "lines">;

export function judge(observed: Observed): Judged {
  const judged = judgeResult(observed);
  return judged.result === "failed" ? { ...judged, lines: observed.lines.slice(-LINES_SHOWN).map(({ text }) => oneLine(text)) } : judged;
}

function judgeResult({ failure, lines, calls }: Observed): Judged {
  const unanswered = calls.filter(({ status, refusal }) => status === 0 || status >= 500 || NO_SUCH_CALL.test(refusal));
  const agents = unanswered.filter(({ path }) => AGENTS.test(path));
  const missing = unanswered.filter(({ path }) => !AGENTS.test(path));
  if (missing.length > 0) return { result: "failed", reason: `the host did not answer ${missing.map(shownCall).join(", ")}` };
  if (agents.length > 0) return { result: "outside", reason: `asked for an agent: ${agents.map(shownCall).join(", ")}` };
  const outside = failure !== undefined && OUTSIDE.test(failure) ? failure : lines.find(({ text }) => OUTSIDE.test(text))?.text;
  if (outside !== undefined) return { result: "outside", reason: oneLine(matchOf(outside)) };
  if (failure !== undefined) {
    const told = [failure, ...lines.map(({ text }) => text)].join("\n");
    const known = Object.entries(KNOWN_FAULTS).find(([text]) => told.includes(text));
    if (known !== undefined) return { result: "package", reason: known[1] };
    return { result: "failed", reason: oneLine(failure) };
  }
  const refused = calls.filter(({ status }) => status >= 400);
  if (refused.length > 0) return { result: "failed", reason: `was refused ${refused.map(shownRefusal).join(", ")}` };
  return { result: "passed", reason: "" };
}

export function failureOfLetters(letters: readonly DeadLetter[]): string | undefined {
  return letters.length === 0 ? undefined : letters.map(({ message }) => message).join("; ");
}

export function shownCall({ method, path, status }: RecordedCall): string {
  return `${method} ${path} ${status}`;
}

function shownRefusal(call: RecordedCall): string {
  return `${shownCall(call)} (${oneLine(call.refusal)})`;
}

/** The line that names the reason. */
function matchOf(text: string): string {
  return text.split("\n").find((line) => OUTSIDE.test(line)) ?? text;
}

export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > DETAIL_CHARS ? `${line.slice(0, DETAIL_CHARS)}…` : line;
}
