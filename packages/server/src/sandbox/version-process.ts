/**
 * One process that runs code of a package, or inline code: a runner with the folder it sees and what the pool of versions knows
 * of it. The folder is held from before the start until nothing of the process is left.
 */
import { limit } from "@plinth/core/limits.ts";
import { PlinthError } from "@plinth/core/errors.ts";
import { assert, must } from "@plinth/core/assert.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CallEnd } from "./open-call.ts";
import type { SandboxProvider } from "./provider.ts";
import { Runner, type RunnerEnd } from "./runner.ts";
import type { ProgramImage, RuntimeAdapter } from "./runtimes/runtime-adapter.ts";
import type { PackageCode, VersionCode } from "./sandbox.ts";

/** How a start ended. */
export type StartEnd =
  | { readonly kind: "ready" }
  /** The version does not load; calls get this instead. */
  | { readonly kind: "notLoaded"; readonly failure: CallEnd }
  /** No process came to be, or none that spoke. */
  | { readonly kind: "notStarted" }
  /** What the process needs could not be had: the runtime, the files of the version. */
  | { readonly kind: "notPossible"; readonly error: unknown };

export interface VersionProcessOptions {
  readonly id: string;
  readonly runtime: Runtime;
  readonly provider: SandboxProvider;
  readonly adapter: RuntimeAdapter;
  readonly image: () => Promise<ProgramImage>;
  readonly version: VersionCode;
  /** Whom it serves; absent while it belongs to nobody. */
  readonly tenant?: string;
  /** Called once, when the process takes no more calls; `exited` resolves later. */
  readonly onEnd: (end: RunnerEnd) => void;
}

type State = "starting" | "idle" | "busy" | "dead";

export class VersionProcess {
  readonly id: string;
  readonly started: Promise<StartEnd>;
  /** Resolves when nothing of it is left. */
  readonly exited: Promise<void>;
  lastUsedMs: number;
  /** The next lease is the first on it. */
  fresh = true;
  readonly #options: VersionProcessOptions;
  #state: State = "starting";
  /** Processor time that the process had used when it became idle. */
  #restCpuMs: number | undefined;
  #runner: Runner | undefined;
  #gone: (() => void) | undefined;

  constructor(options: VersionProcessOptions) {
    this.id = options.id;
    this.#options = options;
    this.lastUsedMs = options.runtime.monotonicMs();
    this.exited = new Promise((resolve) => {
      this.#gone = resolve;
    });
    this.started = this.#start();
  }

  get isStarting(): boolean {
    return this.#state === "starting";
  }

  get isIdle(): boolean {
    return this.#state === "idle" && this.runner.isAlive;
  }

  get isBusy(): boolean {
    return this.#state === "busy";
  }

  get runner(): Runner {
    return must(this.#runner, "a process that started has a runner");
  }

  /** Hostile text. */
  get output(): string {
    return this.#runner?.output ?? "";
  }

  memoryBytes(): number {
    return Math.max(this.#runner?.memoryBytes() ?? 0, this.isStarting ? limit("runnerIdleBytes") : 0);
  }

  take(): void {
    assert(this.isIdle, "an idle process is taken");
    this.#state = "busy";
    this.lastUsedMs = this.#options.runtime.monotonicMs();
  }

  rest(): void {
    assert(this.#state === "busy", "a taken process is given back");
    this.#becomeIdle();
    this.lastUsedMs = this.#options.runtime.monotonicMs();
  }

  /** Whether threads and timers that nobody waits for use the processor between calls. */
  isBusyForNobody(): boolean {
    if (!this.isIdle || this.#restCpuMs === undefined) return false;
    return (this.runner.cpuMs() ?? 0) - this.#restCpuMs > limit("runnerIdleCpuMsMax");
  }

  #becomeIdle(): void {
    this.#state = "idle";
    this.#restCpuMs = this.runner.cpuMs();
  }

  kill(end: RunnerEnd): void {
    if (this.#runner === undefined) this.#ended(end);
    else this.#runner.kill(end);
  }

  async #start(): Promise<StartEnd> {
    let folder: Awaited<ReturnType<NonNullable<PackageCode["folder"]>>> | undefined;
    try {
      const program = await this.#options.image();
      folder = await this.#options.version.package?.folder?.();
      if (this.#isDead()) return this.#refuse({ kind: "notStarted" }, folder);
      const refusal = this.#startRunner(program, folder?.path);
      if (refusal !== undefined) return this.#refuse(refusal, folder);
    } catch (error) {
      return this.#refuse({ kind: "notPossible", error }, folder);
    }
    const { runner } = this;
    void runner.exited.then(() => {
      folder?.release();
      this.#gone?.();
    });
    try {
      await runner.started;
      const failure = await runner.load(this.#options.version);
      if (failure === undefined && !this.#isDead()) {
        this.#becomeIdle();
        return { kind: "ready" };
      }
      runner.kill({ kind: "retired", detail: "its version does not load" });
      return { kind: "notLoaded", failure: failure ?? { kind: "lost", reason: "the process ended while it loaded the code" } };
    } catch (error) {
      if (!runner.isAlive) return { kind: "notStarted" };
      runner.kill({ kind: "retired", detail: "its code cannot be read" });
      return { kind: "notPossible", error };
    }
  }

  /** Says why no runner could be started. */
  #startRunner(program: ProgramImage, packageFolder: string | undefined): StartEnd | undefined {
    const { runtime, provider, adapter, version, tenant, id } = this.#options;
    const memoryBytesMax = Math.min(version.package?.memoryBytesMax ?? adapter.memoryBytes.usual, adapter.memoryBytes.max);
    try {
      this.#runner = new Runner({
        runtime,
        provider,
        id,
        spec: {
          image: adapter.fit?.(program, memoryBytesMax) ?? program,
          ...(packageFolder === undefined ? {} : { packageFolder }),
          scratchBytes: version.package?.scratchBytes ?? 0,
          memoryBytesMax,
        },
        places: adapter.places,
        heapBytes: memoryBytesMax,
        onEnd: (end) => this.#ended(end),
      });
      if (tenant !== undefined) this.#runner.serve(tenant);
      return undefined;
    } catch (error) {
      if (error instanceof PlinthError) return { kind: "notPossible", error };
      // The machine has no descriptor, process or user left for it. What it says is for the log, not for callers.
      this.#ended({ kind: "startFailed", detail: String(error) });
      return { kind: "notStarted" };
    }
  }

  #refuse(end: StartEnd, folder: { release(): void } | undefined): StartEnd {
    folder?.release();
    this.#ended({ kind: "retired", detail: "the process could not be started" });
    this.#gone?.();
    return end;
  }

  #ended(end: RunnerEnd): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#options.onEnd(end);
  }

  /** Asked through a method because the compiler cannot know that waiting changes it. */
  #isDead(): boolean {
    return this.#state === "dead";
  }
}
