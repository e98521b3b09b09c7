/** What the drivers of all kinds of triggers share: the host, the package on it, the CRM, and the way a trigger is reported. */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Connection } from "../../../packages/cli/src/connection.ts";
import type { Crm } from "./crm.ts";
import type { Observer } from "./observer.ts";
import type { RecordingProxy } from "./recording-proxy.ts";
import { failureOfLetters, judge, shownCall, type TriggerKind, type TriggerReport, type TriggerResult } from "./trigger-report.ts";

/** Secret of every keyring that a package asks for. */
export const SECRET = "placeholder";

const LINES_AFTER_MS = 150;

export interface Drive {
  readonly connection: Connection;
  readonly package: string;
  readonly snapIn: string;
  readonly manifest: Manifest;
  readonly crm: Crm;
  readonly observer: Observer;
  readonly proxy: RecordingProxy;
  /** Puts the host's clock ahead, as a restart after a pause does. */
  readonly skipAhead: (ms: number) => Promise<void>;
}

/** What a trigger itself was answered. */
export interface Triggered {
  /** Message of the failure of the function. */
  readonly failure?: string | undefined;
  /** What is not as it should be, though nothing failed. */
  readonly wrong?: string | undefined;
  readonly result?: TriggerResult;
}

export async function report(
  drive: Drive,
  { kind, trigger }: { readonly kind: TriggerKind; readonly trigger: string },
  pull: () => Promise<Triggered>,
): Promise<TriggerReport> {
  // What led to this trigger may be an event too.
  await drive.observer.quiet();
  drive.proxy.take();
  await drive.observer.takeLines();
  await drive.observer.takeDeadLetters();
  const startedMs = performance.now();
  let triggered: Triggered;
  try {
    triggered = await pull();
  } catch (error) {
    triggered = { wrong: error instanceof Error ? error.message : String(error) };
  }
  const lines = await drive.observer.takeLines(LINES_AFTER_MS);
  const letters = await drive.observer.takeDeadLetters();
  const calls = drive.proxy.take();
  const failure = triggered.failure ?? failureOfLetters(letters);
  const judged = judge({ failure, calls, lines });
  const isWrong = triggered.wrong !== undefined && judged.result !== "outside";
  return {
    kind,
    trigger,
    result: isWrong ? (triggered.result ?? "failed") : judged.result,
    reason: [triggered.wrong, judged.reason].filter((part) => part !== undefined && part !== "").join("; "),
    calls: calls.map(shownCall),
    ...(judged.lines === undefined ? {} : { lines: judged.lines }),
    ms: Math.round(performance.now() - startedMs),
  };
}

export function notApplicable(kind: TriggerKind, trigger: string, reason: string): TriggerReport {
  return { kind, trigger, result: "notApplicable", reason, calls: [], ms: 0 };
}

export function functionPath({ package: name }: Pick<Drive, "package">, functionName: string): string {
  return `@${name}/${functionName}`;
}
