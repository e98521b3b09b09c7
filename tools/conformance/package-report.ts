/** What became of one package: its steps, and each call of its functions. */
import type { CallKind } from "./sample-payloads.ts";

export type StepName = "manifest" | "build" | "host" | "push" | "install" | "configure" | "activate" | "deactivate" | "remove";

export interface Step {
  readonly name: StepName;
  /** `remote`: it failed because the platform that the package was written for is not there, as is expected. */
  readonly status: "ok" | "failed" | "remote";
  readonly ms: number;
  readonly detail: string;
}

/**
 * `ran`: it returned. `remote`: it threw after it had asked another system in vain. `threw`: it threw for another reason, such as a
 * sample that is less than it expects. `notLoaded`, `platform`: the code could not be loaded, or Plinth failed it.
 */
export type CallResult = "ran" | "remote" | "threw" | "notLoaded" | "platform";

export interface CallReport {
  readonly function: string;
  readonly kind: CallKind;
  readonly result: CallResult;
  readonly ms: number;
  readonly detail: string;
}

export interface PackageReport {
  readonly folder: string;
  readonly overrides: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly calls: readonly CallReport[];
  readonly files: number;
  readonly bytes: number;
  readonly archiveBytes: number;
  readonly timings: Readonly<Record<string, number>>;
}

export function hasPassed({ steps, calls }: PackageReport): boolean {
  return steps.every(({ status }) => status !== "failed") && calls.every(({ result }) => result !== "notLoaded" && result !== "platform");
}
