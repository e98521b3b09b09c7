/**
 * One V8 isolate and what is kept in it: compiled scripts and contexts that are ready for a call.
 *
 * Code enters an isolate from the main thread or through the isolate's own thread (see `pace.ts`), never
 * both at once: a call from the main thread would wait for the other, and the event loop with it. So
 * everything that touches the isolate is a job of the slot, and jobs run one after the other.
 */
import type { Context, Isolate, Reference, Script } from "isolated-vm";
import type { Addon } from "./addon.ts";
import { CallContext } from "./call-context.ts";
import { type CompiledCode, GuestCode } from "./compiled-code.ts";
import { Garbage, type Thoroughness } from "./garbage.ts";
import { KeptContexts } from "./kept-contexts.ts";
import type { LoadedVersion } from "./version-store.ts";
import { type Enter, VERSION_FILE } from "./wire.ts";

const SCRIPTS_MAX = 4;
const READY_CONTEXTS_MAX = 2;
const MIB = 1024 * 1024;
/** How long an isolate may stay in what the engine's timeout does not cover. */
const OVERDUE_MS = 100;

export type SliceOutcome =
  | { readonly kind: "done"; readonly ms: number }
  | { readonly kind: "timeout"; readonly ms: number }
  | { readonly kind: "outOfMemory" }
  /** An error that nothing caught: a rejection without a handler. */
  | { readonly kind: "uncaught"; readonly ms: number; readonly error: unknown }
  /** The isolate was ended by `dispose`. */
  | { readonly kind: "disposed" };

/** Code to run in the isolate, in both ways. */
export interface Slice {
  now(timeoutMs: number): unknown;
  later(timeoutMs: number): Promise<unknown>;
}

/** Ends at once, or when its promise resolves; what that holds runs when the isolate is free again. */
type Job = () => Promise<(() => void) | undefined> | undefined;

export class IsolateSlot {
  /** Calls whose context lies in this isolate. */
  activeCalls = 0;
  /** Those of them that run on the isolate's thread. */
  slowCalls = 0;
  /** Bytes in use when it was last asked. */
  lastHeapBytes = 0;
  /** No new calls: its code had to be ended by force. */
  condemned = false;
  /** Contexts that calls left for others. */
  readonly kept = new KeptContexts();
  readonly #addon: Addon;
  readonly #isolate: Isolate;
  readonly #bootstrap: Script;
  readonly #garbage: Garbage;
  readonly #scripts = new Map<string, Script>();
  #ready: CallContext[] = [];
  readonly #jobs: Job[] = [];
  #inFlight = false;
  /** A slice ended badly and may have left rejections that nobody handled. */
  #isDirty = false;
  #owner: unknown;
  #disposed = false;

  constructor(options: { readonly addon: Addon; readonly heapBytes: number; readonly guest: GuestCode }) {
    this.#addon = options.addon;
    this.#isolate = new options.addon.Isolate({
      memoryLimit: Math.max(8, Math.ceil(options.heapBytes / MIB)),
      // V8 has lost control of the isolate: nothing in this process can be relied on.
      onCatastrophicError: () => process.abort(),
    });
    this.#garbage = new Garbage(this.#isolate);
    this.#bootstrap = options.guest.compileIn(this.#isolate);
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Code runs on the isolate's thread. */
  get isInFlight(): boolean {
    return this.#inFlight;
  }

  /** Whether code of this call runs on the isolate's thread. */
  isRunning(owner: object): boolean {
    return this.#inFlight && this.#owner === owner;
  }

  hasScript(digest: string): boolean {
    return this.#scripts.has(digest);
  }

  hasReady(key: string): boolean {
    return this.#ready.some((context) => context.key === key);
  }

  /** Runs `job` when the isolate is free: at once when it is free now. */
  submit(job: Job): void {
    this.#jobs.push(job);
    if (!this.#inFlight) this.#drain();
  }

  #drain(): void {
    while (!this.#inFlight) {
      const job = this.#jobs.shift();
      if (job === undefined) return;
      const running = job();
      if (running === undefined) continue;
      this.#inFlight = true;
      void running.then((after) => {
        this.#inFlight = false;
        after?.();
        this.#drain();
      });
    }
  }

  /** Runs a slice of a call and tells how it ended. `quick` slices run on this thread. */
  run(
    slice: Slice,
    options: { readonly owner: object; readonly quick: boolean; readonly timeoutMs: number },
    ended: (outcome: SliceOutcome) => void,
  ): void {
    const timeoutMs = Math.max(1, Math.ceil(options.timeoutMs));
    this.submit(() => {
      if (this.#disposed) return void ended({ kind: "disposed" });
      this.#owner = options.owner;
      if (options.quick) return void ended(this.#runNow(slice, timeoutMs));
      return this.#runLater(slice, timeoutMs).then((outcome) => () => ended(outcome));
    });
  }

  #runNow(slice: Slice, timeoutMs: number): SliceOutcome {
    const startMs = performance.now();
    try {
      slice.now(timeoutMs);
      return { kind: "done", ms: performance.now() - startMs };
    } catch (error) {
      const ms = performance.now() - startMs;
      return this.#classify(error, { ms, wallMs: ms, timeoutMs });
    }
  }

  async #runLater(slice: Slice, timeoutMs: number): Promise<SliceOutcome> {
    const startMs = performance.now();
    const startCpu = this.#isolate.cpuTime;
    const usedMs = () =>
      this.#disposed || this.#isolate.isDisposed ? performance.now() - startMs : Number(this.#isolate.cpuTime - startCpu) / 1e6;
    let overdue = false;
    // The engine's own timeout leaves out what it runs to describe a rejection that nobody handled.
    const guard = setTimeout(() => {
      overdue = true;
      this.dispose();
    }, timeoutMs + OVERDUE_MS);
    try {
      await slice.later(timeoutMs);
      return { kind: "done", ms: usedMs() };
    } catch (error) {
      const wallMs = performance.now() - startMs;
      return overdue ? { kind: "timeout", ms: wallMs } : this.#classify(error, { ms: usedMs(), wallMs, timeoutMs });
    } finally {
      clearTimeout(guard);
    }
  }

  #classify(error: unknown, times: { readonly ms: number; readonly wallMs: number; readonly timeoutMs: number }): SliceOutcome {
    if (this.#disposed) return { kind: "disposed" };
    const message = error instanceof Error ? error.message : "";
    if (this.#isolate.isDisposed || message === "Isolate was disposed during execution due to memory limit") {
      this.dispose();
      return { kind: "outOfMemory" };
    }
    this.#dropRejections();
    // User code may throw the same words, but not so late.
    if (message === "Script execution timed out." && times.wallMs >= times.timeoutMs - 1) {
      this.condemned = true;
      return { kind: "timeout", ms: times.ms };
    }
    return { kind: "uncaught", ms: times.ms, error };
  }

  /**
   * Unhandled rejections that are left behind would be reported to whatever enters the isolate next, and
   * reading them may run user code. So they are taken out first of all, on the isolate's thread.
   */
  #dropRejections(): void {
    this.#isDirty = true;
    this.#jobs.unshift(() => {
      if (this.#disposed) return undefined;
      const guard = setTimeout(() => this.dispose(), OVERDUE_MS);
      return this.#isolate
        .getHeapStatistics()
        .catch(() => {})
        .then(() => {
          clearTimeout(guard);
          this.#isDirty = false;
          return undefined;
        });
    });
  }

  /** A context with the guest in it and nothing else. Only within a job. */
  createContext(version: LoadedVersion, key: string): CallContext {
    const context: Context = this.#isolate.createContextSync();
    const enter = this.#bootstrap.runSync(context, { reference: true }) as Reference<Enter>;
    return new CallContext({ addon: this.#addon, context, enter, digest: version.digest, key });
  }

  /** A context that `keepReady` was given, for the same module of the same version. */
  takeReady(key: string, accepts: (context: CallContext) => boolean): CallContext | undefined {
    const index = this.#ready.findIndex((context) => context.key === key && accepts(context));
    return index < 0 ? undefined : this.#ready.splice(index, 1)[0];
  }

  keepReady(context: CallContext): void {
    this.#ready.push(context);
    if (this.#ready.length > READY_CONTEXTS_MAX) this.#ready.shift()?.release();
  }

  /** The script of a version, compiled once per isolate. Only within a job. */
  scriptOf(version: LoadedVersion, code: CompiledCode): Script {
    const known = this.#scripts.get(version.digest);
    if (known !== undefined) {
      this.#scripts.delete(version.digest);
      this.#scripts.set(version.digest, known);
      return known;
    }
    const script = code.compileIn(this.#isolate);
    this.#keepScript(version.digest, script);
    return script;
  }

  /** Compiles a version on the isolate's thread. Rejects when it is no script. */
  compile(digest: string, source: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.submit(() =>
        this.#isolate.compileScript(source, { filename: VERSION_FILE }).then(
          (script) => () => {
            this.#keepScript(digest, script);
            resolve();
          },
          (error: unknown) => () => reject(error),
        ),
      );
    });
  }

  #keepScript(digest: string, script: Script): void {
    this.#scripts.get(digest)?.release();
    this.#scripts.set(digest, script);
    const [oldest] = this.#scripts.keys();
    if (this.#scripts.size > SCRIPTS_MAX && oldest !== undefined) this.forget(oldest);
  }

  /** Drops what is kept of a version. */
  forget(digest: string): void {
    this.kept.forget(digest);
    this.#scripts.get(digest)?.release();
    this.#scripts.delete(digest);
    for (const context of this.#ready) if (context.digest === digest) context.release();
    this.#ready = this.#ready.filter((context) => context.digest !== digest);
  }

  /** Bytes in use now, or when it was last possible to ask. */
  heapBytes(): number {
    if (this.#inFlight || this.#isDirty || this.#disposed || this.#isolate.isDisposed) return this.lastHeapBytes;
    const heap = this.#isolate.getHeapStatisticsSync();
    this.lastHeapBytes = heap.used_heap_size + heap.externally_allocated_size;
    return this.lastHeapBytes;
  }

  /** Collects garbage, when there is enough of it, as soon as the isolate is free. */
  collectGarbage(): void {
    if (!this.#garbage.isDue(this.lastHeapBytes)) return;
    this.submit(() => {
      if (this.#garbage.isDue(this.heapBytes())) this.#collect("part");
      return undefined;
    });
  }

  /** Gives back what memory it can. */
  rest(): void {
    this.submit(() => {
      this.kept.clear();
      this.#collect("all");
      return undefined;
    });
  }

  #collect(thoroughness: Thoroughness): void {
    if (this.#disposed) return;
    try {
      this.#garbage.collect(thoroughness);
      this.#garbage.collected(this.heapBytes());
    } catch {
      // The isolate is over its limit; the next slice of a call in it finds that out.
    }
  }

  /** Ends the isolate, and with it whatever runs in it. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.condemned = true;
    this.#ready = [];
    this.kept.lose();
    this.#scripts.clear();
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }
}
