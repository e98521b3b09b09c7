/**
 * Port: where a runner lives. A provider starts a cell (one jailed process, one container, later one Lambda function) that runs a
 * runtime's program and speaks the runner protocol with it. Providers: `jail/` (process jail, the default), `container/` (any
 * Docker-compatible API). Both pass `provider-contract.ts`.
 *
 * L1 A cell can reach nothing but its control channel, its read-only files and, where asked for, its scratch folder: no network,
 *    no other process, no file of the host.
 * L2 A cell ends with the host, also when the host is killed.
 * L3 When `exited` resolves, nothing of the cell is left: process, mounts, users, groups, sockets.
 * L4 Memory, processes, files and CPU of a cell are bounded from outside.
 */
import type { Duplex } from "node:stream";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { CellsReport } from "./jail/tiers.ts";
import type { ProgramImage } from "./runtimes/runtime-adapter.ts";

export interface CellSpec {
  readonly image: ProgramImage;
  /** Folder of the host that the cell sees as `/package`, read-only. */
  readonly packageFolder?: string;
  /** Bytes of the writable `/scratch`; 0 = there is none. */
  readonly scratchBytes: number;
  /** Data beyond what the ready program has. */
  readonly memoryBytesMax: number;
}

export interface CellExit {
  /** Exit code in the manner of a shell: 128 + signal for a signal. */
  readonly code: number;
  /** The memory limit of the cell killed it. */
  readonly outOfMemory: boolean;
  /** The most memory that the cell had since its limit was set, where it is counted. */
  readonly peakBytes?: number;
}

/** How a cell ends that made a system call which only an attack makes. */
export const EXIT_SIGSYS = 128 + 31;

export interface Cell {
  /** The control channel: frames of the runner protocol in both directions. */
  readonly control: Duplex;
  /** Resolves when nothing of the cell is left (L3). */
  readonly exited: Promise<CellExit>;
  /** What it wrote to standard output and error, cut. Hostile text. */
  readonly output: string;
  /** The process inside by its number on the host, for measurements; undefined where there is none or it is not known yet. */
  insidePid(): number | undefined;
  /** Limits memory once the program is ready; false when that could not be done. */
  limitMemory(): Promise<boolean>;
  /** It works for this tenant from now on. Cells of one tenant share one weight of the processor, where the provider can weigh them. */
  serve?(tenant: string): void;
  /** Ends the cell and everything in it, without asking. */
  kill(): void;
}

export interface SandboxProvider {
  readonly name: "process" | "container";
  readonly runtimes: ReadonlySet<RuntimeName>;
  /** False where nothing but the process's own limits and the host's watch bounds memory; then runners look at it often. */
  readonly countsMemory?: boolean;
  /** Makes what the cells of an image need, where that takes a while. Rejects with NotAvailable. */
  prepare?(image: ProgramImage): Promise<void>;
  /** What its cells withstand, by what a real one of node's image lets through. Rejects with BadConfiguration when none starts. */
  inspect?(image: ProgramImage): Promise<CellsReport>;
  /** Starts a cell; throws when the machine has no process, descriptor or user left, and NotAvailable for what it cannot offer. */
  start(spec: CellSpec): Cell;
  /** Nothing of the provider is left when it resolves. */
  close(): Promise<void>;
}
