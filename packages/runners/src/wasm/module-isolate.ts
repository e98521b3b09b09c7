/**
 * The V8 isolate in which modules run, on a thread of its own, so that the runner's stays free to end it. In it is one context with
 * the program `guest/main.ts`.
 *
 * An isolate in which code was ended by force is not used again.
 */
import type { Copy, Isolate, Reference } from "isolated-vm";
import type { Addon } from "../isolate/addon.ts";
import { Garbage } from "../isolate/garbage.ts";
import type { CallReport, CallSettings, PostLine } from "./guest/wire.ts";

const MIB = 1024 * 1024;
/** How long an isolate may stay in what the engine's timeout does not cover. */
const OVERDUE_MS = 100;
/**
 * Memories of calls that ended lie outside of the engine's heap. The engine lets several of them lie, and the limit of the process
 * counts them all: beside them a call would not get what it may take.
 */
const GARBAGE_BYTES_MAX = 8 * MIB;
const GARBAGE_CALLS_MAX = 64;

type GuestEnter = (op: "install" | "compile" | "call", first: unknown, second?: unknown) => unknown;

export type CallEnd =
  | { readonly kind: "report"; readonly report: CallReport }
  | { readonly kind: "timeout" }
  | { readonly kind: "outOfMemory" }
  /** Ended by `dispose`. */
  | { readonly kind: "disposed" };

export class ModuleIsolate {
  readonly #addon: Addon;
  readonly #isolate: Isolate;
  readonly #garbage: Garbage;
  readonly #enter: Reference<GuestEnter>;
  #garbageBytes = 0;
  #garbageCalls = 0;
  #disposed = false;

  constructor(options: { readonly addon: Addon; readonly heapBytes: number; readonly guestSource: string; readonly post: PostLine }) {
    this.#addon = options.addon;
    this.#isolate = new options.addon.Isolate({
      memoryLimit: Math.max(8, Math.ceil(options.heapBytes / MIB)),
      // V8 has lost control of the isolate: nothing in this process can be relied on.
      onCatastrophicError: () => process.abort(),
    });
    this.#garbage = new Garbage(this.#isolate);
    const context = this.#isolate.createContextSync();
    const enter: unknown = context.evalSync(options.guestSource, { reference: true, filename: "plinth:guest" });
    this.#enter = enter as Reference<GuestEnter>;
    this.#enter.applySync(undefined, ["install", new this.#addon.Callback(options.post, { ignored: true })]);
  }

  get isDisposed(): boolean {
    return this.#disposed || this.#isolate.isDisposed;
  }

  /** Rejects with what the engine says of the module. */
  async compile(name: string, bytes: Uint8Array, timeoutMs: number): Promise<void> {
    await this.#enter.apply(undefined, ["compile", name, this.#copyIn(bytes)], { timeout: timeoutMs });
  }

  /** Runs one call. Calls must come one after the other. */
  async call(settings: CallSettings, stdin: Uint8Array, timeoutMs: number): Promise<CallEnd> {
    const startMs = performance.now();
    let overdue = false;
    const guard = setTimeout(() => {
      overdue = true;
      this.dispose();
    }, timeoutMs + OVERDUE_MS);
    try {
      const report: unknown = await this.#enter.apply(
        undefined,
        ["call", new this.#addon.ExternalCopy(settings).copyInto({ release: true }), this.#copyIn(stdin)],
        { timeout: Math.max(1, Math.ceil(timeoutMs)), result: { copy: true } },
      );
      return { kind: "report", report: report as CallReport };
    } catch (error) {
      if (overdue) return { kind: "timeout" };
      if (this.#disposed) return { kind: "disposed" };
      const isOutOfMemory = this.#isolate.isDisposed;
      this.dispose();
      if (isOutOfMemory) return { kind: "outOfMemory" };
      if (performance.now() - startMs >= timeoutMs - 1) return { kind: "timeout" };
      throw error;
    } finally {
      clearTimeout(guard);
    }
  }

  /** Frees the memory of the calls that ended, when it is worth it. Only between calls. */
  tidyAfter(memoryBytes: number): void {
    this.#garbageBytes += memoryBytes;
    this.#garbageCalls++;
    if (this.isDisposed || (this.#garbageBytes < GARBAGE_BYTES_MAX && this.#garbageCalls < GARBAGE_CALLS_MAX)) return;
    this.#garbageBytes = 0;
    this.#garbageCalls = 0;
    this.#garbage.collect("part");
  }

  /** Bytes of the engine's heap. Only between calls. */
  heapBytes(): number {
    return this.isDisposed ? 0 : this.#isolate.getHeapStatisticsSync().used_heap_size;
  }

  /** Ends what runs. */
  dispose(): void {
    this.#disposed = true;
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }

  /** A buffer of the isolate's own. */
  #copyIn(bytes: Uint8Array): Copy<ArrayBuffer> {
    const buffer = new ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return new this.#addon.ExternalCopy(buffer, { transferOut: true }).copyInto({ release: true, transferIn: true });
  }
}
