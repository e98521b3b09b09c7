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
