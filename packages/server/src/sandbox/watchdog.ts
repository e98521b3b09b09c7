/**
 * The watchdog of one runner: it holds the deadlines of its calls and the memory of its process, on the
 * host's clock. At a deadline the runner is asked to end the call; when that takes longer than
 * `killGraceMs`, the runner is killed.
 */
import { limit } from "@plinth/core/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { OpenCall } from "./open-call.ts";
import type { RunnerMeter } from "./runner-meter.ts";

/** Between the discovery that a call is due and the act, so that frames that have arrived are read first. */
const SETTLE_MS = 2;
/** How often a call that waits for its share of the processor is looked at again. */
const STARVED_MS = 20;

export interface WatchdogOptions {
  readonly runtime: Runtime;
  readonly meter: RunnerMeter;
  /** Between two looks at the memory while calls are open. */
  readonly memoryPauseMs: number;
  askToEnd(call: OpenCall, reason: "timeout" | "cancelled"): void;
  kill(call: OpenCall, reason: "timeout" | "cancelled"): void;
  outOfMemory(): void;
  isBusy(): boolean;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #runtime: Runtime;
  #memoryTimer: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
  }

  /** Holds a call to its limits until it is done. */
  watch(call: OpenCall): void {
    this.#watchMemory();
    const { wallMs, cpuMs } = call.request.limits;
    const leftMs = Math.min(wallMs - call.wallMs(), cpuMs - call.userMs());
    call.timer = this.#runtime.timer(Math.max(leftMs, SETTLE_MS), () => this.#check(call));
  }

  /** Asks for a polite end and prepares the other one. */
  askToEnd(call: OpenCall, reason: "timeout" | "cancelled"): void {
    if (call.isDone || call.cancelling !== undefined) return;
    call.cancelling = reason;
    call.timer?.cancel();
    this.#options.askToEnd(call, reason);
    // After a lag of the host its timers fire before its sockets are read; the pause lets the answer in.
    call.timer = this.#runtime.timer(limit("killGraceMs"), () => {
      call.timer = this.#runtime.timer(SETTLE_MS, () => {
        if (!call.isDone) this.#options.kill(call, reason);
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#memoryTimer?.cancel();
  }

  #check(call: OpenCall): void {
    if (call.isDone) return;
    const { wallMs, cpuMs } = call.request.limits;
    if (call.wallMs() >= wallMs) this.askToEnd(call, "timeout");
    else if (call.isWaitingForHost || call.userMs() < cpuMs) this.watch(call);
    else if (call.hasUsedCpu(this.#options.meter.cpuNowMs())) this.askToEnd(call, "timeout");
    else call.timer = this.#runtime.timer(STARVED_MS, () => this.#check(call));
  }

  #watchMemory(): void {
    this.#memoryTimer ??= this.#runtime.timer(this.#options.memoryPauseMs, () => {
      this.#memoryTimer = undefined;
      if (this.#stopped || !this.#options.isBusy()) return;
      if (this.#options.meter.isOverLimit()) this.#options.outOfMemory();
      else this.#watchMemory();
    });
  }
}
