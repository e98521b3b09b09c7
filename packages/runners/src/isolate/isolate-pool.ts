/** The isolates of a runner. Calls get an isolate of their own while there are enough. */
import type { Addon } from "./addon.ts";
import type { GuestCode } from "./compiled-code.ts";
import { IsolateSlot } from "./isolate-slot.ts";

/** An idle isolate that holds more than this part of its heap, young garbage aside, is replaced. */
const WORN_PART = 0.6;
/** Calls of quick functions share an isolate whose heap is used up to this part, and so many at most. */
const SHARED_PART = 0.4;
const SHARED_CALLS_MAX = 16;

export interface IsolatePoolOptions {
  readonly addon: Addon;
  readonly guest: GuestCode;
  readonly heapBytes: number;
  /** Size of an isolate's young generation, which is mostly garbage. */
  readonly youngBytes: number;
  readonly isolates: number;
}

export class IsolatePool {
  readonly #options: IsolatePoolOptions;
  #slots: IsolateSlot[] = [];

  constructor(options: IsolatePoolOptions) {
    this.#options = options;
  }

  /**
   * The isolate for a call. Calls of quick functions share one while it has room: they run on the main
   * thread one slice at a time anyway, and an isolate costs tens of MiB. Other calls get one of their own;
   * when there is none left they share with the fewest, which wait if the new call is made by them.
   */
  choose(options: {
    readonly digest: string;
    readonly contextKey: string;
    readonly quick: boolean;
    /** Key of contexts that calls share. */
    readonly sharedKey?: string;
  }): IsolateSlot {
    this.#slots = this.#slots.filter((slot) => !slot.condemned);
    const free = this.#slots.filter((slot) => (options.quick ? this.#hasRoomForQuick(slot) : slot.activeCalls === 0) && !slot.isInFlight);
    const { sharedKey } = options;
    return (
      (sharedKey === undefined ? undefined : free.find((slot) => slot.kept.has(sharedKey))) ??
      free.find((slot) => slot.hasReady(options.contextKey)) ??
      free.find((slot) => slot.hasScript(options.digest)) ??
      free[0] ??
      (this.#slots.length < this.#options.isolates ? this.#add() : (this.#leastLoaded() ?? this.#add()))
    );
  }

  #hasRoomForQuick(slot: IsolateSlot): boolean {
    return slot.slowCalls === 0 && slot.activeCalls < SHARED_CALLS_MAX && this.#isBelow(slot, SHARED_PART);
  }

  /** Whether a context may be kept in it: what is kept takes room from the calls to come. */
  hasRoomToKeep(slot: IsolateSlot): boolean {
    return !slot.condemned && this.#isBelow(slot, SHARED_PART);
  }

  #isBelow(slot: IsolateSlot, part: number): boolean {
    return slot.lastHeapBytes < this.#options.youngBytes + this.#options.heapBytes * part;
  }

  #leastLoaded(): IsolateSlot | undefined {
    return this.#slots.toSorted((a, b) => Number(a.isInFlight) - Number(b.isInFlight) || a.activeCalls - b.activeCalls)[0];
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
    if (!slot.condemned && this.#isBelow(slot, WORN_PART)) return;
    slot.dispose();
    this.#slots = this.#slots.filter((each) => each !== slot);
  }

  /** Gives memory back while there are no calls. */
  rest(): void {
    for (const slot of this.#slots) slot.rest();
  }

  /** Drops contexts that were kept long enough. */
  expire(nowMs: number): void {
    for (const slot of this.#slots) slot.submit(() => void slot.kept.expire(nowMs));
  }

  forget(digest: string): void {
    for (const slot of this.#slots) slot.submit(() => void slot.forget(digest));
  }
}
