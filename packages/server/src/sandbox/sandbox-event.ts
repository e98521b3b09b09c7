/** What the sandbox tells of its runners, for logs and tests. */
import type { RunnerEnd } from "./runner.ts";

export type SandboxEvent =
  | { readonly type: "started"; readonly runner: string; readonly ms: number }
  | { readonly type: "bound"; readonly runner: string; readonly tenant: string }
  | {
      readonly type: "ended";
      readonly runner: string;
      readonly tenant: string | undefined;
      readonly end: RunnerEnd;
      /** Hostile text, escape it. */ readonly output: string;
    };

/** The event as the host's log may have it: what code of a tenant printed past its console is not read for secrets. */
export function eventForLog(event: SandboxEvent): object {
  if (event.type !== "ended" || event.tenant === undefined) return event;
  const { output, ...rest } = event;
  return { ...rest, outputChars: output.length };
}
