/**
 * AbortController and AbortSignal of the DOM standard, over our EventTarget. The packages for these two lack
 * what came later (reasons, `any`, `timeout`) or bring an EventTarget of their own.
 */
import { Event, EventTarget, getEventAttributeValue, setEventAttributeValue, type Handler } from "event-target-shim";
import { DOMException } from "./dom-exception.ts";
import { heldBridge } from "./held-bridge.ts";
import { knowClasses } from "./known-classes.ts";
import { platformClasses } from "./platform-class.ts";
import "./events.ts";

/** Proves that a signal is made by this file. */
const INTERNAL = Symbol("internal");

let signalAbort: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  #reason: unknown;
  #aborted = false;
  /** Signals made by `any` that follow this one. */
  readonly #followers = new Set<AbortSignal>();

  constructor(token: unknown) {
    if (token !== INTERNAL) throw new TypeError("Illegal constructor");
    super();
  }

  static {
    signalAbort = (signal, reason) => signal.#abort(reason);
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(INTERNAL);
    signal.#abort(reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const bridge = heldBridge();
    bridge.requireAction("AbortSignal.timeout");
    if (!(Number(ms) >= 0 && Number(ms) <= Number.MAX_SAFE_INTEGER))
      throw new TypeError("The delay of AbortSignal.timeout is not a number of milliseconds.");
    const signal = new AbortSignal(INTERNAL);
    bridge.setTimer(Math.trunc(ms), () => signal.#abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")));
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const sources = [...signals];
    if (!sources.every((source) => source instanceof AbortSignal)) throw new TypeError("AbortSignal.any takes signals only.");
    const signal = new AbortSignal(INTERNAL);
    const first = sources.find((source) => source.aborted);
    if (first !== undefined) signal.#abort(first.reason);
    else for (const source of sources) source.#followers.add(signal);
    return signal;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get onabort(): Handler | null {
    return getEventAttributeValue(this, "abort");
  }

  set onabort(handler: Handler | null) {
    setEventAttributeValue(this, "abort", handler);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  #abort(reason: unknown): void {
    if (this.#aborted) return;
    const all = this.#markAborted(reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason);
    // Every signal knows before the first listener hears of it.
    for (const signal of all) signal.dispatchEvent(new Event("abort"));
  }

  #markAborted(reason: unknown): AbortSignal[] {
    if (this.#aborted) return [];
    this.#aborted = true;
    this.#reason = reason;
    const followers = [...this.#followers].flatMap((follower) => follower.#markAborted(reason));
    this.#followers.clear();
    return [this, ...followers];
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(INTERNAL);

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    signalAbort(this.#signal, reason);
  }
}

platformClasses({ AbortSignal, AbortController });
knowClasses({ AbortSignal });
