/**
 * Collects the garbage of an isolate when the runner chooses. The engine's own schedule suits contexts badly:
 * a dead one lies in the old space for the most part, so a collection of the young space takes what belongs to
 * it for alive and copies it, call after call. A full collection finds hardly anything alive and is over in a
 * millisecond; done early it also keeps the heap within the processor's caches.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Isolate, Reference } from "isolated-vm";

/** Garbage of some forty calls; more where more is alive, so that the work stays a small part of all. */
const GROWTH_BYTES_MIN = 16 * 1024 * 1024;

/** `part` takes what is dead; `all` also empties the engine's caches and gives the memory back. */
export type Thoroughness = "part" | "all";

export class Garbage {
  readonly #collect: Reference<(thoroughness: Thoroughness) => void>;
  #liveBytes: number;

  constructor(isolate: Isolate) {
    this.#collect = collectorOf(isolate);
    this.#liveBytes = isolate.getHeapStatisticsSync().used_heap_size;
  }

  isDue(heapBytes: number): boolean {
    return heapBytes - this.#liveBytes >= Math.max(GROWTH_BYTES_MIN, this.#liveBytes);
  }

  /** Must not be called while code runs in the isolate. */
  collect(thoroughness: Thoroughness): void {
    this.#collect.applySync(undefined, [thoroughness]);
  }

  /** The bytes in use right after a collection. */
  collected(heapBytes: number): void {
    this.#liveBytes = heapBytes;
  }
}

const COLLECTOR = `((gc) => (thoroughness) =>
  gc({ type: "major", execution: "sync", flavor: thoroughness === "all" ? "last-resort" : "regular" }))(globalThis.gc)`;

/** Gives back what memory the runner's own heap can spare. */
export function collectOwnGarbage(): void {
  ownCollector ??= withCollector(() => runInNewContext(COLLECTOR) as (thoroughness: Thoroughness) => void);
  ownCollector("all");
}

let ownCollector: ((thoroughness: Thoroughness) => void) | undefined;

/** The engine's own `gc`, from a context that no user code ever enters. */
function collectorOf(isolate: Isolate): Reference<(thoroughness: Thoroughness) => void> {
  return withCollector(() => {
    const context = isolate.createContextSync();
    return context.evalSync(COLLECTOR, { reference: true }) as Reference<(thoroughness: Thoroughness) => void>;
  });
}

/** Contexts that `make` makes have the engine's `gc`. */
function withCollector<T>(make: () => T): T {
  setFlagsFromString("--expose-gc");
  try {
    return make();
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
