/** The isolates of a runner. Calls get an isolate of their own while there are enough. */
import type { Addon } from "./addon.ts";
import type { GuestCode } from "./compiled-code.ts";
import { IsolateSlot } from "./isolate-slot.ts";

/** An idle isolate that holds more than this part of its heap is replaced. */
const WORN_PART = 0.6;

export class IsolatePool {
  readonly #options: { readonly addon: Addon; readonly guest: GuestCode; readonly heapBytes: number; readonly isolates: number };
  #slots: IsolateSlot[] = [];

  constructor(options: { readonly addon: Addon; readonly guest: GuestCode; readonly heapBytes: number; readonly isolates: number }) {
    this.#options = options;
  }

  /**
   * The isolate for a call: an idle one that has its context or its script, another idle one, a new one,
   * or the one with the fewest calls, whose code waits: then the call is most likely made by one of those.
   */
  choose(digest: string, contextKey: string): IsolateSlot {
    this.#slots = this.#slots.filter((slot) => !slot.condemned);
    const idle = this.#slots.filter((slot) => slot.activeCalls === 0 && !slot.isInFlight);
    const best =
      idle.find((slot) => slot.hasReady(contextKey)) ??
      idle.find((slot) => slot.hasScript(digest)) ??
      (this.#slots.length < this.#options.isolates ? undefined : idle[0]) ??
      (this.#slots.length < this.#options.isolates ? this.#add() : this.#slots.toSorted((a, b) => Number(a.isInFlight) - Number(b.isInFlight) || a.activeCalls - b.activeCalls)[0]);
    return best ?? this.#add();
  }

  #add(): IsolateSlot {
    const slot = new IsolateSlot(this.#options);
    this.#slots.push(slot);
    return slot;
  }

  /** Makes the first isolate before the first call. */
  warm(): void {
    if (this.#slots.length === 0) this.#add();
  }

  /** An isolate whose last call has ended: ended itself when it is not fit for more. */
  settle(slot: IsolateSlot): void {
    if (slot.activeCalls > 0) return;
    if (!slot.condemned && (slot.heapBytes() ?? 0) < this.#options.heapBytes * WORN_PART) return;
    slot.dispose();
    this.#slots = this.#slots.filter((each) => each !== slot);
  }

  forget(digest: string): void {
    for (const slot of this.#slots) slot.submit(() => void slot.forget(digest));
  }
}
