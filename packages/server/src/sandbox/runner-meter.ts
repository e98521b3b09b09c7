/** What a runner's process uses, as the kernel counts it. Readings are kept for a while: each costs a few microseconds. */
import type { Runtime } from "../runtime/runtime.ts";
import { cpuMs, privateBytes } from "./jail/process-stats.ts";

const FRESH_MS = 100;
const CPU_FRESH_MS = 200;
/** A process that died with this part of its budget in use most likely died for want of the rest. */
const NEAR_PART = 0.75;

export class RunnerMeter {
  readonly #runtime: Runtime;
  readonly #pid: () => number | undefined;
  readonly #memoryBytesMax: number;
  #baseBytes = 0;
  #bytes = 0;
  #cpuMs: number | undefined;
  #bytesAtMs = Number.NEGATIVE_INFINITY;
  #cpuAtMs = Number.NEGATIVE_INFINITY;

  constructor(runtime: Runtime, options: { readonly pid: () => number | undefined; readonly memoryBytesMax: number }) {
    this.#runtime = runtime;
    this.#pid = options.pid;
    this.#memoryBytesMax = options.memoryBytesMax;
  }

  /** The last reading, also when the process is gone. */
  get lastBytes(): number {
    return this.#bytes;
  }

  memoryBytes(): number {
    this.#readBytes(FRESH_MS);
    return this.#bytes;
  }

  /** Processor time at some moment of the last fifth of a second. */
  recentCpuMs(): number | undefined {
    return this.#runtime.monotonicMs() - this.#cpuAtMs < CPU_FRESH_MS ? this.#cpuMs : this.cpuNowMs();
  }

  cpuNowMs(): number | undefined {
    const pid = this.#pid();
    if (pid === undefined) return this.#cpuMs;
    this.#cpuAtMs = this.#runtime.monotonicMs();
    this.#cpuMs = cpuMs(pid) ?? this.#cpuMs;
    return this.#cpuMs;
  }

  /** What the runner has now is its own; the budget counts from here. */
  setBase(): void {
    this.#readBytes(0);
    this.#baseBytes = this.#bytes;
  }

  isOverLimit(): boolean {
    this.#readBytes(0);
    return this.#bytes > this.#baseBytes + this.#memoryBytesMax;
  }

  isNearLimit(peakBytes: number): boolean {
    return Math.max(this.#bytes, peakBytes) > this.#baseBytes + this.#memoryBytesMax * NEAR_PART;
  }

  /** Read apart from the processor time: each is asked for where the other is not. */
  #readBytes(maxAgeMs: number): void {
    const nowMs = this.#runtime.monotonicMs();
    if (nowMs - this.#bytesAtMs < maxAgeMs) return;
    const pid = this.#pid();
    if (pid === undefined) return;
    this.#bytesAtMs = nowMs;
    // A process that is ending has no memory any more; what it had before is what counts.
    this.#bytes = privateBytes(pid) || this.#bytes;
  }
}
