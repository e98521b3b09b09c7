/**
 * Port: how a runtime's program is brought into a cell. One file per runtime stands beside this one and in `table.ts`; the program
 * itself lies in `packages/runners/src/<runtime>` and passes `packages/runners/src/conformance`.
 *
 * To add a runtime: its name in RuntimeName, its program and conformance test, its adapter here, its line in `table.ts`.
 */
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/** What a cell needs to see of a runtime. All sources are readable for every user and are changed by nobody but the host. */
export interface ProgramImage {
  readonly runtime: RuntimeName;
  /** Changes when any of the files would. */
  readonly key: string;
  /** Host file or folder → path in the cell; read-only. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** Program and arguments, as paths of the cell. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** `nojit`: anonymous memory is never executable. */
  readonly profile: "jit" | "nojit";
  /** Address space that the program maps and mostly never touches; it counts as data of the process. */
  readonly addressBytes?: number;
  /** Says that the image is in use; images that nobody used for long are removed by later hosts. */
  used(nowMs: number): void;
}

export interface PrepareOptions {
  readonly runtime: Runtime;
  readonly imageFolder?: string;
  /** The interpreter that the operator chose, for runtimes that have one. */
  readonly python?: string;
}

export interface RuntimeAdapter {
  readonly name: RuntimeName;
  /** Makes the image, or finds an earlier one. Rejects with NotAvailable, which says what to install, where it cannot run. */
  prepare(options: PrepareOptions): Promise<ProgramImage>;
  /** The image for a process with so much memory, where the program has to be told. */
  fit?(image: ProgramImage, memoryBytesMax: number): ProgramImage;
  /** Calls of one process at the same time. */
  readonly places: number;
  /** Whether a process serves several calls when the package does not say. */
  readonly reuse: boolean;
  /** Data of one process when the package does not say, and at most. */
  readonly memoryBytes: { readonly usual: number; readonly max: number };
}
